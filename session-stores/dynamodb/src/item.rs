//! The items of the table: encoding and decoding of records, tombstones and owners' entries.
//!
//! Every item has `expires_at`, in seconds since 1970.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, SessionHead, StoreError, StoreErrorKind, StoreKey},
};
use sha2::{Digest, Sha256};

use crate::names::{
    ABSOLUTE_UNTIL, CHECKSUM, CREATED_AT, ETAG, EXPIRES_AT, FORMAT_VERSION, GONE_UNTIL, IDLE_UNTIL, OWNER_ID,
    PAYLOAD, PK, SK, SUCCESSOR_ETAG, SUCCESSOR_KEY, hex,
};

/// The SDK's type of an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Returns the attributes of a record, without the primary key and [`LISTED_UNTIL`](crate::names::LISTED_UNTIL).
pub(crate) fn of_record(key: &StoreKey, record: &Record) -> Item {
    let mut item = Item::from([
        (FORMAT_VERSION.into(), number(THIS_FORMAT)),
        (EXPIRES_AT.into(), number(ttl(record.deadline()))),
        (ETAG.into(), etag(record.etag)),
        (CREATED_AT.into(), millis(record.created)),
        (IDLE_UNTIL.into(), millis(record.idle_deadline)),
        (CHECKSUM.into(), checksum(key, record)),
    ]);
    if let Some(absolute) = record.absolute_deadline {
        item.insert(ABSOLUTE_UNTIL.into(), millis(absolute));
    }
    if let Some(owner) = &record.owner {
        item.insert(OWNER_ID.into(), AttributeValue::S(owner.to_string()));
    }
    // An empty payload is omitted: some servers reject empty values. The checksum covers its absence.
    if !record.payload.is_empty() {
        item.insert(PAYLOAD.into(), payload(&record.payload));
    }
    item
}

/// Returns the attributes of a tombstone.
pub(crate) fn of_tombstone(until: Timestamp) -> Item {
    Item::from([
        (FORMAT_VERSION.into(), number(THIS_FORMAT)),
        (EXPIRES_AT.into(), number(ttl(until))),
        (GONE_UNTIL.into(), millis(until)),
    ])
}

/// Returns the attributes of the tombstone of a session that was moved to another store key, as a record with this
/// etag.
pub(crate) fn of_rotated(until: Timestamp, new: &StoreKey, successor: Etag) -> Item {
    let mut item = of_tombstone(until);
    item.insert(SUCCESSOR_ETAG.into(), etag(successor));
    item.insert(SUCCESSOR_KEY.into(), AttributeValue::S(new.to_string()));
    item
}

/// Returns the store key under which a rotated session goes on; `None` if the item is not such a tombstone.
pub(crate) fn read_successor(item: &Item) -> Option<StoreKey> {
    match item.get(SUCCESSOR_KEY) {
        Some(AttributeValue::S(key)) if item.contains_key(GONE_UNTIL) => key.parse().ok(),
        _ => None,
    }
}

/// Decodes the item of a session.
pub(crate) fn read(item: &Item) -> Result<Loaded, StoreError> {
    let version = read_number(item, FORMAT_VERSION).ok_or_else(corrupt)?;
    if version > THIS_FORMAT {
        return Err(StoreError::new(StoreErrorKind::Newer, NAME));
    }
    if version < THIS_FORMAT {
        return Err(corrupt());
    }
    if item.contains_key(GONE_UNTIL) {
        let until = read_millis(item, GONE_UNTIL).ok_or_else(corrupt)?;
        return Ok(Loaded::Ended { until });
    }
    read_record(item).map(Loaded::Found).ok_or_else(corrupt)
}

/// The attributes of a head: all but the payload.
pub(crate) fn head_attributes() -> String {
    let names = [PK, FORMAT_VERSION, ETAG, CREATED_AT, IDLE_UNTIL, ABSOLUTE_UNTIL, OWNER_ID, GONE_UNTIL];
    names.join(", ")
}

/// Decodes the head of a session; `None` for a tombstone. The checksum covers the payload as well, so it is not
/// verified.
pub(crate) fn read_head(key: &StoreKey, item: &Item) -> Result<Option<SessionHead>, StoreError> {
    if read_number(item, FORMAT_VERSION).is_some_and(|version| version > THIS_FORMAT) {
        return Err(StoreError::new(StoreErrorKind::Newer, NAME));
    }
    if item.contains_key(GONE_UNTIL) {
        return Ok(None);
    }
    let head = || {
        let times = (read_millis(item, CREATED_AT)?, read_millis(item, IDLE_UNTIL)?);
        let record = Record::new(read_etag(item)?, times.0, times.1, Payload::default());
        Some(SessionHead::of(*key, &record.with_absolute_deadline(read_millis(item, ABSOLUTE_UNTIL))))
    };
    // One that cannot be decoded is left out, as from a page of records.
    Ok(head())
}

fn read_record(item: &Item) -> Option<Record> {
    let payload = match item.get(PAYLOAD) {
        None => Payload::from(Vec::new()),
        Some(AttributeValue::S(text)) => Payload::from(text.as_bytes()),
        Some(AttributeValue::B(bytes)) => Payload::from(bytes.as_ref()),
        Some(_) => return None,
    };
    let record = Record::new(
        read_etag(item)?,
        read_millis(item, CREATED_AT)?,
        read_millis(item, IDLE_UNTIL)?,
        payload,
    )
    .with_absolute_deadline(match item.contains_key(ABSOLUTE_UNTIL) {
        true => Some(read_millis(item, ABSOLUTE_UNTIL)?),
        false => None,
    })
    .with_owner(match item.get(OWNER_ID) {
        Some(AttributeValue::S(owner)) => Some(owner.as_str().into()),
        Some(_) => return None,
        None => None,
    });
    (item.get(CHECKSUM) == Some(&checksum(&read_key(item)?, &record))).then_some(record)
}

/// Computes the checksum, 16 hexadecimal digits, over the store key and everything that a touch does not change.
fn checksum(key: &StoreKey, record: &Record) -> AttributeValue {
    let owner = record.owner.as_deref();
    let mut hash = Sha256::new();
    hash.update(CHECKSUM_LABEL);
    hash.update(key.as_bytes());
    hash.update(record.etag.get().to_be_bytes());
    hash.update(record.created.as_millis().to_be_bytes());
    // Each optional part is hashed with its presence and its length.
    for number in [
        record.absolute_deadline.map(Timestamp::as_millis),
        owner.and_then(|owner| i64::try_from(owner.len()).ok()),
    ] {
        hash.update([u8::from(number.is_some())]);
        hash.update(number.unwrap_or_default().to_be_bytes());
    }
    hash.update(owner.unwrap_or_default());
    hash.update(&record.payload[..]);
    AttributeValue::S(hex(&hash.finalize()[..8]))
}

/// Returns the time-to-live of an item that expires at `deadline`: in **seconds**, [`SLACK`] later, rounded up.
pub(crate) fn ttl(deadline: Timestamp) -> i64 {
    let millis = deadline.plus(SLACK).as_millis();
    millis.div_euclid(1_000) + i64::from(millis.rem_euclid(1_000) != 0)
}

/// Returns the minimum time-to-live of an owner's entry, so that the record is found until it expires.
///
/// This is the absolute deadline, or without one the current idle deadline.
pub(crate) fn listing_needed(record: &Record) -> i64 {
    ttl(record.absolute_deadline.unwrap_or(record.idle_deadline))
}

/// Returns the time-to-live with which an entry is written: the absolute deadline, or without one [`LISTING_AHEAD`]
/// beyond the idle deadline, so that few touches must extend the entry.
pub(crate) fn listing_made(absolute: Option<Timestamp>, idle_deadline: Timestamp) -> i64 {
    ttl(absolute.unwrap_or(idle_deadline.plus(LISTING_AHEAD)))
}

/// The error for an item that cannot be decoded.
pub(crate) fn corrupt() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, NAME)
}

/// Returns the store key in an owner's entry, unless the entry has expired.
pub(crate) fn read_entry(item: &Item, now: Timestamp) -> Option<StoreKey> {
    let lapsed = read_number(item, EXPIRES_AT).is_some_and(|until| until < now.as_millis().div_euclid(1_000));
    match item.get(SK) {
        Some(AttributeValue::S(key)) if !lapsed => key.parse().ok(),
        _ => None,
    }
}

/// Whether the item is the tombstone left by the rotation to that record.
pub(crate) fn is_left_for(item: &Item, successor: Etag) -> bool {
    item.contains_key(GONE_UNTIL) && item.get(SUCCESSOR_ETAG) == Some(&etag(successor))
}

/// Returns the store key of an item.
pub(crate) fn read_key(item: &Item) -> Option<StoreKey> {
    match item.get(PK) {
        Some(AttributeValue::S(name)) => name.rsplit(':').next()?.parse().ok(),
        _ => None,
    }
}

/// Encodes an etag as 16 hexadecimal digits, which are exact on every server, unlike numbers.
pub(crate) fn etag(etag: Etag) -> AttributeValue {
    AttributeValue::S(format!("{:016x}", etag.get()))
}

/// Encodes a time in milliseconds.
pub(crate) fn millis(moment: Timestamp) -> AttributeValue {
    number(moment.as_millis())
}

/// Encodes a number.
pub(crate) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Encodes the payload as a string if it is UTF-8, so that it is readable in the console, or else as binary.
fn payload(bytes: &[u8]) -> AttributeValue {
    match std::str::from_utf8(bytes) {
        Ok(text) => AttributeValue::S(text.into()),
        Err(_) => AttributeValue::B(Blob::new(bytes)),
    }
}

fn read_etag(item: &Item) -> Option<Etag> {
    let Some(AttributeValue::S(digits)) = item.get(ETAG) else { return None };
    let exact = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if exact { u64::from_str_radix(digits, 16).ok().map(Etag::new) } else { None }
}

fn read_millis(item: &Item, name: &str) -> Option<Timestamp> {
    read_number(item, name).map(Timestamp::from_millis)
}

fn read_number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The name of the store in errors.
pub(crate) const NAME: &str = "dynamodb";

const CHECKSUM_LABEL: &[u8] = b"session-store-dynamodb/checksum/v2\0";

/// The format that this version writes.
pub(crate) const THIS_FORMAT: i64 = 1;

/// How much longer than its session an item is kept, so that it is not removed between a load and the commit.
const SLACK: Duration = Duration::from_secs(60);

/// How much longer than the idle deadline an entry is kept if the session has no absolute deadline.
const LISTING_AHEAD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;

    fn record(payload: &[u8]) -> Record {
        Record::new(
            Etag::new(u64::MAX),
            Timestamp::from_millis(1),
            Timestamp::from_millis(10_001),
            payload.into(),
        )
        .with_owner(Some("ada".into()))
    }

    const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

    /// The item as the table holds it.
    fn stored(record: &Record) -> Item {
        let mut item = of_record(&KEY, record);
        item.extend(Names::new("shop").session(&KEY));
        item
    }

    #[test]
    fn at_18_a_record_under_another_key_is_corrupt() {
        let names = Names::new("shop");
        let mut item = stored(&record(b"{}"));
        assert!(read(&item).is_ok());
        item.extend(names.session(&StoreKey::from_bytes([8; 32])));
        assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "another key");
        item.insert(PK.into(), AttributeValue::S("shop:s:no key".into()));
        assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "no key");
        item.remove(PK);
        assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "without a key");
    }

    #[test]
    fn every_payload_comes_back_byte_for_byte() {
        for payload in [&b""[..], b"{}", "{\"\u{0}\":\"\u{fffd}\"}".as_bytes(), &[0xff, 0, 0xfe], b"\r\n "] {
            let record = record(payload);
            assert_eq!(read(&stored(&record)).unwrap(), Loaded::Found(record));
        }
    }

    #[test]
    fn peers_27_the_ttl_is_in_seconds_a_minute_after_the_deadline_and_rounded_up() {
        assert_eq!(ttl(Timestamp::from_millis(10_000)), 70);
        assert_eq!(ttl(Timestamp::from_millis(10_001)), 71);
        assert_eq!(ttl(Timestamp::from_millis(i64::MAX)), i64::MAX / 1_000 + 1);
        assert_eq!(stored(&record(b""))[EXPIRES_AT], number(71));
    }

    #[test]
    fn a_json_payload_is_text_in_the_console() {
        assert_eq!(stored(&record(b"{\"a\":1}"))[PAYLOAD], AttributeValue::S("{\"a\":1}".into()));
    }

    #[test]
    fn a_newer_format_is_not_corrupt() {
        let mut item = stored(&record(b"{}"));
        item.insert(FORMAT_VERSION.into(), number(THIS_FORMAT + 1));
        item.remove(ETAG);
        assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Newer);
    }

    #[test]
    fn a_record_with_a_part_missing_or_of_another_kind_is_corrupt() {
        let whole = stored(&record(b"{}"));
        for name in [FORMAT_VERSION, ETAG, CREATED_AT, IDLE_UNTIL, PAYLOAD, CHECKSUM] {
            let mut item = whole.clone();
            item.remove(name);
            assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "without {name}");
            item.insert(name.into(), AttributeValue::Bool(true));
            assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "{name} is a bool");
        }
    }

    #[test]
    fn st_5_a_record_that_was_changed_in_the_console_is_corrupt() {
        let whole = record(b"{\"a\":1}").with_absolute_deadline(Some(Timestamp::from_millis(90_000)));
        let text = |text: &str| AttributeValue::S(text.into());
        for (name, value) in [
            (PAYLOAD, text("{\"a\":2}")),
            (PAYLOAD, text("{\"a\":1")),
            (OWNER_ID, text("bob")),
            (ETAG, text("fffffffffffffffe")),
            (CREATED_AT, number(2)),
            (ABSOLUTE_UNTIL, number(90_001)),
            (CHECKSUM, text("0000000000000000")),
        ] {
            let mut item = stored(&whole);
            item.insert(name.into(), value);
            assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "another {name}");
        }
        for name in [OWNER_ID, ABSOLUTE_UNTIL] {
            let mut item = stored(&whole);
            item.remove(name);
            assert_eq!(read(&item).unwrap_err().kind(), StoreErrorKind::Corrupt, "without {name}");
        }
        // A touch changes only this attribute.
        let mut touched = stored(&whole);
        touched.insert(IDLE_UNTIL.into(), number(80_000));
        assert!(read(&touched).is_ok());
    }
}
