//! A key: 32 random bytes that an operator keeps, read from what configuration files hold, never printed by accident.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret that seals cookies: 32 bytes or more from a random generator, not a passphrase.
///
/// It prints as `Key(****)`, compares in constant time and is wiped when dropped. There is no default key.
///
/// Its text form is hexadecimal, base64 or base64url (padding present and right, or absent), or Laravel's
/// `base64:` with base64 after it. No white space, no other alphabet, no bits left over.
///
/// ```
/// use session_core::{error::KeyError, SecretKey};
///
/// let text = SecretKey::generate()?.expose_secret_hex(); // 64 digits, as `openssl rand -hex 32` prints them
/// let key: SecretKey = text.parse()?;
/// assert_eq!(format!("{key:?}"), "Key(****)");
/// assert_eq!("too short".parse::<SecretKey>(), Err(KeyError::NotText));
/// // The only key that these pages show is refused.
/// let shown = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// assert_eq!(shown.parse::<SecretKey>(), Err(KeyError::Example));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Takes at least 32 bytes that came from a random generator. Of more than 32, a SHA-256 under a domain label is
    /// taken, so all of them count.
    ///
    /// # Errors
    /// [`KeyError`] for fewer bytes, and for bytes that no random generator makes: text, a pattern, few different bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < 32 {
            return Err(KeyError::TooShort { bytes: bytes.len() });
        }
        check_random(bytes)?;
        Ok(Self(<[u8; 32]>::try_from(bytes).unwrap_or_else(|_| {
            let mut hash = Sha256::new();
            hash.update(LONG_KEY_LABEL);
            hash.update(bytes);
            hash.finalize().into()
        })))
    }

    /// The key as 64 hexadecimal digits, to print a newly made one on purpose. It reads back as the same key.
    ///
    /// ```
    /// # use session_core::{error::KeyError, SecretKey};
    /// # let bytes: [u8; 32] = std::array::from_fn(|at| (at * 37 + 11) as u8);
    /// let key = SecretKey::from_bytes(&bytes)?;
    /// assert_eq!(key.expose_secret_hex().parse::<SecretKey>()?, key);
    /// # Ok::<(), KeyError>(())
    /// ```
    #[must_use]
    pub fn expose_secret_hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in self.0 {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        text
    }

    pub(super) fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (text, named) = text.strip_prefix("base64:").map_or((text, false), |text| (text, true));
        let hex = !named && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bytes = Zeroizing::new(match text.len() {
            64 if hex => decode_hex(text),
            digits if hex && digits >= 40 => Err(KeyError::HexLength { digits }),
            _ => decode_base64(text),
        }?);
        let key = Self::from_bytes(&bytes)?;
        // Words with dashes are base64url, too; but a random key has letters of both cases.
        let letters = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
        if hex || (letters(u8::is_ascii_lowercase) && letters(u8::is_ascii_uppercase)) {
            return Ok(key);
        }
        Err(KeyError::Text)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(****)")
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A key, or a ring of them, is not one that may seal sessions. No message contains any part of a key.
///
/// ```
/// use session_core::{error::KeyError, SecretKey};
///
/// assert_eq!(SecretKey::from_bytes(b"too short").unwrap_err(), KeyError::TooShort { bytes: 9 });
/// assert_eq!(SecretKey::from_bytes(&[0; 32]).unwrap_err(), KeyError::AllEqual);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Fewer than 32 bytes.
    #[error(
        "a key needs at least 32 random bytes; this one has {bytes}; make one with `openssl rand -hex 32`"
    )]
    TooShort {
        /// How many bytes it has.
        bytes: usize,
    },
    /// Hexadecimal digits, but not 64 of them.
    #[error(
        "a key in hexadecimal has 64 digits; this one has {digits}; make one with `openssl rand -hex 32`"
    )]
    HexLength {
        /// How many digits it has.
        digits: usize,
    },
    /// One byte, repeated.
    #[error("all bytes of the key are equal; make one with `openssl rand -hex 32`")]
    AllEqual,
    /// The key that documentation and examples show: everybody knows it.
    #[error("this is the key that the documentation shows; make one with `openssl rand -hex 32`")]
    Example,
    /// Text, such as a passphrase.
    #[error("the key is text, which can be guessed; make one with `openssl rand -hex 32`")]
    Text,
    /// A pattern: few different bytes, a part repeated, or bytes that count up or down.
    #[error("the key is a pattern, not random; make one with `openssl rand -hex 32`")]
    Pattern,
    /// The text is in none of the forms a key is written in.
    #[error(
        "a key is written as hexadecimal, base64 or base64url, without white space; make one with `openssl rand -hex 32`"
    )]
    NotText,
    /// A ring without any key.
    #[error("a key ring needs a key; there is no default")]
    NoKeys,
    /// A ring of more than eight keys.
    #[error("a key ring holds at most {most} keys; these are {keys}")]
    TooManyKeys {
        /// How many were given.
        keys: usize,
        /// How many a ring holds.
        most: usize,
    },
    /// Two keys of a ring are equal, counting from one.
    #[error("keys {first} and {second} of the ring are equal")]
    SameKey {
        /// The earlier one.
        first: usize,
        /// The later one.
        second: usize,
    },
    /// Two different keys of a ring share their four-byte id (once in 150 million rings of eight), counting from one.
    #[error("keys {first} and {second} of the ring have the same id; make another key")]
    SameId {
        /// The earlier one.
        first: usize,
        /// The later one.
        second: usize,
    },
}

fn decode_hex(text: &str) -> Result<Vec<u8>, KeyError> {
    if !text.len().is_multiple_of(2) {
        return Err(KeyError::NotText);
    }
    let digit = |at: u8| char::from(at).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?))
        .collect::<Option<_>>()
        .ok_or(KeyError::NotText)
}

fn decode_base64(text: &str) -> Result<Vec<u8>, KeyError> {
    let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = match (url_safe, text.ends_with('=')) {
        (false, true) => STANDARD,
        (false, false) => STANDARD_NO_PAD,
        (true, true) => URL_SAFE,
        (true, false) => URL_SAFE_NO_PAD,
    };
    engine.decode(text).map_err(|_| KeyError::NotText)
}

/// Refuses bytes that no random generator makes. Each of these happens to random bytes less than once in 10^13 keys.
fn check_random(bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(KeyError::AllEqual);
    }
    if bytes == EXAMPLE {
        return Err(KeyError::Example);
    }
    if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::is_control)) {
        return Err(KeyError::Text);
    }
    let different = bytes.iter().collect::<BTreeSet<_>>().len();
    let repeats = |period| bytes.iter().zip(&bytes[period..]).all(|(one, two)| one == two);
    // Most bytes differ from the one before by the same small step: `01 02 03 …`, `ff ee dd …`.
    let runs = |step: &u8| {
        let steps = bytes.windows(2).filter(|pair| pair[0].wrapping_add(*step) == pair[1]).count();
        steps * 2 >= bytes.len() - 1
    };
    // Of a part that is repeated, at least 16 bytes are there twice.
    let periods = 1..=31.min(bytes.len() - 16);
    let pattern = different < LEAST_DIFFERENT || periods.into_iter().any(repeats) || STEPS.iter().any(runs);
    if pattern { Err(KeyError::Pattern) } else { Ok(()) }
}

/// Different bytes that a key has at least; 32 random ones have about 30.
const LEAST_DIFFERENT: usize = 16;

/// Steps from one byte to the next by which people count, up and down.
const STEPS: [u8; 9] = [0, 1, 2, 0x10, 0x11, 0xff, 0xfe, 0xf0, 0xef];

/// What documentation shows where a key stands: 0, 1, 2 … 31.
const EXAMPLE: [u8; 32] = {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = at as u8;
        at += 1;
    }
    bytes
};

const LONG_KEY_LABEL: &[u8] = b"session-core/key/v1\0";
