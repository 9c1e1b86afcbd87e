//! Reading the visitor's values: nothing here waits, and nothing changes.

use serde::de::DeserializeOwned;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::path::{ToPath, ToPaths};
use crate::value::values::Snapshot;

/// What may be given as the default of a `T`: a `T`, and for a `String` also a `&str`.
pub trait DefaultFor<T> {
    /// The value.
    fn into_value(self) -> T;
}

impl<T> DefaultFor<T> for T {
    fn into_value(self) -> T {
        self
    }
}

impl DefaultFor<String> for &str {
    fn into_value(self) -> String {
        self.to_owned()
    }
}

impl Session {
    /// The value under a key: `user.name`, `items[0].sku`, `["user", "a.b"]` segment by segment, or a typed
    /// [`Key`](crate::Key). `None` when it is missing or null.
    ///
    /// # Errors
    /// [`SessionError::Value`] when a value of another type is there; never a silent default.
    ///
    /// ```
    /// # use session_core::{Key, Session};
    /// const HITS: Key<u32> = Key::new("stats.hits");
    /// let session = Session::standalone();
    /// session.put(HITS, 3)?;
    /// assert_eq!(session.get(HITS)?, Some(3));
    /// assert_eq!(session.get::<u32>("stats.hits")?, Some(3));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, SessionError> {
        Ok(self.read(|state| state.data().get(key))?)
    }

    /// The value under a key, or the default when it is missing or null. The default of a `String` may be a `&str`.
    ///
    /// # Errors
    /// [`SessionError::Value`] when a value of another type is there.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// let theme: String = session.get_or("theme", "light")?;
    /// let hits = session.get_or("hits", 0)?;
    /// assert_eq!((theme.as_str(), hits), ("light", 0));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn get_or<T: DeserializeOwned>(
        &self,
        key: impl ToPath<T>,
        default: impl DefaultFor<T>,
    ) -> Result<T, SessionError> {
        Ok(self.get(key)?.unwrap_or_else(|| default.into_value()))
    }

    /// Whether all of these are there and not null.
    #[must_use]
    pub fn has(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().has(keys))
    }

    /// Whether at least one of these is there and not null.
    #[must_use]
    pub fn has_any(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().has_any(keys))
    }

    /// Whether all of these are there; null counts.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// session.put("nothing", ())?;
    /// assert!(session.exists("nothing") && !session.has("nothing"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn exists(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().exists(keys))
    }

    /// Whether none of these is there; a stored null is there.
    #[must_use]
    pub fn missing(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().missing(keys))
    }

    /// A copy of all values. Changing it changes nothing here; flash, metadata and the CSRF token are never in it.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        self.read(|state| state.data().all())
    }

    /// A copy of these values.
    #[must_use]
    pub fn only(&self, keys: impl ToPaths) -> Snapshot {
        self.read(|state| state.data().only(keys))
    }

    /// A copy of all values but these.
    #[must_use]
    pub fn except(&self, keys: impl ToPaths) -> Snapshot {
        self.read(|state| state.data().except(keys))
    }

    /// The names of all top-level values.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.read(|state| state.data().keys())
    }

    /// How many top-level values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|state| state.data().len())
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|state| state.data().is_empty())
    }

    /// The whole session as one typed value.
    ///
    /// # Errors
    /// [`SessionError::Value`] when the session does not fit the type.
    ///
    /// ```
    /// # use session_core::Session;
    /// #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// #[serde(default)]
    /// struct Visitor { theme: Option<String>, hits: u32 }
    ///
    /// let session = Session::standalone();
    /// let mut visitor: Visitor = session.get_struct()?;
    /// visitor.hits += 1;
    /// session.put_struct(&visitor)?;
    /// assert_eq!(session.get::<u32>("hits")?, Some(1));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[doc(alias = "extract")]
    pub fn get_struct<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        Ok(self.read(|state| state.data().extract())?)
    }
}
