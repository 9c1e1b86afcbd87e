//! Editing and reading agree with a plain tree of JSON, and stay fast for large values.

// Helpers of a test file are tests as well, which clippy cannot see.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use session_core::machine::{Bag, Values};

/// Puts the long way round: what the feature table says, over a plain tree.
fn put(here: &mut Value, path: &[&str], value: Value) -> Result<(), ()> {
    let Some((segment, rest)) = path.split_first() else {
        *here = value;
        return Ok(());
    };
    let index = index(segment);
    let mut next = match (&*here, index) {
        (Value::Object(_) | Value::Array(_), _) => here.clone(),
        (_, Some(_)) => json!([]),
        (_, None) => json!({}),
    };
    match (&mut next, index) {
        (Value::Object(map), _) => put(map.entry(*segment).or_insert(Value::Null), rest, value)?,
        (Value::Array(list), Some(index)) => {
            if index >= list.len() {
                list.resize(index + 1, Value::Null);
            }
            put(&mut list[index], rest, value)?;
        }
        _ => return Err(()),
    }
    *here = next;
    Ok(())
}

fn index(segment: &str) -> Option<usize> {
    segment.parse::<usize>().ok().filter(|index| index.to_string() == *segment)
}

/// Removes the long way round; whether anything was there.
fn forget(here: &mut Value, path: &[&str]) -> bool {
    let Some((segment, rest)) = path.split_first() else { return false };
    let empty = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match here {
        Value::Object(map) => {
            let Some(child) = map.get_mut(*segment) else { return false };
            let found = rest.is_empty() || forget(child, rest);
            if rest.is_empty() || found && empty(child) {
                map.remove(*segment);
            }
            found
        }
        Value::Array(list) => {
            let Some(index) = index(segment).filter(|index| *index < list.len()) else {
                return false;
            };
            let found = rest.is_empty() || forget(&mut list[index], rest);
            if rest.is_empty() || found && empty(&list[index]) {
                list.remove(index);
            }
            found
        }
        _ => false,
    }
}

fn merge(here: &mut Map<String, Value>, other: Map<String, Value>) {
    for (name, value) in other {
        match (here.get_mut(&name), value) {
            (Some(Value::Object(here)), Value::Object(value)) => merge(here, value),
            (_, value) => drop(here.insert(name, value)),
        }
    }
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-z\"\\\\\u{e9}]{0,4}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc01]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn root() -> impl Strategy<Value = Map<String, Value>> {
    // Up to forty names, so that both ways of finding one are met.
    prop::collection::btree_map("[a-d01]{1,2}", tree(), 0..40).prop_map(|map| map.into_iter().collect())
}

fn path() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "0", "1", "3", "00"]), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn editing_and_reading_agree_with_a_plain_tree(
        start in root(),
        steps in prop::collection::vec((0..4_u8, path(), tree(), root()), 0..20),
    ) {
        let mut model = Value::Object(start);
        let mut values = Values::new(Bag::decode(model.to_string().into_bytes().into()).unwrap());
        for (kind, path, value, object) in steps {
            match kind {
                0 => prop_assert_eq!(put(&mut model, &path, value.clone()).is_ok(), values.put(&path[..], &value).is_ok()),
                1 => {
                    forget(&mut model, &path);
                    values.forget([&path[..]]);
                }
                2 => {
                    merge(model.as_object_mut().unwrap(), object.clone());
                    values.merge(object).unwrap();
                }
                _ => {
                    let pointer = format!("/{}", path.join("/"));
                    let expected = model.pointer(&pointer).filter(|value| !value.is_null()).cloned();
                    prop_assert_eq!(values.get::<Value>(&path[..]).unwrap(), expected);
                }
            }
            prop_assert_eq!(&serde_json::to_value(values.all()).unwrap(), &model);
            prop_assert_eq!(values.len(), model.as_object().unwrap().len());
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&values.bag().encode()).unwrap(), model);
    }
}

#[test]
fn ten_thousand_of_anything_cost_in_proportion() {
    let begun = Instant::now();
    let mut values = Values::default();
    for n in 0..10_000 {
        values.put(&*format!("key{n}"), n).unwrap();
        values.put(&*format!("nested.key{n}"), n).unwrap();
        values.push("list", n).unwrap();
        values.put(["indexed".to_owned(), n.to_string()], n).unwrap();
    }
    let encoded = values.bag().encode();
    let mut values = Values::new(Bag::decode(encoded.into()).unwrap());
    for n in 0..10_000 {
        assert_eq!(values.get::<u32>(&*format!("key{n}")).unwrap(), Some(n));
        values.push("list", n).unwrap();
        values.forget(&*format!("key{n}"));
        values.increment(&*format!("nested.key{n}")).unwrap();
    }
    let journal = values.take_journal();
    let mut newer = Bag::default();
    journal.replay(&mut newer);
    assert_eq!(values.keys(), ["nested", "list", "indexed"]);
    // Seconds in a debug build on a busy machine; anything quadratic takes minutes.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn a_journal_grows_with_what_changed_and_not_with_how_often() {
    let mut values =
        Values::new(Bag::decode(br#"{"list":[{"n":1},{"n":2}],"o":{"x":{"y":1}}}"#[..].into()).unwrap());
    for n in 0..1_000 {
        values.put("o.x.y", n).unwrap();
        values.increment("hits").unwrap();
        values.push("log", n).unwrap();
        values.increment("list.0.n").unwrap();
        values.increment("list.1.n").unwrap();
        values.merge(json!({"o": {"z": {"n": n}}})).unwrap();
        values.put("temporary.thing", n).unwrap();
        values.forget("temporary.thing");
    }
    assert!(values.take_journal().len() <= 9, "{:?}", values.journal());
}

#[test]
fn a_journal_is_bounded_however_often_a_value_changes() {
    let stored = json!({"queue": (0..5_000).collect::<Vec<_>>(), "n": 0, "kept": [1, 2]});
    let bag = || Bag::decode(stored.to_string().into_bytes().into()).unwrap();
    let mut values = Values::new(bag());
    for _ in 0..4_999 {
        values.forget("queue.0");
        values.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).unwrap();
    }
    values.forget("kept.0");
    let journal = values.take_journal();
    assert!(journal.len() <= 2 * 1_024 + 1, "{journal:?}");
    let mut newer = bag();
    journal.replay(&mut newer);
    assert_eq!(newer.encode(), values.bag().encode());
}

#[test]
fn one_edit_makes_at_most_1_024_empty_places_in_all_arrays_on_its_way() {
    let mut values = Values::new(Bag::decode(br#"{"a":[1,2]}"#[..].into()).unwrap());
    for path in ["a.1024.3", "a.1000.27", "new.1024.1", "new.1024.1024.1024", "x.512.512.1"] {
        assert!(values.put(path, 1).is_err(), "{path}");
    }
    assert!(values.push("new.1024.1", 1).is_err() && values.increment("new.1024.1").is_err());
    values.put("a.1000.26", 1).unwrap();
    values.put("x.512.512.0", 1).unwrap();
    // On replay, where the array has become shorter, a value stands behind its end.
    let long = json!({"a": vec![0; 3_000]});
    let mut values = Values::new(Bag::decode(long.to_string().into_bytes().into()).unwrap());
    values.put("a.3000", "mine").unwrap();
    let mut newer = Bag::decode(br#"{"a":[0]}"#[..].into()).unwrap();
    values.take_journal().replay(&mut newer);
    assert_eq!(newer.encode(), br#"{"a":[0,"mine"]}"#);
}
