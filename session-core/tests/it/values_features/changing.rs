//! Changing values: each mutator has the effect in its row of the feature list, or none.

use serde_json::json;
use session_core::{
    Number, ValueError,
    machine::{Bag, Values},
};

use super::{from, text};

#[test]
fn features_1_put_makes_parents_and_replaces_scalars_in_the_way() {
    let mut values = from(r#"{"s":"scalar","n":null}"#);
    values.put("s.x", 1).unwrap();
    values.put("n.0", 1).unwrap();
    values.put("list.2", "c").unwrap();
    assert_eq!(text(&values), r#"{"s":{"x":1},"n":[1],"list":[null,null,"c"]}"#);
}

#[test]
fn features_1_put_many_takes_paths_and_is_all_or_nothing() {
    let mut values = from(r#"{"l":[1],"a.b":1}"#);
    values.put_many(json!({"user.name": "ada", "l[1]": 2, "a.b": 3})).unwrap();
    assert_eq!(text(&values), r#"{"l":[1,2],"a.b":3,"user":{"name":"ada"}}"#);
    let _ = values.take_journal();
    assert!(matches!(values.put_many(json!({"a": 1, "l.name": 2})), Err(ValueError::NotAnObject { .. })));
    assert!(matches!(values.put_many([1]), Err(ValueError::NotNamed)));
    assert!(values.missing(["a"]) && !values.is_changed());
}

#[test]
fn features_1_merge_is_deep_and_replaces_arrays_and_takes_null() {
    let mut values = from(r#"{"u":{"name":"ada","tags":[1,2],"deep":{"a":1}},"keep":1,"list":[1]}"#);
    values
        .merge(json!({"u": {"tags": [3], "name": null, "deep": {"b": 2}}, "x.y": {"0": 1}, "list": {"a": 1}}))
        .unwrap();
    assert_eq!(
        serde_json::to_value(values.all()).unwrap(),
        json!({"u": {"name": null, "tags": [3], "deep": {"a": 1, "b": 2}}, "keep": 1, "x.y": {"0": 1}, "list": {"a": 1}})
    );
}

#[test]
fn features_1_replace_wipes_and_sets_literal_names() {
    let mut values = from(r#"{"a":1,"b":2}"#);
    values.replace(json!({"b": 3, "c.d": 4})).unwrap();
    assert_eq!(text(&values), r#"{"b":3,"c.d":4}"#);
    let _ = values.take_journal();
    values.replace(json!({"c.d": 4, "b": 3})).unwrap();
    assert!(!values.is_changed());
}

#[test]
fn features_1_push_makes_the_array_where_there_is_nothing_or_null() {
    let mut values = from(r#"{"n":null,"s":"x","o":{}}"#);
    values.push("n", 1).unwrap();
    values.push("new.list", 1).unwrap();
    values.push("new.list", 2).unwrap();
    assert_eq!(values.push("s", 1).unwrap_err(), ValueError::NotAnArray { key: "s".into() });
    assert_eq!(values.push("o", 1).unwrap_err(), ValueError::NotAnArray { key: "o".into() });
    assert_eq!(text(&values), r#"{"n":[1],"s":"x","o":{},"new":{"list":[1,2]}}"#);
}

#[test]
fn features_1_forget_removes_parents_that_became_empty() {
    let mut values =
        from(r#"{"a":{"b":{"c":1}},"x":{"y":{"z":1},"w":1},"l":[{"k":1},{"k":2}],"m":[[1]],"e":{}}"#);
    values.forget("a.b.c");
    values.forget("x.y.z");
    values.forget("l.0.k");
    values.forget("m.0.0");
    values.forget("e.nothing");
    assert_eq!(text(&values), r#"{"x":{"w":1},"l":[{"k":2}],"e":{}}"#);
}

#[test]
fn features_1_forget_many_and_pull() {
    let mut values = from(r#"{"a":1,"b":2,"c":3,"l":[1,2,3],"n":null}"#);
    values.forget(["a", "b"]);
    assert_eq!(values.pull::<u8>("l.1").unwrap(), Some(2));
    assert_eq!(values.pull::<u8>("n").unwrap(), None);
    assert!(values.pull::<String>("c").is_err());
    assert_eq!(text(&values), r#"{"c":3,"l":[1,3]}"#, "what could not be read stays; the null is gone");
}

#[test]
fn features_1_increment_and_decrement_give_the_new_number() {
    let mut values = from(r#"{"n":null,"f":1.5,"s":"x","u":{"age":"36"}}"#);
    assert_eq!(values.increment("hits").unwrap(), Number::from(1));
    assert_eq!(values.increment_by("hits", 4_u8).unwrap(), Number::from(5));
    assert_eq!(values.decrement("n").unwrap(), Number::from(-1));
    assert_eq!(values.decrement_by("f", 1).unwrap(), Number::from(0.5));
    assert_eq!(
        values.increment("u.age").unwrap_err().to_string(),
        r#"Cannot increment "u.age": the existing value is not a number"#
    );
    assert_eq!(
        values.decrement("s").unwrap_err().to_string(),
        r#"Cannot decrement "s": the existing value is not a number"#
    );
    assert!(values.increment("u").is_err());
}

#[test]
fn features_1_integers_are_exact_to_128_bits_and_overflow_beyond() {
    let mut values = Values::default();
    values.put("big", u128::MAX - 1).unwrap();
    assert_eq!(values.increment("big").unwrap(), Number::from(u128::MAX));
    assert_eq!(values.get::<u128>("big").unwrap(), Some(u128::MAX));
    assert_eq!(values.increment("big").unwrap_err(), ValueError::Overflow { key: "big".into() });
    values.put("low", i128::MIN).unwrap();
    assert_eq!(values.decrement("low").unwrap_err(), ValueError::Overflow { key: "low".into() });
    assert_eq!(values.get::<i128>("low").unwrap(), Some(i128::MIN));
    values.put("i64", i64::MAX).unwrap();
    assert_eq!(values.increment("i64").unwrap(), Number::from(i128::from(i64::MAX) + 1));
    assert!(matches!(values.increment_by("f", f64::INFINITY), Err(ValueError::Overflow { .. })));
}

#[test]
fn features_1_clear_leaves_nothing_and_is_silent_when_there_is_nothing() {
    let mut values = from(r#"{"a":1}"#);
    values.clear();
    assert!(values.is_empty() && values.is_changed());
    let _ = values.take_journal();
    values.clear();
    assert!(!values.is_changed());
}

#[test]
fn features_1_remember_makes_only_what_is_missing_or_null() {
    let mut values = from(r#"{"a":0,"n":null}"#);
    assert_eq!(values.remember("a", || -> u8 { panic!("it is there") }).unwrap(), 0);
    assert_eq!(values.remember("n", || 2).unwrap(), 2);
    assert_eq!(values.remember("new.deep", || 3).unwrap(), 3);
    assert_eq!(values.get::<u8>("new.deep").unwrap(), Some(3));
}

#[test]
fn features_1_update_runs_again_on_the_newer_value() {
    let mut values = from(r#"{"top":3}"#);
    assert_eq!(values.update("top", |top: Option<u32>| top.unwrap_or(0) * 2).unwrap(), 6);
    let journal = values.take_journal();
    values.rebase(Bag::decode(br#"{"top":10}"#[..].into()).unwrap(), &journal);
    assert_eq!(values.get::<u32>("top").unwrap(), Some(20));
    values.rebase(Bag::decode(br#"{"top":"gone"}"#[..].into()).unwrap(), &journal);
    assert_eq!(
        values.get::<u32>("top").unwrap(),
        Some(6),
        "what does not fit any more is what this request left"
    );
    values.rebase(Bag::decode(b"{}"[..].into()).unwrap(), &journal);
    assert_eq!(values.get::<u32>("top").unwrap(), Some(0));
}
