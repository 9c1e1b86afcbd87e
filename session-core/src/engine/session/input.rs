//! Old input and validation errors: keeping a rejected form, without its secrets, for the next visit.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use super::flash::raw;
use super::messages::Messages;
use crate::engine::error::SessionError;
use crate::value::error::ValueError;
use crate::value::flash::{field_path, names};
use crate::value::form;
use crate::value::path::{AnyKey, ToPath, ToPaths};

impl Session {
    /// Sets the form of this request, for [`flash_all`](Self::flash_all) and the methods like it. The form extractors
    /// of the adapters call it; call it after reading a body in another way.
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// let form = serde_json::json!({ "email": "ada@example.com" });
    /// session.set_input(form.as_object().cloned().unwrap_or_default());
    /// session.flash_all()?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// assert_eq!(ada.session().await.old::<String>("email")?.as_deref(), Some("ada@example.com"));
    /// # Ok(()) }
    /// ```
    pub fn set_input(&self, form: Map<String, Value>) {
        self.shared.lock().form = Some(form);
    }

    /// Leaves the form of this request for the next visit, except secrets ([`SessionsBuilder::secret_fields`]), which
    /// are left out at any depth.
    ///
    /// [`SessionsBuilder::secret_fields`]: crate::SessionsBuilder::secret_fields
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_all()?;
    /// # answer(guard).await;
    /// // In the next visit, the password is not there:
    /// let session = ada.session().await;
    /// assert!(session.has_old("email") && session.has_old("name") && !session.has_old("password"));
    /// # Ok(()) }
    /// ```
    pub fn flash_all(&self) -> Result<(), SessionError> {
        let form = form::without_secrets(self.input()?, &self.shared.engine.secrets);
        self.edit(|state| state.content.flash.flash_form("", form))
    }

    /// Leaves these fields of the form (`profile.email` or `profile[email]`) for the next visit, even if they are
    /// secrets. Several calls add up.
    ///
    /// The fields keep the shape of a form with only them: rows are a list as long as none is missing before them,
    /// otherwise an object with their numbers as names.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_only(["email"])?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// assert!(ada.session().await.has_old("email") && !ada.session().await.has_old("name"));
    /// # Ok(()) }
    /// ```
    pub fn flash_only(&self, fields: impl ToPaths) -> Result<(), SessionError> {
        let form = self.input()?;
        let named: Vec<_> = fields.paths().as_slice().iter().map(|field| names(&form, *field)).collect();
        let parts = form::only(&form, &named, &self.shared.engine.secrets);
        self.edit(|state| state.content.flash.flash_parts("", parts))
    }

    /// Leaves the form for the next visit, except these fields and secrets.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_except(["name"])?;
    /// # answer(guard).await;
    /// // In the next visit, the password is not there either:
    /// let session = ada.session().await;
    /// assert!(session.has_old("email") && !session.has_old("name") && !session.has_old("password"));
    /// # Ok(()) }
    /// ```
    pub fn flash_except(&self, fields: impl ToPaths) -> Result<(), SessionError> {
        let form = self.input()?;
        let named: Vec<_> = fields.paths().as_slice().iter().map(|field| names(&form, *field)).collect();
        let left = form::except(form, &named, &self.shared.engine.secrets);
        self.edit(|state| state.content.flash.flash_form("", left))
    }

    /// Leaves errors for the next visit: fields, each with one message or several. Several calls add up, in order. A field
    /// with an empty list of messages is left out.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.with_errors([("email", "is taken"), ("email", "is too long")])?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    ///
    /// To fill the form again as well, call [`flash_all`](Self::flash_all). For one of several forms on a page, use
    /// [`form`](Self::form).
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    #[doc(alias("flash_errors", "flash_validation_errors"))]
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<(), SessionError> {
        self.leave_errors("", errors)
    }

    pub(super) fn leave_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        form: &str,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<(), SessionError> {
        let entry = |(field, messages): (F, M)| (field_path(field.as_ref()), messages.into().0);
        // A field whose checks all passed has no error.
        let errors: Vec<_> =
            errors.into_iter().map(entry).filter(|(_, messages)| !messages.is_empty()).collect();
        self.edit(|state| {
            for (field, messages) in errors {
                let json = raw(&["errors"], &messages)?;
                state.content.flash.flash_errors(form, field, json)?;
            }
            Ok::<_, ValueError>(())
        })
    }

    /// Returns the previous input of this field (`profile.email` or `profile[email]`).
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn old<T: DeserializeOwned>(&self, field: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        self.try_read(|state| state.content.flash.see().form.input.get(field))
    }

    /// Returns whether there is a previous input of this field.
    #[must_use]
    pub fn has_old(&self, field: impl AnyKey) -> bool {
        self.read(|state| state.content.flash.see().form.input.has(field.path()))
    }

    pub(super) fn input(&self) -> Result<Map<String, Value>, SessionError> {
        Ok(self.shared.try_lock()?.form.clone().unwrap_or_default())
    }
}
