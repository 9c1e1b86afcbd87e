//! The proof of a device: a JWT over a challenge, read strictly.
//!
//! Nothing in the token chooses how it is checked: the type is compared with the only one there is, the algorithm with those
//! that the application allows and with that of the key, a key is taken from it only when a binding begins, and everything
//! else that decides (session, binding, time) is inside the challenge, which this library sealed itself. The device's clock
//! plays no part.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use super::error::ProofError;
use super::key::{Algorithm, DeviceKey, Jwk, present};

/// A well-formed proof whose signature has not been checked yet.
#[derive(Debug)]
pub(crate) struct Proof {
    signed: String,
    signature: Vec<u8>,
    challenge: String,
    algorithm: Algorithm,
    key: Option<DeviceKey>,
}

/// Whether the proof must bring a key, or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A new binding: the key is in the proof.
    Registration,
    /// A binding goes on: the key is the session's.
    Refresh,
}

impl Proof {
    /// Reads the value of the header `Secure-Session-Response`: a JWT, bare or as a quoted string. The algorithms are those
    /// that are allowed.
    pub(crate) fn read(value: &[u8], stage: Stage, algorithms: &[Algorithm]) -> Result<Self, ProofError> {
        if value.len() > MOST_BYTES {
            return Err(ProofError::TooLong);
        }
        let text = std::str::from_utf8(value).map_err(|_| ProofError::Malformed)?;
        let text = unquote(text.trim_matches([' ', '\t']));
        let (signed, signature) = text.rsplit_once('.').ok_or(ProofError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(ProofError::Malformed)?;
        if payload.contains('.') {
            return Err(ProofError::Malformed);
        }
        let header: Header = part(header)?;
        if header.crit {
            return Err(ProofError::Malformed);
        }
        let algorithm = algorithms.iter().copied().find(|allowed| allowed.name() == header.alg);
        let algorithm = algorithm.ok_or(ProofError::Algorithm)?;
        if header.typ != TYPE {
            return Err(ProofError::Type);
        }
        let key = match (stage, header.jwk) {
            (Stage::Registration, Some(jwk)) => Some(jwk.key(algorithm)?),
            (Stage::Registration, None) => return Err(ProofError::Key),
            (Stage::Refresh, Some(_)) => return Err(ProofError::OwnKey),
            (Stage::Refresh, None) => None,
        };
        let Payload { jti } = part(payload)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| ProofError::Malformed)?;
        Ok(Self { signed: signed.to_owned(), signature, challenge: jti, algorithm, key })
    }

    /// The challenge that it answers, as text.
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Checks the signature with the key that the proof brings, and returns that key.
    pub(crate) fn into_key(self) -> Result<DeviceKey, ProofError> {
        let key = self.key.clone().ok_or(ProofError::Key)?;
        self.check(&key)?;
        Ok(key)
    }

    /// Checks the signature with this key, whose algorithm the proof must have.
    pub(crate) fn check(&self, key: &DeviceKey) -> Result<(), ProofError> {
        if self.algorithm != key.algorithm() {
            return Err(ProofError::Algorithm);
        }
        key.check(self.signed.as_bytes(), &self.signature)
    }
}

/// The text inside a quoted string. None of ours has anything to escape.
pub(crate) fn unquote(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, ProofError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| ProofError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| ProofError::Malformed)
}

/// The protected header. A name that comes twice makes it malformed.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    /// Not `null` either.
    #[serde(default, deserialize_with = "given")]
    jwk: Option<Jwk>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Jwk>, D::Error> {
    Jwk::deserialize(value).map(Some)
}

#[derive(Deserialize)]
struct Payload {
    jti: String,
}

const TYPE: &str = "dbsc+jwt";
/// A proof of Chromium has about 700 bytes; one with an RSA key of 4,096 bits 2,400.
pub(crate) const MOST_BYTES: usize = 4096;

#[cfg(test)]
pub(crate) mod tests;
