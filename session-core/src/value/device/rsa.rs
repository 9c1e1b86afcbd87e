//! RSA public keys of devices, for RS256: 2,048 to 4,096 bits, with the exponent 65,537.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

/// A public key, as its modulus: big-endian, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RsaKey(Vec<u8>);

impl RsaKey {
    /// Reads the members `n` and `e` of a JWK (RFC 7518 §6.3.1).
    pub(crate) fn read(n: &str, e: &str) -> Option<Self> {
        if e != EXPONENT_AS_TEXT {
            return None;
        }
        Self::from_modulus(URL_SAFE_NO_PAD.decode(n).ok()?)
    }

    pub(crate) fn from_modulus(modulus: Vec<u8>) -> Option<Self> {
        let first = *modulus.first().filter(|&&byte| byte != 0)?;
        let bits = 8 * modulus.len() - first.leading_zeros() as usize;
        let is_odd = modulus.last().is_some_and(|byte| byte & 1 == 1);
        (is_odd && (FEWEST_BITS..=MOST_BITS).contains(&bits)).then_some(Self(modulus))
    }

    pub(crate) fn modulus(&self) -> &[u8] {
        &self.0
    }

    /// Whether a signature (RSASSA-PKCS1-v1_5 with SHA-256) is by this key.
    pub(crate) fn is_by(&self, signed: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n: self.modulus(), e: EXPONENT };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
    }
}

/// 65,537, the exponent of every TPM. Others buy nothing but checks.
const EXPONENT: &[u8] = &[1, 0, 1];
const EXPONENT_AS_TEXT: &str = "AQAB";
const FEWEST_BITS: usize = 2_048;
/// More costs the server more than it gives: what a stranger sends is checked with a key that the stranger chose.
const MOST_BITS: usize = 4_096;
