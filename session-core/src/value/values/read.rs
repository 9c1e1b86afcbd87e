//! Reading values.

use serde::de::DeserializeOwned;

use super::super::error::ValueError;
use super::super::path::{Path, ToPath, ToPaths};
use super::typed::{WHOLE, read, wrong_type};
use super::{Snapshot, Values};

impl Values {
    /// Reads a value, or returns `None` if it is missing or null.
    ///
    /// What is stored comes back as it is: `0`, `""`, `false` and `[]` are values. To read a value of unknown type with
    /// every digit, ask for a `Box<serde_json::value::RawValue>` (`serde_json::Value` makes floats of wide integers).
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] if the value does not deserialize into `T`.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("user.age", 36)?;
    /// assert_eq!(values.get::<u8>("user.age")?, Some(36));
    /// assert_eq!(values.get::<u8>("user.height")?, None);
    /// assert!(values.get::<String>("user.age").is_err());
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, ValueError> {
        read(&self.bag, key.path())
    }

    /// Reads a value, or returns the default if it is missing or null.
    ///
    /// # Errors
    ///
    /// As for [`Values::get`].
    pub fn get_or<T: DeserializeOwned>(&self, key: impl ToPath<T>, default: T) -> Result<T, ValueError> {
        Ok(self.get(key)?.unwrap_or(default))
    }

    /// Returns whether all of these values exist and are not null.
    pub fn has(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().all(|path| self.holds(*path))
    }

    /// Returns whether at least one of these values exists and is not null.
    pub fn has_any(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().any(|path| self.holds(*path))
    }

    /// Returns whether all of these values exist. A stored null exists.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("a", None::<u8>)?;
    /// assert!(values.exists("a") && !values.has("a"));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn exists(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().all(|path| self.bag.find(*path).is_some())
    }

    /// Returns whether none of these values exists. A stored null exists.
    pub fn missing(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().all(|path| self.bag.find(*path).is_none())
    }

    /// Returns a copy of all values.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        Snapshot::of(self.bag.clone())
    }

    /// Returns the top-level names, in insertion order (a removal from more than 16 may move one).
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.bag.names().map(str::to_owned).collect()
    }

    /// Returns the number of top-level names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bag.len()
    }

    /// Returns whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bag.is_empty()
    }

    /// Reads all values as one struct, for applications that keep their whole session in one.
    ///
    /// An empty session is `{}`, so fields should be `Option`s or have `#[serde(default)]`.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] if the values do not deserialize into `T`.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// #[serde(default)]
    /// struct Mine {
    ///     theme: String,
    /// }
    ///
    /// let mut values = Values::default();
    /// let mut mine: Mine = values.extract()?;
    /// mine.theme = "dark".to_owned();
    /// values.store(&mine)?;
    /// assert_eq!(values.get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn extract<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        self.bag.view().read().map_err(|_| wrong_type::<T>(WHOLE.to_owned(), self.bag.view()))
    }

    fn holds(&self, path: Path<'_>) -> bool {
        self.bag.find(path).is_some_and(|view| !view.is_null())
    }
}
