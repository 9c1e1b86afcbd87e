//! Changing values: each of these makes edits, and hands them to the one gate.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::edit::{Act, Again, Edit, depth_below, number};
use super::super::error::ValueError;
use super::super::json::number::{Number, Parsed};
use super::super::json::tree::Node;
use super::super::json::view::{Kind, View};
use super::super::json::{MAX_DEPTH, Text};
use super::super::path::{Accepts, AnyKey, Path, Steps, ToPath, ToPaths};
use super::Values;
use super::read::{WHOLE, read};

/// Writes a value as JSON of at most so many levels.
fn json<V: Serialize + ?Sized>(key: Path<'_>, value: &V, depth: usize) -> Result<Text, ValueError> {
    let bytes = serde_json::to_vec(value).ok();
    let text = bytes.and_then(|bytes| Text::checked(bytes, depth).ok());
    text.ok_or_else(|| ValueError::NotJson { key: key.to_string() })
}

/// Writes several values at once: something that is an object in JSON.
fn object<V: Serialize + ?Sized>(values: &V) -> Result<Text, ValueError> {
    let text = json(Path::text(WHOLE), values, MAX_DEPTH + 1)?;
    if View::Text(text.bytes()).is_object() { Ok(text) } else { Err(ValueError::NotNamed) }
}

/// A copy of a value on its own.
fn detached(view: View<'_>) -> Node {
    Text::checked(view.to_vec(), MAX_DEPTH).map_or_else(|_| Node::null(), Node::Text)
}

impl Values {
    /// Puts a value. Parents are made (an array for an index, an object for a name), a scalar in the way is replaced.
    ///
    /// Floats that are not finite have no JSON and become null.
    ///
    /// # Errors
    ///
    /// [`BadPath`](ValueError::BadPath), [`NotAnObject`](ValueError::NotAnObject) for a name in an array,
    /// [`IndexTooLarge`](ValueError::IndexTooLarge) more than 1,024 behind the end of one, and
    /// [`NotJson`](ValueError::NotJson). Nothing was changed then.
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// values.put("cart.items[0].sku", "A-1")?;
    /// assert_eq!(values.all().to_json(), r#"{"cart":{"items":[{"sku":"A-1"}]}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn put<V: Serialize>(&mut self, key: impl Accepts<V>, value: V) -> Result<(), ValueError> {
        let (key, path) = (key.path(), self.steps(&key)?);
        let text = json(key, &value, depth_below(&path))?;
        self.edit(key, Edit { path, act: Act::Put(text.into()) })
    }

    /// Puts several values, whose keys are paths, or none of them if one fails.
    ///
    /// # Errors
    ///
    /// As [`Values::put`]; [`NotNamed`](ValueError::NotNamed) when `values` is not an object in JSON.
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// values.put_many(std::collections::BTreeMap::from([("user.name", "ada"), ("theme", "dark")]))?;
    /// assert_eq!(values.get::<String>("user.name")?.as_deref(), Some("ada"));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn put_many<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        let mut next = self.clone();
        for (name, value) in View::Text(text.bytes()).fields() {
            let key = Path::text(&name);
            let path = next.steps(&key)?;
            let value = Text::checked(value.to_vec(), depth_below(&path));
            let value = value.map_err(|_| ValueError::NotJson { key: key.to_string() })?;
            next.edit(key, Edit { path, act: Act::Put(value.into()) })?;
        }
        *self = next;
        Ok(())
    }

    /// Merges an object deeply: objects are merged name by name, anything else (arrays, null) replaces what was there.
    ///
    /// Its names are literal: dots in them mean nothing.
    ///
    /// # Errors
    ///
    /// [`NotNamed`](ValueError::NotNamed) when `values` is not an object in JSON, [`NotJson`](ValueError::NotJson).
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// values.put("user", serde_json::json!({ "name": "ada", "tags": [1, 2] }))?;
    /// values.merge(serde_json::json!({ "user": { "tags": [3] } }))?;
    /// assert_eq!(values.all().to_json(), r#"{"user":{"name":"ada","tags":[3]}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn merge<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        self.merge_below(&mut Vec::new(), View::Text(text.bytes()));
        Ok(())
    }

    fn merge_below(&mut self, path: &mut Steps, values: View<'_>) {
        for (name, value) in values.fields() {
            path.push(name.as_ref().into());
            let act = if value.is_object() { Act::Object } else { Act::Put(detached(value)) };
            self.force(Edit { path: path.clone(), act });
            if value.is_object() {
                self.merge_below(path, value);
            }
            path.pop();
        }
    }

    /// Removes everything and puts these instead. Names are literal: dots in them mean nothing.
    ///
    /// # Errors
    ///
    /// As [`Values::merge`].
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// values.put("a", 1)?;
    /// values.replace(serde_json::json!({ "b.c": 2 }))?;
    /// assert_eq!(values.all().to_json(), r#"{"b.c":2}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn replace<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        if super::super::json::equal::same(self.bag.view(), View::Text(text.bytes())) {
            return Ok(());
        }
        self.clear();
        self.put_literally(View::Text(text.bytes()));
        Ok(())
    }

    fn put_literally(&mut self, values: View<'_>) {
        for (name, value) in values.fields() {
            self.force(Edit { path: vec![name.as_ref().into()], act: Act::Put(detached(value)) });
        }
    }

    /// Makes the session hold what this struct holds, and nothing else.
    ///
    /// Top-level names that the struct does not have are removed. Only names whose value differs count as changed, so
    /// two requests that store different fields both win.
    ///
    /// # Errors
    ///
    /// As [`Values::merge`].
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// #[derive(serde::Serialize)]
    /// struct Mine {
    ///     theme: &'static str,
    /// }
    ///
    /// values.store(&Mine { theme: "dark" })?;
    /// assert_eq!(values.all().to_json(), r#"{"theme":"dark"}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn store<V: Serialize + ?Sized>(&mut self, values: &V) -> Result<(), ValueError> {
        let text = object(values)?;
        let view = View::Text(text.bytes());
        let fields = view.fields();
        let kept: std::collections::HashSet<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
        for name in self.keys().into_iter().filter(|name| !kept.contains(name.as_str())) {
            self.force(Edit { path: vec![name.into()], act: Act::Forget });
        }
        self.put_literally(view);
        Ok(())
    }

    /// Appends to an array, which is made where there is nothing or null.
    ///
    /// # Errors
    ///
    /// [`NotAnArray`](ValueError::NotAnArray), and as [`Values::put`].
    ///
    /// ```
    /// # use session_core::Values;
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
        // A copy of the array for the first push only, so that many cost no more than their items.
        let before = before.filter(|_| !self.journal.knows_array(&path)).map_or_else(Node::null, detached);
        let item = json(key, &value, depth_below(&path).saturating_sub(1))?;
        self.edit(key, Edit { path, act: Act::Push { items: vec![item.into()], before } })
    }

    /// Removes a value, or several one after the other, and every parent that becomes empty thereby.
    ///
    /// An item of an array is removed, and those behind it move up. What is not there, or is no path, is no error.
    ///
    /// ```
    /// # use session_core::Values;
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
    /// As [`Values::get`]; the value stays then.
    ///
    /// ```
    /// # use session_core::Values;
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

    /// Reads a value and removes it, or takes the default when it is missing or null.
    ///
    /// # Errors
    ///
    /// As [`Values::pull`].
    ///
    /// ```
    /// # use session_core::Values;
    /// assert_eq!(Values::default().pull_or("tries", 0)?, 0);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn pull_or<T: DeserializeOwned>(&mut self, key: impl ToPath<T>, default: T) -> Result<T, ValueError> {
        Ok(self.pull(key)?.unwrap_or(default))
    }

    /// Adds one; gives the new number. Missing and null count from zero.
    ///
    /// # Errors
    ///
    /// [`NotANumber`](ValueError::NotANumber), [`Overflow`](ValueError::Overflow), and as [`Values::put`].
    ///
    /// ```
    /// # use session_core::{Number, Values};
    /// assert_eq!(Values::default().increment("hits")?, Number::from(1));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn increment(&mut self, key: impl AnyKey) -> Result<Number, ValueError> {
        self.increment_by(key, 1)
    }

    /// Adds so much; gives the new number. Integers stay exact, a float makes the sum a float.
    ///
    /// # Errors
    ///
    /// As [`Values::increment`].
    ///
    /// ```
    /// # use session_core::{Number, Values};
    /// assert_eq!(Values::default().increment_by("total", 2.5)?, Number::from(2.5));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn increment_by(&mut self, key: impl AnyKey, by: impl Into<Number>) -> Result<Number, ValueError> {
        self.add(&key, "increment", Some(by.into()))
    }

    /// Takes one away; gives the new number.
    ///
    /// # Errors
    ///
    /// As [`Values::increment`].
    ///
    /// ```
    /// # use session_core::{Number, Values};
    /// assert_eq!(Values::default().decrement("left")?, Number::from(-1));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn decrement(&mut self, key: impl AnyKey) -> Result<Number, ValueError> {
        self.decrement_by(key, 1)
    }

    /// Takes so much away; gives the new number.
    ///
    /// # Errors
    ///
    /// As [`Values::increment`].
    ///
    /// ```
    /// # use session_core::{Number, Values};
    /// assert_eq!(Values::default().decrement_by("left", 3)?, Number::from(-3));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
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

    /// Removes everything.
    ///
    /// ```
    /// # use session_core::Values;
    /// # let mut values = Values::default();
    /// values.put("a", 1)?;
    /// values.clear();
    /// assert!(values.is_empty());
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn clear(&mut self) {
        if self.bag.clear() {
            self.journal.record_clear();
        }
    }

    /// Reads a value; where it is missing or null, makes it, puts it, and gives it back.
    ///
    /// # Errors
    ///
    /// As [`Values::get`] and [`Values::put`].
    ///
    /// ```
    /// # use session_core::Values;
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
        // A key that cannot be written to is refused before anything is made for it.
        self.steps(&key)?;
        let value = make();
        self.put(key.path(), &value)?;
        Ok(value)
    }

    /// Changes a value by a closure, which runs again on the newer value when another request was faster.
    ///
    /// The closure is given `None` where the value is missing or null, and should do nothing but compute. Gives what it
    /// made.
    ///
    /// # Errors
    ///
    /// As [`Values::get`] and [`Values::put`].
    ///
    /// ```
    /// # use session_core::Values;
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
        let again = Again(Arc::new(move |now: Option<View<'_>>| {
            let now = now.map(View::read::<T>).transpose().ok()?;
            serde_json::to_vec(&change(now)).ok()
        }));
        self.edit(key, Edit { path, act: Act::Update { again, left: left.into() } })?;
        Ok(made)
    }

    /// The segments that a path means here, a literal name first.
    pub(crate) fn segments(&self, path: Path<'_>) -> Result<Vec<String>, ValueError> {
        Ok(path.steps(self.bag.root())?.into_iter().map(String::from).collect())
    }

    fn steps(&self, key: &impl AnyKey) -> Result<Steps, ValueError> {
        key.path().steps(self.bag.root())
    }

    /// An edit that always fits: a removal, or one whose parents were made objects just before.
    fn force(&mut self, edit: Edit) {
        let key = WHOLE;
        let done = self.edit(Path::text(key), edit);
        debug_assert!(done.is_ok(), "an edit that always fits did not");
    }
}
