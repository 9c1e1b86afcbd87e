//! One of several forms on a page, with errors and old input of its own, as a facet of [`Session`].

use serde::de::DeserializeOwned;

use super::errors::Errors;
use super::{Messages, Session};
use crate::engine::error::SessionError;
use crate::value::form;
use crate::value::path::{AnyKey, ToPath};

/// One of several forms on a page: its errors and its old input are not shown in another form that has a field of the
/// same name. From [`Session::form`].
///
/// ```
#[doc = include_str!("../../given/a_visit.in")]
/// // The form that came with this request has an e-mail address, a name and a password.
/// session.form("sign-up").with_errors([("email", "is taken")])?;
/// # answer(guard).await;
/// // In the next visit, the form "sign-in" on the same page has neither errors nor input:
/// let session = ada.session().await;
/// let (sign_up, sign_in) = (session.form("sign-up"), session.form("sign-in"));
/// assert!(sign_up.errors().has("email") && sign_up.has_old("email") && !sign_up.has_old("password"));
/// assert!(!sign_in.errors().any() && !sign_in.has_old("email") && !session.has_old("email"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct NamedForm<'s> {
    session: &'s Session,
    name: String,
}

impl Session {
    /// Returns the facet for one of several forms on a page, by a name that the application chooses.
    #[must_use]
    #[doc(alias("bag", "errors_in", "old_in", "with_errors_in"))]
    pub fn form(&self, name: impl AsRef<str>) -> NamedForm<'_> {
        NamedForm { session: self, name: name.as_ref().to_owned() }
    }
}

impl<'s> NamedForm<'s> {
    /// Leaves the errors of this form for the next visit, and with them the form of this request, without secrets, as its
    /// old input. Several calls add up, in order.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<(), SessionError> {
        self.session.leave_errors(&self.name, errors)?;
        let input = form::without_secrets(self.session.input()?, &self.session.shared.engine.secrets);
        match input.is_empty() {
            true => Ok(()),
            false => self.session.edit(|state| state.content.flash.flash_form(&self.name, input)),
        }
    }

    /// Returns the facet for the errors that the previous visit left of this form.
    #[must_use]
    pub fn errors(&self) -> Errors<'s> {
        Errors::of_form(self.session, self.name.clone())
    }

    /// Returns the previous input of this field.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn old<T: DeserializeOwned>(&self, field: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        self.session.try_read(|state| match state.content.flash.see().form(&self.name) {
            Some(form) => form.input.get(field),
            None => Ok(None),
        })
    }

    /// Returns whether there is a previous input of this field.
    #[must_use]
    pub fn has_old(&self, field: impl AnyKey) -> bool {
        self.session.read(|state| {
            state.content.flash.see().form(&self.name).is_some_and(|form| form.input.has(field.path()))
        })
    }
}
