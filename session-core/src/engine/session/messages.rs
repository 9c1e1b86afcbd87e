//! The messages, old input and errors that the previous visit left; and the error messages of one field.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
        self.view.form.input.all()
    }

    /// Returns what [`Session::notify`](crate::Session::notify) left, in order. In a template they are the list
    /// `flash_messages.notifications`, each with `level` and `text`.
    ///
    /// # Errors
    /// [`SessionError::Value`] if something else was left under the key `notifications`.
    pub fn notifications(&self) -> Result<Vec<Notification>, SessionError> {
        Ok(self.get(NOTIFICATIONS)?.unwrap_or_default())
    }

    /// Returns whether there is no message, no old input and no error.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }
}

/// How much a [`Notification`] matters. In a record and in templates: `info`, `success`, `warning`, `error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a promise: a page has a style for each")]
#[expect(missing_docs, reason = "each is the word")]
pub enum Level {
    Info,
    Success,
    Warning,
    Error,
}

/// A text with a level, from [`FlashMessages::notifications`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Notification {
    /// Its level.
    pub level: Level,
    /// Its text.
    pub text: String,
}

/// The key of the notifications.
pub(super) const NOTIFICATIONS: &str = "notifications";

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
