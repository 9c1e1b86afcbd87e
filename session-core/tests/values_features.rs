//! What the values of a session promise, row by row.

// Helpers of a test file are tests as well, which clippy cannot see.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use session_core::{Bag, Date, Key, Number, Path, ValueError, Values};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn from(text: &str) -> Values {
    Values::new(Bag::decode(text.as_bytes().into()).unwrap())
}

fn at(moment: &str) -> OffsetDateTime {
    OffsetDateTime::parse(moment, &Rfc3339).unwrap()
}

fn text(values: &Values) -> String {
    values.all().to_json()
}

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
        values.only(["a", "u.n", "d.t", "zzz", ".."]).to_json(),
        r#"{"a":1,"u":{"n":"ada"},"d.t":null}"#
    );
    assert_eq!(
        values.except(["a", "u.n", "l.0", "zzz"]).to_json(),
        r#"{"u":{"p":"x"},"l":[2,3],"d.t":null}"#
    );
    assert_eq!(
        serde_json::to_value(values.all()).unwrap(),
        json!({"a":1,"u":{"n":"ada","p":"x"},"l":[1,2,3],"d.t":null})
    );
}

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
    assert_eq!(values.pull_or("n", 9).unwrap(), 9);
    assert_eq!(values.pull_or("zzz", 9).unwrap(), 9);
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

#[test]
fn features_1_every_type_comes_back_as_it_went() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    struct All {
        text: String,
        signed: i128,
        unsigned: u128,
        float: f64,
        yes: bool,
        nothing: Option<u8>,
        list: Vec<u8>,
        map: BTreeMap<String, u128>,
        #[serde(with = "time::serde::rfc3339")]
        at: time::OffsetDateTime,
    }
    let all = All {
        text: "é\"\\\u{0}\u{1F600}".to_owned(),
        signed: i128::MIN,
        unsigned: u128::MAX,
        float: 0.1 + 0.2,
        yes: true,
        nothing: None,
        list: vec![0, 255],
        map: [("k".to_owned(), u128::MAX)].into(),
        at: at("2026-11-20T09:30:00.123456789+02:00"),
    };
    let mut values = Values::default();
    values.put("all", &all).unwrap();
    assert_eq!(values.get::<All>("all").unwrap(), Some(all));
    assert_eq!(
        values.get::<String>("all.at").unwrap().as_deref(),
        Some("2026-11-20T09:30:00.123456789+02:00")
    );
    let raw: Box<RawValue> = values.get("all.unsigned").unwrap().unwrap();
    assert_eq!(raw.get(), u128::MAX.to_string());
}

#[test]
fn features_1_floats_come_back_to_the_last_bit() {
    let mut values = Values::default();
    let mut bits = 0x1234_5678_9abc_def0_u64;
    for _ in 0..2_000 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        let float = f64::from_bits(bits);
        if float.is_finite() {
            values.put("f", float).unwrap();
            assert_eq!(values.get::<f64>("f").unwrap().map(f64::to_bits), Some(bits));
        }
    }
}

#[test]
fn features_1_dates_are_iso_8601() {
    let mut values = Values::default();
    let at = Date(at("2026-11-20T09:30:00Z"));
    values.put("at", at).unwrap();
    assert_eq!(text(&values), r#"{"at":"2026-11-20T09:30:00Z"}"#);
    assert_eq!(values.get::<Date>("at").unwrap(), Some(at));
    let too_early = Date(OffsetDateTime::from_unix_timestamp(-100_000_000_000).unwrap());
    assert_eq!(values.put("at", too_early).unwrap_err(), ValueError::NotJson { key: "at".into() });
}

#[test]
fn features_1_typed_keys_need_no_annotation_and_keep_their_type() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Default)]
    struct Cart {
        items: Vec<u32>,
    }
    const CART: Key<Cart> = Key::new("shop.cart");
    const ITEMS: Key<Vec<u32>> = Key::new("shop.cart.items");
    const NAME: Key<String> = Key::new("name");
    const HITS: Key<u64> = Key::new("hits");
    let mut values = Values::default();
    let cart = Cart { items: vec![1] };
    values.put(CART, &cart).unwrap();
    values.put(CART, cart).unwrap();
    values.push(ITEMS, 2).unwrap();
    values.put(NAME, "ada").unwrap();
    values.put(HITS, 1).unwrap();
    values.increment(HITS).unwrap();
    values.update(HITS, |hits| hits.unwrap_or(0) + 1).unwrap();
    assert_eq!(values.get(CART).unwrap().unwrap().items, [1, 2]);
    assert_eq!(values.get_or(NAME, String::new()).unwrap(), "ada");
    assert_eq!(values.pull(HITS).unwrap(), Some(3));
    assert!(values.has(CART) && values.has([ITEMS]) && values.missing(HITS));
    assert_eq!(values.all().get(ITEMS).unwrap(), Some(vec![1, 2]));
}

#[test]
fn features_1_a_whole_struct_is_a_session() {
    #[derive(Serialize, Deserialize, Default)]
    #[serde(default)]
    struct Mine {
        theme: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
    }
    let mut values = from(r#"{"theme":"dark","notice":"hi"}"#);
    let mut mine: Mine = values.extract().unwrap();
    values.store(&mine).unwrap();
    assert!(!values.is_changed());
    mine.notice = None;
    values.store(&mine).unwrap();
    assert_eq!(text(&values), r#"{"theme":"dark"}"#);
    assert_eq!(from("{}").extract::<Mine>().unwrap().theme, "");
    assert!(from(r#"{"theme":1}"#).extract::<Mine>().is_err());
    assert!(matches!(values.store(&3), Err(ValueError::NotNamed)));
}

#[test]
fn features_1_what_is_not_json_is_refused() {
    let mut values = from(r#"{"a":1}"#);
    let no_names: HashMap<(u8, u8), u8> = [((1, 2), 3)].into();
    assert_eq!(values.put("x", &no_names).unwrap_err(), ValueError::NotJson { key: "x".into() });
    assert_eq!(values.push("x", &no_names).unwrap_err(), ValueError::NotJson { key: "x".into() });
    assert!(!values.is_changed());
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
