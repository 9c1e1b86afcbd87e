//! Why the bridge refuses a call, and the text that tower-sessions receives for it.

use std::error::Error;

use session_core::error::EntropyError;
use session_core::store::StoreError;

/// Why a call failed. tower-sessions' own error holds a text only, so this type never leaves the crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BridgeError {
    #[error("the session store failed")]
    Store(#[from] StoreError),
    #[error("the old session store failed: {0}")]
    OldStore(String),
    #[error("the session was ended while the request ran")]
    Ended,
    #[error("no free session id was found")]
    NoFreeId,
    #[error("the session was written too often at the same time")]
    Contended,
    #[error("the session store gave an answer that its contract does not allow")]
    Unexpected,
    #[error("the session has a format that this version does not read")]
    OtherFormat,
    #[error("no version for the record could be drawn")]
    Entropy(#[from] EntropyError),
    #[error("the session's values could not be encoded")]
    Encode(#[from] serde_json::Error),
    #[error("the session's values are nested more than {0} levels deep")]
    TooDeep(usize),
}

impl BridgeError {
    /// Returns whether the session's values are at fault, and not the store.
    pub(crate) fn is_encoding(&self) -> bool {
        matches!(self, Self::Encode(_) | Self::TooDeep(_))
    }

    /// Returns the error and its causes in one line.
    pub(crate) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}
