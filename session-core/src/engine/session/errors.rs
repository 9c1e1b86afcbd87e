//! Validation errors: flashing them with the submitted fields, and reading those that the previous visit left.

use super::{Messages, Session};
use crate::engine::error::SessionError;
use crate::value::flash::FormView;
use crate::value::path::AnyKey;
use crate::value::values::{Snapshot, Values};

/// The validation errors that the previous visit flashed with [`Session::with_errors`]. From [`Session::errors`], or from
/// [`Session::errors_in`] for one of several forms.
///
/// ```
/// # use session_core::Session;
/// # let session = Session::standalone();
/// if let Some(message) = session.errors().first("email") {
///     println!("<p class=\"error\">{message}</p>");
/// }
/// ```
#[derive(Debug)]
pub struct Errors<'s> {
    session: &'s Session,
    form: String,
}

impl Session {
    /// Returns the facet for the validation errors that the previous visit left.
    #[must_use]
    pub fn errors(&self) -> Errors<'_> {
        Errors { session: self, form: String::new() }
    }

    /// Returns the facet for the errors that [`with_errors_in`](Self::with_errors_in) left of the form with this name.
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// session.with_errors_in("sign-in", [("email", "is unknown")])?;
    /// # answer(guard).await;
    /// // In the next visit, the form "sign-up" on the same page has none:
    /// let session = ada.session().await;
    /// assert!(session.errors_in("sign-in").has("email") && !session.errors_in("sign-up").any());
    /// assert!(!session.errors().any());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn errors_in(&self, form: impl Into<String>) -> Errors<'_> {
        Errors { session: self, form: form.into() }
    }

    /// Flashes validation errors as [`with_errors`](Self::with_errors) does and, with [`WithInput::Kept`], the submitted
    /// fields.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn flash_validation_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
        input: WithInput,
    ) -> Result<(), SessionError> {
        self.with_errors(errors)?;
        match input {
            WithInput::Kept => self.flash_all(),
            WithInput::Dropped => Ok(()),
        }
    }
}

/// Whether the submitted fields are flashed with the errors, to fill the form again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: it does or it does not")]
pub enum WithInput {
    /// The fields, except secrets, are flashed; [`Session::old`] returns them.
    Kept,
    /// Only the errors are flashed.
    Dropped,
}

impl Errors<'_> {
    /// Returns whether there are any errors.
    #[must_use]
    #[doc(alias = "has_errors")]
    pub fn any(&self) -> bool {
        self.look(|form| form.is_some_and(|form| !form.errors.is_empty()))
    }

    /// Returns all errors: each field with its messages.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        self.look(|form| form.map_or_else(|| Values::default().all(), |form| form.errors.all()))
    }

    /// Returns whether there is an error for this field.
    #[must_use]
    #[doc(alias = "has_error_for")]
    pub fn has(&self, field: impl AnyKey) -> bool {
        !self.of(field).is_empty()
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
        self.look(|form| form.map(|form| form.errors_at(field.path())).unwrap_or_default())
    }

    fn look<R>(&self, look: impl FnOnce(Option<&FormView>) -> R) -> R {
        self.session.read(|state| look(state.content.flash.see().form(&self.form)))
    }
}
