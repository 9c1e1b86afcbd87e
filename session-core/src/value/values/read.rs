//! Reading values: nothing here changes anything.

use serde::de::DeserializeOwned;

use super::super::bag::Bag;
use super::super::edit::{Act, Edit};
use super::super::error::ValueError;
use super::super::json::MAX_DEPTH;
use super::super::json::node::Node;
use super::super::path::{Path, ToPath, ToPaths};
use super::typed::{WHOLE, read, wrong_type};
use super::{Snapshot, Values};

impl Values {
    /// Reads a value; `None` when it is missing or null.
    ///
    /// What is stored comes back as it is: `0`, `""`, `false` and `[]` are values. To read a value of unknown type with
    /// every digit, ask for a `Box<serde_json::value::RawValue>` (`serde_json::Value` makes floats of wide integers).
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] when it is there and is no `T`.
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

    /// Reads a value, or takes the default when it is missing or null.
    ///
    /// # Errors
    ///
    /// As [`Values::get`].
    pub fn get_or<T: DeserializeOwned>(&self, key: impl ToPath<T>, default: T) -> Result<T, ValueError> {
        Ok(self.get(key)?.unwrap_or(default))
    }

    /// Whether it is there and not null; of several keys, whether all are.
    pub fn has(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().all(|path| self.holds(*path))
    }

    /// Whether at least one of them is there and not null.
    pub fn has_any(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().any(|path| self.holds(*path))
    }

    /// Whether it is there, null or not; of several keys, whether all are.
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

    /// Whether it is not there at all; of several keys, whether none is. A stored null is there.
    pub fn missing(&self, keys: impl ToPaths) -> bool {
        keys.paths().as_slice().iter().all(|path| self.bag.find(*path).is_none())
    }

    /// Everything, as a copy of its own.
    #[must_use]
    pub fn all(&self) -> Snapshot {
        Snapshot::of(self.bag.clone())
    }

    /// A copy of what these keys mean, at the same places; what is missing is left out.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("user.name", "ada")?;
    /// values.put("user.age", 36)?;
    /// assert_eq!(values.only(["user.name", "cart"]).to_json(), r#"{"user":{"name":"ada"}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    #[must_use]
    pub fn only(&self, keys: impl ToPaths) -> Snapshot {
        let mut copy = Bag::default();
        for path in keys.paths().as_slice() {
            if let (Some(view), Ok(steps)) = (self.bag.find(*path), path.steps(self.bag.root()))
                && let Ok(node) = Node::copy(view, MAX_DEPTH)
            {
                copy.put_like(&self.bag, &steps, node);
            }
        }
        Snapshot::of(copy)
    }

    /// A copy of everything but what these keys mean.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("a", 1)?;
    /// values.put("b", 2)?;
    /// assert_eq!(values.except("a").to_json(), r#"{"b":2}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    #[must_use]
    pub fn except(&self, keys: impl ToPaths) -> Snapshot {
        let mut copy = self.bag.clone();
        for path in keys.paths().as_slice() {
            if let Ok(path) = path.steps(copy.root()) {
                copy.replay(&Edit { path, act: Act::Forget });
            }
        }
        Snapshot::of(copy)
    }

    /// The top-level names, in the order they came (a removal from more than 16 may move one).
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.bag.names().map(str::to_owned).collect()
    }

    /// How many top-level names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bag.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bag.is_empty()
    }

    /// Reads all values as one struct, for applications that keep their whole session in one.
    ///
    /// An empty session is `{}`: let fields be `Option`s or say `#[serde(default)]`.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] when they are no `T`.
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
