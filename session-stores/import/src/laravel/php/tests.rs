//! What the reader accepts, and that it bears with everything else.

use serde_json::json;

use super::*;

fn json_of(text: &str) -> Option<Value> {
    read(text.as_bytes()).expect("it is well-formed").json()
}

#[test]
fn scalars_lists_and_maps_become_json() {
    for (text, value) in [
        ("N;", json!(null)),
        ("b:1;", json!(true)),
        ("i:-7;", json!(-7)),
        ("d:4.35;", json!(4.35)),
        ("d:1.0E+25;", json!(1e25)),
        ("s:5:\"a\";b:\";", json!("a\";b:")),
        ("s:3:\"☕\";", json!("☕")),
        ("a:0:{}", json!([])),
        ("a:2:{i:0;i:1;i:1;i:2;}", json!([1, 2])),
        ("a:2:{i:1;i:1;i:0;i:2;}", json!({ "1": 1, "0": 2 })),
        ("a:2:{i:0;N;s:1:\"x\";a:1:{i:0;b:0;}}", json!({ "0": null, "x": [false] })),
    ] {
        assert_eq!(json_of(text), Some(value), "{text}");
    }
}

#[test]
fn objects_references_enums_and_what_json_has_not_are_no_values() {
    for text in [
        "O:8:\"stdClass\":1:{s:1:\"a\";i:1;}",
        "a:1:{i:0;O:8:\"stdClass\":0:{}}",
        "C:11:\"ArrayObject\":4:{x;}}}",
        "E:11:\"Suit:Hearts\";",
        "a:2:{i:0;i:1;i:1;R:2;}",
        "r:1;",
        "d:INF;",
        "d:NAN;",
    ] {
        assert_eq!(json_of(text), None, "{text}");
    }
    assert_eq!(read(b"s:1:\"\xff\";").expect("it is well-formed").json(), None);
}

#[test]
fn a_length_that_the_text_does_not_have_is_malformed() {
    for text in [
        "",
        "N",
        "b:2;",
        "i:;",
        "i:9223372036854775808;",
        "i:1",
        "d:x;",
        "s:6:\"hello\";",
        "s:4:\"hello\";",
        "s:-1:\"\";",
        "s:99999999999:\"\";",
        "s:5:\"hello\"",
        "a:1:{}",
        "a:99999999999:{}",
        "a:-1:{",
        "a:1:{N;i:1;}",
        "a:1:{i:0;i:1;",
        "a:1:{a:0:{}i:1;}",
        "O:1:\"A\":9999999999:{}",
        "x:1;",
        "i:1;i:2;",
    ] {
        assert_eq!(read(text.as_bytes()), Err(Malformed), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| "a:1:{i:0;".repeat(depth) + "N;" + &"}".repeat(depth);
    assert!(read(nested(MOST_DEPTH - 1).as_bytes()).is_ok());
    assert_eq!(read(nested(MOST_DEPTH).as_bytes()), Err(Malformed));
    for nested in ["a:1:{i:0;", "a:1:{", "O:1:\"A\":1:{", "O:1:\"A\":1:{s:0:\"\";"] {
        assert_eq!(read(nested.repeat(100_000).as_bytes()), Err(Malformed), "{nested}");
    }
}
