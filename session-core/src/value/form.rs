//! Parts of a form: the fields that are named, all but those, and never a secret that is not named.
//!
//! A part has the shape of a form with only these fields: rows are a list as long as none is missing before them, and
//! otherwise they are names in their order.

use serde_json::{Map, Value};

use super::secret::SecretFields;

/// Returns these fields. A named field is kept even if it is a secret; secrets nested in it were not named.
pub(crate) fn only(
    form: &Map<String, Value>,
    named: &[Vec<String>],
    secrets: &SecretFields,
) -> Map<String, Value> {
    let named: Vec<&[String]> = named.iter().map(Vec::as_slice).collect();
    let mut path = Vec::new();
    let kept = form
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), only_in(name, value, &named, secrets, &mut path)?)));
    kept.collect()
}

/// Returns the form without these fields and without secrets.
pub(crate) fn except(
    form: Map<String, Value>,
    named: &[Vec<String>],
    secrets: &SecretFields,
) -> Map<String, Value> {
    let named: Vec<&[String]> = named.iter().map(Vec::as_slice).collect();
    let left = form.into_iter().filter_map(|(name, value)| {
        let left = except_in(&name, value, &named)?;
        Some((name, left))
    });
    without_secrets(left.collect(), secrets)
}

/// Returns the form without secrets.
pub(crate) fn without_secrets(form: Map<String, Value>, secrets: &SecretFields) -> Map<String, Value> {
    open_fields(form, secrets, &mut Vec::new())
}

/// Adds the fields of `more`, field by field; where both have one, that of `more` counts.
pub(crate) fn merge(form: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match form.get_mut(&name) {
            Some(there) => merge_value(there, value),
            None => _ = form.insert(name, value),
        }
    }
}

fn merge_value(there: &mut Value, more: Value) {
    match (&mut *there, more) {
        (Value::Object(fields), Value::Object(more)) => merge(fields, more),
        (Value::Array(_) | Value::Object(_), more @ (Value::Array(_) | Value::Object(_))) => {
            let mut fields = by_name(there.take());
            merge(&mut fields, by_name(more));
            let numbers: Vec<String> = (0..fields.len()).map(|number| number.to_string()).collect();
            *there = match numbers.iter().all(|number| fields.contains_key(number)) {
                true => numbers.iter().filter_map(|number| fields.remove(number)).collect(),
                false => Value::Object(fields),
            };
        }
        (there, more) => *there = more,
    }
}

fn by_name(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        Value::Array(items) => (0_usize..).map(|number| number.to_string()).zip(items).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Map::new(),
    }
}

/// The paths that begin with a name, without it.
fn below<'n>(named: &[&'n [String]], name: &str) -> Vec<&'n [String]> {
    named
        .iter()
        .filter_map(|path| path.split_first())
        .filter(|(first, _)| *first == name)
        .map(|(_, rest)| rest)
        .collect()
}

fn only_in(
    name: &str,
    value: &Value,
    named: &[&[String]],
    secrets: &SecretFields,
    path: &mut Vec<String>,
) -> Option<Value> {
    let named = below(named, name);
    if named.is_empty() {
        return None;
    }
    path.push(name.to_owned());
    let whole = named.iter().any(|path| path.is_empty()).then(|| open(value.clone(), secrets, path));
    let parts =
        match value {
            Value::Object(fields) => {
                let kept = fields.iter().filter_map(|(name, value)| {
                    Some((name.clone(), only_in(name, value, &named, secrets, path)?))
                });
                Some(Value::Object(kept.collect()))
                    .filter(|kept| kept.as_object().is_some_and(|kept| !kept.is_empty()))
            }
            Value::Array(items) => list(items.iter().enumerate().filter_map(|(nth, item)| {
                Some((nth, only_in(&nth.to_string(), item, &named, secrets, path)?))
            })),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
    path.pop();
    match (whole, parts) {
        (Some(mut whole), Some(parts)) => {
            merge_value(&mut whole, parts);
            Some(whole)
        }
        (whole, parts) => whole.or(parts),
    }
}

fn except_in(name: &str, value: Value, named: &[&[String]]) -> Option<Value> {
    let named = below(named, name);
    if named.is_empty() {
        return Some(value);
    }
    if named.iter().any(|path| path.is_empty()) {
        return None;
    }
    match value {
        Value::Object(fields) => {
            let left: Map<String, Value> = fields
                .into_iter()
                .filter_map(|(name, value)| {
                    let left = except_in(&name, value, &named)?;
                    Some((name, left))
                })
                .collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(items) => list(
            items
                .into_iter()
                .enumerate()
                .filter_map(|(nth, item)| Some((nth, except_in(&nth.to_string(), item, &named)?))),
        ),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(leaf),
    }
}

/// A list of these items if none is missing before one of them, else their numbers as names.
fn list(items: impl Iterator<Item = (usize, Value)>) -> Option<Value> {
    let items: Vec<(usize, Value)> = items.collect();
    let is_whole = items.iter().enumerate().all(|(nth, (number, _))| nth == *number);
    (!items.is_empty()).then(|| match is_whole {
        true => items.into_iter().map(|(_, item)| item).collect(),
        false => Value::Object(items.into_iter().map(|(number, item)| (number.to_string(), item)).collect()),
    })
}

fn open_fields(
    fields: Map<String, Value>,
    secrets: &SecretFields,
    path: &mut Vec<String>,
) -> Map<String, Value> {
    let mut left = Map::with_capacity(fields.len());
    for (name, value) in fields {
        if !secrets.has(path, &name) {
            path.push(name);
            let value = open(value, secrets, path);
            if let Some(name) = path.pop() {
                left.insert(name, value);
            }
        }
    }
    left
}

fn open(value: Value, secrets: &SecretFields, path: &mut Vec<String>) -> Value {
    match value {
        Value::Object(fields) => Value::Object(open_fields(fields, secrets, path)),
        Value::Array(items) => items.into_iter().map(|item| open(item, secrets, path)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    fn names(paths: &[&[&str]]) -> Vec<Vec<String>> {
        paths.iter().map(|path| path.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    #[test]
    fn a_row_without_the_rows_before_it_is_a_name() {
        let rows = form(&json!({"rows": [{"a": "1", "b": "2"}, {"a": "3"}, {"a": "4"}]}));
        let none = SecretFields::only([""; 0]);
        let second = only(&rows, &names(&[&["rows", "1", "a"]]), &none);
        assert_eq!(Value::Object(second.clone()), json!({"rows": {"1": {"a": "3"}}}));
        let mut both = second;
        merge(&mut both, only(&rows, &names(&[&["rows", "0", "b"]]), &none));
        assert_eq!(Value::Object(both), json!({"rows": [{"b": "2"}, {"a": "3"}]}));
        let left = except(rows.clone(), &names(&[&["rows", "0"]]), &none);
        assert_eq!(Value::Object(left), json!({"rows": {"1": {"a": "3"}, "2": {"a": "4"}}}));
        let left = except(rows, &names(&[&["rows", "2"]]), &none);
        assert_eq!(Value::Object(left), json!({"rows": [{"a": "1", "b": "2"}, {"a": "3"}]}));
    }

    #[test]
    fn a_named_secret_is_kept_and_the_others_around_it_are_not() {
        let typed = form(&json!({"card": {"number": "4", "cvc": "1", "holder": "ada"}, "token": "t"}));
        let secrets = SecretFields::default();
        assert_eq!(
            Value::Object(without_secrets(typed.clone(), &secrets)),
            json!({"card": {"holder": "ada"}})
        );
        let named = only(&typed, &names(&[&["card"], &["card", "number"]]), &secrets);
        assert_eq!(Value::Object(named), json!({"card": {"holder": "ada", "number": "4"}}));
    }
}
