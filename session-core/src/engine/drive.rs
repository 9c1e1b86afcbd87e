//! The driver of a session through a request: open, begin to commit, call the store, conclude, report.
//!
//! Nothing is decided here. The lock is held only between two awaits, and what is awaited is the store alone. Every commit
//! goes the same way: [`begin`], then [`perform_all`] if something has to be asked, then [`conclude`]; a closing visit ends
//! with [`VisitReport::settled`](super::report::VisitReport::settled).
//!
//! What runs under the lock tells no event: it returns them as [`Told`], for the time after it. The observer is the
//! application's, and may look at the session.

use std::sync::{Arc, OnceLock};

use tracing::Instrument as _;

use super::carry::{Came, Handover, carry_over};
use super::common::Engine;
use super::error::OpenError;
use super::event::{Event, Told};
use super::old_cookie::{self, FromOld};
use super::perform::perform_all;
use super::room;
use super::visit::CookieHeaders;
use crate::decision::commit::{CommitError, Outcome, StoreOp, Writing};
use crate::decision::decide::{Refusal, Trigger, Write};
use crate::decision::state::{Access, Claim, LoadError, Notice, SessionState};
use crate::value::answer::{Loaded, StoreError};
use crate::value::id::{SessionId, StoreKey};
use crate::value::time::Timestamp;

/// Opens the session of a request: its cookies, one load if they name a session, and the state they make. With a place for
/// what the response does with other cookies, a visitor of another library is carried over, and a session whose earlier
/// configuration kept it elsewhere is moved.
pub(crate) async fn open(
    engine: &Engine,
    cookies: &CookieHeaders,
    access: Access,
    handover: Option<&OnceLock<Handover>>,
) -> Result<Box<SessionState>, OpenError> {
    // The session is judged by the moment at which it was asked for, however long the store takes to answer.
    let now = engine.clock.now();
    let read = engine.read(cookies, now);
    let tell = |reason| engine.tell(&Event::RejectedCookie(reason));
    let old = old_cookie::find(engine, &read, cookies, handover.is_some(), now, tell);
    let is_old = old.is_some();
    let mut arrival = engine.arrive(read, cookies, now, old.as_ref().map(FromOld::codec));
    let came = match (old, handover) {
        (Some(old), _) => {
            let came = old.take_over(engine, cookies, &mut arrival, now).instrument(load_span()).await;
            Some(came.map_err(|error| {
                engine.tell(&Event::of_store(&error));
                OpenError::Store(error)
            })?)
        }
        (None, Some(_)) if arrival.claim.is_none() => carry_over(engine, cookies, &mut arrival, now).await?,
        (None, _) => None,
    };
    let came = came.unwrap_or(Came { loaded: None, handover: None });
    if let (Some(place), Some(order)) = (handover, came.handover) {
        // Once opened, it is not opened again; after a failure the order is the same.
        _ = place.set(order);
    }
    let loaded = match (came.loaded, &arrival.claim) {
        (Some(loaded), _) => loaded,
        (None, Some(Claim::Id(id))) => load(engine, id).instrument(load_span()).await,
        (None, Some(Claim::Record(id, _))) => match &engine.revocations {
            Some(list) => {
                let key = id.store_key();
                async { list.load(&key).await }.instrument(load_span()).await
            }
            None => Ok(Loaded::Missing),
        },
        (None, None) => Ok(Loaded::Missing),
    };
    let mut state = SessionState::open_boxed(arrival, loaded, access, now).map_err(|error| match error {
        LoadError::Store(error) => {
            engine.tell(&Event::of_store(&error));
            OpenError::Store(error)
        }
        LoadError::Newer(error) => {
            engine.tell(&Event::Newer);
            OpenError::Newer(error)
        }
    })?;
    state.limit_to(&engine.policy);
    match state.notice() {
        Some(Notice::Expired) => engine.tell(&Event::Expired),
        Some(Notice::Corrupt) => engine.tell(&Event::Corrupt),
        Some(Notice::Unproven(lack)) => engine.tell(&Event::Unproven(lack)),
        Some(Notice::Unbound) => engine.tell(&Event::Unbound),
        None => {}
    }
    if is_old
        && !state.is_fresh()
        && let Some(key) = state.key()
    {
        engine.tell(&Event::OldCookie(key.handle()));
    }
    engine.tell(&Event::Initiated { fresh: state.is_fresh() });
    Ok(state)
}

async fn load(engine: &Engine, id: &SessionId) -> Result<Loaded, StoreError> {
    let Some(store) = &engine.store else { return Ok(Loaded::Missing) };
    store.load(&id.store_key()).await
}

/// A commit that must call the store.
#[must_use = "dropped, it loses the changes of its visit: perform and conclude it"]
pub(crate) struct Work {
    writing: Box<Writing>,
    /// The key that this commit ends, for the event.
    ended: Option<StoreKey>,
    /// The user whom this commit signs in.
    user: Option<Arc<str>>,
}

/// Begins to commit the changes of the visit. Returns `None` if the store need not be called.
pub(crate) fn begin(
    engine: &Engine,
    state: &mut SessionState,
    trigger: Trigger,
    now: Timestamp,
    told: &mut Told,
) -> Result<Option<Work>, CommitError> {
    if state.needs_nothing(&engine.policy, trigger, now) {
        return Ok(None);
    }
    let before = state.record().and_then(|record| record.owner.clone());
    let begun = writing(engine, state, trigger, now);
    let writing = begun.inspect_err(|error| told.extend(trouble(error)))?;
    // A key is a hash: it is made only for what is told.
    let ends = writing.ends_a_session().then(|| state.key()).flatten();
    let user = state.owner().filter(|owner| *owner != before.as_deref().unwrap_or_default()).map(Arc::from);
    match writing.step() {
        Some(_) => Ok(Some(Work { writing, ended: ends, user })),
        None => settle(engine, state, writing, ends, told).map(|()| None),
    }
}

fn writing(
    engine: &Engine,
    state: &mut SessionState,
    trigger: Trigger,
    now: Timestamp,
) -> Result<Box<Writing>, CommitError> {
    let keeps_its_id = state.keeps_its_id();
    let draw = || if keeps_its_id { engine.fresh_without_id() } else { engine.fresh() };
    let mut writing = Writing::begin(state, &engine.policy, trigger, now, draw)?;
    // Before anything is revoked: the visitor keeps the old cookie if the new one is refused.
    while let Some(Err(error)) =
        writing.carried().map(|(record, persistent)| engine.codec.check(state.scope(), record, persistent))
    {
        if !writing.give_way() {
            writing.undo(state);
            return Err(error);
        }
    }
    if let Some(StoreOp::Touch { key, idle_deadline, .. }) = writing.step()
        && !engine.touches.claim(*key, *idle_deadline, state.age(&engine.policy))
    {
        writing.skip();
    }
    Ok(writing)
}

/// Performs all store operations of a commit.
pub(crate) async fn perform(engine: &Engine, work: Work) -> Work {
    let work_all = async {
        let Work { writing, ended, user } = work;
        let writing = perform_all(engine, writing).await;
        if let Some(user) = &user
            && let Some(key) = writing.written()
        {
            room::keep(engine, user, &key).await;
        }
        Work { writing, ended, user }
    };
    work_all.instrument(commit_span()).await
}

/// Ends a commit: updates the state with the outcome.
pub(crate) fn conclude(
    engine: &Engine,
    state: &mut SessionState,
    work: Work,
    told: &mut Told,
) -> Result<(), CommitError> {
    settle(engine, state, work.writing, work.ended, told)
}

fn settle(
    engine: &Engine,
    state: &mut SessionState,
    writing: Box<Writing>,
    ended: Option<StoreKey>,
    told: &mut Told,
) -> Result<(), CommitError> {
    let Outcome { result, decision, conflicts, gave_way, .. } = writing.finish(state, &engine.policy);
    if conflicts > 0 {
        told.push(Event::Conflict(conflicts));
    }
    if let Err(error) = &result {
        told.extend(trouble(error));
        return result;
    }
    told.extend(gave_way.iter().map(|bag| Event::GaveWay(*bag)));
    if decision.refusal == Some(Refusal::Unseen) {
        told.push(Event::Unseen);
    }
    let written = match decision.write {
        Write::Create | Write::Replace | Write::Touch | Write::Rotate => state.key(),
        Write::Nothing | Write::Destroy | Write::Revoke => None,
    };
    let (old, new) = (ended.map(|key| key.handle()), written.map(|key| key.handle()));
    told.extend(match (decision.write, old, new) {
        (Write::Create, _, Some(new)) => Some(Event::Created(new)),
        (Write::Replace, _, Some(handle)) => Some(Event::Committed(handle)),
        (Write::Touch, _, Some(handle)) => Some(Event::Touched(handle)),
        (Write::Rotate, Some(from), Some(to)) => Some(Event::Migrated { from, to }),
        (Write::Nothing | Write::Destroy | Write::Revoke, Some(handle), _) => Some(Event::Destroyed(handle)),
        _ => None,
    });
    result
}

/// The store's part of an opening.
fn load_span() -> tracing::Span {
    tracing::debug_span!(target: "session", "session.load")
}

/// The store's part of a commit; like everything that is traced, without a word about whose session it is.
fn commit_span() -> tracing::Span {
    tracing::debug_span!(target: "session", "session.commit")
}

/// The event of an error.
fn trouble(error: &CommitError) -> Option<Event> {
    match error {
        CommitError::Gone => Some(Event::Gone),
        CommitError::Store(error) => Some(Event::of_store(error)),
        CommitError::Contended => Some(Event::Contended),
        CommitError::TooLarge { size, limit } => Some(Event::TooLarge { size: *size, limit: *limit }),
        CommitError::Newer(_) => Some(Event::Newer),
        CommitError::Unseen => Some(Event::Unseen),
        // Told when the session was opened.
        CommitError::Unproven => None,
        CommitError::Entropy | CommitError::ReadOnly | CommitError::NoResponse | CommitError::Closed => None,
    }
}
