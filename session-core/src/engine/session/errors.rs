//! The validation errors that the previous visit left, as a facet of [`Session`].

use super::Session;
use crate::value::flash::FormView;
use crate::value::path::AnyKey;
use crate::value::values::{Snapshot, Values};

/// The validation errors that the previous visit flashed with [`Session::with_errors`]. From [`Session::errors`], or from
/// [`NamedForm::errors`](super::NamedForm::errors) for one of several forms.
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
        Errors::of_form(self, String::new())
    }
}

impl<'s> Errors<'s> {
    pub(super) fn of_form(session: &'s Session, form: String) -> Self {
        Self { session, form }
    }

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
