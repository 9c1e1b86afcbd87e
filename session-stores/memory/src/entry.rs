//! The compact encoding of a session: header and payload in a single shared buffer.
//!
//! Layout: flags (1 byte), store key (32), deadline (6 or 8); for a record also etag (8), creation time and
//! optionally the absolute deadline (6 or 8 each), optionally the length of the owner (4) and the owner; the rest is
//! the payload. A rotation's tombstone ends with the successor's key (32). A load returns the tail of the shared buffer without copying.

use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Payload, Record, StoreKey},
};

/// A record or a tombstone with its store key. Clones share the buffer.
#[derive(Clone)]
pub(crate) struct Entry(Arc<[u8]>);

/// The class of an entry, in the order in which a full store evicts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Tombstone,
    Anonymous,
    Owned,
}

impl Class {
    pub(crate) const ALL: [Self; 3] = [Self::Tombstone, Self::Anonymous, Self::Owned];
}

impl Entry {
    pub(crate) fn record(key: &StoreKey, record: &Record) -> Self {
        let times = [Some(record.idle_deadline), Some(record.created), record.absolute_deadline];
        let wide = !times.iter().flatten().all(|time| fits(*time));
        let width = width_of(wide);
        let owner = record.owner.as_deref();
        let mut flags = if wide { WIDE } else { 0 };
        let mut length = DEADLINE_AT + 2 * width + 8 + record.payload.len();
        if record.absolute_deadline.is_some() {
            flags |= ABSOLUTE;
            length += width;
        }
        if let Some(owner) = owner {
            flags |= OWNED;
            length += 4 + owner.len();
        }
        Self::written(length, |bytes| {
            bytes.put(&[flags]);
            bytes.put(key.as_bytes());
            bytes.put_time(record.idle_deadline, width);
            bytes.put(&record.etag.get().to_le_bytes());
            bytes.put_time(record.created, width);
            if let Some(absolute) = record.absolute_deadline {
                bytes.put_time(absolute, width);
            }
            if let Some(owner) = owner {
                let length = u32::try_from(owner.len()).expect("no owner is longer than the record limit");
                bytes.put(&length.to_le_bytes());
                bytes.put(owner.as_bytes());
            }
            bytes.put(&record.payload);
        })
    }

    pub(crate) fn tombstone(key: &StoreKey, until: Timestamp, successor: Option<&StoreKey>) -> Self {
        let wide = !fits(until);
        let successor = successor.map_or(&[][..], |key| key.as_bytes());
        Self::written(DEADLINE_AT + width_of(wide) + successor.len(), |bytes| {
            bytes.put(&[if wide { TOMBSTONE | WIDE } else { TOMBSTONE }]);
            bytes.put(key.as_bytes());
            bytes.put_time(until, width_of(wide));
            bytes.put(successor);
        })
    }

    /// Writes an entry of this length directly into the shared buffer. Writing it into a `Vec` would need a copy.
    fn written(length: usize, write: impl FnOnce(&mut Place<'_>)) -> Self {
        let mut buffer: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
        let mut place = Place(Arc::get_mut(&mut buffer).expect("nobody else has it yet"));
        write(&mut place);
        debug_assert!(place.0.is_empty(), "the entry is as long as what was written to it");
        Self(buffer)
    }

    pub(crate) fn class(&self) -> Class {
        if self.has(TOMBSTONE) {
            Class::Tombstone
        } else if self.has(OWNED) {
            Class::Owned
        } else {
            Class::Anonymous
        }
    }

    pub(crate) fn key_bytes(&self) -> &[u8; 32] {
        self.0[KEY_AT..DEADLINE_AT].try_into().expect("every entry begins with its key")
    }

    pub(crate) fn key(&self) -> StoreKey {
        StoreKey::from_bytes(*self.key_bytes())
    }

    /// Returns the etag of a record, or `None` for a tombstone.
    pub(crate) fn etag(&self) -> Option<Etag> {
        if self.has(TOMBSTONE) {
            return None;
        }
        let at = DEADLINE_AT + self.width();
        let bytes = self.0.get(at..at + 8)?.try_into().expect("eight bytes are eight bytes");
        Some(Etag::new(u64::from_le_bytes(bytes)))
    }

    /// Returns the key to which a rotation has moved the session, or `None` for any other tombstone and for a record.
    pub(crate) fn successor(&self) -> Option<StoreKey> {
        let at = DEADLINE_AT + self.width();
        let key = self.0[at..].try_into().ok().filter(|_| self.has(TOMBSTONE))?;
        Some(StoreKey::from_bytes(key))
    }

    /// Returns when the entry expires: the earlier deadline of a record, or the end of a tombstone.
    pub(crate) fn deadline(&self) -> Timestamp {
        let idle = self.idle();
        self.absolute().map_or(idle, |absolute| absolute.min(idle))
    }

    pub(crate) fn is_live_record(&self, now: Timestamp) -> bool {
        !self.has(TOMBSTONE) && now < self.deadline()
    }

    /// Returns the idle deadline of a record, or the end of a tombstone.
    pub(crate) fn idle(&self) -> Timestamp {
        self.time(DEADLINE_AT)
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        if !self.has(OWNED) {
            return None;
        }
        let (start, end) = self.owner_span();
        Some(std::str::from_utf8(&self.0[start..end]).expect("these bytes were written from a str"))
    }

    /// Sets the idle deadline, in place if the buffer is not shared.
    pub(crate) fn set_idle(&mut self, idle: Timestamp) {
        if !fits(idle) && !self.has(WIDE) {
            if let Some(mut record) = self.to_record() {
                record.idle_deadline = idle;
                *self = Self::record(&self.key(), &record);
            }
            return;
        }
        let width = self.width();
        let bytes = Arc::make_mut(&mut self.0);
        bytes[DEADLINE_AT..DEADLINE_AT + width].copy_from_slice(&idle.as_millis().to_le_bytes()[..width]);
    }

    pub(crate) fn to_record(&self) -> Option<Record> {
        let etag = self.etag()?;
        let payload_at = if self.has(OWNED) { self.owner_span().1 } else { self.absolute_end() };
        Some(
            Record::new(
                etag,
                self.time(self.created_at()),
                self.idle(),
                Payload::tail_of(Arc::clone(&self.0), payload_at),
            )
            .with_absolute_deadline(self.absolute())
            .with_owner(self.owner().map(Arc::from)),
        )
    }

    pub(crate) fn to_loaded(&self) -> Loaded {
        self.to_record().map_or_else(|| Loaded::Ended { until: self.idle() }, Loaded::Found)
    }

    /// Returns the approximate memory use of this entry: its buffer, its share of counters, tables and allocator
    /// overhead, and its place in the owner index.
    pub(crate) fn cost(&self) -> usize {
        self.0.len() + OVERHEAD + self.owner().map_or(0, |owner| owner.len() + OWNER_OVERHEAD)
    }

    fn has(&self, flag: u8) -> bool {
        self.0[0] & flag != 0
    }

    fn width(&self) -> usize {
        width_of(self.has(WIDE))
    }

    fn created_at(&self) -> usize {
        DEADLINE_AT + self.width() + 8
    }

    fn absolute(&self) -> Option<Timestamp> {
        self.has(ABSOLUTE).then(|| self.time(self.created_at() + self.width()))
    }

    fn absolute_end(&self) -> usize {
        self.created_at() + self.width() * if self.has(ABSOLUTE) { 2 } else { 1 }
    }

    fn owner_span(&self) -> (usize, usize) {
        let at = self.absolute_end();
        let length = u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes are four bytes"));
        (at + 4, at + 4 + length as usize)
    }

    fn time(&self, at: usize) -> Timestamp {
        let width = self.width();
        let mut bytes = [0; 8];
        bytes[8 - width..].copy_from_slice(&self.0[at..at + width]);
        // The value is in the upper bytes, so that the shift extends the sign.
        Timestamp::from_millis(i64::from_le_bytes(bytes) >> (8 * (8 - width)))
    }
}

/// The part of a new entry that has not been written yet.
struct Place<'e>(&'e mut [u8]);

impl Place<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        self.0 = rest;
    }

    fn put_time(&mut self, time: Timestamp, width: usize) {
        self.put(&time.as_millis().to_le_bytes()[..width]);
    }
}

/// Whether a time fits into six bytes of milliseconds, that is, up to the year 6429. Otherwise all times of the entry
/// take eight bytes.
fn fits(time: Timestamp) -> bool {
    const EDGE: i64 = 1 << 47;
    (-EDGE..EDGE).contains(&time.as_millis())
}

const fn width_of(wide: bool) -> usize {
    if wide { 8 } else { 6 }
}

const KEY_AT: usize = 1;
const DEADLINE_AT: usize = 33;

const TOMBSTONE: u8 = 1;
const WIDE: u8 = 2;
const ABSOLUTE: u8 = 4;
const OWNED: u8 = 8;

/// Two counters of the `Arc` (16), the allocator's header and rounding (16), a slot (16), a share of the table (12).
const OVERHEAD: usize = 60;

/// The owner index of a user with one session: the table's slot (96), the name's header (16), a set of four slots (176).
/// A session of a user who has several costs less.
const OWNER_OVERHEAD: usize = 288;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn all_records() -> Vec<Record> {
        let times = [0, -1, 1_795_000_000_123, (1 << 47) - 1, 1 << 47, -(1 << 47), i64::MIN, i64::MAX];
        let mut records = Vec::new();
        for idle in times {
            for absolute in [None, Some(at(5)), Some(at(i64::MAX))] {
                for owner in [None, Some("".into()), Some("ada\n\"ü\"".into())] {
                    for payload in [&b""[..], b"{}", &[0xff; 300]] {
                        records.push(
                            Record::new(Etag::new(u64::MAX - 1), at(-7), at(idle), payload.into())
                                .with_absolute_deadline(absolute)
                                .with_owner(Option::clone(&owner)),
                        );
                    }
                }
            }
        }
        records
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let key = StoreKey::from_bytes([9; 32]);
        for record in all_records() {
            let entry = Entry::record(&key, &record);
            assert_eq!(entry.to_record().as_ref(), Some(&record));
            assert_eq!((entry.key(), entry.deadline()), (key, record.deadline()));
            assert_eq!((entry.etag(), entry.owner()), (Some(record.etag), record.owner.as_deref()));
            assert_eq!(entry.successor(), None);
        }
    }

    #[test]
    fn a_touch_moves_the_idle_deadline_and_nothing_else() {
        let key = StoreKey::from_bytes([9; 32]);
        for mut record in all_records() {
            for idle in [-3, 77, i64::MAX] {
                let mut entry = Entry::record(&key, &record);
                let (shared, before) = (entry.clone(), record.clone());
                entry.set_idle(at(idle));
                record.idle_deadline = at(idle);
                assert_eq!(entry.to_record().as_ref(), Some(&record));
                assert_eq!(shared.to_record(), Some(before), "who read it before keeps what was read");
                assert_eq!(entry.key(), key);
            }
        }
    }

    #[test]
    fn a_tombstone_holds_nothing_but_its_key_its_end_and_its_successor() {
        let key = StoreKey::from_bytes([9; 32]);
        for until in [0, 1_795_000_000_123, i64::MIN, i64::MAX] {
            for successor in [None, Some(StoreKey::from_bytes([8; 32]))] {
                let entry = Entry::tombstone(&key, at(until), successor.as_ref());
                assert_eq!(entry.to_loaded(), Loaded::Ended { until: at(until) });
                assert!(!entry.is_live_record(at(i64::MIN)));
                assert_eq!((entry.etag(), entry.owner(), entry.class()), (None, None, Class::Tombstone));
                assert_eq!((entry.key(), entry.successor()), (key, successor));
            }
        }
    }

    #[test]
    fn a_load_shares_the_stored_buffer() {
        let record = all_records().pop().expect("there are some");
        let entry = Entry::record(&StoreKey::from_bytes([9; 32]), &record);
        let (one, other) = (entry.to_record().expect("a record"), entry.to_record().expect("a record"));
        assert!(std::ptr::eq(one.payload.as_ptr(), other.payload.as_ptr()));
    }
}
