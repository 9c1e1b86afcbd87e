//! Field names: `profile[email]` and `profile.email` are one field; `tags[]` adds to a list, and `lines[][sku]` to a list
//! of rows. A name said twice keeps its last value, as a checkbox with a hidden field beside it expects.
//!
//! A number in a name is a name. Only where the names below one are 0, 1, 2 and so on without a gap are they a list.

use serde_json::{Map, Value};

/// Takes a name apart; none where it is no nested name, which is then taken as it is. `[]` is an empty segment.
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
            rest[1..].split_once(']')?
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
        // A list of lists has no name by which to find its rows.
        let lists = segment.is_empty() && segments.last().is_some_and(|last| last.is_empty());
        if segment.contains('[') || lists || segments.len() == MOST_SEGMENTS {
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
    if let Err(text) = nest_in(fields, first, rest, Value::String(text)) {
        match (fields.get_mut(name), name.ends_with("[]")) {
            (Some(Value::Array(items)), true) => items.push(text),
            (None | Some(_), true) => _ = fields.insert(name.to_owned(), Value::Array(vec![text])),
            (None | Some(_), false) => _ = fields.insert(name.to_owned(), text),
        }
    }
}

/// Makes lists of the objects whose names are 0, 1, 2 and so on, once all fields are there.
pub(crate) fn settle(fields: &mut Map<String, Value>) {
    fields.values_mut().for_each(settle_value);
}

fn settle_value(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle_value),
        Value::Object(fields) => {
            settle(fields);
            let numbers: Vec<String> = (0..fields.len()).map(|number| number.to_string()).collect();
            if !numbers.is_empty() && numbers.iter().all(|number| fields.contains_key(number)) {
                let items = numbers.iter().filter_map(|number| fields.get_mut(number).map(Value::take));
                *value = Value::Array(items.collect());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn nest_in(fields: &mut Map<String, Value>, name: &str, rest: &[&str], text: Value) -> Result<(), Value> {
    match fields.get_mut(name) {
        Some(there) => nest(there, rest, text),
        None => {
            fields.insert(name.to_owned(), fresh(rest, text));
            Ok(())
        }
    }
}

/// Adds below a value that is there; gives the text back where that is not possible.
fn nest(there: &mut Value, rest: &[&str], text: Value) -> Result<(), Value> {
    match (rest.split_first(), &mut *there) {
        (None, Value::Array(items)) => items.push(text),
        (None, Value::Object(_)) => return Err(text),
        (None, there) => *there = text,
        (Some((&"", [])), Value::Array(items)) => items.push(text),
        // `lines[][sku]`: the last row, unless it has one already.
        (Some((&"", rest)), Value::Array(items)) => match items.last_mut() {
            Some(row @ Value::Object(_)) if !rest.is_empty() && !has(row, rest) => {
                return nest(row, rest, text);
            }
            _ => items.push(fresh(rest, text)),
        },
        // `items[0][sku]`, and then `items[][sku]`: the number after the largest.
        (Some((&"", rest)), Value::Object(fields)) => match next_number(fields, rest) {
            Some(number) => return nest_in(fields, &number, rest, text),
            None => return Err(text),
        },
        // `tags=` and then `tags[]=x`: the empty field is there so that the form has one if nothing is chosen.
        (Some((&"", [])), Value::String(empty)) if empty.is_empty() => *there = Value::Array(vec![text]),
        (Some((&"", [])), there) => *there = Value::Array(vec![there.take(), text]),
        (Some((&"", _)), _) => return Err(text),
        (Some((name, rest)), Value::Object(fields)) => return nest_in(fields, name, rest, text),
        // `items[][sku]`, and then `items[0][qty]`: a row that is there, or the next.
        (Some((name, rest)), Value::Array(items)) => match number(name) {
            Some(number) if number < items.len() => return nest(&mut items[number], rest, text),
            Some(number) if number == items.len() => items.push(fresh(rest, text)),
            Some(_) | None => return Err(text),
        },
        (Some(_), _) => return Err(text),
    }
    Ok(())
}

/// The name of the row that `[]` means where rows have numbers: the last one, unless it has the field already, else a
/// new one. None where they have other names.
fn next_number(fields: &Map<String, Value>, rest: &[&str]) -> Option<String> {
    let last = fields.keys().map(|name| number(name)).collect::<Option<Vec<_>>>()?.into_iter().max()?;
    let row = fields.get(&last.to_string())?;
    let goes_on = !rest.is_empty() && row.is_object() && !has(row, rest);
    let number = if goes_on { last } else { last.checked_add(1)? };
    Some(number.to_string())
}

/// The number that a name is, written as numbers are.
fn number(name: &str) -> Option<usize> {
    let number: usize = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

/// Whether this row has the field already. A list of its own takes any number of them.
fn has(row: &Value, rest: &[&str]) -> bool {
    match rest.split_first() {
        None => true,
        Some((&"", _)) => false,
        Some((name, rest)) => row.get(*name).is_some_and(|there| has(there, rest)),
    }
}

fn fresh(rest: &[&str], text: Value) -> Value {
    match rest.split_first() {
        None => text,
        Some((&"", rest)) => Value::Array(vec![fresh(rest, text)]),
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
        settle(&mut fields);
        Value::Object(fields)
    }

    #[test]
    fn brackets_and_dots_nest() {
        assert_eq!(of(&[("a[b][c]", "1"), ("a.b.d", "2")]), json!({"a": {"b": {"c": "1", "d": "2"}}}));
    }

    #[test]
    fn lists_are_made_by_brackets() {
        assert_eq!(of(&[("t[]", "1")]), json!({"t": ["1"]}));
        assert_eq!(of(&[("t[]", "1"), ("t[]", "2")]), json!({"t": ["1", "2"]}));
        assert_eq!(of(&[("a[t][]", "1"), ("a[t][]", "2")]), json!({"a": {"t": ["1", "2"]}}));
    }

    #[test]
    fn an_empty_field_before_a_list_is_no_item_of_it() {
        assert_eq!(of(&[("t", ""), ("t[]", "1"), ("t[]", "2")]), json!({"t": ["1", "2"]}));
        assert_eq!(of(&[("a[t]", ""), ("a[t][]", "1")]), json!({"a": {"t": ["1"]}}));
        assert_eq!(of(&[("t", "")]), json!({"t": ""}));
        assert_eq!(of(&[("t[]", ""), ("t[]", "1")]), json!({"t": ["", "1"]}));
        assert_eq!(of(&[("t", "0"), ("t[]", "1")]), json!({"t": ["0", "1"]}));
    }

    #[test]
    fn a_name_said_twice_keeps_its_last_value() {
        assert_eq!(of(&[("active", "0"), ("active", "1")]), json!({"active": "1"}));
        assert_eq!(of(&[("a[b]", "1"), ("a.b", "2"), ("a[b]", "3")]), json!({"a": {"b": "3"}}));
    }

    #[test]
    fn rows_are_a_list_in_order() {
        let names: Vec<String> =
            (0..12).flat_map(|n| [format!("items[{n}][sku]"), format!("items.{n}.qty")]).collect();
        let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
        let rows: Vec<Value> = (0..12)
            .map(|n| json!({"sku": format!("items[{n}][sku]"), "qty": format!("items.{n}.qty")}))
            .collect();
        assert_eq!(of(&pairs), json!({ "items": rows }));
        assert_eq!(of(&[("r[1]", "b"), ("r[0]", "a")]), json!({"r": ["a", "b"]}));
        assert_eq!(of(&[("m[0][1]", "b"), ("m[0][0]", "a")]), json!({"m": [["a", "b"]]}));
    }

    #[test]
    fn a_row_opens_where_a_name_repeats() {
        let form = of(&[
            ("lines[][sku]", "A"),
            ("lines[][qty]", "1"),
            ("lines[][tags][]", "x"),
            ("lines[][tags][]", "y"),
            ("lines[][qty]", "2"),
            ("lines[][sku]", "B"),
            ("lines[][sku]", "C"),
        ]);
        let rows =
            json!([{"sku": "A", "qty": "1", "tags": ["x", "y"]}, {"qty": "2", "sku": "B"}, {"sku": "C"}]);
        assert_eq!(form, json!({ "lines": rows }));
        let deep = of(&[("l[][a][b]", "1"), ("l[][a][c]", "2"), ("l[][a][b]", "3")]);
        assert_eq!(deep, json!({"l": [{"a": {"b": "1", "c": "2"}}, {"a": {"b": "3"}}]}));
    }

    #[test]
    fn a_number_is_a_name_in_the_order_it_came() {
        let form = of(&[
            ("stock[98765]", "2"),
            ("opt[30]", "a"),
            ("opt[4]", "b"),
            ("rows[0]", "x"),
            ("rows[2]", "y"),
        ]);
        let text = r#"{"stock":{"98765":"2"},"opt":{"30":"a","4":"b"},"rows":{"0":"x","2":"y"}}"#;
        assert_eq!(form.to_string(), text);
    }

    #[test]
    fn nothing_is_lost_where_names_contradict_each_other() {
        assert_eq!(of(&[("a", "1"), ("a[b]", "2")]), json!({"a": "1", "a[b]": "2"}));
        assert_eq!(
            of(&[("[x]", "1"), ("a[", "2"), ("", "3"), ("a[]b", "4"), ("a[][]", "5")]),
            json!({"[x]": "1", "a[": "2", "": "3", "a[]b": "4", "a[][]": "5"})
        );
    }

    #[test]
    fn rows_with_and_without_numbers_are_rows_of_one_list() {
        let expected = json!({"r": [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]});
        for names in [
            ["r[0][a]", "r[0][b]", "r[][a]", "r[][b]"],
            ["r[][a]", "r[][b]", "r[1][a]", "r[1][b]"],
            ["r[0][a]", "r[][b]", "r[][a]", "r[1][b]"],
            ["r[][a]", "r[0][b]", "r[][a]", "r[][b]"],
        ] {
            let pairs: Vec<_> = names.into_iter().zip(["1", "2", "3", "4"]).collect();
            assert_eq!(of(&pairs), expected, "{names:?}");
        }
        assert_eq!(of(&[("t[0]", "a"), ("t[]", "b"), ("t[]", "c")]), json!({"t": ["a", "b", "c"]}));
        assert_eq!(of(&[("t[5]", "a"), ("t[]", "b")]), json!({"t": {"5": "a", "6": "b"}}));
    }

    #[test]
    fn names_beside_a_list_are_kept_whole_and_all_of_them() {
        assert_eq!(of(&[("a[]", "1"), ("a[x]", "2")]), json!({"a": ["1"], "a[x]": "2"}));
        assert_eq!(
            of(&[("a[x]", "1"), ("a[]", "2"), ("a[]", "3")]),
            json!({"a": {"x": "1"}, "a[]": ["2", "3"]})
        );
        assert_eq!(of(&[("a[0]", "1"), ("a[x]", "2")]), json!({"a": {"0": "1", "x": "2"}}));
    }

    #[test]
    fn names_of_other_languages_are_names() {
        let form =
            of(&[("__proto__[x]", "1"), ("constructor", "2"), ("a[toString]", "3"), ("a[length]", "4")]);
        let expected =
            json!({"__proto__": {"x": "1"}, "constructor": "2", "a": {"toString": "3", "length": "4"}});
        assert_eq!(form, expected);
        assert_eq!(of(&[("a[00]", "1"), ("a[-1]", "2"), ("a[1e3]", "3")])["a"]["00"], "1");
        assert_eq!(
            of(&[("q[99999999999999999999999]", "1")]),
            json!({"q": {"99999999999999999999999": "1"}})
        );
    }

    #[test]
    fn a_name_that_nests_absurdly_deep_is_just_a_name() {
        let name = format!("a{}", "[b]".repeat(5_000));
        assert_eq!(of(&[(&name, "1")])[&name], "1");
    }
}
