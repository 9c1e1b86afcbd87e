//! Field names: `profile[email]` and `profile.email` are one field; `tags[]` adds to a list, and so does a repeated name.

use serde_json::{Map, Value};

/// Takes a name apart; none where it is no nested name, which is then taken as it is. `tags[]` ends with an empty segment.
pub(crate) fn split(name: &str) -> Option<Vec<&str>> {
    let mut segments = Vec::with_capacity(2);
    let end = name.find(['[', '.']).unwrap_or(name.len());
    if end == 0 {
        return None;
    }
    segments.push(&name[..end]);
    let mut rest = &name[end..];
    while let Some(first) = rest.as_bytes().first() {
        let (segment, after) = if *first == b'[' {
            let (segment, after) = rest[1..].split_once(']')?;
            // Only the end of a name may be empty: `tags[]`.
            if segment.is_empty() && !after.is_empty() {
                return None;
            }
            (segment, after)
        } else if *first == b'.' {
            let rest = &rest[1..];
            let end = rest.find(['[', '.']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            rest.split_at(end)
        } else {
            return None;
        };
        if segment.contains('[') || segments.len() == MOST_SEGMENTS {
            return None;
        }
        segments.push(segment);
        rest = after;
    }
    Some(segments)
}

/// Adds a field. What cannot be nested where something else stands already is kept under its whole name.
pub(crate) fn add(fields: &mut Map<String, Value>, name: &str, text: String) {
    let segments = split(name).unwrap_or_else(|| vec![name]);
    let (first, rest) = segments.split_first().expect("a split name has a segment");
    let text = Value::String(text);
    let left_over = match fields.get_mut(*first) {
        Some(there) => nest(there, rest, text).err(),
        None => {
            fields.insert((*first).to_owned(), fresh(rest, text));
            None
        }
    };
    if let Some(text) = left_over {
        fields.insert(name.to_owned(), text);
    }
}

/// Adds below a value that is there; gives the text back where that is not possible.
fn nest(there: &mut Value, rest: &[&str], text: Value) -> Result<(), Value> {
    match (rest.split_first(), there) {
        (None, Value::Array(items)) => items.push(text),
        (None, Value::Object(_)) => return Err(text),
        // Said twice, nothing is lost.
        (None, there) => *there = Value::Array(vec![there.take(), text]),
        (Some((&"", [])), Value::Array(items)) => items.push(text),
        (Some((&"", [])), Value::Object(_)) => return Err(text),
        (Some((&"", [])), there) => *there = Value::Array(vec![there.take(), text]),
        (Some((name, rest)), Value::Object(fields)) => match fields.get_mut(*name) {
            Some(there) => return nest(there, rest, text),
            None => {
                fields.insert((*name).to_owned(), fresh(rest, text));
            }
        },
        (Some(_), _) => return Err(text),
    }
    Ok(())
}

fn fresh(rest: &[&str], text: Value) -> Value {
    match rest.split_first() {
        None => text,
        Some((&"", [])) => Value::Array(vec![text]),
        Some((name, rest)) => Value::Object(Map::from_iter([((*name).to_owned(), fresh(rest, text))])),
    }
}

/// A form that nests deeper was not made by a person.
const MOST_SEGMENTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(pairs: &[(&str, &str)]) -> Value {
        let mut fields = Map::new();
        pairs.iter().for_each(|(name, text)| add(&mut fields, name, (*text).to_owned()));
        Value::Object(fields)
    }

    #[test]
    fn brackets_and_dots_nest() {
        assert_eq!(of(&[("a[b][c]", "1"), ("a.b.d", "2")]), json!({"a": {"b": {"c": "1", "d": "2"}}}));
    }

    #[test]
    fn lists_are_made_by_brackets_or_by_saying_it_twice() {
        assert_eq!(of(&[("t[]", "1")]), json!({"t": ["1"]}));
        assert_eq!(of(&[("t[]", "1"), ("t[]", "2")]), json!({"t": ["1", "2"]}));
        assert_eq!(of(&[("t", "1"), ("t", "2"), ("t", "3")]), json!({"t": ["1", "2", "3"]}));
        assert_eq!(of(&[("a[t][]", "1"), ("a[t][]", "2")]), json!({"a": {"t": ["1", "2"]}}));
    }

    #[test]
    fn nothing_is_lost_where_names_contradict_each_other() {
        assert_eq!(of(&[("a", "1"), ("a[b]", "2")]), json!({"a": "1", "a[b]": "2"}));
        assert_eq!(
            of(&[("[x]", "1"), ("a[", "2"), ("", "3"), ("a[]b", "4")]),
            json!({"[x]": "1", "a[": "2", "": "3", "a[]b": "4"})
        );
    }

    #[test]
    fn a_name_that_nests_absurdly_deep_is_just_a_name() {
        let name = format!("a{}", "[b]".repeat(5_000));
        assert_eq!(of(&[(&name, "1")])[&name], "1");
    }
}
