//! A copy of some values, independent of the session.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::super::bag::Bag;
use super::super::edit::{Act, Edit};
use super::super::error::ValueError;
use super::super::json::MAX_DEPTH;
use super::super::json::node::Node;
use super::super::path::{ToPath, ToPaths};
use super::typed::{WHOLE, read, wrong_type};

/// A copy of some values, returned by `all`. It serializes as an object in any format.
///
/// ```
/// use session_core::machine::Values;
///
/// let mut values = Values::default();
/// values.put("user.name", "ada")?;
/// let copy = values.all();
/// values.clear();
/// assert_eq!(copy.get::<String>("user.name")?.as_deref(), Some("ada"));
/// # Ok::<(), session_core::ValueError>(())
/// ```
#[derive(Clone, Default)]
pub struct Snapshot {
    bag: Bag,
}

impl Snapshot {
    pub(super) fn of(bag: Bag) -> Self {
        Self { bag }
    }

    /// Reads a value, or returns `None` if it is missing or null.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] if the value does not deserialize into `T`.
    pub fn get<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, ValueError> {
        read(&self.bag, key.path())
    }

    /// Returns whether all of these values exist and are not null.
    pub fn has(&self, keys: impl ToPaths) -> bool {
        let holds = |path| self.bag.find(path).is_some_and(|view| !view.is_null());
        keys.paths().as_slice().iter().copied().all(holds)
    }

    /// Returns a copy of these values, at the same paths. Missing values are left out.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("user.name", "ada")?;
    /// values.put("user.age", 36)?;
    /// assert_eq!(values.all().only(["user.name", "cart"]).to_json(), r#"{"user":{"name":"ada"}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    #[must_use]
    pub fn only(&self, keys: impl ToPaths) -> Self {
        let mut copy = Bag::default();
        for path in keys.paths().as_slice() {
            if let (Some(view), Ok(steps)) = (self.bag.find(*path), path.steps(self.bag.root()))
                && let Ok(node) = Node::copy(view, MAX_DEPTH)
            {
                copy.put_like(&self.bag, &steps, node);
            }
        }
        Self::of(copy)
    }

    /// Returns a copy of all values except these.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("a", 1)?;
    /// values.put("b", 2)?;
    /// assert_eq!(values.all().except("a").to_json(), r#"{"b":2}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    #[must_use]
    pub fn except(&self, keys: impl ToPaths) -> Self {
        let mut copy = self.bag.clone();
        for path in keys.paths().as_slice() {
            if let Ok(path) = path.steps(copy.root()) {
                copy.replay(&Edit { path, act: Act::Forget });
            }
        }
        Self::of(copy)
    }

    /// Deserializes all values into one type: a struct, a `HashMap`, a `serde_json::Map`.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] if the values do not deserialize into `T`.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        self.bag.view().read().map_err(|_| wrong_type::<T>(WHOLE.to_owned(), self.bag.view()))
    }

    /// Iterates over the top-level names and their values as JSON text, in insertion order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.bag
            .root()
            .fields()
            .map(|(name, view)| (name, String::from_utf8(view.to_vec()).unwrap_or_default()))
    }

    /// Iterates over the top-level names, in insertion order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.bag.names()
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

    /// Returns all values as JSON text, with every digit as stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        String::from_utf8(self.bag.encode()).unwrap_or_default()
    }
}

/// Serializes as a map. Integers are exact up to 128 bits if the format supports them.
impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bag.view().serialize(serializer)
    }
}

/// Shows the number of values, never their content.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} values)", self.len())
    }
}
