//! The session as templates see it: one value that serialises, for every engine, and the functions they expect.

use serde::Serialize;

use super::error::SessionError;
use super::session::Session;
use crate::value::flash::FlashView;
use crate::value::path::Path;
use crate::value::values::{Snapshot, Values};

/// A read-only picture of a session for one page. It serialises to
/// `{"session": {…}, "flash_messages": {…}, "old": {…}, "errors": {field: […]}, "csrf_token": "…"}`; the methods are
/// what templates call as functions.
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// session.put("user", "ada")?;
/// let view = session.view()?;
/// assert_eq!(serde_json::to_value(&view).unwrap()["session"]["user"], "ada");
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    session: Snapshot,
    flash_messages: Snapshot,
    old: Snapshot,
    errors: Snapshot,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    #[serde(skip)]
    bags: Box<FlashView>,
}

impl Session {
    /// A picture of this session for a page without forms.
    ///
    /// # Errors
    /// None that a caller causes.
    pub fn view(&self) -> Result<SessionView, SessionError> {
        Ok(self.picture(None))
    }

    /// The same for a page with forms: it carries the CSRF token, which is made now if there is none.
    ///
    /// # Errors
    /// Those of [`Csrf::token`](crate::Csrf::token).
    ///
    /// ```
    /// # use session_core::Session;
    /// let view = Session::standalone().view_with_csrf()?;
    /// assert!(view.csrf_field().starts_with(r#"<input type="hidden" name="_csrf" value=""#));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn view_with_csrf(&self) -> Result<SessionView, SessionError> {
        let token = self.csrf().token()?;
        Ok(self.picture(Some(token)))
    }

    fn picture(&self, csrf_token: Option<String>) -> SessionView {
        self.read(|state| {
            let shown = state.content.flash.shown();
            SessionView {
                session: state.data().all(),
                flash_messages: shown.messages.all(),
                old: shown.input.all(),
                errors: shown.errors.all(),
                csrf_token,
                bags: Box::new(shown.clone()),
            }
        })
    }
}

impl SessionView {
    /// All values.
    #[must_use]
    pub fn session(&self) -> &Snapshot {
        &self.session
    }

    /// All flash messages.
    #[must_use]
    pub fn flash_messages(&self) -> &Snapshot {
        &self.flash_messages
    }

    /// The CSRF token, in a view for pages with forms.
    #[must_use]
    pub fn csrf_token(&self) -> Option<&str> {
        self.csrf_token.as_deref()
    }

    /// What was typed into this field the last time, as text; empty when nothing was.
    #[must_use]
    pub fn old(&self, field: &str) -> String {
        text(&self.bags.input, field)
    }

    /// Whether something was typed into this field the last time.
    #[must_use]
    pub fn has_old(&self, field: &str) -> bool {
        self.bags.input.has(field)
    }

    /// All errors: field to messages.
    #[must_use]
    pub fn errors(&self) -> &Snapshot {
        &self.errors
    }

    /// A flash message, as text; empty when there is none.
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

    /// Whether there are errors.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.bags.errors.is_empty()
    }

    /// Whether there is an error for this field.
    #[must_use]
    pub fn has_error_for(&self, field: &str) -> bool {
        !self.input_error(field).is_empty()
    }

    /// The first message for this field; empty when there is none.
    #[must_use]
    pub fn get_error_for(&self, field: &str) -> String {
        self.input_error(field).into_iter().next().unwrap_or_default()
    }

    /// All messages for this field.
    #[must_use]
    pub fn input_error(&self, field: &str) -> Vec<String> {
        self.bags.errors_at(Path::text(field))
    }

    /// A hidden form field with the CSRF token; empty for a view without one. The token is URL-safe base64, so it needs
    /// no escaping.
    #[must_use]
    pub fn csrf_field(&self) -> String {
        self.csrf_token
            .as_ref()
            .map(|token| format!(r#"<input type="hidden" name="_csrf" value="{token}">"#))
            .unwrap_or_default()
    }
}

/// A value as a page shows it: text as it is, numbers and truth as they are written.
fn text(values: &Values, key: &str) -> String {
    match values.get::<serde_json::Value>(key) {
        Ok(Some(serde_json::Value::String(text))) => text,
        Ok(Some(other)) => other.to_string(),
        Ok(None) | Err(_) => String::new(),
    }
}
