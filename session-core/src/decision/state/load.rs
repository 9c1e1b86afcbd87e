//! What a session is opened for, what is found out while it is loaded, and why it cannot be.

use crate::value::answer::StoreError;
use crate::value::device::Unproven;

/// What a session is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: there is no third way")]
pub enum Access {
    /// To read and write: what the previous visit flashed is shown and taken.
    Full,
    /// To read: what the previous visit flashed is shown, and is still there for the next one.
    ReadOnly,
}

/// Something found out while opening that an operator wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The record's time was over.
    Expired,
    /// The record could not be read.
    Corrupt,
    /// The session is bound to a device, and the request does not prove that it comes from there.
    Unproven(Unproven),
    /// The request proves that its session was bound to a device, and the record in its cookie is older: a response that was
    /// under way while the session became bound has brought it back.
    Unbound,
}

/// A session could not be loaded. This is never "there is no session".
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The store failed.
    #[error("the session could not be loaded")]
    Store(#[source] StoreError),
    /// The record was written by a newer version of this library, and is left alone.
    #[error("the session could not be loaded")]
    Newer(#[source] NewerFormat),
}

impl From<NewerFormat> for LoadError {
    fn from(error: NewerFormat) -> Self {
        Self::Newer(error)
    }
}

/// The record was written by a newer version of this library. It is left alone, and the request is answered like a
/// store that cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has a newer format than this version reads")]
pub struct NewerFormat;
