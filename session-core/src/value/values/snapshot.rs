//! A copy of some values, on its own: changing the session does not change it, nor the other way round.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::super::bag::Bag;
use super::super::error::ValueError;
use super::super::path::{ToPath, ToPaths};
use super::typed::{WHOLE, read, wrong_type};

/// What `all`, `only` and `except` give: reads like the session, and serializes as an object in any format.
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

    /// Reads a value; `None` when it is missing or null.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] when it is there and is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: impl ToPath<T>) -> Result<Option<T>, ValueError> {
        read(&self.bag, key.path())
    }

    /// Whether it is there and not null; of several keys, whether all are.
    pub fn has(&self, keys: impl ToPaths) -> bool {
        let holds = |path| self.bag.find(path).is_some_and(|view| !view.is_null());
        keys.paths().as_slice().iter().copied().all(holds)
    }

    /// Reads all of it as a type of your own: a struct, a `HashMap`, a `serde_json::Map`.
    ///
    /// # Errors
    ///
    /// [`ValueError::WrongType`] when it is no `T`.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        self.bag.view().read().map_err(|_| wrong_type::<T>(WHOLE.to_owned(), self.bag.view()))
    }

    /// The top-level names and their values as JSON text, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.bag
            .root()
            .fields()
            .map(|(name, view)| (name, String::from_utf8(view.to_vec()).unwrap_or_default()))
    }

    /// The top-level names, in the order they came.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.bag.names()
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

    /// All of it as JSON text, every digit as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        String::from_utf8(self.bag.encode()).unwrap_or_default()
    }
}

/// As a map. Integers keep every digit up to 128 bits where the format can write them.
impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bag.view().serialize(serializer)
    }
}

/// Shows how many values there are, never one of them.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} values)", self.len())
    }
}
