//! The public key of a device, read from a JWK and kept as text: ECDSA on P-256 (ES256), or RSA (RS256) where it is allowed.
//!
//! A key has one algorithm. What a proof says about its algorithm is compared with that, and decides nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::error::ProofError;
#[cfg(feature = "dbsc-rs256")]
use super::rsa::RsaKey;

/// A signature algorithm that a binding may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    #[cfg(feature = "dbsc-rs256")]
    Rs256,
}

impl Algorithm {
    /// The algorithms of a binding that says nothing about them.
    pub(crate) const USUAL: &'static [Self] = &[Self::Es256];
    /// With RSA, for devices whose hardware has nothing else.
    #[cfg(feature = "dbsc-rs256")]
    pub(crate) const WITH_RSA: &'static [Self] = &[Self::Es256, Self::Rs256];

    /// Its name in JWS (RFC 7518 §3.1).
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            #[cfg(feature = "dbsc-rs256")]
            Self::Rs256 => "RS256",
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceKey {
    /// A point on P-256.
    P256(VerifyingKey),
    #[cfg(feature = "dbsc-rs256")]
    Rsa(RsaKey),
}

/// The header parameter `jwk` (RFC 7517, RFC 7518 §6.2 and §6.3).
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// Present in a private key, of either type.
    #[serde(default, deserialize_with = "present")]
    d: bool,
}

impl Jwk {
    /// Reads a public key for this algorithm, which must be of its type and have no members of the other type.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Result<DeviceKey, ProofError> {
        let key = match (algorithm, self) {
            (
                Algorithm::Es256,
                Self { kty, crv: Some(crv), x: Some(x), y: Some(y), n: None, e: None, d: false },
            ) if kty == "EC" && crv == "P-256" => read_point(x, y),
            #[cfg(feature = "dbsc-rs256")]
            (
                Algorithm::Rs256,
                Self { kty, crv: None, x: None, y: None, n: Some(n), e: Some(e), d: false },
            ) if kty == "RSA" => RsaKey::read(n, e).map(DeviceKey::Rsa),
            _ => None,
        };
        key.ok_or(ProofError::Key)
    }
}

fn read_point(x: &str, y: &str) -> Option<DeviceKey> {
    let mut point = [0; 64];
    for (part, text) in point.chunks_exact_mut(32).zip([x, y]) {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if bytes.len() != part.len() {
            return None;
        }
        part.copy_from_slice(&bytes);
    }
    from_point(&point)
}

/// Both coordinates, which must be a point of the curve.
fn from_point(point: &[u8]) -> Option<DeviceKey> {
    let sec1 = [&[UNCOMPRESSED], point].concat();
    VerifyingKey::from_sec1_bytes(&sec1).map(DeviceKey::P256).ok()
}

impl DeviceKey {
    /// Reads the text that [`to_text`](Self::to_text) makes. The types differ in their lengths.
    pub(crate) fn from_text(text: &str) -> Result<Self, ProofError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofError::Key)?;
        let key = match bytes.len() {
            64 => from_point(&bytes),
            #[cfg(feature = "dbsc-rs256")]
            _ => RsaKey::from_modulus(bytes).map(Self::Rsa),
            #[cfg(not(feature = "dbsc-rs256"))]
            _ => None,
        };
        key.ok_or(ProofError::Key)
    }

    /// The text that a session keeps.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::P256(key) => URL_SAFE_NO_PAD.encode(&key.to_sec1_point(false).as_bytes()[1..]),
            #[cfg(feature = "dbsc-rs256")]
            Self::Rsa(key) => URL_SAFE_NO_PAD.encode(key.modulus()),
        }
    }

    /// The only algorithm of its signatures.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            #[cfg(feature = "dbsc-rs256")]
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// Checks a signature in the form of JWS: for ES256 both numbers, 32 bytes each (RFC 7518 §3.4).
    pub(crate) fn check(&self, signed: &[u8], signature: &[u8]) -> Result<(), ProofError> {
        let is_right = match self {
            Self::P256(key) => {
                Signature::from_slice(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
            }
            #[cfg(feature = "dbsc-rs256")]
            Self::Rsa(key) => key.is_by(signed, signature),
        };
        if is_right { Ok(()) } else { Err(ProofError::Signature) }
    }
}

/// The first byte of a point in SEC 1 that is followed by both coordinates.
const UNCOMPRESSED: u8 = 4;
/// Whether a member is there, whatever its value.
pub(super) fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
