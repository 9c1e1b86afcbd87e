//! Flash messages: leaving them for the next visit, reading those of the previous one, keeping them for one visit more.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Session;
use super::messages::{FlashMessages, Level, NOTIFICATIONS, Notification};
use crate::engine::error::SessionError;
use crate::value::error::ValueError;
use crate::value::flash::FlashBag;
use crate::value::json::strict::to_raw;
use crate::value::path::{Accepts, AnyKey, ToPaths};

impl Session {
    /// Leaves a message for the next visit that opens the session and shows something, and for that one only.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a malformed path or a value that JSON cannot represent, and the [errors of every
    /// change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// session.flash("notice", "Saved")?;
    /// assert!(!session.flash_messages().has("notice"), "it is for the next visit");
    /// # answer(guard).await;
    /// // … where it is shown:
    /// ada.assert_flash("notice", "Saved".to_owned()).await;
    /// # Ok(()) }
    /// ```
    pub fn flash<V: Serialize>(&self, key: impl Accepts<V>, value: V) -> Result<(), SessionError> {
        let json = raw(&key, &value)?;
        self.edit(|state| state.content.flash.flash_at(FlashBag::Messages, key.path(), json))
    }

    /// Appends a message to the list under a key, for the next visit. Two requests that push concurrently both succeed.
    ///
    /// A message that [`flash`](Self::flash) left under the key before is the first of the list.
    ///
    /// # Errors
    /// As for [`flash`](Self::flash).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// session.flash_push("notices", "Saved")?;
    /// session.flash_push("notices", "One mail is on its way")?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// let notices: Option<Vec<String>> = ada.flash_messages().await.get("notices")?;
    /// assert_eq!(notices.unwrap(), ["Saved", "One mail is on its way"]);
    /// # Ok(()) }
    /// ```
    pub fn flash_push<V: Serialize>(&self, key: impl Accepts<Vec<V>>, value: V) -> Result<(), SessionError> {
        let json = raw(&key, &value)?;
        self.edit(|state| state.content.flash.push_at(key.path(), json))
    }

    /// Appends a text with a level to the list of [notifications](FlashMessages::notifications).
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// use session_core::Level;
    ///
    /// let session = Session::standalone();
    /// session.notify(Level::Success, "Saved")?;
    /// session.notify(Level::Warning, "The card expires soon")?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn notify(&self, level: Level, text: impl Into<String>) -> Result<(), SessionError> {
        self.flash_push(NOTIFICATIONS, Notification { level, text: text.into() })
    }

    /// Leaves every field of an object as a message. The names are taken literally, not as paths.
    ///
    /// # Errors
    /// [`SessionError::Value`] if it is not an object, and the [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// session.flash_many(&serde_json::json!({ "status": "Saved", "count": 0 }))?;
    /// # answer(guard).await;
    /// // In the next visit; falsy values are values:
    /// ada.assert_flash("count", 0).await;
    /// # Ok(()) }
    /// ```
    pub fn flash_many(&self, messages: &impl Serialize) -> Result<(), SessionError> {
        let messages = object(messages)?;
        self.edit(|state| {
            state.content.flash.all_or_none(|flash| {
                messages.iter().try_for_each(|(name, value)| {
                    let json = raw(&[name.as_str()], value)?;
                    flash.flash(FlashBag::Messages, vec![name.clone()], json)
                })
            })
        })
    }

    /// Adds a message for this visit only, unless it is reflashed.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a malformed path or a value that JSON cannot represent, and the [errors of every
    /// change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.flash_now("hint", "Try the red one")?;
    /// assert_eq!(session.flash_messages().get::<String>("hint")?.as_deref(), Some("Try the red one"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[doc(alias = "now")]
    pub fn flash_now<V: Serialize>(&self, key: impl Accepts<V>, value: V) -> Result<(), SessionError> {
        let json = raw(&key, &value)?;
        self.edit(|state| state.content.flash.now_at(key.path(), json))
    }

    /// Returns what the previous visit left: messages, old input and errors.
    #[must_use]
    pub fn flash_messages(&self) -> FlashMessages {
        FlashMessages { view: self.read(|state| state.content.flash.see().clone()) }
    }

    /// Keeps all messages of this visit, including those of [`flash_now`](Self::flash_now), for the next one.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // Shown in this visit: the message "status", and the hint that is made now.
    /// session.flash_now("hint", "Try the red one")?;
    /// session.reflash()?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// ada.assert_flash("status", "Welcome".to_owned()).await;
    /// ada.assert_flash("hint", "Try the red one".to_owned()).await;
    /// # Ok(()) }
    /// ```
    pub fn reflash(&self) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep_all_but(&[]))
    }

    /// Keeps these messages, old inputs and errors for the next visit. Several calls add up.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // Shown in this visit: the messages "status" and "tip".
    /// session.reflash_only("status")?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// assert!(ada.flash_messages().await.has("status") && !ada.flash_messages().await.has("tip"));
    /// # Ok(()) }
    /// ```
    #[doc(alias = "keep")]
    pub fn reflash_only(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep(keys.paths().as_slice()))
    }

    /// Keeps everything that this visit shows for the next one, except these keys.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    #[doc = include_str!("../../given/a_visit.in")]
    /// // Shown in this visit: the messages "status" and "tip".
    /// session.reflash_except("status")?;
    /// # answer(guard).await;
    /// // In the next visit:
    /// assert!(!ada.flash_messages().await.has("status") && ada.flash_messages().await.has("tip"));
    /// # Ok(()) }
    /// ```
    pub fn reflash_except(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep_all_but(keys.paths().as_slice()))
    }
}

pub(super) fn raw(key: &impl AnyKey, value: &impl Serialize) -> Result<Box<RawValue>, ValueError> {
    to_raw(value).map_err(|source| ValueError::NotJson { key: key.path().to_string(), source })
}

fn object(value: &impl Serialize) -> Result<BTreeMap<String, Box<RawValue>>, ValueError> {
    let json = raw(&"the session", value)?;
    serde_json::from_str(json.get()).map_err(|_| ValueError::NotNamed)
}
