//! Reading values: missing and null, other types, all or some of the values.

use serde_json::json;
use session_core::{machine::Values, path::Path};

use super::from;

#[test]
fn features_1_get_gives_none_for_missing_and_null_and_keeps_falsy_values() {
    let values = from(r#"{"null":null,"zero":0,"empty":"","no":false,"list":[]}"#);
    assert_eq!(values.get::<u8>("missing").unwrap(), None);
    assert_eq!(values.get::<u8>("null").unwrap(), None);
    assert_eq!(values.get_or("missing", 7).unwrap(), 7);
    assert_eq!(values.get_or("null", 7).unwrap(), 7);
    assert_eq!(values.get_or("zero", 7).unwrap(), 0);
    assert_eq!(values.get_or("empty", "x".to_owned()).unwrap(), "");
    assert!(!values.get_or("no", true).unwrap());
    assert_eq!(values.get_or("list", vec![1]).unwrap(), Vec::<i32>::new());
}

#[test]
fn features_1_another_type_is_an_error_that_names_key_and_types_but_no_value() {
    let values = from(r#"{"user":{"age":"hunter2"}}"#);
    let error = values.get::<u32>("user.age").unwrap_err();
    assert_eq!(error.to_string(), r#""user.age" holds a string, which cannot be read as u32"#);
    assert!(values.get_or("user.age", 3).is_err(), "never a silent default");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn features_1_has_exists_missing_and_has_any_tell_null_from_nothing() {
    let values = from(r#"{"a":0,"n":null,"o":{"x":null}}"#);
    assert!(values.has("a") && !values.has("n") && !values.has("z"));
    assert!(values.exists("a") && values.exists("n") && values.exists("o.x") && !values.exists("z"));
    assert!(!values.missing("a") && !values.missing("n") && values.missing("z"));
    assert!(values.has(["a", "o"]) && !values.has(["a", "n"]));
    assert!(values.exists(["a", "n"]) && !values.exists(["a", "z"]));
    assert!(values.missing(["y", "z"]) && !values.missing(["n", "z"]));
    assert!(values.has_any(["z", "a"]) && !values.has_any(["n", "z"]));
    assert!(values.has([["a"], ["o"]]), "a list of lists is many keys given by segments");
    assert!(values.exists(Path::segments(&["o", "x"])));
}

#[test]
fn features_1_all_only_except_keys_len() {
    let values = from(r#"{"a":1,"u":{"n":"ada","p":"x"},"l":[1,2,3],"d.t":null}"#);
    assert_eq!(values.keys(), ["a", "u", "l", "d.t"]);
    assert_eq!((values.len(), values.is_empty()), (4, false));
    assert_eq!(
        values.all().only(["a", "u.n", "d.t", "zzz", ".."]).to_json(),
        r#"{"a":1,"u":{"n":"ada"},"d.t":null}"#
    );
    assert_eq!(
        values.all().except(["a", "u.n", "l.0", "zzz"]).to_json(),
        r#"{"u":{"p":"x"},"l":[2,3],"d.t":null}"#
    );
    assert_eq!(
        serde_json::to_value(values.all()).unwrap(),
        json!({"a":1,"u":{"n":"ada","p":"x"},"l":[1,2,3],"d.t":null})
    );
}

#[test]
fn peers_21_changing_what_all_returned_changes_nothing_in_the_session() {
    let mut values = from(r#"{"a":{"b":1}}"#);
    let copy = values.all();
    let mut map: serde_json::Map<String, serde_json::Value> = copy.to().unwrap();
    map["a"]["b"] = json!(2);
    assert_eq!(values.get::<u8>("a.b").unwrap(), Some(1));
    values.put("a.b", 3).unwrap();
    assert_eq!(copy.get::<u8>("a.b").unwrap(), Some(1));
}

#[test]
fn peers_29_falsy_values_come_back_and_forget_leaves_no_null() {
    let mut values = Values::default();
    values.put("zero", 0).unwrap();
    values.put("no", false).unwrap();
    values.put("empty", "").unwrap();
    assert_eq!(values.get::<u8>("zero").unwrap(), Some(0));
    assert_eq!(values.get::<bool>("no").unwrap(), Some(false));
    assert_eq!(values.get::<String>("empty").unwrap().as_deref(), Some(""));
    values.forget("zero");
    assert!(!values.exists("zero") && values.missing("zero"));
}
