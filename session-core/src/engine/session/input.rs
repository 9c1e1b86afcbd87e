//! Old input and validation errors: keeping a rejected form, without its secrets, for the next visit.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use super::flash::raw;
use super::messages::Messages;
use super::read::DefaultFor;
use crate::engine::error::SessionError;
use crate::value::error::ValueError;
use crate::value::flash::{FlashBag, field_path};
use crate::value::path::{AnyKey, ToPath, ToPaths};
use crate::value::values::Values;

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
        let form = self.form();
        self.flash_input(form)
    }

    /// Leaves these fields of the form (`profile.email` or `profile[email]`) for the next visit, even if they are
    /// secrets.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a malformed path, and the [errors of every change](Session#errors-of-every-change).
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
        let mut form = Values::default();
        form.replace(self.form())?;
        let secrets = &self.shared.engine.secrets;
        self.edit(|state| {
            let flash = &mut state.content.flash;
            let mut left = Values::default();
            left.replace(flash.outgoing_form())?;
            for field in fields.paths().as_slice() {
                // The named field is flashed, secret or not; secrets nested in it were not named.
                if let Some(value) = form.get::<Value>(*field)? {
                    left.put_like(&form, *field, strip(value, secrets))?;
                }
            }
            flash.flash_form(left.extract()?)
        })
    }

    /// Leaves the form for the next visit, except these fields and secrets.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a malformed path, and the [errors of every change](Session#errors-of-every-change).
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
        let mut form = Values::default();
        form.replace(self.form())?;
        for field in fields.paths().as_slice() {
            form.forget(*field);
        }
        let left = form.extract::<Map<String, Value>>()?;
        self.flash_input(left)
    }

    /// Leaves the given form as old input, except secrets.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// let form = serde_json::json!({ "email": "ada@example.com", "password": "hunter2" });
    /// session.flash_input(form.as_object().cloned().unwrap_or_default())?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// assert!(ada.session().await.has_old("email") && !ada.session().await.has_old("password"));
    /// # Ok(()) }
    /// ```
    pub fn flash_input(&self, form: Map<String, Value>) -> Result<(), SessionError> {
        let secrets = &self.shared.engine.secrets;
        let form = without_secrets(form, secrets);
        self.edit(|state| state.content.flash.flash_form(form))
    }

    /// Leaves errors for the next visit: fields, each with one message or several. Several calls add up, in order.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.with_errors([("email", "is taken"), ("email", "is too long")])?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<(), SessionError> {
        let entry = |(field, messages): (F, M)| (field_path(field.as_ref()), messages.into().0);
        let errors: Vec<_> = errors.into_iter().map(entry).collect();
        self.edit(|state| {
            for (field, messages) in errors {
                let json = raw(&["errors"], &messages)?;
                state.content.flash.flash(FlashBag::Errors, field, json)?;
            }
            Ok::<_, ValueError>(())
        })
    }

    /// Returns the previous input of this field (`profile.email` or `profile[email]`).
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn old<T: DeserializeOwned>(&self, field: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        self.try_read(|state| state.content.flash.shown().input.get(field))
    }

    /// Returns the previous input of this field, or the default if there was none.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
    pub fn old_or<T: DeserializeOwned>(
        &self,
        field: impl ToPath<T>,
        default: impl DefaultFor<T>,
    ) -> Result<T, SessionError> {
        Ok(self.old(field)?.unwrap_or_else(|| default.into_value()))
    }

    /// Returns whether there is a previous input of this field.
    #[must_use]
    pub fn has_old(&self, field: impl AnyKey) -> bool {
        self.read(|state| state.content.flash.shown().input.has(field.path()))
    }

    fn form(&self) -> Map<String, Value> {
        self.shared.lock().form.clone().unwrap_or_default()
    }
}

/// A name that could not be nested (`users[][password]`, or a name whose place is taken) is kept whole; it is a secret
/// if any part of it is.
fn is_secret(name: &str, secrets: &[String]) -> bool {
    secrets.iter().any(|secret| name == secret || name.split(['[', ']', '.']).any(|part| part == secret))
}

fn without_secrets(form: Map<String, Value>, secrets: &[String]) -> Map<String, Value> {
    let open = form.into_iter().filter(|(name, _)| !is_secret(name, secrets));
    open.map(|(name, value)| (name, strip(value, secrets))).collect()
}

fn strip(value: Value, secrets: &[String]) -> Value {
    match value {
        Value::Object(fields) => Value::Object(without_secrets(fields, secrets)),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| strip(item, secrets)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
