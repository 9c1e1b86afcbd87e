//! The plaintext of a sealed cookie: a session's id and its times, or the whole record.
//!
//! ```text
//! id token     = issued u48 | absolute deadline u48 (0 = none) | id[32]
//! record token = issued u48 | id[32] | etag u64 | created u48 | idle deadline u48 | absolute deadline u48 (0 = none)
//!              | owner length + 1, u32 (0 = none) | owner | payload
//! touch        = idle deadline u48
//! ```
//!
//! Numbers are big-endian, times are milliseconds. Decoding checks every length against what is left, never panics,
//! and allocates no more than it was given.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::seal::SealKind;
use crate::value::id::{Etag, SessionId};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// The plaintext of a cookie for a session in a store.
///
/// It has no idle deadline: that is judged from the stored record, so that the cookie need not be sent again while its
/// visitor is active.
///
/// ```
/// use session_core::{Timestamp, machine::{cookie::IdToken, SessionId}};
///
/// let token = IdToken {
///     issued_at: Timestamp::from_millis(1_000),
///     absolute_deadline: Some(Timestamp::from_millis(86_401_000)),
///     id: SessionId::from_bytes([7; 32]),
/// };
/// assert_eq!(IdToken::decode(&token.encode()[..]), Some(token));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdToken {
    /// When this cookie was sealed. Of two cookies the newer wins.
    pub issued_at: Timestamp,
    /// The absolute deadline of the session; `None` for no limit.
    pub absolute_deadline: Option<Timestamp>,
    /// The session's secret id.
    pub id: SessionId,
}

impl IdToken {
    /// Encodes the token, to be sealed as [`SealKind::Id`].
    ///
    /// Times before 1970 are written as 1970, times after the year 10,000 as a moment near it.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        bytes[..6].copy_from_slice(&time(self.issued_at));
        bytes[6..12].copy_from_slice(&optional_time(self.absolute_deadline));
        bytes[12..].copy_from_slice(self.id.expose_secret());
        bytes
    }

    /// Decodes a token, or returns `None` if the bytes are not exactly one token.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        let token = Self {
            issued_at: rest.time()?,
            absolute_deadline: rest.optional_time()?,
            id: SessionId::from_bytes(*rest.array()?),
        };
        rest.0.is_empty().then_some(token)
    }

    /// The length of an encoded token in bytes.
    pub const LEN: usize = 44;
}

/// The plaintext of a cookie that carries the session itself.
///
/// ```
/// use session_core::{Timestamp, machine::{cookie::RecordToken, SessionId}, store::{Etag, Record}};
///
/// let at = Timestamp::from_millis;
/// let token = RecordToken {
///     issued_at: at(1_000),
///     id: SessionId::from_bytes([7; 32]),
///     record: Record::new(Etag::new(1), at(500), at(9_000), b"{}".to_vec().into()).with_owner(Some("ada".into())),
/// };
/// assert_eq!(RecordToken::decode(&token.encode()), Some(token));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordToken {
    /// When this cookie was sealed. Of two cookies the newer wins.
    pub issued_at: Timestamp,
    /// The session's secret id, from which the key in the list of revocations is derived.
    pub id: SessionId,
    /// The session.
    pub record: Record,
}

impl RecordToken {
    /// Encodes the token, to be sealed as [`SealKind::Record`]. Times are written as by [`IdToken::encode`].
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Self::encode_parts(self.issued_at, &self.id, &self.record)
    }

    /// The bytes of a token of these parts.
    pub(crate) fn encode_parts(issued_at: Timestamp, id: &SessionId, record: &Record) -> Zeroizing<Vec<u8>> {
        let owner = record.owner.as_deref();
        let owner_len = owner.map_or(0, |owner| owner.len() + 1);
        let owner_len = u32::try_from(owner_len).expect("an owner's name is shorter than 4 GiB");
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::HEAD_LEN + record.size()));
        bytes.extend_from_slice(&time(issued_at));
        bytes.extend_from_slice(id.expose_secret());
        bytes.extend_from_slice(&record.etag.get().to_be_bytes());
        bytes.extend_from_slice(&time(record.created));
        bytes.extend_from_slice(&time(record.idle_deadline));
        bytes.extend_from_slice(&optional_time(record.absolute_deadline));
        bytes.extend_from_slice(&owner_len.to_be_bytes());
        bytes.extend_from_slice(owner.unwrap_or_default().as_bytes());
        bytes.extend_from_slice(&record.payload);
        bytes
    }

    /// Decodes a token, or returns `None` if it is truncated or the owner is not UTF-8.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        let issued_at = rest.time()?;
        let id = SessionId::from_bytes(*rest.array()?);
        let etag = Etag::new(u64::from_be_bytes(*rest.array()?));
        let created = rest.time()?;
        let idle_deadline = rest.time()?;
        let absolute_deadline = rest.optional_time()?;
        let owner = match u32::from_be_bytes(*rest.array()?).checked_sub(1) {
            None => None,
            Some(len) => {
                let name = rest.take(usize::try_from(len).ok()?)?;
                Some(Arc::from(std::str::from_utf8(name).ok()?))
            }
        };
        let payload = Payload::from(rest.0);
        let record = Record::new(etag, created, idle_deadline, payload)
            .with_absolute_deadline(absolute_deadline)
            .with_owner(owner);
        Some(Self { issued_at, id, record })
    }

    /// How long its bytes are without owner and payload.
    pub const HEAD_LEN: usize = 68;
}

/// The plaintext of a touch cookie: until when the session lives that its seal is bound to, unless it is used again.
pub(crate) fn touch(idle_deadline: Timestamp) -> [u8; 6] {
    time(idle_deadline)
}

/// Reads a touch, or returns `None` if the bytes are not exactly one.
pub(crate) fn read_touch(bytes: &[u8]) -> Option<Timestamp> {
    let mut rest = Reader(bytes);
    let deadline = rest.time()?;
    rest.0.is_empty().then_some(deadline)
}

/// The plaintext of a cookie: [`IdToken`] or [`RecordToken`]. This trait is sealed.
///
/// ```
/// use session_core::{Timestamp, machine::{cookie::{IdToken, Token}, SessionId}};
///
/// let token = IdToken {
///     issued_at: Timestamp::from_millis(1_000),
///     absolute_deadline: Some(Timestamp::from_millis(2_000)),
///     id: SessionId::from_bytes([7; 32]),
/// };
/// assert!(token.is_live(Timestamp::from_millis(1_999)) && !token.is_live(Timestamp::from_millis(2_000)));
/// ```
pub trait Token: Sized + sealed::Sealed {
    /// The kind of its seal. A cookie of the other kind does not open.
    const KIND: SealKind;

    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Option<Self>;

    /// Returns when the cookie was sealed.
    fn issued_at(&self) -> Timestamp;

    /// Returns whether every deadline in the cookie is in the future.
    fn is_live(&self, now: Timestamp) -> bool;
}

impl Token for IdToken {
    const KIND: SealKind = SealKind::Id;

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes)
    }

    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.absolute_deadline.is_none_or(|deadline| now < deadline)
    }
}

impl Token for RecordToken {
    const KIND: SealKind = SealKind::Record;

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes)
    }

    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.record.is_live(now)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::IdToken {}
    impl Sealed for super::RecordToken {}
}

/// What has not been read yet.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    fn time(&mut self) -> Option<Timestamp> {
        let [a, b, c, d, e, f] = *self.array()?;
        Some(Timestamp::from_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f])))
    }

    fn optional_time(&mut self) -> Option<Option<Timestamp>> {
        let time = self.time()?;
        Some((time.as_millis() != 0).then_some(time))
    }
}

fn time(time: Timestamp) -> [u8; 6] {
    let [_, _, bytes @ ..] = time.as_millis().clamp(0, LAST_MOMENT).to_be_bytes();
    bytes
}

/// A deadline at or before 1970 is written as its first millisecond: as past as can be, and not "none".
fn optional_time(deadline: Option<Timestamp>) -> [u8; 6] {
    deadline.map_or([0; 6], |deadline| time(deadline.max(Timestamp::from_millis(1))))
}

const LAST_MOMENT: i64 = (1 << 48) - 1;
