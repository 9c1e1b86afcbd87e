//! The CSRF token of a session as bytes: how it is masked for each page, and how it is compared.
//!
//! A page that repeats a secret and a visitor's input in one compressed response leaks the secret by its size (BREACH).
//! Every text of the token is therefore masked anew: a random mask, then the token XOR the mask.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// The size of a token and of its mask, in bytes.
pub(crate) const TOKEN_BYTES: usize = 32;

/// A CSRF token.
pub(crate) struct CsrfToken([u8; TOKEN_BYTES]);

impl CsrfToken {
    /// Reads a token in either form: 43 characters as stored, or 86 characters masked. `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MASKED_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (mask, rest) = bytes.split_at_checked(TOKEN_BYTES)?;
        let mut token: [u8; TOKEN_BYTES] = mask.try_into().ok()?;
        match rest.len() {
            0 => {}
            TOKEN_BYTES => token.iter_mut().zip(rest).for_each(|(byte, masked)| *byte ^= masked),
            _ => return None,
        }
        Some(Self(token))
    }

    /// Returns the token as a page shows it, masked with these random bytes.
    pub(crate) fn masked(&self, mask: [u8; TOKEN_BYTES]) -> String {
        let masked = mask.iter().zip(self.0).map(|(mask, byte)| mask ^ byte);
        let bytes: Vec<u8> = mask.iter().copied().chain(masked).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Compares in constant time.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

const MASKED_CHARS: usize = 86;

/// The cookie that axios and Angular send back in the header `X-XSRF-TOKEN`.
pub(crate) const XSRF_COOKIE: &str = "XSRF-TOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(byte: u8) -> String {
        URL_SAFE_NO_PAD.encode([byte; TOKEN_BYTES])
    }

    fn equal(one: &str, other: &str) -> bool {
        let read = |text| CsrfToken::parse(text).expect("a token");
        read(one).equals(&read(other))
    }

    #[test]
    fn at_6_both_forms_of_a_token_are_equal_and_every_mask_looks_different() {
        let token = CsrfToken::parse(&stored(7)).unwrap();
        let (one, two) = (token.masked([1; TOKEN_BYTES]), token.masked([2; TOKEN_BYTES]));
        assert_eq!((one.len(), two.len()), (MASKED_CHARS, MASKED_CHARS));
        assert_ne!(one, two);
        assert!(equal(&one, &two) && equal(&one, &stored(7)) && !equal(&one, &stored(8)));
    }

    #[test]
    fn at_6_nothing_else_is_a_token() {
        let masked = CsrfToken::parse(&stored(7)).unwrap().masked([3; TOKEN_BYTES]);
        for text in
            ["", "A", &stored(7)[1..], &masked[1..], &format!("{}=", stored(7)), &format!("{masked}AA")]
        {
            assert!(CsrfToken::parse(text).is_none(), "{text}");
        }
        assert!(CsrfToken::parse(&"A".repeat(1 << 20)).is_none());
    }
}
