//! Types: every value round-trips exactly as the type that was put.

use std::collections::{BTreeMap, HashMap};
use std::error::Error as _;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use session_core::{Date, Key, Number, ValueError, machine::Values};
use time::OffsetDateTime;

use super::{at, from, text};

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
    assert!(matches!(values.put("at", too_early), Err(ValueError::NotJson { key, .. }) if key == "at"));
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
    assert!(matches!(values.put("x", &no_names), Err(ValueError::NotJson { key, .. }) if key == "x"));
    assert!(matches!(values.push("x", &no_names), Err(ValueError::NotJson { key, .. }) if key == "x"));
    assert!(!values.is_changed());
}

#[test]
fn what_json_cannot_hold_is_refused_when_it_is_put() {
    let mut values = Values::default();
    values.put("kept", 1.5).unwrap();
    let _ = values.take_journal();
    let error = values.put("x", f64::NAN).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "JSON has no NaN and no infinity");
    let error = values.put("x", vec![1.0, f64::NAN]).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "[1]: JSON has no NaN and no infinity");
    #[derive(Serialize)]
    struct Reading {
        sensor: &'static str,
        value: Option<f32>,
    }
    let reading = || Reading { sensor: "a", value: Some(f32::INFINITY) };
    let error = values.put("x", BTreeMap::from([("in", (1, reading()))])).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "in[1].value: JSON has no NaN and no infinity");
    for refused in [
        values.push("list", f64::NEG_INFINITY),
        values.put("n", Number::from(f64::NAN)),
        values.put_many(BTreeMap::from([("a", 1.0), ("b", f64::NAN)])),
        values.merge(reading()),
        values.replace(reading()),
        values.store(&reading()),
        values.update("kept", |_: Option<f64>| f64::NAN).map(drop),
        values.remember("y", || f64::NAN).map(drop),
    ] {
        assert!(matches!(refused, Err(ValueError::NotJson { .. })), "{refused:?}");
    }
    assert_eq!(text(&values), r#"{"kept":1.5}"#);
    assert!(!values.is_changed());
}

#[test]
fn a_128_bit_integer_in_an_internally_tagged_enum_is_refused_when_it_is_put() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Card {
        owner: String,
        cents: i128,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind")]
    enum Internal {
        Fields { cents: i128 },
        Newtype(Card),
        List { all: Vec<Option<u128>> },
        Small { cents: u64, name: String },
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum External {
        Fields { cents: i128 },
        Newtype(Card),
    }
    let mut values = Values::default();
    let card = || Card { owner: "ada".into(), cents: i128::MIN };
    for tagged in [
        Internal::Fields { cents: 1 },
        Internal::Newtype(card()),
        Internal::List { all: vec![Some(u128::MAX)] },
    ] {
        let error = values.put("x", vec![tagged]).unwrap_err();
        let reason = error.source().unwrap().to_string();
        assert!(reason.contains("internally tagged enum"), "{reason}");
    }
    assert!(values.is_empty());
    let small = Internal::Small { cents: u64::MAX, name: "i".into() };
    values.put("small", &small).unwrap();
    assert_eq!(values.get::<Internal>("small").unwrap(), Some(small));
    for external in [External::Fields { cents: i128::MAX }, External::Newtype(card())] {
        values.put("e", &external).unwrap();
        assert_eq!(values.get::<External>("e").unwrap(), Some(external));
    }
}

#[test]
fn a_failed_read_says_where_and_why_and_never_what() {
    #[derive(Deserialize, Debug)]
    struct New {
        #[allow(dead_code, reason = "read to fail")]
        items: Vec<Item>,
    }
    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[allow(dead_code, reason = "read to fail")]
        qty: u32,
        #[allow(dead_code, reason = "read to fail")]
        kind: Option<Kind>,
    }
    #[derive(Deserialize, Debug)]
    enum Kind {
        Book,
    }
    for (cart, reason) in [
        (
            json!({"items": [{"qty": "hunter2, expected hunter2"}]}),
            "items[0].qty: invalid type: string, expected u32",
        ),
        (json!({"items": [{"qty": -700007}]}), "items[0].qty: invalid value: integer, expected u32"),
        (json!({"items": [{"qty": 70000.7}]}), "items[0].qty: invalid type: floating point, expected u32"),
        (json!({"items": [{}]}), "items[0]: missing field `qty`"),
        (json!({"items": [{"qty": 1, "hunter2": 1}]}), "items[0]: unknown field, expected `qty` or `kind`"),
        (
            json!({"items": [{"qty": 1, "kind": "hunter2"}]}),
            "items[0].kind: unknown variant, expected `Book`",
        ),
        (json!({"items": true}), "items: invalid type: boolean, expected a sequence"),
        (json!({"old": 1}), "missing field `items`"),
    ] {
        let values = from(&json!({ "cart": cart }).to_string());
        let error = values.get::<New>("cart").unwrap_err();
        let source = error.source().unwrap().to_string();
        assert!(
            source == reason || source == reason.replace(": unknown field", ".hunter2: unknown field"),
            "{source}"
        );
        let shown = format!("{error} {error:?}").replace(".hunter2", "");
        assert!(!shown.contains("hunter2") && !shown.contains("70000"), "{shown}");
    }
    let values = from(r#"{"at":"hunter2"}"#);
    let error = values.get::<session_core::Date>("at").unwrap_err();
    assert!(!format!("{error:?}{}", error.source().unwrap()).contains("hunter2"));
    let error = values.all().to::<BTreeMap<String, u8>>().unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "at: invalid type: string, expected u8");
}
