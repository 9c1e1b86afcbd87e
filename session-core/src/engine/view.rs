//! The session for templates: one serializable value for every template engine.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::error::SessionError;
use super::session::{Csrf, Session};
use crate::value::flash::{FlashView, FormView};
use crate::value::path::Path;
use crate::value::values::{Snapshot, Values};

/// A read-only copy of a session for rendering one page. It serializes to `{"session": {…}, "flash_messages": {…},
/// "old": {…}, "errors": {field: […]}, "csrf_token": "…"}`, and `"forms": {name: {"old": {…}, "errors": {…}}}` where there are
/// named forms; the methods serve as template functions.
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// session.put("user", "ada")?;
/// let view = session.view()?;
/// assert_eq!(serde_json::to_value(&view).unwrap()["session"]["user"], "ada");
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone, Serialize)]
pub struct SessionView {
    session: Snapshot,
    flash_messages: Snapshot,
    old: Snapshot,
    errors: Snapshot,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    forms: BTreeMap<String, FormOnPage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    #[serde(skip)]
    bags: Box<FlashView>,
}

/// Shows how much there is, and neither values nor the token.
impl fmt::Debug for SessionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView")
            .field("session", &self.session)
            .field("flash_messages", &self.flash_messages)
            .field("old", &self.old)
            .field("errors", &self.errors)
            .field("forms", &self.forms.len())
            .field("has_csrf_token", &self.csrf_token.is_some())
            .finish_non_exhaustive()
    }
}

/// The part of a view that belongs to one of several forms.
#[derive(Clone, Debug, Serialize)]
struct FormOnPage {
    old: Snapshot,
    errors: Snapshot,
}

impl From<&FormView> for FormOnPage {
    fn from(form: &FormView) -> Self {
        Self { old: form.input.all(), errors: form.errors.all() }
    }
}

impl Session {
    /// Returns a view of this session for a page without forms. For a page with forms, see
    /// [`Csrf::view`](crate::facet::Csrf::view).
    ///
    /// # Errors
    /// [`SessionError::InUse`].
    pub fn view(&self) -> Result<SessionView, SessionError> {
        self.picture(None)
    }

    fn picture(&self, csrf_token: Option<String>) -> Result<SessionView, SessionError> {
        self.try_read(|state| {
            let shown = state.content.flash.see();
            let forms = shown.named.iter().map(|(name, form)| (name.clone(), FormOnPage::from(form)));
            Ok::<_, SessionError>(SessionView {
                session: state.data().all(),
                flash_messages: shown.messages.all(),
                old: shown.form.input.all(),
                errors: shown.form.errors.all(),
                forms: forms.collect(),
                csrf_token,
                bags: Box::new(shown.clone()),
            })
        })
    }
}

impl Csrf<'_> {
    /// Returns a view of the session for a page with forms. It contains the token, which is created if the session has
    /// none.
    ///
    /// # Errors
    /// Those of [`token`](Self::token).
    ///
    /// ```
    /// # use session_core::Session;
    /// let view = Session::standalone().csrf().view()?;
    /// assert!(view.csrf_field().starts_with(r#"<input type="hidden" name="_csrf" value=""#));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[doc(alias = "view_with_csrf")]
    pub fn view(&self) -> Result<SessionView, SessionError> {
        let token = self.token()?;
        self.0.picture(Some(token))
    }
}

impl SessionView {
    /// Returns all values.
    #[must_use]
    pub fn session(&self) -> &Snapshot {
        &self.session
    }

    /// Returns all flash messages.
    #[must_use]
    pub fn flash_messages(&self) -> &Snapshot {
        &self.flash_messages
    }

    /// Returns the CSRF token, or `None` for a view without it.
    #[must_use]
    pub fn csrf_token(&self) -> Option<&str> {
        self.csrf_token.as_deref()
    }

    /// Returns the previous input of this field as text; empty if there was none.
    #[must_use]
    pub fn old(&self, field: &str) -> String {
        text(&self.bags.form.input, field)
    }

    /// Returns the previous input of this field in the form with this name, as text; empty if there was none.
    #[must_use]
    pub fn old_in(&self, form: &str, field: &str) -> String {
        self.bags.form(form).map(|form| text(&form.input, field)).unwrap_or_default()
    }

    /// Returns whether there is a previous input of this field.
    #[must_use]
    pub fn has_old(&self, field: &str) -> bool {
        self.bags.form.input.has(field)
    }

    /// Returns all errors: each field with its messages.
    #[must_use]
    pub fn errors(&self) -> &Snapshot {
        &self.errors
    }

    /// Returns a flash message as text; empty if there is none.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.flash_now("status", "Saved")?;
    /// assert_eq!(session.view()?.flash_message("status"), "Saved");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn flash_message(&self, key: &str) -> String {
        text(&self.bags.messages, key)
    }

    /// Returns whether there are any errors.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.bags.form.errors.is_empty()
    }

    /// Returns whether there is an error for this field.
    #[must_use]
    pub fn has_error_for(&self, field: &str) -> bool {
        !self.input_error(field).is_empty()
    }

    /// Returns the first message for this field; empty if there is none.
    #[must_use]
    pub fn get_error_for(&self, field: &str) -> String {
        self.input_error(field).into_iter().next().unwrap_or_default()
    }

    /// Returns all messages for this field.
    #[must_use]
    pub fn input_error(&self, field: &str) -> Vec<String> {
        self.errors_in("", field)
    }

    /// Returns all messages for this field of the form with this name.
    ///
    /// ```
    /// # use session_core::Session;
    /// let view = Session::standalone().view()?;
    /// assert!(view.errors_in("sign-in", "email").is_empty() && view.old_in("sign-in", "email").is_empty());
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn errors_in(&self, form: &str, field: &str) -> Vec<String> {
        self.bags.form(form).map(|form| form.errors_at(Path::text(field))).unwrap_or_default()
    }

    /// Returns a hidden form field with the CSRF token; empty for a view without it. The token is URL-safe base64, so
    /// it needs no escaping.
    #[must_use]
    pub fn csrf_field(&self) -> String {
        self.csrf_token
            .as_ref()
            .map(|token| format!(r#"<input type="hidden" name="_csrf" value="{token}">"#))
            .unwrap_or_default()
    }
}

/// Returns a value as a page shows it: strings without quotes, numbers and booleans as in JSON.
fn text(values: &Values, key: &str) -> String {
    match values.get::<serde_json::Value>(key) {
        Ok(Some(serde_json::Value::String(text))) => text,
        Ok(Some(other)) => other.to_string(),
        Ok(None) | Err(_) => String::new(),
    }
}
