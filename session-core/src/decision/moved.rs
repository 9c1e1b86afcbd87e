//! A session that got a new id while a visit was using it: whether the visit's commit follows it to the new key.

use std::sync::Arc;

use crate::value::record::Record;
use crate::value::time::Timestamp;

/// The session that a visit loaded, as far as it matters for following it.
///
/// A write follows a rotation only if the session had a user when it was loaded, has the same user now, and was not
/// invalidated in between. A session without a user that gets a new id may just have signed in; whoever planted the old
/// id must not be able to write into it. A session that was invalidated has begun anew, which its time of creation
/// shows: a rotation keeps it, and an invalidation [moves it](began).
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    owner: Arc<str>,
    created: Timestamp,
}

impl Loaded {
    /// Returns `None` for a session without a user, which is never followed.
    pub(super) fn of(base: Option<&Record>) -> Option<Self> {
        let base = base?;
        Some(Self { owner: base.owner.clone()?, created: base.created })
    }

    /// Returns whether this record is the same session of the same user under its new key.
    pub(super) fn continues_in(&self, there: &Record) -> bool {
        there.owner.as_deref() == Some(&*self.owner) && there.created == self.created
    }
}

/// Returns whether two records are one session of one user, so that what is meant for the first one may be done to the
/// second one.
pub(crate) fn is_same_session(one: &Record, there: &Record) -> bool {
    Loaded::of(Some(one)).is_some_and(|one| one.continues_in(there))
}

/// Returns when a record begins that is written over `base`: with it, or now if the session was wiped, and then later
/// than `base`, however little time has passed and whatever other machines' clocks say.
pub(super) fn began(base: Option<&Record>, wiped: bool, now: Timestamp) -> Timestamp {
    match base {
        None => now,
        Some(base) if wiped => now.max(Timestamp::from_millis(base.created.as_millis().saturating_add(1))),
        Some(base) => base.created,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::Etag;
    use crate::value::record::Payload;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn record(owner: Option<&str>, created: i64) -> Record {
        Record::new(Etag::new(1), at(created), at(100), Payload::default()).with_owner(owner.map(Into::into))
    }

    #[test]
    fn only_the_same_session_of_the_same_user_is_followed() {
        let ada = record(Some("ada"), 5);
        assert!(is_same_session(&ada, &record(Some("ada"), 5)));
        for other in [record(Some("bob"), 5), record(None, 5), record(Some("ada"), 6), record(Some(""), 5)] {
            assert!(!is_same_session(&ada, &other), "{other:?}");
        }
    }

    #[test]
    fn a_session_without_a_user_is_never_followed() {
        let nobody = record(None, 5);
        assert!(!is_same_session(&nobody, &nobody));
        assert!(!is_same_session(&nobody, &record(Some("ada"), 5)));
    }

    #[test]
    fn an_invalidated_session_begins_later_than_the_one_before() {
        for now in [0, 5, 6, 90] {
            assert!(began(Some(&record(None, 5)), true, at(now)) > at(5));
        }
        assert_eq!(began(Some(&record(None, 5)), true, at(90)), at(90));
        assert_eq!(began(Some(&record(None, 5)), false, at(90)), at(5));
        assert_eq!(began(None, true, at(90)), at(90));
        assert_eq!(began(Some(&record(None, i64::MAX)), true, at(90)), at(i64::MAX));
    }
}
