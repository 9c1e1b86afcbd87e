//! The messages, old input and errors that the previous visit left; and the error messages of one field.

use serde::de::DeserializeOwned;

use super::read::DefaultFor;
use crate::engine::error::SessionError;
use crate::value::flash::FlashView;
use crate::value::path::{AnyKey, ToPath};
use crate::value::values::Snapshot;

/// The messages and the old input that the previous visit left. A copy: changing the session does not change it.
#[derive(Clone, Debug)]
pub struct FlashMessages {
    pub(super) view: FlashView,
}

impl FlashMessages {
    /// Returns a message, or `None` if it is missing or null.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the message is of another type.
    pub fn get<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        Ok(self.view.messages.get(key)?)
    }

    /// Returns a message, or the default if it is missing or null.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the message is of another type.
    pub fn get_or<T: DeserializeOwned>(
        &self,
        key: impl ToPath<T>,
        default: impl DefaultFor<T>,
    ) -> Result<T, SessionError> {
        Ok(self.get(key)?.unwrap_or_else(|| default.into_value()))
    }

    /// Returns whether the message exists and is not null.
    #[must_use]
    pub fn has(&self, key: impl AnyKey) -> bool {
        self.view.messages.has(key.path())
    }

    /// Returns all messages.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        self.view.messages.all()
    }

    /// Returns all old input.
    #[must_use]
    pub fn input(&self) -> Snapshot {
        self.view.input.all()
    }

    /// Returns whether there is no message, no old input and no error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.view.messages.is_empty() && self.view.input.is_empty() && self.view.errors.is_empty()
    }
}

/// One or more error messages for a field.
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// // One message, several, or what a validator made: all of them convert.
/// session.with_errors([("email", "is taken")])?;
/// session.with_errors([("password", ["is too short", "is too simple"])])?;
/// session.with_errors([("name", vec!["is missing".to_owned()])])?;
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Messages(pub(super) Vec<String>);

impl From<&str> for Messages {
    fn from(message: &str) -> Self {
        Self(vec![message.to_owned()])
    }
}

impl From<String> for Messages {
    fn from(message: String) -> Self {
        Self(vec![message])
    }
}

impl<S: Into<String>> From<Vec<S>> for Messages {
    fn from(messages: Vec<S>) -> Self {
        Self(messages.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Messages {
    fn from(messages: [S; N]) -> Self {
        Self(messages.into_iter().map(Into::into).collect())
    }
}
