//! Changing many values at once: an object becomes one edit for each of its names.

use serde::Serialize;

use super::super::edit::{Act, Edit, depth_below};
use super::super::error::ValueError;
use super::super::json::JsonError;
use super::super::json::MAX_DEPTH;
use super::super::json::equal::same;
use super::super::json::node::Node;
use super::super::json::view::View;
use super::super::path::{Path, Steps};
use super::typed::WHOLE;
use super::write::json;
use super::{Values, detached};

impl Values {
    /// Puts several values, or none of them if one fails. The names are paths.
    ///
    /// # Errors
    ///
    /// As for [`Values::put`], and [`NotNamed`](ValueError::NotNamed) if `values` does not serialize as an object.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put_many(std::collections::BTreeMap::from([("user.name", "ada"), ("theme", "dark")]))?;
    /// assert_eq!(values.get::<String>("user.name")?.as_deref(), Some("ada"));
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn put_many<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        let (mut next, mut size) = (self.clone(), 0);
        for (name, value) in text.view().fields() {
            let key = Path::text(&name);
            let path = next.steps(&key)?;
            let value = Node::copy(value, depth_below(&path)).map_err(|_| ValueError::NotJson {
                key: key.to_string(),
                source: JsonError::new("it nests too deeply"),
            })?;
            let edit = Edit { path, act: Act::Put(value) };
            let added = next.check(key, &edit)?;
            next.apply(edit, added);
            size += added;
        }
        self.become_changed(Path::text(WHOLE), next, size)
    }

    /// Merges an object deeply: objects are merged name by name, anything else (arrays, null) replaces the existing
    /// value.
    ///
    /// The names are literal, not paths.
    ///
    /// # Errors
    ///
    /// [`NotNamed`](ValueError::NotNamed) if `values` does not serialize as an object, and
    /// [`NotJson`](ValueError::NotJson).
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("user", serde_json::json!({ "name": "ada", "tags": [1, 2] }))?;
    /// values.merge(serde_json::json!({ "user": { "tags": [3] } }))?;
    /// assert_eq!(values.all().to_json(), r#"{"user":{"name":"ada","tags":[3]}}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn merge<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        let view = text.view();
        self.change_all(Path::text(WHOLE), view.size(), |next| next.merge_below(&mut Vec::new(), view))
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

    /// Replaces all values by these. The names are literal, not paths.
    ///
    /// # Errors
    ///
    /// As for [`Values::merge`].
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// # let mut values = Values::default();
    /// values.put("a", 1)?;
    /// values.replace(serde_json::json!({ "b.c": 2 }))?;
    /// assert_eq!(values.all().to_json(), r#"{"b.c":2}"#);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    pub fn replace<V: Serialize>(&mut self, values: V) -> Result<(), ValueError> {
        let text = object(&values)?;
        if same(self.bag.view(), text.view()) {
            return Ok(());
        }
        self.change_all(Path::text(WHOLE), text.view().size(), |next| {
            next.clear();
            next.put_literally(text.view());
        })
    }

    /// Replaces all values by the fields of a struct.
    ///
    /// Top-level names that the struct does not have are removed. Only names whose value differs count as changed, so
    /// two concurrent requests that change different fields both succeed.
    ///
    /// # Errors
    ///
    /// As for [`Values::merge`].
    pub fn store<V: Serialize + ?Sized>(&mut self, values: &V) -> Result<(), ValueError> {
        let text = object(values)?;
        let view = text.view();
        let fields = view.fields();
        self.change_all(Path::text(WHOLE), view.size(), |next| {
            for name in next.keys().into_iter().filter(|name| !fields.contains_key(name.as_str())) {
                next.force(Edit { path: vec![name.into()], act: Act::Forget });
            }
            next.put_literally(view);
        })
    }

    fn put_literally(&mut self, values: View<'_>) {
        for (name, value) in values.fields() {
            self.force(Edit { path: vec![name.as_ref().into()], act: Act::Put(detached(value)) });
        }
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        if self.bag.clear() {
            self.journal.record_clear();
            self.bound.counted(0);
        }
    }
}

/// Writes several values at once: something that is an object in JSON.
fn object<V: Serialize + ?Sized>(values: &V) -> Result<Node, ValueError> {
    let text = json(Path::text(WHOLE), values, MAX_DEPTH + 1)?;
    if text.view().is_object() { Ok(text) } else { Err(ValueError::NotNamed) }
}
