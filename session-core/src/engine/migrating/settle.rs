//! The protocol of a move: copy, note, promotion; and where a session is at any moment.
//!
//! 1. The new store gets a *copy* of the session, under the same key ([`SessionStore::create`]).
//! 2. The old store's record is replaced by a *note* with the stamp of that copy, if the session is still the one that was
//!    copied ([`SessionStore::replace`]). This step is the linearization point: before it the session is in the old store, after
//!    it in the new one.
//! 3. The copy is *promoted* to a session ([`SessionStore::replace`] over the stamp).
//!
//! A call that finds an unfinished move completes it. A copy without its note does not count: the session is in the old
//! store, or has ended. A session that ends in the new store cannot come back from the old one, because a session is valid
//! in the new store only after it has become invalid in the old one.

use tracing::debug;

use super::copy::{Copy, Held, note};
use super::pair::MigratingStore;
use crate::engine::store::SessionStore;
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Where a session is.
pub(super) enum Place {
    /// The new store answers: it holds a session or a tombstone.
    New(Loaded),
    /// In the new store, by this copy, which is still to be promoted.
    Copied(Copy),
    /// In the old store, live or expired; and the stamp of what is in its way in the new one.
    Old(Record, InTheWay),
    /// In neither: missing, or the old store's tombstone.
    Nowhere(Loaded),
}

pub(super) enum InTheWay {
    Nothing,
    Copy(Copy),
    Note(Etag),
}

/// What is left to do once a session has been moved, where it could be.
pub(super) enum Settled {
    New,
    /// It stays in the old store: it does not fit into the new one, or sessions are not to be moved yet.
    Old,
    /// There is a tombstone in the old store, which may know where the session went.
    Ended,
    Missing,
}

/// The moment at which the caller acts, and how long a note is kept at least.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) notes_until: Timestamp,
}

enum Begun {
    Copied(Copy),
    /// Somebody else has changed what is there.
    Again,
    /// No copy can be made.
    Blocked,
}

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> MigratingStore<T, F> {
    /// Finds the session, without changing anything.
    ///
    /// The new store is read first, and again if the old one has a session no more: it may have moved in between.
    pub(super) async fn find(&self, key: &StoreKey) -> Result<Place, StoreError> {
        let first = match Held::of(self.to.load(key).await?) {
            Held::Own(loaded) => return Ok(Place::New(loaded)),
            Held::Copy(copy) => InTheWay::Copy(copy),
            Held::Note(stamp) => InTheWay::Note(stamp),
            Held::Nothing => InTheWay::Nothing,
        };
        let noted = match Held::of(self.from.load(key).await?) {
            Held::Own(Loaded::Found(session)) => return Ok(Place::Old(session, first)),
            Held::Note(stamp) => Some(stamp),
            Held::Own(ended) => return self.look_again(key, None, ended).await,
            // Only the new store holds copies; whatever this is, it is no session.
            Held::Copy(_) | Held::Nothing => None,
        };
        match first {
            InTheWay::Copy(copy) if Some(copy.stamp) == noted => Ok(Place::Copied(copy)),
            _ => self.look_again(key, noted, Loaded::Missing).await,
        }
    }

    async fn look_again(
        &self,
        key: &StoreKey,
        noted: Option<Etag>,
        old: Loaded,
    ) -> Result<Place, StoreError> {
        Ok(match Held::of(self.to.load(key).await?) {
            Held::Own(loaded) => Place::New(loaded),
            Held::Copy(copy) if Some(copy.stamp) == noted => Place::Copied(copy),
            Held::Copy(_) | Held::Note(_) | Held::Nothing => Place::Nowhere(old),
        })
    }

    /// Moves the session, unless it is in the new store already or is not alive.
    pub(super) async fn settle(
        &self,
        key: &StoreKey,
        moment: Moment,
        may_move: bool,
    ) -> Result<Settled, StoreError> {
        for _ in 0..MOST_ATTEMPTS {
            match self.find(key).await? {
                Place::New(_) => return Ok(Settled::New),
                Place::Copied(copy) => {
                    self.promote(key, &copy, moment).await?;
                    return Ok(Settled::New);
                }
                Place::Nowhere(Loaded::Ended { .. }) => return Ok(Settled::Ended),
                Place::Nowhere(_) => return Ok(Settled::Missing),
                Place::Old(session, _) if !session.is_live(moment.now) => return Ok(Settled::Missing),
                Place::Old(..) if !may_move => return Ok(Settled::Old),
                Place::Old(session, in_the_way) => {
                    let copy = match self.copy(key, &session, in_the_way, moment.now).await? {
                        Begun::Copied(copy) => copy,
                        Begun::Again => continue,
                        Begun::Blocked => return Ok(Settled::Old),
                    };
                    let until = session.deadline().max(moment.notes_until);
                    let note = note(copy.stamp, session.created, until);
                    match self.from.replace(key, session.etag, &note, moment.now).await? {
                        Written::Applied => {
                            self.promote(key, &copy, moment).await?;
                            return Ok(Settled::New);
                        }
                        // Written to, or noted by somebody else.
                        Written::Conflict(_) => {}
                        Written::Gone | Written::Moved { .. } | Written::Taken => {
                            self.abandon(key, copy.stamp, moment).await?;
                        }
                    }
                }
            }
        }
        Err(StoreError::timeout(self.name()))
    }

    async fn copy(
        &self,
        key: &StoreKey,
        session: &Record,
        in_the_way: InTheWay,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        let copy = Copy::of(session, self.draw()?);
        let record = copy.to_record();
        let written = match in_the_way {
            InTheWay::Copy(there) if there.session.etag == session.etag => return Ok(Begun::Copied(there)),
            // A copy of an older version can never be valid any more: no etag comes back.
            InTheWay::Copy(Copy { stamp, .. }) | InTheWay::Note(stamp) => {
                self.to.replace(key, stamp, &record, now).await
            }
            InTheWay::Nothing => self.to.create(key, &record, now).await,
        };
        match written {
            Ok(Written::Applied) => Ok(Begun::Copied(copy)),
            Ok(Written::Conflict(_) | Written::Moved { .. } | Written::Taken) => Ok(Begun::Again),
            // What is in the way has expired and is still there.
            Ok(Written::Gone) => Ok(Begun::Blocked),
            Err(error) if matches!(error.kind(), StoreErrorKind::TooLarge { .. }) => Ok(Begun::Blocked),
            Err(error) => Err(error),
        }
    }

    async fn promote(&self, key: &StoreKey, copy: &Copy, moment: Moment) -> Result<(), StoreError> {
        let promoted = self.to.replace(key, copy.stamp, &copy.session, moment.now).await?;
        if promoted != Written::Applied {
            return Ok(());
        }
        self.count_a_move();
        debug!(target: "session", to = self.to.name(), from = self.from.name(), "a session has moved");
        // From here on the note only tells requests in flight where to go. An error leaves it for longer.
        if copy.session.deadline() > moment.notes_until {
            let brief = note(self.draw()?, copy.session.created, moment.notes_until);
            let _ = self.from.replace(key, copy.stamp, &brief, moment.now).await;
        }
        Ok(())
    }

    /// Takes the data out of a copy of a session that has ended. An error leaves it until its deadline.
    pub(super) async fn abandon(
        &self,
        key: &StoreKey,
        stamp: Etag,
        moment: Moment,
    ) -> Result<(), StoreError> {
        let empty = note(self.draw()?, Timestamp::from_millis(0), moment.notes_until);
        let _ = self.to.replace(key, stamp, &empty, moment.now).await;
        Ok(())
    }

    /// Finds the record to which the old store says that a session was rotated.
    pub(super) async fn follow(
        &self,
        key: StoreKey,
        record: Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let record = match self.find(&key).await? {
            Place::Old(session, _) => session,
            Place::Copied(copy) => copy.session,
            Place::New(Loaded::Found(session)) => session,
            // Rotated again in the new store, which only a write hears of: one that cannot apply.
            Place::New(_) => {
                let probe = record.with_etag(self.draw()?);
                return Ok(match self.to.replace(&key, self.draw()?, &probe, now).await? {
                    moved @ Written::Moved { .. } => moved,
                    _ => Written::Gone,
                });
            }
            Place::Nowhere(_) => return Ok(Written::Gone),
        };
        Ok(if record.is_live(now) { Written::Moved { key, record } } else { Written::Gone })
    }
}

/// How often others may come first before a call gives up.
const MOST_ATTEMPTS: usize = 100;
