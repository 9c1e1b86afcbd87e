//! Changing the visitor's values. A change is visible to the next read immediately, and journalled for the commit.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::error::ValueError;
use crate::value::json::Number;
use crate::value::path::{Accepts, AnyKey, ToPath, ToPaths};

impl Session {
    /// Sets a value and creates missing parents: an array for a numeric segment, otherwise an object. A scalar on the
    /// path is replaced.
    ///
    /// # Errors
    /// [`SessionError::Value`] for a malformed path, an index far beyond an array's end, or a value that JSON cannot
    /// represent, and the [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("cart.items[0].sku", "tea")?;
    /// assert_eq!(session.all().to_json(), r#"{"cart":{"items":[{"sku":"tea"}]}}"#);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn put<V: Serialize>(&self, key: impl Accepts<V>, value: V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().put(key, value))
    }

    /// Puts every field of an object, or none of them if one fails. The names are paths.
    ///
    /// # Errors
    /// As for [`put`](Self::put), and if `values` is not an object.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put_many(serde_json::json!({ "theme": "dark", "user.name": "ada" }))?;
    /// assert_eq!(session.all().to_json(), r#"{"theme":"dark","user":{"name":"ada"}}"#);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn put_many<V: Serialize>(&self, values: V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().put_many(values))
    }

    /// Merges an object into the session, level by level. Arrays and null replace the existing value.
    ///
    /// # Errors
    /// As for [`put_many`](Self::put_many).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("user.name", "ada")?;
    /// session.merge(serde_json::json!({ "user": { "city": "London" } }))?;
    /// assert!(session.has(["user.name", "user.city"]));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn merge<V: Serialize>(&self, values: V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().merge(values))
    }

    /// Replaces all values by these.
    ///
    /// # Errors
    /// As for [`put_many`](Self::put_many).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("a", 1)?;
    /// session.replace(serde_json::json!({ "b": 2 }))?;
    /// assert!(session.has("b") && session.missing("a"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn replace<V: Serialize>(&self, values: V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().replace(values))
    }

    /// Appends to an array, which is created if the value is missing or null. Two requests that push concurrently both
    /// succeed.
    ///
    /// # Errors
    /// [`ValueError::NotAnArray`], and as for [`put`](Self::put).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.push("cart", "tea")?;
    /// session.push("cart", "milk")?;
    /// assert_eq!(session.get::<Vec<String>>("cart")?.unwrap().len(), 2);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn push<V: Serialize>(&self, key: impl Accepts<Vec<V>>, value: V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().push(key, value))
    }

    /// Removes values, and parents that become empty. The later elements of an array move up.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("user.name", "ada")?;
    /// session.forget("user.name")?;
    /// assert!(session.missing("user"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn forget(&self, keys: impl ToPaths) -> Result<(), SessionError> {
        self.edit(|state| {
            state.data_mut().forget(keys);
            Ok::<_, ValueError>(())
        })
    }

    /// Reads a value and removes it. Returns `None` if it is missing or null.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type (it is not removed), and the [errors of every
    /// change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("once", 1)?;
    /// assert_eq!(session.pull::<u8>("once")?, Some(1));
    /// assert_eq!(session.pull::<u8>("once")?, None);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn pull<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        self.edit(|state| state.data_mut().pull(key))
    }

    /// Adds one and returns the new number. A missing value or null counts as 0. Concurrent increments are never lost.
    ///
    /// # Errors
    /// [`ValueError::NotANumber`], [`ValueError::Overflow`], and the [errors of every change](Session#errors-of-every-change).
    ///
    /// ```
    /// # use session_core::Session;
    /// assert_eq!(Session::standalone().increment("hits")?.to_string(), "1");
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn increment(&self, key: impl AnyKey) -> Result<Number, SessionError> {
        self.edit(|state| state.data_mut().increment(key))
    }

    /// Adds a number and returns the sum. Integers are exact up to 128 bits; a float makes the sum a float.
    ///
    /// # Errors
    /// As for [`increment`](Self::increment).
    pub fn increment_by(&self, key: impl AnyKey, by: impl Into<Number>) -> Result<Number, SessionError> {
        self.edit(|state| state.data_mut().increment_by(key, by))
    }

    /// Subtracts one and returns the new number.
    ///
    /// # Errors
    /// As for [`increment`](Self::increment).
    pub fn decrement(&self, key: impl AnyKey) -> Result<Number, SessionError> {
        self.edit(|state| state.data_mut().decrement(key))
    }

    /// Subtracts a number and returns the new one.
    ///
    /// # Errors
    /// As for [`increment`](Self::increment).
    pub fn decrement_by(&self, key: impl AnyKey, by: impl Into<Number>) -> Result<Number, SessionError> {
        self.edit(|state| state.data_mut().decrement_by(key, by))
    }

    /// Removes all values and the intended and previous URL. Keeps the id, flash messages, CSRF token, tag and
    /// lifetimes.
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn clear(&self) -> Result<(), SessionError> {
        self.edit(|state| {
            state.clear();
            Ok::<_, ValueError>(())
        })
    }

    /// The same as [`clear`](Self::clear).
    ///
    /// # Errors
    /// The [errors of every change](Session#errors-of-every-change).
    pub fn flush(&self) -> Result<(), SessionError> {
        self.clear()
    }

    /// Returns the value under a key. If it is missing or null, calls `make`, puts the result and returns it.
    ///
    /// # Errors
    /// As for [`get`](Self::get) and [`put`](Self::put).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// assert_eq!(session.remember("visitor", || 42)?, 42);
    /// assert_eq!(session.remember("visitor", || 43)?, 42);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn remember<T: Serialize + DeserializeOwned>(
        &self,
        key: impl ToPath<T>,
        make: impl FnOnce() -> T,
    ) -> Result<T, SessionError> {
        // `make` runs without the lock, so that it can use the session.
        if let Some(value) = self.try_read(|state| state.data().get::<T>(key.path()))? {
            return Ok(value);
        }
        self.check(&*self.shared.try_lock()?)?;
        let value = make();
        self.edit(|state| state.data_mut().remember(key, || value))
    }

    /// Like [`remember`](Self::remember), with an async closure.
    ///
    /// # Errors
    /// As for [`remember`](Self::remember).
    ///
    /// ```
    /// # use session_core::Session;
    /// # async fn handler(session: Session) -> Result<(), session_core::SessionError> {
    /// let rate = session.remember_with("rate", async || 1.07).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remember_with<T: Serialize + DeserializeOwned>(
        &self,
        key: impl ToPath<T>,
        make: impl AsyncFnOnce() -> T,
    ) -> Result<T, SessionError> {
        if let Some(value) = self.try_read(|state| state.data().get::<T>(key.path()))? {
            return Ok(value);
        }
        self.check(&*self.shared.try_lock()?)?;
        let value = make().await;
        self.edit(|state| state.data_mut().remember(key, || value))
    }

    /// Reads, changes and writes a value atomically. If another request wrote first, the closure runs again on the
    /// newer value, so it must depend on its argument only. If it uses the session, that call returns
    /// [`SessionError::InUse`].
    ///
    /// # Errors
    /// As for [`get`](Self::get) and [`put`](Self::put).
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// let best = session.update("best", |best: Option<u32>| best.unwrap_or(0).max(7))?;
    /// assert_eq!(best, 7);
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn update<T, F>(&self, key: impl ToPath<T>, change: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        self.edit(|state| state.data_mut().update(key, change))
    }

    /// Makes a struct the content of the session: its fields are put, all other values are removed. Only fields that
    /// differ count as changed. To read it, use `session.all().to()`.
    ///
    /// # Errors
    /// As for [`put_many`](Self::put_many).
    ///
    /// ```
    /// # use session_core::Session;
    /// #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// #[serde(default)]
    /// struct Visitor { theme: Option<String>, hits: u32 }
    ///
    /// let session = Session::standalone();
    /// let mut visitor: Visitor = session.all().to()?;
    /// visitor.hits += 1;
    /// session.put_struct(&visitor)?;
    /// assert_eq!(session.get::<u32>("hits")?, Some(1));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[doc(alias = "store")]
    pub fn put_struct<V: Serialize + ?Sized>(&self, value: &V) -> Result<(), SessionError> {
        self.edit(|state| state.data_mut().store(value))
    }
}
