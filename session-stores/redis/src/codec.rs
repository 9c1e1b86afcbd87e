//! How a session lies in a Redis value: a head of 44 bytes at fixed places, the owner, then the payload as it came.
//!
//! ```text
//! 0..2   "S1"             this format
//! 2      "r" "t" "p"      record, tombstone, pending record (Redis Cluster only)
//! 3      "0" to "3"       +1: an owner follows; +2: there is an absolute deadline
//! 4..12  etag             big-endian
//! 12..20 created          milliseconds since 1970, big-endian, sign bit flipped: byte order is time order
//! 20..28 idle deadline    the 8 bytes that a touch moves
//! 28..36 absolute deadline (0xff × 8: none)
//! 36..40 length of the owner
//! 40..44 CRC-32 of all the rest but the idle deadline
//! 44..   owner, then payload
//! ```
//!
//! The checksum is the sender's: what a client, a proxy or the server's memory did to a value since is `Corrupt` and not
//! another session. It leaves the idle deadline out, so that a touch still moves 8 bytes and nothing else.
//!
//! A tombstone is `S1t0` and the moment until which it stands; in a cluster, `S1t1` and after that moment the key and
//! the etag of the session that took the old one's place. A pending record is `S1p0`, the old session's key, and then
//! the record.

use std::ops::Range;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, StoreError, StoreErrorKind, StoreKey},
};

use crate::NAME;
use crate::crc::crc32;

/// What is read back from a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// An ordinary answer.
    Settled(Loaded),
    /// A record that counts only once `old` carries the tombstone that points to it.
    Pending(Box<Pending>),
}

/// A rotated session on its way between two slots.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) old: StoreKey,
    pub(crate) record: Record,
}

/// A moment as 8 bytes whose order is the order of time.
pub(crate) fn moment(at: Timestamp) -> [u8; 8] {
    (at.as_millis().cast_unsigned() ^ SIGN).to_be_bytes()
}

/// An etag as 8 bytes.
pub(crate) fn etag(etag: Etag) -> [u8; 8] {
    etag.get().to_be_bytes()
}

/// The value of a live record.
pub(crate) fn record(record: &Record) -> Vec<u8> {
    let owner = record.owner.as_deref().unwrap_or_default();
    let flags = b'0' + u8::from(record.owner.is_some()) + 2 * u8::from(record.absolute_deadline.is_some());
    let mut value = Vec::with_capacity(HEAD + owner.len() + record.payload.len());
    value.extend(FORMAT);
    value.extend([b'r', flags]);
    value.extend(etag(record.etag));
    value.extend(moment(record.created));
    value.extend(moment(record.idle_deadline));
    value.extend(record.absolute_deadline.map_or(NEVER, moment));
    value.extend(u32::try_from(owner.len()).unwrap_or(u32::MAX).to_be_bytes());
    let sum = checksum(&value, &[owner.as_bytes(), &record.payload]);
    value.extend(sum.to_be_bytes());
    value.extend(owner.as_bytes());
    value.extend(&*record.payload);
    value
}

/// Of the head up to where the checksum itself stands, and what comes after it.
fn checksum(head: &[u8], rest: &[&[u8]]) -> u32 {
    let mut parts = vec![&head[..IDLE.start], &head[IDLE.end..]];
    parts.extend(rest);
    crc32(&parts)
}

/// The value of a tombstone that stands until then.
pub(crate) fn tombstone(until: Timestamp) -> Vec<u8> {
    let mut value = Vec::with_capacity(TOMBSTONE);
    value.extend(FORMAT);
    value.extend(b"t0");
    value.extend(moment(until));
    value
}

/// A record that counts only once the tombstone under `old` points to it.
#[cfg(feature = "cluster")]
pub(crate) fn pending(old: &StoreKey, of: &Record) -> Vec<u8> {
    let mut value = Vec::from(FORMAT);
    value.extend(b"p0");
    value.extend(old.as_bytes());
    value.extend(record(of));
    value
}

/// A tombstone that says which session took the place of the old one.
#[cfg(feature = "cluster")]
pub(crate) fn pointer(until: Timestamp, new: &StoreKey, its: Etag) -> Vec<u8> {
    let mut value = Vec::from(FORMAT);
    value.extend(b"t1");
    value.extend(moment(until));
    value.extend(new.as_bytes());
    value.extend(etag(its));
    value
}

/// Whether a value is the tombstone that makes the pending record under `new` count.
#[cfg(feature = "cluster")]
pub(crate) fn points_to(value: &[u8], new: &StoreKey, its: Etag) -> bool {
    let target =
        value.strip_prefix(FORMAT).and_then(|rest| rest.strip_prefix(b"t1")).and_then(|rest| rest.get(8..));
    target.is_some_and(|target| target == [&new.as_bytes()[..], &etag(its)].concat())
}

/// Reads a value; `None` is a key that is not there.
pub(crate) fn decode(value: Option<Vec<u8>>) -> Result<Stored, StoreError> {
    let Some(value) = value else { return Ok(Stored::Settled(Loaded::Missing)) };
    read(&value).ok_or_else(|| unreadable(&value))
}

/// Why a value cannot be read: a newer version of this library wrote it, or it is damaged.
pub(crate) fn unreadable(value: &[u8]) -> StoreError {
    let newer = matches!(value, [b'S', b'2'..=b'9', ..]);
    StoreError::new(if newer { StoreErrorKind::Newer } else { StoreErrorKind::Corrupt }, NAME)
}

fn read(value: &[u8]) -> Option<Stored> {
    let kind = value.strip_prefix(FORMAT)?.first()?;
    match kind {
        b'r' => read_record(value).map(|record| Stored::Settled(Loaded::Found(record))),
        b't' if matches!((value.get(3), value.len()), (Some(b'0'), TOMBSTONE) | (Some(b'1'), POINTER)) => {
            Some(Stored::Settled(Loaded::Ended { until: at(value, 4)? }))
        }
        b'p' => {
            let old = StoreKey::from_bytes(value.get(4..PENDING)?.try_into().ok()?);
            let record = read_record(value.get(PENDING..)?)?;
            Some(Stored::Pending(Box::new(Pending { old, record })))
        }
        _ => None,
    }
}

fn read_record(value: &[u8]) -> Option<Record> {
    let flags = value.get(3)?.checked_sub(b'0').filter(|flags| *flags <= 3)?;
    let (has_owner, has_absolute) = (flags & 1 == 1, flags & 2 == 2);
    let length = u32::from_be_bytes(value.get(36..SUM)?.try_into().ok()?);
    let sum = u32::from_be_bytes(value.get(SUM..HEAD)?.try_into().ok()?);
    if sum != checksum(&value[..SUM], &[&value[HEAD..]]) {
        return None;
    }
    let start = HEAD.checked_add(usize::try_from(length).ok()?)?;
    let owner = std::str::from_utf8(value.get(HEAD..start)?).ok()?;
    if !value.starts_with(FORMAT) || value[2] != b'r' || (!has_owner && !owner.is_empty()) {
        return None;
    }
    Some(Record {
        etag: Etag::new(u64::from_be_bytes(value.get(4..12)?.try_into().ok()?)),
        created: at(value, 12)?,
        idle_deadline: at(value, 20)?,
        absolute_deadline: if has_absolute { Some(at(value, 28)?) } else { None },
        owner: has_owner.then(|| Arc::from(owner)),
        payload: Payload::from(value.get(start..)?),
    })
}

fn at(value: &[u8], from: usize) -> Option<Timestamp> {
    let bytes = value.get(from..from + 8)?.try_into().ok()?;
    Some(Timestamp::from_millis((u64::from_be_bytes(bytes) ^ SIGN).cast_signed()))
}

const FORMAT: &[u8] = b"S1";
const IDLE: Range<usize> = 20..28;
const SUM: usize = 40;
const HEAD: usize = 44;
const TOMBSTONE: usize = 12;
/// A tombstone with a key and an etag.
const POINTER: usize = TOMBSTONE + 32 + 8;
const PENDING: usize = 36;
const SIGN: u64 = 1 << 63;
const NEVER: [u8; 8] = [0xff; 8];

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
            payload: br#"{"v":1}"#.to_vec().into(),
        }
    }

    #[test]
    fn every_field_comes_back_unchanged() {
        for owner in [None, Some(""), Some("ada"), Some("größe")] {
            for absolute in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
                let sample = sample(owner, absolute);
                let value = record(&sample);
                assert_eq!(decode(Some(value)).unwrap(), Stored::Settled(Loaded::Found(sample)));
            }
        }
    }

    #[test]
    fn byte_order_is_time_order() {
        let times = [i64::MIN, -1, 0, 1, 255, 256, 1_795_000_000_123, i64::MAX];
        assert!(times.map(|at| moment(Timestamp::from_millis(at))).is_sorted());
    }

    #[test]
    fn a_truncated_record_is_corrupt_and_a_newer_one_is_newer() {
        let value = record(&sample(Some("ada"), None));
        for end in 0..value.len() {
            let error = decode(Some(value[..end].to_vec())).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{end}");
        }
        let error = decode(Some(b"S2whatever".to_vec())).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Newer);
    }

    #[test]
    fn one_bit_turned_over_is_noticed_everywhere_but_in_the_idle_deadline() {
        let value = record(&sample(Some("ada"), Some(7)));
        for bit in 0..value.len() * 8 {
            let mut spoiled = value.clone();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            let read = decode(Some(spoiled));
            assert_eq!(read.is_ok(), IDLE.contains(&(bit / 8)), "bit {bit}: {read:?}");
        }
    }

    #[test]
    fn a_touch_leaves_the_checksum_right() {
        let sample = sample(Some("ada"), Some(7));
        let mut value = record(&sample);
        let idle_deadline = Timestamp::from_millis(42);
        value[IDLE].copy_from_slice(&moment(idle_deadline));
        let touched = Record { idle_deadline, ..sample };
        assert_eq!(decode(Some(value)).unwrap(), Stored::Settled(Loaded::Found(touched)));
    }

    #[test]
    fn i10_any_bytes_decode_without_panic() {
        let mut noise: u64 = 7;
        for length in 0..200 {
            let mut bytes: Vec<u8> = b"S1rtp0"[..length.min(6)].to_vec();
            bytes.resize_with(length, || {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            });
            let _ = decode(Some(bytes));
        }
    }

    #[test]
    fn the_payload_is_readable_behind_the_head() {
        let value = record(&sample(None, None));
        assert_eq!(&value[HEAD..], br#"{"v":1}"#);
    }
}
