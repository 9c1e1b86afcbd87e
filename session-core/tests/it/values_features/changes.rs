//! What counts as a change, and what is copied unchanged.

use serde_json::json;

use super::{from, text};

#[test]
fn peers_6_an_update_or_a_removal_of_a_stored_value_counts_as_a_change() {
    let mut values = from(r#"{"user_id":1,"n":1}"#);
    values.update("n", |n: Option<u8>| n.unwrap_or(0) + 1).unwrap();
    assert!(values.is_changed());
    let mut values = from(r#"{"user_id":1,"n":1}"#);
    values.forget("user_id");
    assert!(values.is_changed());
    assert_eq!(text(&values), r#"{"n":1}"#);
}

#[test]
fn what_changes_nothing_journals_nothing() {
    let mut values = from(r#"{"a":{"x":1,"y":[1, 2]},"n":null,"f":1.0}"#);
    values.put("a", json!({"y": [1, 2], "x": 1})).unwrap();
    values.put("n", None::<u8>).unwrap();
    values.put("f", 1.0).unwrap();
    values.increment_by("a.x", 0).unwrap();
    values.forget(["zzz", "a.z", "a.y.2"]);
    values.merge(json!({"a": {"x": 1}, "n": null})).unwrap();
    values.merge(json!({})).unwrap();
    values.update("a.x", |x: Option<u8>| x.unwrap_or(0)).unwrap();
    assert!(!values.is_changed());
    values.put("f", 1).unwrap();
    assert!(values.is_changed(), "1 is an integer, 1.0 is not");
}

#[test]
fn untouched_values_are_copied_as_they_came() {
    let mut values = from(r#"{ "odd" : { "x" : 1.500, "\u0041" : [ 1e2 ] } , "b" : 1 }"#);
    values.put("c", 2).unwrap();
    assert_eq!(text(&values), r#"{"odd":{ "x" : 1.500, "\u0041" : [ 1e2 ] },"b":1,"c":2}"#);
    values.put("odd.y", 3).unwrap();
    assert_eq!(text(&values), r#"{"odd":{"x":1.500,"A":[ 1e2 ],"y":3},"b":1,"c":2}"#);
}

#[test]
fn of_equal_names_the_last_counts() {
    let many: String = (0..40).map(|n| format!(r#""k{n}":0,"#)).collect();
    for text in [r#"{"a":1,"b":2,"a":3}"#.to_owned(), format!(r#"{{"a":1,{many}"b":2,"\u0061":3}}"#)] {
        let mut values = from(&text);
        assert_eq!(values.get::<u8>("a").unwrap(), Some(3));
        assert_eq!(values.keys().iter().filter(|key| *key == "a").count(), 1);
        values.forget("a");
        assert!(values.missing("a"));
        assert_eq!(values.get::<u8>("b").unwrap(), Some(2));
    }
    assert_eq!(from(r#"{"o":{"a":1,"a":2}}"#).get::<u8>("o.a").unwrap(), Some(2));
}
