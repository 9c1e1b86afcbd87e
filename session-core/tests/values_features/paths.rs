//! Paths: how a key finds its place, and when there is none.

use serde_json::value::RawValue;
use session_core::{
    ValueError,
    machine::{Bag, Values},
};

use super::{from, text};

#[test]
fn features_1_dot_paths_brackets_and_slices_reach_the_same_place() {
    let mut values = Values::default();
    values.put("cart.items[0].sku", "A").unwrap();
    for sku in [
        values.get::<String>("cart.items.0.sku").unwrap(),
        values.get::<String>("cart.items[0].sku").unwrap(),
        values.get::<String>(["cart", "items", "0", "sku"]).unwrap(),
        values.get::<String>(&["cart", "items", "0", "sku"][..]).unwrap(),
        values
            .get::<String>(vec!["cart".to_owned(), "items".to_owned(), "0".to_owned(), "sku".to_owned()])
            .unwrap(),
        values.get::<String>("cart.items.0.sku".to_owned()).unwrap(),
    ] {
        assert_eq!(sku.as_deref(), Some("A"));
    }
    values.put(["user", "a.b"], 1).unwrap();
    assert_eq!(values.get::<u8>(["user", "a.b"]).unwrap(), Some(1));
    assert_eq!(values.get::<u8>("user.a.b").unwrap(), None);
    assert_eq!(text(&values), r#"{"cart":{"items":[{"sku":"A"}]},"user":{"a.b":1}}"#);
}

#[test]
fn features_1_a_literal_top_level_key_wins() {
    let mut values = from(r#"{"a.b":1,"a":{"b":2}}"#);
    assert_eq!(values.get::<u8>("a.b").unwrap(), Some(1));
    assert_eq!(values.get::<u8>(["a", "b"]).unwrap(), Some(2));
    values.put("a.b", 3).unwrap();
    values.increment("a.b").unwrap();
    assert_eq!(text(&values), r#"{"a.b":4,"a":{"b":2}}"#);
    values.forget("a.b");
    assert_eq!(values.get::<u8>("a.b").unwrap(), Some(2));
}

#[test]
fn features_1_what_a_literal_key_meant_is_decided_when_it_is_journalled() {
    let mut values = from(r#"{"a.b":1}"#);
    values.put("a.b", 2).unwrap();
    let journal = values.take_journal();
    let mut newer = Bag::decode(b"{}"[..].into()).unwrap();
    journal.replay(&mut newer);
    assert_eq!(newer.encode(), br#"{"a.b":2}"#);
}

#[test]
fn features_1_negative_huge_and_empty_segments_miss_on_read() {
    let values = from(r#"{"a":[1,2],"b":{"":1}}"#);
    for key in [
        "a.-1",
        "a.2",
        "a.99999999999999999999999999",
        "a.",
        ".a",
        "a..0",
        "",
        ".",
        "a[",
        "a[]",
        "a.00",
        "a.0.x",
    ] {
        assert_eq!(values.get::<u8>(key).unwrap(), None, "{key}");
        assert!(values.missing(key), "{key}");
    }
    assert_eq!(values.get::<u8>([] as [&str; 0]).unwrap(), None);
}

#[test]
fn features_1_an_index_may_be_so_far_behind_the_end_and_no_farther() {
    let mut values = from(r#"{"a":[1,2]}"#);
    let before = text(&values);
    let error = values.put("a.1027", 1).unwrap_err();
    assert_eq!(error, ValueError::IndexTooLarge { key: "a.1027".into(), index: 1_027, most: 1_026 });
    let error = values.put("new[1025]", 1).unwrap_err();
    assert_eq!(error, ValueError::IndexTooLarge { key: "new[1025]".into(), index: 1_025, most: 1_024 });
    assert!(matches!(values.put("a.99999999999999999999999", 1), Err(ValueError::IndexTooLarge { .. })));
    assert_eq!(text(&values), before);
    assert!(!values.is_changed());
    values.put("a.1026", 1).unwrap();
    let all: Vec<Option<u8>> = values.get("a").unwrap().unwrap();
    assert_eq!((all.len(), all[2], all[1_026]), (1_027, None, Some(1)));
}

#[test]
fn features_1_names_and_indices_are_told_apart_by_what_is_there() {
    let mut values = from(r#"{"map":{},"list":[1]}"#);
    values.put("map.0", "name").unwrap();
    values.put("fresh.00", "name").unwrap();
    values.put("0.0", "a name, then an index").unwrap();
    assert_eq!(
        text(&values),
        r#"{"map":{"0":"name"},"list":[1],"fresh":{"00":"name"},"0":["a name, then an index"]}"#
    );
    for key in ["list.name", "list.00", "list.-1", "list.name.deeper"] {
        assert_eq!(values.put(key, 1).unwrap_err(), ValueError::NotAnObject { key: key.into() });
    }
}

#[test]
fn features_1_an_empty_segment_is_no_path_to_write_to() {
    let mut values = Values::default();
    for key in ["", "a.", ".a", "a..b", "a[]", "a[0"] {
        let bad = ValueError::BadPath { key: key.into() };
        assert_eq!(values.put(key, 1).unwrap_err(), bad);
        assert_eq!(values.push(key, 1).unwrap_err(), bad);
        assert_eq!(values.increment(key).unwrap_err(), bad);
        assert_eq!(values.update(key, |n: Option<u8>| n.unwrap_or(1)).unwrap_err(), bad);
        assert_eq!(values.remember(key, || 1).unwrap_err(), bad);
        values.forget(key);
    }
    assert!(matches!(values.put(["a", ""], 1), Err(ValueError::BadPath { .. })));
    assert!(matches!(values.put([] as [&str; 0], 1), Err(ValueError::BadPath { .. })));
    assert!(values.is_empty() && !values.is_changed());
}

#[test]
fn features_1_keys_such_as_proto_are_just_keys() {
    let mut values = Values::default();
    values.put("__proto__.polluted", true).unwrap();
    values.put("constructor", 1).unwrap();
    assert_eq!(text(&values), r#"{"__proto__":{"polluted":true},"constructor":1}"#);
}

#[test]
fn security_cr_10_paths_and_values_are_64_levels_deep_at_most() {
    let nested = |levels: usize| RawValue::from_string("[".repeat(levels) + &"]".repeat(levels)).unwrap();
    let mut values = Values::default();
    values.put("deep", nested(64)).unwrap();
    assert!(matches!(values.put("deeper", nested(65)), Err(ValueError::NotJson { .. })));
    assert!(matches!(values.put("a.b", nested(64)), Err(ValueError::NotJson { .. })));
    assert!(matches!(values.push("p", nested(64)), Err(ValueError::NotJson { .. })));
    assert!(values.push("p", nested(63)).is_ok());
    assert!(values.put(&*["a"; 64].join("."), 1).is_ok());
    assert!(matches!(values.put(&*["a"; 65].join("."), 1), Err(ValueError::BadPath { .. })));
    assert!(matches!(values.put(&["b"; 65][..], 1), Err(ValueError::BadPath { .. })));
    assert_eq!(values.get::<u8>(&*["a"; 65].join(".")).unwrap(), None);
    Bag::decode(values.bag().encode().into()).unwrap();
    assert!(Bag::decode(format!(r#"{{"a":{}}}"#, nested(65).get()).into_bytes().into()).is_err());
    assert!(Bag::decode("{\"a\":".repeat(1_000_000).into_bytes().into()).is_err());
}
