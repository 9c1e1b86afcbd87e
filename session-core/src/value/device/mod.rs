//! What a session keeps about the device that it is bound to, and the names of both.
//!
//! The proofs themselves (Device Bound Session Credentials) are read only with the feature `dbsc`; a record that was bound
//! is understood without it.

#[cfg(feature = "dbsc")]
pub(crate) mod error;
#[cfg(feature = "dbsc")]
pub(crate) mod key;
#[cfg(feature = "dbsc")]
pub(crate) mod proof;
#[cfg(feature = "dbsc-rs256")]
mod rsa;
#[cfg(feature = "dbsc")]
pub(crate) mod token;
#[cfg(feature = "dbsc")]
pub(crate) mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The name of a binding: 16 random bytes, drawn when a binding is offered. It is the `session_identifier` of the
/// protocol, and no secret.
///
/// ```
/// use session_core::machine::BindingId;
///
/// assert_eq!(BindingId::from_bytes([0xab; 16]).to_string(), "ab".repeat(16));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BindingId([u8; 16]);

impl BindingId {
    /// Makes a name from 16 bytes of a cryptographic random generator.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for BindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BindingId({self})")
    }
}

/// The binding that a request's short-lived cookie names, and what the cookie came with.
///
/// ```
/// use session_core::machine::{BindingId, Shown};
///
/// let id = BindingId::from_bytes([1; 16]);
/// assert_eq!((Shown::Offered(id).id(), Shown::Proven(id).id()), (id, id));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: a cookie comes with one or the other")]
pub enum Shown {
    /// It came with the offer of a binding, when no key was registered yet.
    Offered(BindingId),
    /// It came with the answer to a proof.
    Proven(BindingId),
}

impl Shown {
    /// Returns the name of the binding.
    #[must_use]
    pub const fn id(self) -> BindingId {
        let (Self::Offered(id) | Self::Proven(id)) = self;
        id
    }
}

/// Why a request does not prove that it comes from the device that its session is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the reasons there are")]
pub enum Unproven {
    /// The request had no short-lived cookie.
    Missing,
    /// The short-lived cookie was issued too long ago.
    Stale,
    /// The short-lived cookie is forged, or belongs to another binding.
    Foreign,
}

/// What a session remembers about its device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bond {
    /// The name of the binding, in hexadecimal digits.
    pub(crate) id: String,
    /// The public key, as base64url.
    pub(crate) key: String,
    /// When it was bound.
    pub(crate) since: Timestamp,
    /// The issue time of the newest challenge that was answered. Older ones are refused.
    pub(crate) answered: Timestamp,
    /// When the device proved itself, the newest last.
    pub(crate) proofs: Vec<Timestamp>,
}

#[cfg(feature = "dbsc")]
impl Bond {
    /// Returns the bond with another proof, made over a challenge of this issue time. What was answered before stays so.
    pub(crate) fn proven(mut self, challenge: Timestamp, now: Timestamp) -> Self {
        self.answered = self.answered.max(challenge);
        if self.proofs.len() >= MOST_PROOFS {
            self.proofs.drain(..=self.proofs.len() - MOST_PROOFS);
        }
        self.proofs.push(now);
        self
    }
}

/// How many proofs a session remembers.
#[cfg(feature = "dbsc")]
const MOST_PROOFS: usize = 5;
