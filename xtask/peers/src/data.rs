//! The session that `/login` creates, the same as the probe's: about 320 bytes of JSON.

use serde_json::{Value, json};

pub fn of_a_login() -> Vec<(&'static str, Value)> {
    let item = |nth: u32| json!({ "sku": format!("SKU-{nth:04}"), "qty": nth, "cents": 1_299 });
    vec![
        ("uid", json!(184_467_440_737_u64)),
        ("user", json!("alice@example.com")),
        ("csrf", json!("Zq3v9J0mXr5tYw8pLk2nHb7cDs4fGa6eUi1oTx0RyQM")),
        ("cart", json!((1..=5).map(item).collect::<Vec<_>>())),
        ("hits", json!(0)),
    ]
}
