//! The public key of a device: ECDSA on P-256 with SHA-256 (ES256), read from a JWK and kept as text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::ProofError;

/// A point on P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceKey(VerifyingKey);

/// The header parameter `jwk` (RFC 7517, RFC 7518 §6.2).
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// Present in a private key.
    d: Option<IgnoredAny>,
}

impl Jwk {
    pub(crate) fn key(&self) -> Result<DeviceKey, ProofError> {
        if self.kty != "EC" || self.crv != "P-256" || self.d.is_some() {
            return Err(ProofError::Key);
        }
        let mut point = [0; 64];
        for (part, text) in point.chunks_exact_mut(32).zip([&self.x, &self.y]) {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofError::Key)?;
            if bytes.len() != part.len() {
                return Err(ProofError::Key);
            }
            part.copy_from_slice(&bytes);
        }
        DeviceKey::from_point(&point)
    }
}

impl DeviceKey {
    /// Both coordinates, which must be a point of the curve.
    fn from_point(point: &[u8]) -> Result<Self, ProofError> {
        let sec1 = [&[UNCOMPRESSED], point].concat();
        VerifyingKey::from_sec1_bytes(&sec1).map(Self).map_err(|_| ProofError::Key)
    }

    /// Reads the text that [`to_text`](Self::to_text) makes.
    pub(crate) fn from_text(text: &str) -> Result<Self, ProofError> {
        let point = URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofError::Key)?;
        if point.len() != 64 {
            return Err(ProofError::Key);
        }
        Self::from_point(&point)
    }

    /// The text that a session keeps.
    pub(crate) fn to_text(&self) -> String {
        let sec1 = self.0.to_sec1_point(false);
        URL_SAFE_NO_PAD.encode(&sec1.as_bytes()[1..])
    }

    /// Checks a signature in the form of JWS: both numbers, 32 bytes each (RFC 7518 §3.4).
    pub(crate) fn check(&self, signed: &[u8], signature: &[u8]) -> Result<(), ProofError> {
        let signature = Signature::from_slice(signature).map_err(|_| ProofError::Signature)?;
        self.0.verify(signed, &signature).map_err(|_| ProofError::Signature)
    }
}

/// The first byte of a point in SEC 1 that is followed by both coordinates.
const UNCOMPRESSED: u8 = 4;
