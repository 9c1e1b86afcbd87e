//! Changing one value. Each method makes one edit.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::edit::{Act, Again, Edit, depth_below, number};
use super::super::error::ValueError;
use super::super::json::node::Node;
use super::super::json::number::{Number, Parsed};
use super::super::json::strict::to_node;
use super::super::json::view::{Kind, View};
use super::super::path::{Accepts, AnyKey, Path, Steps, ToPath, ToPaths};
use super::typed::{WHOLE, read};
use super::{Values, detached};

impl Values {
    /// Sets a value and creates missing parents: an array for an index, an object for a name. A scalar on the path is
    /// replaced.
    ///
    /// Values that do not survive JSON are refused: a float that is not finite, at any depth, and a 128-bit integer in
    /// an internally tagged enum (`#[serde(tag = "…")]`), which serde cannot read back.
    ///
    /// # Errors
    ///
    /// [`BadPath`](ValueError::BadPath), [`NotAnObject`](ValueError::NotAnObject) for a name in an array,
    /// [`IndexTooLarge`](ValueError::IndexTooLarge) more than 1,024 behind the end of one,
    /// [`NotJson`](ValueError::NotJson), and [`TooLarge`](ValueError::TooLarge) if the visit would hold more than twice the
    /// limit of a record. Nothing was changed then.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("cart.items[0].sku", "A-1")?;
    /// assert_eq!(values.all().to_json(), r#"{"cart":{"items":[{"sku":"A-1"}]}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn put<V: Serialize>(&mut self, key: impl Accepts<V>, value: V) -> Result<(), ValueError> {
        let (key, path) = (key.path(), self.steps(&key)?);
        let node = json(key, &value, depth_below(&path))?;
        self.edit(key, Edit { path, act: Act::Put(node) })
    }

    /// Appends to an array, which is created if the value is missing or null.
    ///
    /// # Errors
    ///
    /// [`NotAnArray`](ValueError::NotAnArray), and as for [`Values::put`].
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.push("visited", "/a")?;
    /// values.push("visited", "/b")?;
    /// assert_eq!(values.get::<Vec<String>>("visited")?.map(|all| all.len()), Some(2));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn push<V: Serialize>(&mut self, key: impl Accepts<Vec<V>>, value: V) -> Result<(), ValueError> {
        let (key, path) = (key.path(), self.steps(&key)?);
        let before = match self.bag.at(&path) {
            Some(view) if view.kind() == Kind::Array => Some(view),
            Some(view) if !view.is_null() => return Err(ValueError::NotAnArray { key: key.to_string() }),
            Some(_) | None => None,
        };
        // The array is copied for the first push only, so that the cost of many pushes is linear.
        let before = before.filter(|_| !self.journal.knows_array(&path)).map_or_else(Node::null, detached);
        let item = json(key, &value, depth_below(&path).saturating_sub(1))?;
        self.edit(key, Edit { path, act: Act::Push { items: vec![item], before } })
    }

    /// Removes one or several values, and every parent that becomes empty.
    ///
    /// The later elements of an array move up. A missing value or a malformed path is not an error.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("user.name", "ada")?;
    /// values.forget("user.name");
    /// assert!(values.is_empty());
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn forget(&mut self, keys: impl ToPaths) {
        for key in keys.paths().as_slice() {
            if let Ok(path) = self.steps(key) {
                self.force(Edit { path, act: Act::Forget });
            }
        }
    }

    /// Reads a value and removes it. A null is removed as well.
    ///
    /// # Errors
    ///
    /// As for [`Values::get`]; the value is not removed then.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("notice", "saved")?;
    /// assert_eq!(values.pull::<String>("notice")?.as_deref(), Some("saved"));
    /// assert!(values.missing("notice"));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn pull<T: DeserializeOwned>(&mut self, key: impl ToPath<T>) -> Result<Option<T>, ValueError> {
        let value = read(&self.bag, key.path())?;
        self.forget(key.path());
        Ok(value)
    }

    /// Adds one and returns the new number. A missing value or null counts as 0.
    ///
    /// # Errors
    ///
    /// [`NotANumber`](ValueError::NotANumber), [`Overflow`](ValueError::Overflow), and as for [`Values::put`].
    ///
    /// ```
    /// # use session_core::{Number, machine::Values};
    /// assert_eq!(Values::default().increment("hits")?, Number::from(1));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn increment(&mut self, key: impl AnyKey) -> Result<Number, ValueError> {
        self.increment_by(key, 1)
    }

    /// Adds a number and returns the sum. Integers are exact; a float makes the sum a float.
    ///
    /// # Errors
    ///
    /// As for [`Values::increment`].
    pub fn increment_by(&mut self, key: impl AnyKey, by: impl Into<Number>) -> Result<Number, ValueError> {
        self.add(&key, "increment", Some(by.into()))
    }

    /// Subtracts one and returns the new number.
    ///
    /// # Errors
    ///
    /// As for [`Values::increment`].
    pub fn decrement(&mut self, key: impl AnyKey) -> Result<Number, ValueError> {
        self.decrement_by(key, 1)
    }

    /// Subtracts a number and returns the difference.
    ///
    /// # Errors
    ///
    /// As for [`Values::increment`].
    pub fn decrement_by(&mut self, key: impl AnyKey, by: impl Into<Number>) -> Result<Number, ValueError> {
        self.add(&key, "decrement", by.into().negated())
    }

    fn add(
        &mut self,
        key: &impl AnyKey,
        verb: &'static str,
        by: Option<Number>,
    ) -> Result<Number, ValueError> {
        let (key, path) = (key.path(), self.steps(key)?);
        let overflow = || ValueError::Overflow { key: key.to_string() };
        let now = match number(self.bag.at(&path)) {
            Parsed::Number(now) => now,
            Parsed::TooWide => return Err(overflow()),
            Parsed::NotANumber => return Err(ValueError::NotANumber { verb, key: key.to_string() }),
        };
        let by = by.ok_or_else(overflow)?;
        let left = now.plus(by).ok_or_else(overflow)?;
        self.edit(key, Edit { path, act: Act::Add { by, left } })?;
        Ok(left)
    }

    /// Returns a value. If it is missing or null, calls `make`, puts the result and returns it.
    ///
    /// # Errors
    ///
    /// As for [`Values::get`] and [`Values::put`].
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// assert_eq!(values.remember("seed", || 4)?, 4);
    /// assert_eq!(values.remember("seed", || 5)?, 4);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn remember<T: Serialize + DeserializeOwned>(
        &mut self,
        key: impl ToPath<T>,
        make: impl FnOnce() -> T,
    ) -> Result<T, ValueError> {
        if let Some(value) = read(&self.bag, key.path())? {
            return Ok(value);
        }
        // A key that cannot be written to is refused before `make` runs.
        self.steps(&key)?;
        let value = make();
        self.put(key.path(), &value)?;
        Ok(value)
    }

    /// Changes a value with a closure and returns the new value. The closure runs again on the newer value if another
    /// request wrote first.
    ///
    /// The closure gets `None` if the value is missing or null. It must have no side effects.
    ///
    /// # Errors
    ///
    /// As for [`Values::get`] and [`Values::put`].
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// let top = values.update("top", |top: Option<u32>| top.unwrap_or(0).max(7))?;
    /// assert_eq!(top, 7);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn update<T, F>(&mut self, key: impl ToPath<T>, change: F) -> Result<T, ValueError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let now = read(&self.bag, key.path())?;
        let (key, path) = (key.path(), self.steps(&key)?);
        let made = change(now);
        let left = json(key, &made, depth_below(&path))?;
        let again = Again(Arc::new(move |now: Option<View<'_>>, depth| {
            let now = now.map(View::read::<T>).transpose().ok()?;
            to_node(&change(now), depth).ok()
        }));
        self.edit(key, Edit { path, act: Act::Update { again, left } })?;
        Ok(made)
    }

    /// Puts a value at a path whose segments are all names: a number does not create an array, and any value on the path
    /// is replaced.
    ///
    /// Only for values that are not journalled.
    pub(crate) fn put_by_names<V: Serialize>(
        &mut self,
        names: &[String],
        value: V,
    ) -> Result<(), ValueError> {
        let key = Path::owned_segments(names);
        let path = key.steps(self.bag.root())?;
        let node = json(key, &value, depth_below(&path))?;
        self.bag.put_by_names(&path, node);
        Ok(())
    }

    /// Resolves a path into segments; an existing literal name takes precedence.
    pub(crate) fn segments(&self, path: Path<'_>) -> Result<Vec<String>, ValueError> {
        Ok(path.steps(self.bag.root())?.into_iter().map(String::from).collect())
    }

    pub(super) fn steps(&self, key: &impl AnyKey) -> Result<Steps, ValueError> {
        key.path().steps(self.bag.root())
    }

    /// Makes an edit that cannot fail: a removal, or one whose parents were made objects just before. The caller sees to
    /// the bound.
    pub(super) fn force(&mut self, edit: Edit) {
        let size = self.check(Path::text(WHOLE), &edit);
        debug_assert!(size.is_ok(), "an edit that always fits did not");
        if let Ok(size) = size {
            self.apply(edit, size);
        }
    }
}

/// Writes a value as JSON of at most so many levels.
pub(super) fn json<V: Serialize + ?Sized>(
    key: Path<'_>,
    value: &V,
    depth: usize,
) -> Result<Node, ValueError> {
    to_node(value, depth).map_err(|source| ValueError::NotJson { key: key.to_string(), source })
}
