//! The bytes of a session in a store: magic, version, fields at fixed places, checksums that cover the key.
//!
//! ```text
//! record      0..2   "S1"                the magic letter and the format version
//!             2..4   "r0" to "r3"        +1: it has an owner; +2: it has an absolute deadline
//!             4..12  etag                big-endian
//!             12..20 created             milliseconds since 1970, big-endian, sign bit flipped: byte order is time order
//!             20..28 idle deadline
//!             28..32 CRC-32 of the store key and the idle deadline
//!             32..40 absolute deadline   0xff × 8: none
//!             40..44 length of the owner
//!             44..48 CRC-32 of the store key and everything else but 20..32
//!             48..   owner, then payload
//! tombstone   0..4   "S1t0", or "S1t1" if it names a successor
//!             4..12  until
//!             12..16 CRC-32 of the store key and everything else
//!             16..56 with "S1t1": the successor's key and etag
//! pending     0..4   "S1p0"
//!             4..36  the store key of the record it is to replace
//!             36..40 CRC-32 of the store key and 0..36
//!             40..   a record
//! ```
//!
//! Each checksum starts with the store key, so bytes that are delivered under another key are damaged bytes and not
//! another visitor's session. The idle deadline has a checksum of its own so that a server-side script can move it by
//! writing twelve bytes ([`encode_idle_deadline`]) and nothing else.
//!
//! Decoding arbitrary bytes returns; it never panics, and allocates in proportion to the input.

use std::fmt;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, SessionHead, StoreError, StoreErrorKind, StoreKey},
};

/// What stands under a key.
///
/// ```
/// use session_core::{Timestamp, store::StoreKey};
/// use session_store_kv::codec::{Entry, Unreadable};
///
/// let (key, other) = (StoreKey::from_bytes([1; 32]), StoreKey::from_bytes([2; 32]));
/// let tombstone = Entry::Tombstone { until: Timestamp::from_millis(60_000), successor: None };
/// let bytes = tombstone.encode(&key);
/// assert_eq!(Entry::decode(&key, &bytes), Ok(tombstone));
/// assert_eq!(Entry::decode(&other, &bytes), Err(Unreadable::Damaged));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A session.
    Record(Record),
    /// A session that was destroyed or has moved to another key.
    Tombstone {
        /// When the tombstone may be forgotten.
        until: Timestamp,
        /// Where the session lives now, if it was rotated.
        successor: Option<Successor>,
    },
    /// The record of a rotation that may not have been committed. It counts only once the tombstone under `old` names
    /// its key and etag as the successor.
    Pending {
        /// The key that the session is moving away from.
        old: StoreKey,
        /// The session under its new key.
        record: Record,
    },
}

/// The record that took the place of a rotated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The store key it was moved to.
    pub key: StoreKey,
    /// Its etag when it was moved: what tells two rotations to one key apart.
    pub etag: Etag,
}

impl Entry {
    /// Encodes the entry for this key.
    #[must_use]
    pub fn encode(&self, key: &StoreKey) -> Vec<u8> {
        match self {
            Self::Record(record) => encode_record(key, record),
            Self::Tombstone { until, successor } => encode_tombstone(key, *until, successor.as_ref()),
            Self::Pending { old, record } => encode_pending(key, old, record),
        }
    }

    /// Decodes the bytes found under this key.
    ///
    /// # Errors
    /// [`Unreadable`]: the bytes are damaged, belong to another key, or are of a newer format.
    pub fn decode(key: &StoreKey, bytes: &[u8]) -> Result<Self, Unreadable> {
        match bytes {
            [MAGIC, VERSION, kind, rest @ ..] => match kind {
                b'r' => decode_record(key, bytes).map(Self::Record),
                b't' => decode_tombstone(key, bytes),
                b'p' if rest.first() == Some(&b'0') => decode_pending(key, bytes),
                _ => None,
            }
            .ok_or(Unreadable::Damaged),
            [MAGIC, b'2'..=b'9', ..] => Err(Unreadable::Newer),
            _ => Err(Unreadable::Damaged),
        }
    }

    /// When a store may forget the entry: one minute after the record's deadline or the tombstone's end.
    ///
    /// The minute lets a request that loaded the record just before its deadline still meet what it loaded.
    #[must_use]
    pub fn expiry(&self) -> Timestamp {
        let end = match self {
            Self::Record(record) | Self::Pending { record, .. } => record.deadline(),
            Self::Tombstone { until, .. } => *until,
        };
        end.plus(SLACK)
    }

    /// The answer of [`SessionStore::load`](session_core::store::SessionStore::load) for this entry, where a pending record has
    /// not been committed.
    #[must_use]
    pub fn into_loaded(self) -> Loaded {
        match self {
            Self::Record(record) => Loaded::Found(record),
            Self::Tombstone { until, .. } => Loaded::Ended { until },
            Self::Pending { .. } => Loaded::Missing,
        }
    }
}

/// Bytes that are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// They are damaged, were never an entry, or were written under another key.
    Damaged,
    /// A newer version of this library wrote them.
    Newer,
}

impl Unreadable {
    /// The error of the store with this name.
    #[must_use]
    pub fn in_store(self, name: &'static str) -> StoreError {
        let kind = match self {
            Self::Damaged => StoreErrorKind::Corrupt,
            Self::Newer => StoreErrorKind::Newer,
        };
        StoreError::new(kind, name)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "the stored bytes are damaged",
            Self::Newer => "the stored bytes are of a newer format",
        })
    }
}

impl std::error::Error for Unreadable {}

/// Encodes a record.
#[must_use]
pub fn encode_record(key: &StoreKey, record: &Record) -> Vec<u8> {
    let owner = record.owner.as_deref().unwrap_or_default();
    let flags = u8::from(record.owner.is_some()) + 2 * u8::from(record.absolute_deadline.is_some());
    let mut bytes = Vec::with_capacity(HEAD + owner.len() + record.payload.len());
    bytes.extend([MAGIC, VERSION, b'r', b'0' + flags]);
    bytes.extend(encode_etag(record.etag));
    bytes.extend(encode_moment(record.created));
    bytes.extend(encode_idle_deadline(key, record.idle_deadline));
    bytes.extend(record.absolute_deadline.map_or(NEVER, encode_moment));
    bytes.extend(u32::try_from(owner.len()).unwrap_or(u32::MAX).to_be_bytes());
    let sum = checksum(key, &[&bytes[..20], &bytes[32..44], owner.as_bytes(), &record.payload]);
    bytes.extend(sum);
    bytes.extend(owner.as_bytes());
    bytes.extend(&*record.payload);
    bytes
}

/// Decodes the head of a record from its first bytes: those before the payload, or all. `None` if it is no record of this
/// owner.
///
/// The checksum of the payload cannot be verified, so the record may be damaged.
#[must_use]
pub fn decode_head(key: &StoreKey, bytes: &[u8], owner: &str) -> Option<SessionHead> {
    let head: &[u8; HEAD] = bytes.first_chunk()?;
    let is_owned = head[3].checked_sub(b'0').is_some_and(|flags| flags & 1 == 1);
    let length = usize::try_from(u32::from_be_bytes(part(head, 40)?)).ok()?;
    if !is_owned || length != owner.len() || !bytes[HEAD..].starts_with(owner.as_bytes()) {
        return None;
    }
    decode_any_head(key, head)
}

/// Decodes the head of a record of any owner or of none, from the first [`head_len`] bytes for an owner without a name.
/// `None` if it is no record.
#[must_use]
pub fn decode_any_head(key: &StoreKey, bytes: &[u8]) -> Option<SessionHead> {
    let head: &[u8; HEAD] = bytes.first_chunk().filter(|head| head.starts_with(&[MAGIC, VERSION, b'r']))?;
    let flags = head[3].checked_sub(b'0').filter(|flags| *flags <= 3)?;
    if part::<4>(head, 28)? != checksum(key, &[&head[20..28]]) {
        return None;
    }
    let etag = Etag::new(u64::from_be_bytes(part(head, 4)?));
    let record =
        Record::new(etag, decode_moment(part(head, 12)?), decode_moment(part(head, 20)?), Payload::default())
            .with_absolute_deadline(if flags & 2 == 2 { Some(decode_moment(part(head, 32)?)) } else { None });
    Some(SessionHead::of(*key, &record))
}

/// Returns how many of a record's first bytes [`decode_head`] needs.
#[must_use]
pub fn head_len(owner: &str) -> usize {
    HEAD + owner.len()
}

/// Encodes a tombstone, with the successor if the session was rotated.
#[must_use]
pub fn encode_tombstone(key: &StoreKey, until: Timestamp, successor: Option<&Successor>) -> Vec<u8> {
    let mut bytes = vec![MAGIC, VERSION, b't', b'0' + u8::from(successor.is_some())];
    bytes.extend(encode_moment(until));
    let successor = successor.map_or(Vec::new(), |successor| {
        [&successor.key.as_bytes()[..], &encode_etag(successor.etag)].concat()
    });
    bytes.extend(checksum(key, &[&bytes, &successor]));
    bytes.extend(successor);
    bytes
}

/// Encodes the record of a rotation that is not committed.
#[must_use]
pub fn encode_pending(key: &StoreKey, old: &StoreKey, record: &Record) -> Vec<u8> {
    let mut bytes = vec![MAGIC, VERSION, b'p', b'0'];
    bytes.extend(old.as_bytes());
    bytes.extend(checksum(key, &[&bytes]));
    bytes.extend(encode_record(key, record));
    bytes
}

/// Encodes an idle deadline with its checksum: bytes 20 to 32 of a record.
#[must_use]
pub fn encode_idle_deadline(key: &StoreKey, at: Timestamp) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&encode_moment(at));
    let sum = checksum(key, &[&bytes[..8]]);
    bytes[8..].copy_from_slice(&sum);
    bytes
}

/// Encodes a moment so that the order of the bytes is the order of time.
#[must_use]
pub fn encode_moment(at: Timestamp) -> [u8; 8] {
    (at.as_millis().cast_unsigned() ^ SIGN).to_be_bytes()
}

/// Decodes a moment.
#[must_use]
pub fn decode_moment(bytes: [u8; 8]) -> Timestamp {
    Timestamp::from_millis((u64::from_be_bytes(bytes) ^ SIGN).cast_signed())
}

/// Encodes an etag.
#[must_use]
pub fn encode_etag(etag: Etag) -> [u8; 8] {
    etag.get().to_be_bytes()
}

fn decode_record(key: &StoreKey, bytes: &[u8]) -> Option<Record> {
    let head: &[u8; HEAD] = bytes.first_chunk()?;
    let flags = head[3].checked_sub(b'0').filter(|flags| *flags <= 3)?;
    let (has_owner, has_absolute) = (flags & 1 == 1, flags & 2 == 2);
    if part::<4>(head, 28)? != checksum(key, &[&head[20..28]])
        || part::<4>(head, 44)? != checksum(key, &[&head[..20], &head[32..44], &bytes[HEAD..]])
    {
        return None;
    }
    let length = usize::try_from(u32::from_be_bytes(part(head, 40)?)).ok()?;
    let start = HEAD.checked_add(length)?;
    let owner = std::str::from_utf8(bytes.get(HEAD..start)?).ok()?;
    if !has_owner && !owner.is_empty() {
        return None;
    }
    Some(
        Record::new(
            Etag::new(u64::from_be_bytes(part(head, 4)?)),
            decode_moment(part(head, 12)?),
            decode_moment(part(head, 20)?),
            Payload::from(bytes.get(start..)?),
        )
        .with_absolute_deadline(if has_absolute { Some(decode_moment(part(head, 32)?)) } else { None })
        .with_owner(has_owner.then(|| Arc::from(owner))),
    )
}

fn decode_tombstone(key: &StoreKey, bytes: &[u8]) -> Option<Entry> {
    let (head, successor) = bytes.split_at_checked(TOMBSTONE)?;
    if part::<4>(head, 12)? != checksum(key, &[&head[..12], successor]) {
        return None;
    }
    let successor = match (head[3], successor.len()) {
        (b'0', 0) => None,
        (b'1', SUCCESSOR) => Some(Successor {
            key: StoreKey::from_bytes(part(successor, 0)?),
            etag: Etag::new(u64::from_be_bytes(part(successor, 32)?)),
        }),
        _ => return None,
    };
    Some(Entry::Tombstone { until: decode_moment(part(head, 4)?), successor })
}

fn decode_pending(key: &StoreKey, bytes: &[u8]) -> Option<Entry> {
    let (head, record) = bytes.split_at_checked(PENDING)?;
    if part::<4>(head, 36)? != checksum(key, &[&head[..36]]) || !record.starts_with(&[MAGIC, VERSION, b'r']) {
        return None;
    }
    let old = StoreKey::from_bytes(part(head, 4)?);
    Some(Entry::Pending { old, record: decode_record(key, record)? })
}

fn checksum(key: &StoreKey, parts: &[&[u8]]) -> [u8; 4] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(key.as_bytes());
    parts.iter().for_each(|part| sum.update(part));
    sum.finalize().to_be_bytes()
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> Option<[u8; N]> {
    bytes.get(from..)?.first_chunk().copied()
}

/// How long an entry is kept after its end.
pub const SLACK: std::time::Duration = std::time::Duration::from_secs(60);
const MAGIC: u8 = b'S';
const VERSION: u8 = b'1';
const HEAD: usize = 48;
const TOMBSTONE: usize = 16;
const SUCCESSOR: usize = 40;
const PENDING: usize = 40;
const SIGN: u64 = 1 << 63;
const NEVER: [u8; 8] = [0xff; 8];
