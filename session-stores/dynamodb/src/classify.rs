//! Decides the result of a refused write from the current item, without I/O.

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, StoreError, Written},
};

use crate::item::{self, Item};

/// The result of a refused write that expected a live record with a certain etag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The result is final.
    Answer(Written),
    /// The live record has the expected etag, so another condition failed.
    Holds(Record),
}

/// Classifies a refused replace.
pub(crate) fn replace(
    standing: Option<&Item>,
    expected: Etag,
    written: Etag,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    Ok(match live(standing, now)? {
        None => Verdict::Answer(Written::Gone),
        Some(record) if record.etag == written => Verdict::Answer(Written::Applied),
        Some(record) if record.etag == expected => Verdict::Holds(record),
        Some(record) => Verdict::Answer(Written::Conflict(record)),
    })
}

/// Classifies a refused touch.
pub(crate) fn touch(
    standing: Option<&Item>,
    idle_deadline: Timestamp,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    Ok(match live(standing, now)? {
        None => Verdict::Answer(Written::Gone),
        Some(record) if record.idle_deadline >= idle_deadline => Verdict::Answer(Written::Applied),
        Some(record) => Verdict::Holds(record),
    })
}

/// Classifies a refused create: the store key is taken, or the existing record is the one to be written.
pub(crate) fn create(standing: Option<&Item>, written: Etag) -> Written {
    if is_ours(standing, written) { Written::Applied } else { Written::Taken }
}

/// Classifies the old half of a refused rotation. Returns `None` if its condition did not fail.
///
/// A retry finds the tombstone of the old session (or nothing, if it has expired) and its own record under the new
/// store key.
pub(crate) fn rotate(
    old: Option<&Item>,
    new: Option<&Item>,
    expected: Etag,
    written: Etag,
    now: Timestamp,
) -> Result<Option<Written>, StoreError> {
    let retired = match old {
        None => true,
        Some(item) => matches!(item::read(item), Ok(Loaded::Ended { .. })),
    };
    if retired && is_ours(new, written) {
        return Ok(Some(Written::Applied));
    }
    Ok(match live(old, now)? {
        None => Some(Written::Gone),
        Some(record) if record.etag == expected => None,
        Some(record) => Some(Written::Conflict(record)),
    })
}

/// Whether the current record is the one of this write.
pub(crate) fn is_ours(standing: Option<&Item>, written: Etag) -> bool {
    matches!(standing.map(item::read), Some(Ok(Loaded::Found(record))) if record.etag == written)
}

fn live(standing: Option<&Item>, now: Timestamp) -> Result<Option<Record>, StoreError> {
    Ok(match standing.map(item::read).transpose()? {
        Some(Loaded::Found(record)) if record.is_live(now) => Some(record),
        Some(Loaded::Found(_) | Loaded::Ended { .. } | Loaded::Missing) | None => None,
    })
}

#[cfg(test)]
mod tests {
    use session_core::store::StoreKey;

    use super::*;
    use crate::names::Names;

    const NOW: Timestamp = Timestamp::from_millis(100);

    fn standing(etag: u64, idle: i64) -> Item {
        let key = StoreKey::from_bytes([7; 32]);
        let mut item = item::of_record(&key, &record(etag, idle));
        item.extend(Names::new("shop").session(&key));
        item
    }

    fn record(etag: u64, idle: i64) -> Record {
        Record::new(
            Etag::new(etag),
            Timestamp::from_millis(0),
            Timestamp::from_millis(idle),
            b"{}"[..].into(),
        )
    }

    fn check(standing: Option<&Item>, wanted: Written) {
        let verdict = replace(standing, Etag::new(1), Etag::new(2), NOW).unwrap();
        assert_eq!(verdict, Verdict::Answer(wanted));
    }

    #[test]
    fn a_refused_replace_is_gone_a_conflict_or_a_retry() {
        check(None, Written::Gone);
        check(Some(&item::of_tombstone(NOW)), Written::Gone);
        check(Some(&standing(1, 100)), Written::Gone);
        check(Some(&standing(2, 100)), Written::Gone);
        check(Some(&standing(2, 101)), Written::Applied);
        check(Some(&standing(3, 101)), Written::Conflict(record(3, 101)));
    }

    #[test]
    fn a_retry_of_a_rotation_is_known_by_the_tombstone_and_its_own_record() {
        let ours = standing(2, 900);
        let tombstone = item::of_tombstone(NOW);
        let (first, other, fifth) = (standing(1, 900), standing(7, 900), standing(5, 900));
        let rotate = |old, new| rotate(old, new, Etag::new(1), Etag::new(2), NOW).unwrap();
        assert_eq!(rotate(Some(&tombstone), Some(&ours)), Some(Written::Applied));
        assert_eq!(rotate(Some(&tombstone), Some(&other)), Some(Written::Gone));
        assert_eq!(rotate(Some(&tombstone), None), Some(Written::Gone));
        assert_eq!(rotate(Some(&first), Some(&other)), None);
        assert_eq!(rotate(Some(&fifth), Some(&ours)), Some(Written::Conflict(record(5, 900))));
    }
}
