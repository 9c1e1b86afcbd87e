//! Carrying visitors over from another library: reads its session once, makes ours of it, and ends the other one.
//!
//! The new id is derived from the old session with the application's key, so that requests that arrive at the same time
//! make the same session: creating it succeeds for one, and the others load what that one made. The old session is ended
//! after ours exists and before the request continues; a process that dies between the two leaves a session that the next
//! request finds.

use std::time::Duration;

use serde_json::value::to_raw_value;

use super::common::Engine;
use super::error::OpenError;
use super::event::Event;
use super::import::{Imported, ImportedError, ImportedFlash, OldSession, RefusedImport, Source};
use super::room;
use super::sources::EntropyError;
use super::visit::CookieHeaders;
use crate::decision::state::{Arrival, Claim};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::content::{Content, INTENDED, PREVIOUS};
use crate::value::cookie::parse::Candidates;
use crate::value::flash::{FlashBag, field_path};
use crate::value::form::without_secrets;
use crate::value::id::{Etag, SessionId, StoreKey};
use crate::value::record::{Payload, Record};
use crate::value::secret::SecretFields;
use crate::value::time::Timestamp;
use crate::value::url::stays;

/// A session that came with another cookie than the current one.
pub(crate) struct Came {
    /// What the store holds of it; `None` if it is loaded like any other.
    pub(crate) loaded: Option<Result<Loaded, StoreError>>,
    /// What the response does with the other cookie.
    pub(crate) handover: Option<Handover>,
}

/// The `Set-Cookie` values of a response that sets the session's cookie in place of another one.
#[derive(Clone, Default)]
pub(crate) struct Handover {
    /// Removes the other cookie.
    pub(crate) clear: Option<String>,
    /// Removes the touch cookie beside it.
    pub(crate) clear_touch: Option<String>,
    /// Removes the `XSRF-TOKEN` beside it.
    pub(crate) clear_xsrf: Option<String>,
    /// Sets the short-lived cookie of a session whose device proved itself with the other one.
    pub(crate) bound: Option<String>,
}

/// Carries the visitor over if the request has another library's cookie, and sets the arrival's claim.
pub(crate) async fn carry_over(
    engine: &Engine,
    cookies: &CookieHeaders,
    arrival: &mut Arrival,
    now: Timestamp,
) -> Result<Option<Came>, OpenError> {
    for source in engine.imports.iter().filter(|source| now < source.until) {
        let importer = &*source.importer;
        for value in Candidates::find(cookies.iter(), importer.cookie()).values() {
            let imported = import(engine, source, value, cookies, now).await.map_err(|error| {
                engine.tell(&Event::of_store(&error));
                OpenError::Store(error)
            })?;
            match imported {
                Ok((id, loaded)) => {
                    // The cookie is issued as one that came sealed with an old key is.
                    (arrival.claim, arrival.came, arrival.old_key) = (Some(Claim::Id(id)), true, true);
                    let handover = Handover { clear: Some(importer.clear_cookie()), ..Handover::default() };
                    return Ok(Some(Came { loaded: Some(Ok(loaded)), handover: Some(handover) }));
                }
                Err(reason) => engine.tell(&Event::RefusedImport(reason)),
            }
        }
    }
    Ok(None)
}

async fn import(
    engine: &Engine,
    source: &Source,
    value: &[u8],
    cookies: &CookieHeaders,
    now: Timestamp,
) -> Result<Result<(SessionId, Loaded), RefusedImport>, StoreError> {
    let Some(store) = &engine.store else { return Ok(Err(RefusedImport::Gone)) };
    let importer = &*source.importer;
    let (token, session) = match importer.read(value, cookies, now).await? {
        OldSession::Refused(reason) => return Ok(Err(reason)),
        OldSession::Missing { token } => (token, None),
        OldSession::Found { session, .. } if session.expires.is_some_and(|expires| expires <= now) => {
            return Ok(Err(RefusedImport::Expired));
        }
        OldSession::Found { token, session } => (token, Some(session)),
    };
    let id = engine.codec.imported_id(importer.name(), &token);
    let (key, note) = (id.store_key(), note_key(&id));
    let session = match session {
        Some(_) if !importer.keeps_records() && store.load(&note).await? != Loaded::Missing => None,
        session => session,
    };
    let Some(session) = session else {
        // Imported before: the response with the new cookie may be on its way, or was lost.
        return Ok(match store.load(&key).await? {
            Loaded::Found(record) if record.is_live(now) && now < record.created.plus(FOLLOWED) => {
                Ok((id, Loaded::Found(record)))
            }
            Loaded::Ended { until } if now < until => Ok((id, Loaded::Ended { until })),
            Loaded::Found(_) | Loaded::Ended { .. } | Loaded::Missing => Err(RefusedImport::Gone),
        });
    };
    let expires = session.expires;
    let record = match record(engine, session, now) {
        Ok(record) => record,
        Err(Unmade::Refused(reason)) => return Ok(Err(reason)),
        Err(Unmade::Entropy(error)) => {
            return Err(StoreError::new(StoreErrorKind::Unavailable, importer.name()).because(error));
        }
    };
    let loaded = match store.create(&key, &record, now).await? {
        Written::Applied => {
            engine.tell(&Event::Imported(key.handle()));
            if let Some(user) = &record.owner {
                room::keep(engine, user, &key).await;
            }
            Loaded::Found(record)
        }
        // Another request was first, or a process died before it ended the old session.
        Written::Taken | Written::Conflict(_) | Written::Moved { .. } | Written::Gone => {
            store.load(&key).await?
        }
    };
    match importer.keeps_records() {
        true => importer.end(&token).await?,
        false => {
            let until =
                expires.map_or(source.until, |expires| expires.min(source.until)).max(now.plus(FOLLOWED));
            let kept = Record::new(Etag::new(1), now, until, Payload::from(NOTE));
            store.create(&note, &kept, now).await?;
        }
    }
    Ok(Ok((id, loaded)))
}

enum Unmade {
    Refused(RefusedImport),
    Entropy(EntropyError),
}

fn record(engine: &Engine, mut session: Imported, now: Timestamp) -> Result<Record, Unmade> {
    let fits = |record: &Record| record.size() <= engine.policy.max_record;
    let whole = record_of(engine, &session, now)?;
    if fits(&whole) {
        return Ok(whole);
    }
    // Flash gives way, as everywhere.
    session.flash = ImportedFlash::default();
    let rest = record_of(engine, &session, now)?;
    if fits(&rest) { Ok(rest) } else { Err(Unmade::Refused(RefusedImport::TooLarge)) }
}

fn record_of(engine: &Engine, session: &Imported, now: Timestamp) -> Result<Record, Unmade> {
    let policy = &engine.policy;
    let mut etag = [0; 8];
    engine.entropy.fill(&mut etag).map_err(Unmade::Entropy)?;
    let etag = Etag::new(u64::from_le_bytes(etag));
    let malformed = Unmade::Refused(RefusedImport::Malformed);
    let Ok(values) = serde_json::to_vec(&serde_json::json!({ "v": 1, "data": session.data })) else {
        return Err(malformed);
    };
    // Nested too deeply, or a number that no session holds.
    let Ok(mut content) = Content::decode(&values.into(), None) else { return Err(malformed) };
    add_flash(&mut content, &session.flash, &engine.secrets);
    for (name, url) in [(INTENDED, &session.intended), (PREVIOUS, &session.previous)] {
        if let Some(url) = url.as_ref().filter(|url| stays(url, &engine.redirect_hosts)) {
            // A text under a plain name can be put.
            _ = content.system.put(name, url);
        }
    }
    let changes = content.take_changes();
    let (payload, _) = content.encode(&changes, etag);
    Ok(Record::new(etag, now, now.plus(policy.age), payload)
        .with_absolute_deadline(policy.absolute.map(|lifetime| now.plus(lifetime)))
        .with_owner(session.user.clone().filter(|user| !user.is_empty()).map(Into::into)))
}

/// Leaves out what no visit could show.
fn add_flash(content: &mut Content, flash: &ImportedFlash, secrets: &SecretFields) {
    for (name, value) in &flash.messages {
        if let Ok(value) = to_raw_value(value) {
            _ = content.flash.flash(FlashBag::Messages, vec![name.clone()], value);
        }
    }
    let input = without_secrets(flash.input.clone(), secrets);
    if !input.is_empty() {
        _ = content.flash.flash_form("", input);
    }
    for ImportedError { form, field, messages } in &flash.errors {
        if let Ok(messages) = to_raw_value(messages) {
            _ = content.flash.flash_errors(form, field_path(field), messages);
        }
    }
}

/// The key of the note that a session which was in a cookie has been imported.
fn note_key(id: &SessionId) -> StoreKey {
    let mut bytes = *id.expose_secret();
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
    SessionId::from_bytes(bytes).store_key()
}

/// How long after the import the old cookie still leads to the new session: requests that were sent at the same time, and
/// visitors whose response was lost.
const FOLLOWED: Duration = Duration::from_secs(5 * 60);
const NOTE: &[u8] = br#"{"v":1}"#;
