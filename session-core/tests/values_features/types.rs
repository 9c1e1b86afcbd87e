//! Types: what goes in as one type comes out as that type, to the last bit.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session_core::{Date, Key, ValueError, Values};
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
