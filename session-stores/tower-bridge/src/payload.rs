//! The values of a record as the core's payload, and the merge of two writers' values.
//!
//! The payload is the core's own format, so that `sessions-admin` and a list of devices read these records as well.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_core::Timestamp;
use session_core::store::{Payload, Record};
use time::OffsetDateTime;

use crate::error::BridgeError;

/// The values of a session by their names, as tower-sessions keeps them.
pub(crate) type Data = HashMap<String, Value>;

#[derive(Serialize)]
struct Written<'d> {
    v: u32,
    data: &'d Data,
    #[serde(skip_serializing_if = "is_zero")]
    nanos: u32,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    nanos: u32,
}

/// Encodes the values. `expiry` adds what a record's deadline, which is in milliseconds, does not hold.
pub(crate) fn encode(data: &Data, expiry: OffsetDateTime) -> Result<Payload, BridgeError> {
    if data.values().any(|value| deeper_than(value, MOST_LEVELS)) {
        return Err(BridgeError::TooDeep(MOST_LEVELS));
    }
    let nanos = expiry.nanosecond() % NANOS_OF_A_MILLISECOND;
    Ok(serde_json::to_vec(&Written { v: FORMAT, data, nanos })?.into())
}

/// Decodes the values and the moment of expiry; `None` if the payload is of another format.
pub(crate) fn decode(record: &Record) -> Option<(Data, OffsetDateTime)> {
    let read: Read = serde_json::from_slice(&record.payload).ok().filter(|read: &Read| read.v == FORMAT)?;
    let nanos = i64::from(read.nanos % NANOS_OF_A_MILLISECOND);
    let expiry = record.deadline().to_offset();
    Some((read.data, expiry.checked_add(time::Duration::nanoseconds(nanos)).unwrap_or(expiry)))
}

/// Returns the deadline of a record for this moment of expiry.
pub(crate) fn deadline(expiry: OffsetDateTime) -> Timestamp {
    expiry.into()
}

/// Merges per top-level name: what differs between `base` and `mine` was changed by this writer and is taken from
/// `mine`; everything else is taken from `current`.
pub(crate) fn merge(base: &Data, mine: &Data, current: Data) -> Data {
    let mut merged = current;
    merged.retain(|name, _| mine.contains_key(name) || !base.contains_key(name));
    for (name, value) in mine {
        if base.get(name) != Some(value) {
            merged.insert(name.clone(), value.clone());
        }
    }
    merged
}

fn deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => levels == 0 || items.iter().any(|item| deeper_than(item, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|field| deeper_than(field, levels - 1)),
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The version of the core's payload format.
const FORMAT: u32 = 1;
/// As deep as a value of the core may be.
const MOST_LEVELS: usize = 64;
const NANOS_OF_A_MILLISECOND: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data(value: Value) -> Data {
        serde_json::from_value(value).expect("an object")
    }

    #[track_caller]
    fn check(base: Value, mine: Value, current: Value, merged: Value) {
        assert_eq!(merge(&data(base), &data(mine), data(current)), data(merged));
    }

    #[test]
    fn a_name_that_one_writer_changed_is_kept_as_that_writer_left_it() {
        check(
            json!({"a": 1}),
            json!({"a": 1, "b": 2}),
            json!({"a": 1, "c": 3}),
            json!({"a": 1, "b": 2, "c": 3}),
        );
        check(
            json!({"a": 1, "b": 1}),
            json!({"a": 2, "b": 1}),
            json!({"a": 1, "b": 2}),
            json!({"a": 2, "b": 2}),
        );
        check(json!({"a": 1, "b": 1}), json!({"b": 1}), json!({"a": 1, "b": 2}), json!({"b": 2}));
        check(json!({"a": 1, "b": 1}), json!({"a": 1, "b": 2}), json!({"b": 1}), json!({"b": 2}));
        check(json!({"a": null}), json!({}), json!({"a": null}), json!({}));
        check(json!({}), json!({"a": null}), json!({}), json!({"a": null}));
    }

    #[test]
    fn a_name_that_both_changed_is_as_the_later_writer_left_it() {
        check(json!({"a": 1}), json!({"a": 2}), json!({"a": 3}), json!({"a": 2}));
        check(json!({"a": 1}), json!({}), json!({"a": 3}), json!({}));
        check(json!({"a": 1}), json!({"a": 2}), json!({}), json!({"a": 2}));
        check(json!({}), json!({"a": 2}), json!({"a": 3}), json!({"a": 2}));
    }
}
