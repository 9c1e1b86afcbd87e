//! Reading the visitor's values: nothing here waits, and nothing changes.

use serde::de::DeserializeOwned;

use super::Session;
use crate::engine::error::SessionError;
use crate::value::path::{ToPath, ToPaths};
use crate::value::values::Snapshot;

/// Types accepted as the default of a `T`: `T` itself, and `&str` for a `String`.
pub trait DefaultFor<T> {
    /// Converts the default into the value.
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
    /// Returns the value under a key, or `None` if it is missing or null. A key is a path (`user.name`,
    /// `items[0].sku`), a list of segments (`["user", "a.b"]`) or a typed [`Key`](crate::Key).
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
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
        self.try_read(|state| state.data().get(key))
    }

    /// Returns the value under a key, or the default if it is missing or null. The default of a `String` may be a
    /// `&str`.
    ///
    /// # Errors
    /// [`SessionError::Value`] if the value is of another type.
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

    /// Returns whether all of these values exist and are not null.
    #[must_use]
    pub fn has(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().has(keys))
    }

    /// Returns whether at least one of these values exists and is not null.
    #[must_use]
    pub fn has_any(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().has_any(keys))
    }

    /// Returns whether all of these values exist. A stored null exists.
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

    /// Returns whether none of these values exists. A stored null exists.
    #[must_use]
    pub fn missing(&self, keys: impl ToPaths) -> bool {
        self.read(|state| state.data().missing(keys))
    }

    /// Returns a copy of all values, without flash messages, metadata and the CSRF token. [`Snapshot`] has the rest: `only`,
    /// `except`, `keys`, `len`, and [`to`](Snapshot::to) for a session that is one struct.
    #[must_use]
    #[doc(alias("only", "except", "keys", "len", "extract"))]
    pub fn all(&self) -> Snapshot {
        self.read(|state| state.data().all())
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|state| state.data().is_empty())
    }
}
