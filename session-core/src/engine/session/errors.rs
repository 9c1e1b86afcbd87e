//! The validation errors that the previous visit left, as a facet of [`Session`].

use super::Session;
use crate::value::path::AnyKey;
use crate::value::values::Snapshot;

/// The validation errors that the previous visit flashed with [`Session::with_errors`]. From [`Session::errors`].
///
/// ```
/// # use session_core::Session;
/// # let session = Session::standalone();
/// if let Some(message) = session.errors().first("email") {
///     println!("<p class=\"error\">{message}</p>");
/// }
/// ```
#[derive(Debug)]
pub struct Errors<'s>(&'s Session);

impl Session {
    /// Returns the facet for the validation errors that the previous visit left.
    #[must_use]
    pub fn errors(&self) -> Errors<'_> {
        Errors(self)
    }
}

impl Errors<'_> {
    /// Returns whether there are any errors.
    #[must_use]
    #[doc(alias = "has_errors")]
    pub fn any(&self) -> bool {
        self.0.read(|state| !state.content.flash.shown().errors.is_empty())
    }

    /// Returns all errors: each field with its messages.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        self.0.read(|state| state.content.flash.shown().errors.all())
    }

    /// Returns whether there is an error for this field.
    #[must_use]
    #[doc(alias = "has_error_for")]
    pub fn has(&self, field: impl AnyKey) -> bool {
        self.0.read(|state| !state.content.flash.shown().errors_at(field.path()).is_empty())
    }

    /// Returns the first message for this field.
    #[must_use]
    #[doc(alias = "get_error_for")]
    pub fn first(&self, field: impl AnyKey) -> Option<String> {
        self.of(field).into_iter().next()
    }

    /// Returns all messages for this field.
    #[must_use]
    #[doc(alias = "input_error")]
    pub fn of(&self, field: impl AnyKey) -> Vec<String> {
        self.0.read(|state| state.content.flash.shown().errors_at(field.path()))
    }
}
