//! How a session lies in a memcached item: a line of ASCII that says what it is, then the payload as it came.
//!
//! ```text
//! S1 record <etag> <created> <idle> <absolute or -> <length of the owner or -> LF owner payload
//! S1 tomb <until> LF
//! S1 tomb <until> <new key> <etag> LF              the session was rotated, and lives under that key
//! S1 pending <old key> LF record as above          counts only once the old key's tombstone points here
//! ```

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, StoreError, StoreErrorKind, StoreKey},
};

use crate::NAME;

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Record(Record),
    Tombstone {
        until: Timestamp,
        /// Where the session went, and with which etag.
        moved: Option<(StoreKey, Etag)>,
    },
    /// A record that counts only once `old` carries the tombstone that points to it.
    Pending {
        old: StoreKey,
        record: Record,
    },
}

impl Stored {
    /// What a caller of `load` hears. A pending record is settled before anybody asks.
    pub(crate) fn loaded(self) -> Loaded {
        match self {
            Self::Record(record) => Loaded::Found(record),
            Self::Tombstone { until, .. } => Loaded::Ended { until },
            Self::Pending { .. } => Loaded::Missing,
        }
    }
}

/// The item of a record.
pub(crate) fn record(record: &Record) -> Vec<u8> {
    let absolute = record.absolute_deadline.map_or("-".to_owned(), |at| at.as_millis().to_string());
    let owner = record.owner.as_ref().map_or("-".to_owned(), |owner| owner.len().to_string());
    let (created, idle) = (record.created.as_millis(), record.idle_deadline.as_millis());
    let mut item =
        format!("{FORMAT} record {:016x} {created} {idle} {absolute} {owner}\n", record.etag.get())
            .into_bytes();
    item.extend(record.owner.as_deref().unwrap_or_default().as_bytes());
    item.extend(&*record.payload);
    item
}

/// The item of a tombstone.
pub(crate) fn tombstone(until: Timestamp) -> Vec<u8> {
    format!("{FORMAT} tomb {}\n", until.as_millis()).into_bytes()
}

/// The item of a tombstone that says which session took the old one's place.
pub(crate) fn pointer(until: Timestamp, new: &StoreKey, etag: Etag) -> Vec<u8> {
    format!("{FORMAT} tomb {} {new} {:016x}\n", until.as_millis(), etag.get()).into_bytes()
}

/// The item of a record that does not count yet.
pub(crate) fn pending(old: &StoreKey, of: &Record) -> Vec<u8> {
    let mut item = format!("{FORMAT} pending {old}\n").into_bytes();
    item.extend(record(of));
    item
}

/// Reads an item.
pub(crate) fn decode(item: &[u8]) -> Result<Stored, StoreError> {
    read(item).ok_or_else(|| {
        let newer = matches!(item, [b'S', b'2'..=b'9', ..]);
        StoreError::new(if newer { StoreErrorKind::Newer } else { StoreErrorKind::Corrupt }, NAME)
    })
}

fn read(item: &[u8]) -> Option<Stored> {
    let end = item.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = (std::str::from_utf8(&item[..end]).ok()?, &item[end + 1..]);
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [FORMAT, "record", etag, created, idle, absolute, owner] => {
            let (owner, payload) = match owner {
                "-" => (None, rest),
                length => {
                    let (owner, payload) = rest.split_at_checked(length.parse().ok()?)?;
                    (Some(Arc::from(std::str::from_utf8(owner).ok()?)), payload)
                }
            };
            Some(Stored::Record(Record {
                etag: read_etag(etag)?,
                created: moment(created)?,
                idle_deadline: moment(idle)?,
                absolute_deadline: if absolute == "-" { None } else { Some(moment(absolute)?) },
                owner,
                payload: Payload::from(payload),
            }))
        }
        [FORMAT, "tomb", until] => Some(Stored::Tombstone { until: moment(until)?, moved: None }),
        [FORMAT, "tomb", until, new, etag] => {
            let moved = Some((key(new)?, read_etag(etag)?));
            Some(Stored::Tombstone { until: moment(until)?, moved })
        }
        [FORMAT, "pending", old] => match read(rest)? {
            Stored::Record(record) => Some(Stored::Pending { old: key(old)?, record }),
            Stored::Tombstone { .. } | Stored::Pending { .. } => None,
        },
        _ => None,
    }
}

fn read_etag(digits: &str) -> Option<Etag> {
    u64::from_str_radix(digits, 16).ok().map(Etag::new)
}

fn moment(digits: &str) -> Option<Timestamp> {
    digits.parse().ok().map(Timestamp::from_millis)
}

fn key(digits: &str) -> Option<StoreKey> {
    digits.parse().ok()
}

const FORMAT: &str = "S1";

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(owner: Option<&str>, absolute: Option<i64>) -> Record {
        Record {
            etag: Etag::new(u64::MAX - 1),
            created: Timestamp::from_millis(-5),
            idle_deadline: Timestamp::from_millis(i64::MAX),
            absolute_deadline: absolute.map(Timestamp::from_millis),
            owner: owner.map(Into::into),
            payload: b"{\"v\":1}\r\nEND\r\n".to_vec().into(),
        }
    }

    #[test]
    fn every_field_comes_back_unchanged() {
        for owner in [None, Some(""), Some("ada"), Some("größe\n")] {
            for absolute in [None, Some(i64::MIN), Some(0)] {
                let sample = sample(owner, absolute);
                assert_eq!(decode(&record(&sample)).unwrap(), Stored::Record(sample.clone()));
                let old = StoreKey::from_bytes([7; 32]);
                let item = pending(&old, &sample);
                assert_eq!(decode(&item).unwrap(), Stored::Pending { old, record: sample });
            }
        }
    }

    #[test]
    fn a_tombstone_says_until_when_and_where_the_session_went() {
        let (until, new) = (Timestamp::from_millis(9), StoreKey::from_bytes([8; 32]));
        let plain = decode(&tombstone(until)).unwrap();
        assert_eq!(plain, Stored::Tombstone { until, moved: None });
        let moved = decode(&pointer(until, &new, Etag::new(3))).unwrap();
        assert_eq!(moved, Stored::Tombstone { until, moved: Some((new, Etag::new(3))) });
    }

    #[test]
    fn what_is_no_record_is_corrupt_and_a_newer_one_is_newer() {
        let whole = record(&sample(Some("ada"), None));
        let head = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for end in 0..head + 3 {
            assert_eq!(decode(&whole[..end]).unwrap_err().kind(), StoreErrorKind::Corrupt, "{end}");
        }
        assert_eq!(decode(b"S2 whatever").unwrap_err().kind(), StoreErrorKind::Newer);
        let nested = [&pending(&StoreKey::from_bytes([1; 32]), &sample(None, None))[..]; 2].concat();
        assert!(decode(&nested).is_ok(), "the payload may look like anything");
    }
}
