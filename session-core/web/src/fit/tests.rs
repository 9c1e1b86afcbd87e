//! What a form becomes as a type, and the errors of the fields that do not fit.

use super::*;
use serde::Deserialize;
use serde_json::json;

fn read<T: DeserializeOwned>(form: Value) -> Result<T, NotThatForm> {
    super::read(form.as_object().expect("a form is an object"))
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    count: u8,
    price: f64,
    gift: Option<bool>,
    note: Option<String>,
    tags: Vec<String>,
    size: Size,
    #[serde(default)]
    extra: bool,
}

#[test]
fn text_becomes_what_the_type_asks_for() {
    let form =
        json!({"count": "3", "price": "1.5", "gift": "on", "note": "", "tags": "one", "size": "large"});
    let order = Order {
        count: 3,
        price: 1.5,
        gift: Some(true),
        note: None,
        tags: vec!["one".to_owned()],
        size: Size::Large,
        extra: false,
    };
    assert_eq!(read::<Order>(form).unwrap(), order);
}

#[test]
fn rows_with_gaps_in_their_numbers_are_a_list() {
    let form = json!({"rows": {"7": "a", "12": "b"}});
    let read = read::<std::collections::BTreeMap<String, Vec<String>>>(form).unwrap();
    assert_eq!(read["rows"], ["a", "b"]);
}

#[test]
fn numbers_that_are_names_become_the_keys_of_a_map() {
    use std::collections::BTreeMap;
    let form = json!({"98765": "2", "7": "1"});
    assert_eq!(read::<BTreeMap<u32, u8>>(form).unwrap(), BTreeMap::from([(7, 1), (98_765, 2)]));
    let listed = read::<BTreeMap<String, BTreeMap<u32, u8>>>(json!({"l": ["3", "4"]})).unwrap();
    assert_eq!(listed["l"], BTreeMap::from([(0, 3), (1, 4)]));
    let named = read::<BTreeMap<String, String>>(json!({"a": "b"})).unwrap();
    assert_eq!(named["a"], "b");
}

#[test]
fn an_error_never_says_what_was_typed() {
    for (field, typed) in [("count", "hunter2"), ("size", "hunter2"), ("gift", "hunter2")] {
        let mut form = json!({"count": "3", "price": "1.5", "tags": "one", "size": "large"});
        form[field] = json!(typed);
        let error = read::<Order>(form).unwrap_err().to_string();
        assert!(!error.contains(typed), "{error}");
    }
    assert_eq!(
        read::<Order>(json!({"tags": "a", "size": "small"})).unwrap_err().to_string(),
        "the form does not fit: `count` is missing; `price` is missing"
    );
}

#[test]
fn an_error_names_its_field_and_what_is_wrong_with_it() {
    #[derive(Debug, Deserialize)]
    struct Row {
        #[expect(dead_code, reason = "only read")]
        count: u8,
    }
    #[derive(Debug, Deserialize)]
    struct Sheet {
        #[expect(dead_code, reason = "only read")]
        rows: Vec<Row>,
    }
    for (typed, message) in [
        (json!({}), "is missing"),
        (json!({"count": " "}), "is missing"),
        (json!({"count": "1.5"}), "is not a whole number"),
        (json!({"count": "300"}), "is out of range"),
        (json!({"count": "three"}), "is not a number"),
    ] {
        let error = read::<Sheet>(json!({"rows": [{"count": "1"}, typed]})).unwrap_err();
        assert_eq!((error.field(), error.message()), ("rows.1.count", message));
    }
}

fn faults<T: DeserializeOwned + std::fmt::Debug>(form: Value) -> Vec<(String, String)> {
    read::<T>(form).unwrap_err().messages()
}

fn pairs(faults: &[(&str, &str)]) -> Vec<(String, String)> {
    faults.iter().map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect()
}

#[test]
fn every_wrong_field_is_named_once() {
    let form =
        json!({"count": "many", "price": "", "gift": "perhaps", "note": "x", "tags": "a", "size": "huge"});
    let mut found = faults::<Order>(form);
    found.sort();
    let expected = [
        ("count", "is not a number"),
        ("gift", "is not a boolean"),
        ("price", "is missing"),
        ("size", "is none of small, large"),
    ];
    assert_eq!(found, pairs(&expected));
    let missing = ["count", "price", "tags", "size"].map(|field| (field, "is missing"));
    assert_eq!(faults::<Order>(json!({})), pairs(&missing));
}

#[test]
fn wrong_fields_are_found_in_rows_maps_options_and_objects() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Line {
        sku: String,
        count: u8,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Basket {
        lines: Vec<Line>,
        gaps: Vec<Line>,
        stock: std::collections::BTreeMap<u32, u8>,
        owner: Line,
        gift: Option<Line>,
        only: Vec<u8>,
    }
    let form = json!({
        "lines": [{"sku": "a", "count": "x"}, {"count": "1"}, {"sku": "c", "count": "300"}],
        "gaps": {"7": {"sku": "a", "count": "1"}, "9": {"sku": "b"}},
        "stock": {"5": "x", "98765": "1.5"},
        "gift": {"sku": "a"},
        "only": "z",
    });
    let mut found = faults::<Basket>(form);
    found.sort();
    let expected = [
        ("gaps.1.count", "is missing"),
        ("gift.count", "is missing"),
        ("lines.0.count", "is not a number"),
        ("lines.1.sku", "is missing"),
        ("lines.2.count", "is out of range"),
        ("only.0", "is not a number"),
        ("owner", "is missing"),
        ("stock.5", "is not a number"),
        ("stock.98765", "is not a whole number"),
    ];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn rules_of_the_application_are_named_where_they_can_be_told() {
    fn even(text: String) -> Result<u32, &'static str> {
        match text.parse() {
            Ok(number) if number % 2 == 0 => Ok(number),
            _ => Err("is not even"),
        }
    }
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Even(#[expect(dead_code, reason = "only read")] u32);
    impl TryFrom<String> for Even {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, Self::Error> {
            even(text).map(Self)
        }
    }
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "RawRange")]
    struct Range;
    #[derive(Debug, Deserialize)]
    struct RawRange {
        from: u8,
        to: u8,
    }
    impl TryFrom<RawRange> for Range {
        type Error = &'static str;
        fn try_from(raw: RawRange) -> Result<Self, Self::Error> {
            if raw.from < raw.to { Ok(Self) } else { Err("is empty") }
        }
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Query {
        page: u8,
        range: Range,
        even: Even,
        one: char,
    }
    let form = |from: &str, even: &str| json!({"page": "x", "range": {"from": from, "to": "1"}, "even": even, "one": "a"});
    let found = faults::<Query>(form("9", "2"));
    assert!(found.contains(&("page".into(), "is not a number".into())), "{found:?}");
    assert!(found.contains(&("range".into(), "is empty".into())), "{found:?}");
    // With a wrong part, the rule of the whole says nothing.
    let found = faults::<Query>(form("x", "2"));
    assert!(found.contains(&("range.from".into(), "is not a number".into())), "{found:?}");
    assert!(!found.iter().any(|(field, _)| field == "range"), "{found:?}");
    let found = faults::<Query>(form("0", "3"));
    assert!(found.iter().any(|(field, reason)| field == "even" && reason == "is not even"), "{found:?}");
}

proptest::proptest! {
    #[test]
    fn any_form_ends(names: Vec<(String, String)>) {
        let form: Map<String, Value> = names.into_iter().map(|(name, text)| (name, json!(text))).collect();
        let _ = super::read::<Order>(&form);
        let _ = super::read::<Vec<Order>>(&form);
    }
}
