//! Keys with dots and brackets: what was put under a key is found there, and gone once it is forgotten.
#![no_main]

use libfuzzer_sys::fuzz_target;
use session_core::machine::{Bag, Values};

fuzz_target!(|data: &str| {
    let mut values = Values::default();
    let mut put = Vec::new();
    for (number, key) in data.lines().enumerate() {
        if values.put(key, number).is_ok() {
            assert_eq!(values.get::<usize>(key).expect("it was put"), Some(number), "{key:?}");
            assert!(values.has(key) && values.exists(key));
            put.push(key);
        }
        let _ = values.push(key, number);
        let _ = values.increment(key);
    }
    // Also through the wire.
    let mut text = Vec::new();
    values.encode_into(&mut text);
    let bag = Bag::decode(text.clone().into()).expect("values are an object");
    let mut again = Values::new(bag);
    assert_eq!(again.all().to_json(), values.all().to_json());
    for key in put {
        again.forget(key);
        // What stood behind it in an array has its index now.
        let may_be_an_index = key.contains(|char: char| char.is_ascii_digit());
        assert!(may_be_an_index || !again.exists(key), "{key:?}");
    }
});
