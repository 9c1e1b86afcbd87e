//! Moves a session between its cookie and a store, once, however many requests bring its old cookie at the same time.
//!
//! The id after the move is derived from the id before, so that all requests with the old cookie find the same session. What
//! was in a cookie is created in the store, then noted as ended. What was in a store goes into the cookie of every request
//! that comes within a few minutes; in the store it expires after them.

use std::time::Duration;

use crate::decision::state::{Arrival, Claim, Demand};
use crate::engine::common::Engine;
use crate::engine::event::Event;
use crate::engine::room;
use crate::engine::store::SessionStore;
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::content::{Changes, Content};
use crate::value::flash::Flash;
use crate::value::id::{Etag, SessionId};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// What an old cookie stands for by now.
pub(super) struct Moved {
    /// `None` for a session that does not fit where it would be moved to.
    pub(super) claim: Option<Claim>,
    pub(super) loaded: Result<Loaded, StoreError>,
}

impl Moved {
    fn stored(id: SessionId, loaded: Loaded) -> Self {
        Self { claim: Some(Claim::Id(id)), loaded: Ok(loaded) }
    }

    fn carried(id: SessionId, record: Record, revoked: Loaded) -> Self {
        Self { claim: Some(Claim::Record(id, record)), loaded: Ok(revoked) }
    }

    fn too_large(engine: &Engine, size: usize, limit: usize) -> Self {
        engine.tell(&Event::TooLarge { size, limit });
        Self { claim: None, loaded: Ok(Loaded::Missing) }
    }
}

/// Creates the session of a cookie in the store, and notes it as ended in the old list of revocations, or else in the store.
///
/// The note tells by its etag that the session was moved. One that a sign-out made, before or meanwhile, ends it.
pub(super) async fn to_store(
    engine: &Engine,
    list: Option<&dyn SessionStore>,
    until: Timestamp,
    old: SessionId,
    record: Record,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let Some(store) = engine.store.as_deref() else {
        return Ok(Moved::carried(old, record, Loaded::Missing));
    };
    let list = list.unwrap_or(store);
    let (note, id) = (old.store_key(), old.moved());
    let key = id.store_key();
    let ended = Loaded::Ended { until: engine.policy.tombstone_until(now) };
    match list.load(&note).await? {
        Loaded::Missing => {}
        Loaded::Found(noted) if noted.etag == MOVED => return Ok(Moved::stored(id, store.load(&key).await?)),
        Loaded::Found(_) | Loaded::Ended { .. } => return Ok(Moved::stored(id, ended)),
    }
    if Content::decode(&record.payload, record.owner.clone()).is_err() {
        // Damaged, or of a newer version: as if it were opened where it is.
        return Ok(Moved::carried(old, record, Loaded::Missing));
    }
    if record.size() > engine.policy.max_record {
        return Ok(Moved::too_large(engine, record.size(), engine.policy.max_record));
    }
    let last = record.absolute_deadline.map_or(until, |absolute| absolute.min(until));
    let noted = Record::new(MOVED, now, last.max(record.deadline()), Payload::from(NOTE));
    let created = record.with_etag(etag(engine, store)?);
    let is_first = store.create(&key, &created, now).await? == Written::Applied;
    if is_first && engine.clock.now() >= engine.policy.tombstone_until(now) {
        // It may have been moved and ended so long ago that its tombstone was removed.
        store.destroy(&key, engine.policy.tombstone_until(engine.clock.now())).await?;
        return Err(StoreError::timeout(store.name()));
    }
    let loaded = match is_first {
        true => Loaded::Found(created.clone()),
        false => store.load(&key).await?,
    };
    if list.create(&note, &noted, now).await? != Written::Applied {
        // It was signed out on a server with the earlier configuration.
        store.destroy(&key, engine.policy.tombstone_until(now)).await?;
        return Ok(Moved::stored(id, ended));
    }
    if let Some(user) = created.owner.as_ref().filter(|_| is_first) {
        room::keep(engine, user, &key).await;
    }
    Ok(Moved::stored(id, loaded))
}

/// Takes a session from its store into the cookie. The record stays for the requests that were sent with the old cookie, and
/// for a response that is lost, and then expires.
pub(super) async fn to_cookie(
    engine: &Engine,
    store: &dyn SessionStore,
    old: SessionId,
    arrival: &Arrival,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let (key, id) = (old.store_key(), old.moved());
    let mut loaded = match store.load(&key).await {
        Ok(loaded) => loaded,
        // A damaged record is a session that is not there, as everywhere.
        Err(error) => return Ok(Moved { claim: Some(Claim::Id(old)), loaded: Err(error) }),
    };
    for _ in 0..MOST_CONFLICTS {
        let record = match loaded {
            Loaded::Found(record) if record.is_live(now) => record,
            other => return Ok(Moved::stored(old, other)),
        };
        let Ok(content) = Content::decode(&record.payload, record.owner.clone()) else {
            return Ok(Moved::stored(old, Loaded::Found(record)));
        };
        if arrival.device.demand == Demand::Require && arrival.device.lack(&content).is_some() {
            // An unproven request does not change the record of the proven device.
            return Ok(Moved::carried(id, record, Loaded::Missing));
        }
        if let Err((size, limit)) = fits(engine, arrival, &record, content) {
            return Ok(Moved::too_large(engine, size, limit));
        }
        let revoked = match &engine.revocations {
            Some(list) => list.load(&id.store_key()).await?,
            None => Loaded::Missing,
        };
        let brief = now.plus(FOLLOWED);
        if revoked != Loaded::Missing || record.idle_deadline <= brief {
            return Ok(Moved::carried(id, record, revoked));
        }
        let shortened = record.clone().with_idle_deadline(brief).with_etag(etag(engine, store)?);
        loaded = match store.replace(&key, record.etag, &shortened, now).await? {
            Written::Applied => return Ok(Moved::carried(id, record, Loaded::Missing)),
            Written::Conflict(current) => Loaded::Found(current),
            Written::Gone | Written::Taken | Written::Moved { .. } => store.load(&key).await?,
        };
    }
    Err(StoreError::timeout(store.name()))
}

/// Whether the cookie has room for the session, without its flash if need be, which gives way.
fn fits(
    engine: &Engine,
    arrival: &Arrival,
    record: &Record,
    mut content: Content,
) -> Result<(), (usize, usize)> {
    let is_persistent = content.persistent().unwrap_or(engine.policy.persistent);
    let check = |record: &Record| engine.codec.room(arrival.scope, record, is_persistent);
    if check(record).is_ok() {
        return Ok(());
    }
    content.flash = Flash::new(Vec::new());
    let (payload, _) = content.encode(&Changes::default(), record.etag);
    check(&record.clone().with_payload(payload)).map_err(|error| (error.size, error.limit))
}

fn etag(engine: &Engine, store: &dyn SessionStore) -> Result<Etag, StoreError> {
    let mut bytes = [0; 8];
    engine
        .entropy
        .fill(&mut bytes)
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, store.name()).because(error))?;
    Ok(Etag::new(u64::from_le_bytes(bytes)))
}

/// The etag of the note that a session has been moved. Notes of sign-outs have random ones.
const MOVED: Etag = Etag::new(1);
const NOTE: &[u8] = br#"{"v":1}"#;
/// How long the old cookie still finds a session that went into the cookie: requests that were sent at the same time, and
/// visitors whose response was lost.
const FOLLOWED: Duration = Duration::from_secs(5 * 60);
/// Each is a write of another request, of which servers with the earlier configuration alone make many.
const MOST_CONFLICTS: u32 = 100;
