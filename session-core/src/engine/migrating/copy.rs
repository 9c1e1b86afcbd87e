//! What the stores of a migration hold while a session moves: its copy in the new store, and a note in the old one.
//!
//! Both are records, since a record is all that a store keeps, and both are told from a session by the beginning of their
//! payload. A payload of this library is JSON or base64, so that none begins with a zero byte.

use crate::value::answer::Loaded;
use crate::value::head::SessionHead;
use crate::value::id::Etag;
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// A session in the new store that is not valid there yet: it is once the old store holds the note with this stamp.
#[derive(Debug)]
pub(super) struct Copy {
    /// Drawn for this copy; the etag of the copy and of the note.
    pub(super) stamp: Etag,
    /// The session as the old store held it.
    pub(super) session: Record,
}

impl Copy {
    pub(super) fn of(session: &Record, stamp: Etag) -> Self {
        Self { stamp, session: session.clone() }
    }

    /// The record that holds the copy. It has the owner of the session, so that the index of the new store leads to it.
    pub(super) fn to_record(&self) -> Record {
        let Record { etag, created, .. } = self.session;
        let payload = [COPY, &etag.get().to_le_bytes(), &self.session.payload].concat();
        let record = self.session.clone().with_etag(self.stamp).with_payload(payload.into());
        record.with_created(mark(created))
    }

    fn read(record: &Record) -> Option<Self> {
        let (etag, payload) = record.payload.strip_prefix(COPY)?.split_first_chunk()?;
        let session = record.clone().with_payload(payload.into()).with_created(mark(record.created));
        let session = session.with_etag(Etag::new(u64::from_le_bytes(*etag)));
        Some(Self { stamp: record.etag, session })
    }
}

/// The record that says: this session has moved, or was never here. It has no owner and no data.
pub(super) fn note(stamp: Etag, created: Timestamp, until: Timestamp) -> Record {
    Record::new(stamp, mark(created), until, Payload::from(NOTE))
}

/// What a store holds under a key.
#[derive(Debug)]
pub(super) enum Held {
    /// A session or a tombstone.
    Own(Loaded),
    Copy(Copy),
    /// A note with this stamp.
    Note(Etag),
    Nothing,
}

impl Held {
    pub(super) fn of(loaded: Loaded) -> Self {
        match loaded {
            Loaded::Missing => Self::Nothing,
            Loaded::Ended { .. } => Self::Own(loaded),
            Loaded::Found(ref record) if is_note(record) => Self::Note(record.etag),
            Loaded::Found(ref record) => match Copy::read(record) {
                Some(copy) => Self::Copy(copy),
                None => Self::Own(loaded),
            },
        }
    }
}

pub(super) fn is_note(record: &Record) -> bool {
    *record.payload == *NOTE
}

pub(super) fn is_copy(record: &Record) -> bool {
    record.payload.starts_with(COPY)
}

/// Whether this may be the head of a copy or of a note: only the record itself tells for certain.
pub(super) fn may_be_moving(head: &SessionHead) -> bool {
    head.created.as_millis() < 0
}

/// Times of creation are positive in sessions and negative in copies and notes. Applied twice, it changes nothing.
fn mark(created: Timestamp) -> Timestamp {
    Timestamp::from_millis(!created.as_millis())
}

const COPY: &[u8] = b"\0session copy 1\0";
const NOTE: &[u8] = b"\0session note 1\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_gives_back_the_session_unchanged() {
        for (created, payload) in
            [(0, &b"{}"[..]), (1_795_000_000_000, b""), (-5, b"\0\xff"), (i64::MIN, b"x")]
        {
            let at = Timestamp::from_millis;
            let session = Record::new(Etag::new(7), at(created), at(50), payload.into())
                .with_absolute_deadline(Some(at(90)))
                .with_owner(Some("ada".into()));
            let held = Copy::of(&session, Etag::new(8)).to_record();
            assert!(held.etag == Etag::new(8) && held.owner == session.owner && held.idle_deadline == at(50));
            let Held::Copy(copy) = Held::of(Loaded::Found(held)) else { panic!("a copy") };
            assert_eq!((copy.stamp, copy.session), (Etag::new(8), session));
        }
    }

    #[test]
    fn a_session_is_neither_copy_nor_note() {
        let at = Timestamp::from_millis;
        for payload in [&b"{}"[..], b"", b"\0", b"\0session copy 1\0", &[NOTE, b"{}"].concat()] {
            let session = Record::new(Etag::new(7), at(-1), at(50), payload.into());
            let held = Held::of(Loaded::Found(session.clone()));
            assert!(matches!(held, Held::Own(Loaded::Found(own)) if own == session), "{payload:?}");
        }
        assert!(matches!(Held::of(Loaded::Found(note(Etag::new(7), at(3), at(9)))), Held::Note(_)));
    }
}
