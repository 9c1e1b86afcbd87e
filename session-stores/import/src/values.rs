//! What the values of AdonisJS and Laravel have in common: names with dots, URLs, the id of a user.

use serde_json::{Map, Value};

/// Removes the value with this name: a literal name first, else one with dots, which leads into objects.
pub(crate) fn take(values: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = values.shift_remove(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    let Value::Object(inner) = values.get_mut(first)? else { return None };
    let value = take(inner, rest)?;
    if inner.is_empty() {
        values.shift_remove(first);
    }
    Some(value)
}

/// The same for a text; a value of another type is removed as well.
pub(crate) fn take_text(values: &mut Map<String, Value>, name: &str) -> Option<String> {
    match take(values, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The same for an object.
pub(crate) fn take_object(values: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match take(values, name) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The texts of a list, or a text alone; whatever else is in it is left out.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        // A PHP array with gaps.
        Value::Object(items) => items.values().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The id of a user under this name, whether it is a text or a number.
pub(crate) fn user_id(values: &Map<String, Value>, name: &str) -> Option<String> {
    match values.get(name)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The path and query of a URL of the application, which both frameworks may keep with its host.
pub(crate) fn path_of(url: &str) -> String {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return url.to_owned() };
    let rest = rest.find(['/', '?', '#']).map_or("", |end| &rest[end..]);
    if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_name_is_taken_before_a_path_and_empty_objects_go_with_it() {
        let values = serde_json::json!({ "a.b": 1, "a": { "b": 2 }, "c": 3 });
        let Value::Object(mut values) = values else { unreachable!("it is an object") };
        assert_eq!(take(&mut values, "a.b"), Some(1.into()));
        assert_eq!(take(&mut values, "a.b"), Some(2.into()));
        assert_eq!(take(&mut values, "a.b"), None);
        assert_eq!(take(&mut values, "c.d"), None);
        assert_eq!(values.keys().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn of_a_url_the_path_is_kept() {
        for (url, path) in [
            ("https://shop.example/orders?page=2", "/orders?page=2"),
            ("http://shop.example", "/"),
            ("http://shop.example?page=2", "/?page=2"),
            ("/orders", "/orders"),
            ("https://shop.example//evil.example", "//evil.example"), // refused by the engine
        ] {
            assert_eq!(path_of(url), path);
        }
    }
}
