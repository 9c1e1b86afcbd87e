//! Unpadded, canonical base64url in both directions, by whichever of two engines is faster for the length.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Writes the text of `bytes` over the whole of `text`, which is exactly [`encoded_len`] long.
pub(super) fn encode(bytes: &[u8], text: &mut [u8]) {
    let written = if bytes.len() < SIMD_FROM {
        SCALAR.encode_slice(bytes, text)
    } else {
        simd().encode_slice(bytes, text)
    };
    let written = written.expect("the caller sized the text by encoded_len");
    debug_assert_eq!(written, text.len(), "the caller sized the text by encoded_len");
}

/// Reads the whole of `text` into the whole of `bytes`, which is exactly [`decoded_len`] long; nothing if the text has any
/// byte outside of the alphabet, padding and white space included, or bits that no byte claims.
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> Option<()> {
    let written = if bytes.len() < SIMD_FROM {
        SCALAR.decode_slice(text, bytes)
    } else {
        simd().decode_slice(text, bytes)
    };
    (written.ok()? == bytes.len()).then_some(())
}

/// How many characters this many bytes become.
pub(super) const fn encoded_len(bytes: usize) -> usize {
    bytes / 3 * 4 + [0, 2, 3][bytes % 3]
}

/// How many bytes this many characters stand for; nothing if no number of bytes becomes that many characters.
pub(super) const fn decoded_len(characters: usize) -> Option<usize> {
    match characters % 4 {
        0 => Some(characters / 4 * 3),
        2 => Some(characters / 4 * 3 + 1),
        3 => Some(characters / 4 * 3 + 2),
        _ => None,
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn simd() -> &'static impl Engine {
    static SIMD: std::sync::LazyLock<base64::engine::Simd> =
        std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(STRICT));
    &*SIMD
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn simd() -> &'static impl Engine {
    &SCALAR
}

const STRICT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_allow_trailing_bits(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone);

const SCALAR: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, STRICT);

/// Bytes from which on the vector engine is used: below, its set-up costs more than it saves (`benches/codec.rs`).
const SIMD_FROM: usize = 56;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_agree_at_every_length_around_the_switch() {
        let bytes: Vec<u8> = (0..600_u32).map(|at| (at * 167 + 13).to_le_bytes()[0]).collect();
        for len in 0..bytes.len() {
            let mut text = vec![0; encoded_len(len)];
            encode(&bytes[..len], &mut text);
            assert_eq!(text, SCALAR.encode(&bytes[..len]).into_bytes(), "{len}");
            assert_eq!(decoded_len(text.len()), Some(len));
            let mut back = vec![0; len];
            decode(&text, &mut back).expect("what was encoded decodes");
            assert_eq!(back, bytes[..len], "{len}");
        }
    }

    #[test]
    fn one_wrong_character_anywhere_is_refused() {
        for len in [1, 2, 3, 44, 54, 55, 56, 57, 58, 60, 200] {
            let mut text = vec![0; encoded_len(len)];
            encode(&vec![0xa7; len], &mut text);
            for at in 0..text.len() {
                for wrong in [b'=', b' ', b'+', b'/', b'\n', b'"', 0, 0x80, 0xff] {
                    let mut bad = text.clone();
                    bad[at] = wrong;
                    assert_eq!(decode(&bad, &mut vec![0; len]), None, "{wrong} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn bits_that_no_byte_claims_are_refused() {
        for len in [1, 2, 100, 101, 301] {
            let mut text = vec![0; encoded_len(len)];
            encode(&vec![0; len], &mut text);
            let last = text.len() - 1;
            if len % 3 == 0 {
                continue;
            }
            text[last] = b'B';
            assert_eq!(decode(&text, &mut vec![0; len]), None, "{len}");
        }
    }
}
