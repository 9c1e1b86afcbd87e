//! The driver: asks the store what a visit needs, begins a commit, has its operations performed, and concludes.
//!
//! It decides nothing. It holds the lock only between two awaits, and what it awaits is the store alone.

use tracing::Instrument as _;

use super::error::OpenError;
use super::event::Event;
use super::perform::{Work, perform_all};
use super::report::VisitReport;
use super::session::Shared;
use super::sessions::Inner;
use super::store::SessionStore;
use super::visit::CookieHeaders;
use crate::decision::commit::{Commit, CommitError, Outcome, StoreOp};
use crate::decision::decide::{CookieAction, Fate, Origin, Write};
use crate::decision::state::{Arrival, Claim, Notice, SessionState};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind};
use crate::value::id::SessionId;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Opens the session of a request: its cookies, one load if they name a session, and the state they make.
pub(crate) async fn open(sessions: &Inner, cookies: &CookieHeaders) -> Result<SessionState, OpenError> {
    // The session is judged by the moment at which it was asked for, however long the store takes to answer.
    let now = sessions.clock.now();
    let arrival = sessions.arrive(cookies, now);
    let loaded = match &arrival.claim {
        Some(Claim::Id(id)) => load(sessions, id).instrument(load_span()).await,
        Some(Claim::Record(id, _)) => match &sessions.revocations {
            Some(list) => look_up(sessions, list.as_ref(), id, now).instrument(load_span()).await,
            None => Ok(Loaded::Missing),
        },
        None => Ok(Loaded::Missing),
    };
    let state = match loaded {
        Ok(loaded) => {
            let opened = SessionState::open(arrival, loaded, now);
            opened.inspect_err(|_| sessions.tell(&Event::Newer)).map_err(OpenError::Newer)?
        }
        Err(error) if error.kind() == StoreErrorKind::Corrupt => SessionState::corrupt(arrival),
        Err(error) => {
            sessions.tell(&Event::StoreError(error.store()));
            return Err(OpenError::Store(error));
        }
    };
    match state.notice() {
        Some(Notice::Expired) => sessions.tell(&Event::Expired),
        Some(Notice::Corrupt) => sessions.tell(&Event::Corrupt),
        None => {}
    }
    sessions.tell(&Event::Initiated { fresh: state.is_fresh() });
    Ok(state)
}

async fn load(sessions: &Inner, id: &SessionId) -> Result<Loaded, StoreError> {
    let Some(store) = &sessions.store else { return Ok(Loaded::Missing) };
    let key = id.store_key();
    Ok(match store.load(&key).await? {
        Loaded::Found(record) if sessions.encrypt_at_rest => match sessions.unseal(&key, record) {
            Some(record) => Loaded::Found(record),
            None => return Err(StoreError::new(StoreErrorKind::Corrupt, store.name())),
        },
        loaded => loaded,
    })
}

/// What stands in the list of revocations is revoked, whatever it looks like.
async fn look_up(
    sessions: &Inner,
    revocations: &dyn SessionStore,
    id: &SessionId,
    now: Timestamp,
) -> Result<Loaded, StoreError> {
    Ok(match revocations.load(&id.store_key()).await? {
        Loaded::Missing => Loaded::Missing,
        Loaded::Ended { .. } | Loaded::Found(_) => {
            Loaded::Ended { until: sessions.policy.tombstone_until(now) }
        }
    })
}

/// Begins to commit what the visit changed.
pub(crate) fn begin(sessions: &Inner, state: &mut SessionState, now: Timestamp) -> Result<Work, CommitError> {
    let revoke = match (&sessions.revocations, state.origin(), state.fate()) {
        (Some(_), Origin::Carried, Fate::Renew | Fate::Destroy) => state.key().zip(state.record().cloned()),
        _ => None,
    };
    let keeps_its_id = state.keeps_its_id();
    let draw = || if keeps_its_id { sessions.fresh_without_id() } else { sessions.fresh() };
    let mut commit = Commit::begin(state, &sessions.policy, now, draw)?;
    // Before anything is revoked: the visitor keeps the old cookie if the new one is refused.
    if let Some(Err(error)) = commit.carried().map(|record| sessions.check_cookie(record)) {
        commit.undo(state);
        return Err(error);
    }
    if let Some(StoreOp::Touch { key, idle_deadline, .. }) = commit.step()
        && !sessions.touches.claim(*key, *idle_deadline, state.age(&sessions.policy))
    {
        commit.skip();
    }
    Ok(Work { commit, revoke, begun: now })
}

/// Begins to commit what was changed by a session that no response belongs to. What a cookie alone could make true is
/// refused and stays uncommitted.
pub(crate) fn begin_detached(
    sessions: &Inner,
    state: &mut SessionState,
    now: Timestamp,
) -> Result<Work, CommitError> {
    let is_carried = state.origin() == Origin::Carried;
    let is_wanted = state.is_changed() || state.fate() > Fate::Keep;
    let work = begin(sessions, state, now)?;
    let is_told_in_vain = match work.commit.decision().cookie {
        CookieAction::SetNew => true,
        CookieAction::SetRecord => is_wanted,
        CookieAction::Clear => is_carried && work.revoke.is_none(),
        // What is only issued again can be issued by the next request.
        CookieAction::SetOld | CookieAction::Keep => false,
    };
    if is_told_in_vain {
        work.commit.undo(state);
        return Err(CommitError::NoResponse);
    }
    Ok(work)
}

/// Performs the operations of a commit whose visit is closed, and says what to answer.
pub(crate) async fn run(shared: &Shared, mut work: Box<Work>) -> VisitReport {
    perform_all(&shared.sessions, &mut work).instrument(commit_span()).await;
    settle(&shared.sessions, &mut shared.lock().state, *work, || shared.sessions.clock.now())
}

/// Performs the operations of a commit in the middle of a visit.
pub(crate) async fn run_mid_visit(shared: &Shared, mut work: Box<Work>) -> Result<(), CommitError> {
    perform_all(&shared.sessions, &mut work).instrument(commit_span()).await;
    let mut cell = shared.lock();
    conclude(&shared.sessions, &mut cell.state, *work)?;
    // A record that does not fit its cookie must be heard of now, not when the response is ready.
    shared.sessions.header(&cell.state, || shared.sessions.clock.now()).map(|_| ())
}

/// The report of a visit that changed nothing, or nothing since its last commit.
pub(crate) fn at_rest(
    sessions: &Inner,
    state: &SessionState,
    now: impl FnOnce() -> Timestamp,
) -> VisitReport {
    match sessions.header(state, now) {
        Ok(set_cookie) => VisitReport { set_cookie, ..VisitReport::default() },
        Err(error) => VisitReport { error: Some(error), ..VisitReport::default() },
    }
}

/// Finishes a commit that needs no (further) operation.
pub(crate) fn settle(
    sessions: &Inner,
    state: &mut SessionState,
    work: Work,
    now: impl FnOnce() -> Timestamp,
) -> VisitReport {
    match conclude(sessions, state, work) {
        Ok(()) => at_rest(sessions, state, now),
        Err(error) => VisitReport {
            error: Some(error),
            set_cookie: earlier_cookie(sessions, state),
            ..VisitReport::default()
        },
    }
}

/// A commit that failed before its first operation.
pub(crate) fn failed(sessions: &Inner, state: &SessionState, error: CommitError) -> VisitReport {
    tell_error(sessions, &error);
    VisitReport { error: Some(error), set_cookie: earlier_cookie(sessions, state), ..VisitReport::default() }
}

/// What an earlier commit of the same visit has to tell the browser when the last one failed.
///
/// The handler was told that it succeeded, so its session must be one that the visitor can come back to: without this
/// cookie a new session would be nobody's, and a renewed one would have died with its old id. What was to be destroyed
/// is not handed out.
fn earlier_cookie(sessions: &Inner, state: &SessionState) -> Option<String> {
    let is_wanted = state.fate() != Fate::Destroy;
    sessions.header(state, || sessions.clock.now()).ok().flatten().filter(|_| is_wanted)
}

/// Ends a session that nobody opened.
pub(crate) async fn end(sessions: &Inner, arrival: Arrival) -> Result<(), StoreError> {
    let now = sessions.clock.now();
    match arrival.claim {
        Some(Claim::Id(id)) => {
            let key = id.store_key();
            if let Some(store) = &sessions.store {
                let ended = store.destroy(&key, sessions.policy.tombstone_until(now)).await;
                ended.inspect_err(|error| sessions.tell(&Event::StoreError(error.store())))?;
            }
            sessions.tell(&Event::Destroyed(key.handle()));
        }
        Some(Claim::Record(id, record)) => {
            let key = id.store_key();
            let revoked = sessions.revoke(&key, &record).await;
            revoked.inspect_err(|error| sessions.tell(&Event::StoreError(error.store())))?;
            sessions.tell(&Event::Destroyed(key.handle()));
        }
        None => {}
    }
    Ok(())
}

/// The store's part of an opening.
fn load_span() -> tracing::Span {
    tracing::debug_span!(target: "session", "session.load")
}

/// The store's part of a commit; like everything that is traced, without a word about whose session it is.
fn commit_span() -> tracing::Span {
    tracing::debug_span!(target: "session", "session.commit")
}

fn conclude(sessions: &Inner, state: &mut SessionState, work: Work) -> Result<(), CommitError> {
    // A key is a hash: it is made only for what is told.
    let ordered = work.commit.decision();
    let ends =
        matches!(ordered.write, Write::Rotate | Write::Destroy) || ordered.cookie == CookieAction::Clear;
    let before = if ends { state.key() } else { None };
    let Outcome { result, decision, conflicts, .. } = work.commit.finish(state, &sessions.policy);
    if conflicts > 0 {
        sessions.tell(&Event::Conflict(conflicts));
    }
    if let Err(error) = &result {
        tell_error(sessions, error);
        return result;
    }
    let after = match decision.write {
        Write::Create | Write::Replace | Write::Touch | Write::Rotate => state.key(),
        Write::Nothing | Write::Destroy => None,
    };
    let (old, new) = (before.map(|key| key.handle()), after.map(|key| key.handle()));
    match (decision.write, old, new) {
        (Write::Create, _, Some(new)) => sessions.tell(&Event::Created(new)),
        (Write::Replace, _, Some(handle)) => sessions.tell(&Event::Committed(handle)),
        (Write::Touch, _, Some(handle)) => sessions.tell(&Event::Touched(handle)),
        (Write::Rotate, Some(from), Some(to)) => sessions.tell(&Event::Migrated { from, to }),
        (Write::Destroy, Some(handle), _) => sessions.tell(&Event::Destroyed(handle)),
        (Write::Nothing, Some(handle), _) if decision.cookie == CookieAction::Clear => {
            sessions.tell(&Event::Destroyed(handle))
        }
        _ => {}
    }
    result
}

pub(crate) fn tell_error(sessions: &Inner, error: &CommitError) {
    match error {
        CommitError::Gone => sessions.tell(&Event::Gone),
        CommitError::Store(error) => sessions.tell(&Event::StoreError(error.store())),
        CommitError::Contended => sessions.tell(&Event::Contended),
        CommitError::TooLarge { size, limit } => {
            sessions.tell(&Event::TooLarge { size: *size, limit: *limit });
        }
        CommitError::Newer(_) => sessions.tell(&Event::Newer),
        CommitError::Entropy | CommitError::ReadOnly | CommitError::NoResponse | CommitError::Closed => {}
    }
}

/// A record's copy for the store: as it is, or sealed.
pub(crate) enum Sealed<'a> {
    AsItIs(&'a Record),
    Sealed(Record),
}

impl std::ops::Deref for Sealed<'_> {
    type Target = Record;

    fn deref(&self) -> &Record {
        match self {
            Self::AsItIs(record) => record,
            Self::Sealed(record) => record,
        }
    }
}
