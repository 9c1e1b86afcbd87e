//! Flash, as handlers see it: leave something for the next visit, show what the previous one left.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Session;
use super::messages::{FlashMessages, Messages};
use crate::edge::error::SessionError;
use crate::value::error::ValueError;
use crate::value::flash::{FlashBag, field_path};
use crate::value::path::{Accepts, AnyKey, ToPath, ToPaths};
use crate::value::values::Values;

impl Session {
    /// Leaves a message for the next visit that opens the session, and for that one only. Falsy values are kept like
    /// any other.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a value that is not JSON or a bad path, and what every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// session.flash("notice", "Saved")?;
    /// assert!(!session.flash_messages().has("notice"), "it is for the next visit");
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // … where it is shown:
    /// ada.assert_flash("notice", "Saved".to_owned()).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn flash<V: Serialize>(&self, key: impl Accepts<V>, value: V) -> Result<(), SessionError> {
        let json = raw(&key, &value)?;
        self.edit(|state| state.content.flash.flash_at(FlashBag::Messages, key.path(), json))
    }

    /// Leaves every field of an object as a message; its names are taken literally.
    ///
    /// # Errors
    /// [`SessionError::Value`] if it is not an object, and what every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// session.flash_many(&serde_json::json!({ "status": "Saved", "count": 0 }))?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit; falsy values are values:
    /// ada.assert_flash("count", 0).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn flash_many(&self, messages: &impl Serialize) -> Result<(), SessionError> {
        let messages = object(messages)?;
        self.edit(|state| {
            for (name, value) in &messages {
                state.content.flash.flash(
                    FlashBag::Messages,
                    vec![name.clone()],
                    raw(&[name.as_str()], value)?,
                )?;
            }
            Ok::<_, ValueError>(())
        })
    }

    /// A message for this visit only, unless it is reflashed.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a value that is not JSON or a bad path, and what every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.now("hint", "Try the red one")?;
    /// assert_eq!(session.flash_messages().get::<String>("hint")?.as_deref(), Some("Try the red one"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn now<V: Serialize>(&self, key: impl Accepts<V>, value: V) -> Result<(), SessionError> {
        let json = raw(&key, &value)?;
        self.edit(|state| state.content.flash.now_at(key.path(), json))
    }

    /// What the previous visit left: messages, old input and errors, to read.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(!Session::standalone().flash_messages().has("status"));
    /// ```
    #[must_use]
    pub fn flash_messages(&self) -> FlashMessages {
        FlashMessages { view: self.read(|state| state.content.flash.shown().clone()) }
    }

    /// Carries everything that this visit shows, `now` messages included, to the next one.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// // Shown in this visit: the message "status", and the hint that is made now.
    /// session.now("hint", "Try the red one")?;
    /// session.reflash()?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// ada.assert_flash("status", "Welcome".to_owned()).await;
    /// ada.assert_flash("hint", "Try the red one".to_owned()).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reflash(&self) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep_all_but(&[]))
    }

    /// Carries these keys, from any of the three bags, to the next visit. Several calls add up.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// // Shown in this visit: the messages "status" and "tip".
    /// session.reflash_only("status")?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert!(ada.flash_messages().await.has("status") && !ada.flash_messages().await.has("tip"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reflash_only(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep(keys.paths().as_slice()))
    }

    /// The same as [`reflash_only`](Self::reflash_only).
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// session.keep("status")?;
    /// session.keep("tip")?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert!(ada.flash_messages().await.has("status") && ada.flash_messages().await.has("tip"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.reflash_only(keys)
    }

    /// Carries everything that this visit shows to the next one, but for these keys.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// // Shown in this visit: the messages "status" and "tip".
    /// session.reflash_except("status")?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert!(!ada.flash_messages().await.has("status") && ada.flash_messages().await.has("tip"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reflash_except(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.edit(|state| state.content.flash.keep_all_but(keys.paths().as_slice()))
    }

    /// Notes the form that came with this request, as it came, for [`flash_all`](Self::flash_all) and its like. An
    /// adapter's form extractor calls it; call it yourself after reading a body in another way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// let form = serde_json::json!({ "email": "ada@example.com" });
    /// session.set_input(form.as_object().cloned().unwrap_or_default());
    /// session.flash_all()?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert_eq!(ada.session().await.old::<String>("email")?.as_deref(), Some("ada@example.com"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_input(&self, form: Map<String, Value>) {
        self.shared.lock().form = Some(form);
    }

    /// Leaves this request's form input for the next visit, but for secrets ([`SessionsBuilder::secret_fields`]),
    /// which are left out at whatever depth they stand.
    ///
    /// [`SessionsBuilder::secret_fields`]: crate::SessionsBuilder::secret_fields
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// # let form = serde_json::json!({ "email": "ada@example.com", "name": "Ada", "password": "hunter2" });
    /// # session.set_input(form.as_object().cloned().unwrap_or_default());
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_all()?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit, the password is not there:
    /// let session = ada.session().await;
    /// assert!(session.has_old("email") && session.has_old("name") && !session.has_old("password"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn flash_all(&self) -> Result<(), SessionError> {
        let form = self.form();
        self.flash_input(form)
    }

    /// Leaves these fields of the form (`profile.email` or `profile[email]`) for the next visit. A secret that is named
    /// here is not held back.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a bad path, and what every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// # let form = serde_json::json!({ "email": "ada@example.com", "name": "Ada", "password": "hunter2" });
    /// # session.set_input(form.as_object().cloned().unwrap_or_default());
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_only(["email"])?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert!(ada.session().await.has_old("email") && !ada.session().await.has_old("name"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn flash_only(&self, fields: impl ToPaths) -> Result<(), SessionError> {
        let mut form = Values::default();
        form.replace(self.form())?;
        let secrets = &self.shared.sessions.secrets;
        self.edit(|state| {
            for field in fields.paths().as_slice() {
                // The field that is named goes, secret or not; what lies below it was not named.
                if let Some(value) = form.get::<Value>(*field)? {
                    let json = raw(&field.to_string(), &strip(value, secrets))?;
                    state.content.flash.flash_at(FlashBag::Input, *field, json)?;
                }
            }
            Ok::<_, ValueError>(())
        })
    }

    /// Leaves the form but for these fields, and but for secrets.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a bad path, and what every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// # let form = serde_json::json!({ "email": "ada@example.com", "name": "Ada", "password": "hunter2" });
    /// # session.set_input(form.as_object().cloned().unwrap_or_default());
    /// // The form that came with this request has an e-mail address, a name and a password.
    /// session.flash_except(["name"])?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit, the password is not there either:
    /// let session = ada.session().await;
    /// assert!(session.has_old("email") && !session.has_old("name") && !session.has_old("password"));
    /// # Ok(())
    /// # }
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

    /// Leaves a form of your own making as old input, but for secrets.
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::Closing;
    /// # use session_testkit::TestClient;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let mut ada = TestClient::new(&sessions);
    /// # ada.with_flash(serde_json::json!({ "status": "Welcome", "tip": "New teas" })).await;
    /// # let guard = sessions.visit(ada.cookie().into_iter().collect(), &Here);
    /// # let session = guard.visit().session().await?;
    /// let form = serde_json::json!({ "email": "ada@example.com", "password": "hunter2" });
    /// session.flash_input(form.as_object().cloned().unwrap_or_default())?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
    /// # assert!(writing.await.error.is_none());
    /// // In the next visit:
    /// assert!(ada.session().await.has_old("email") && !ada.session().await.has_old("password"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn flash_input(&self, form: Map<String, Value>) -> Result<(), SessionError> {
        let secrets = &self.shared.sessions.secrets;
        let form = without_secrets(form, secrets);
        self.edit(|state| {
            for (name, value) in &form {
                state.content.flash.flash(
                    FlashBag::Input,
                    vec![name.clone()],
                    raw(&[name.as_str()], value)?,
                )?;
            }
            Ok::<_, ValueError>(())
        })
    }

    /// Leaves errors for the next visit: field to message, or to messages. Several calls add up, in order.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.with_errors([("email", "is taken"), ("email", "is too long")])?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    ///
    /// # Errors
    /// What every change may answer.
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

    /// The same as [`with_errors`](Self::with_errors).
    ///
    /// # Errors
    /// What every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// Session::standalone().flash_errors([("email", "is taken")])?;
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn flash_errors<F: AsRef<str>, M: Into<Messages>>(
        &self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Result<(), SessionError> {
        self.with_errors(errors)
    }

    /// What was typed into this field the last time (`profile.email` or `profile[email]`).
    ///
    /// # Errors
    /// [`SessionError::Value`] when it is of another type.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().old::<String>("email")?, None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn old<T: DeserializeOwned>(&self, field: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        Ok(self.read(|state| state.content.flash.shown().input.get(field))?)
    }

    /// Whether something was typed into this field the last time.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(!Session::standalone().has_old("email"));
    /// ```
    #[must_use]
    pub fn has_old(&self, field: impl AnyKey) -> bool {
        self.read(|state| state.content.flash.shown().input.has(field.path()))
    }

    fn form(&self) -> Map<String, Value> {
        self.shared.lock().form.clone().unwrap_or_default()
    }
}

fn raw(key: &impl AnyKey, value: &impl Serialize) -> Result<Box<RawValue>, ValueError> {
    serde_json::value::to_raw_value(value).map_err(|_| ValueError::NotJson { key: key.path().to_string() })
}

fn object(value: &impl Serialize) -> Result<std::collections::BTreeMap<String, Box<RawValue>>, ValueError> {
    let not_json = || ValueError::NotJson { key: String::new() };
    let json = serde_json::to_string(value).map_err(|_| not_json())?;
    serde_json::from_str(&json).map_err(|_| not_json())
}

/// A name that could not be nested (`users[][password]`, or where something else stands already) is kept whole; it is a
/// secret if any part of it is.
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
