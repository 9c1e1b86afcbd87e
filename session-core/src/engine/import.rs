//! Carrying visitors over from another library: reads its session once, makes ours of it, and ends the other one.
//!
//! The new id is derived from the old session with the application's key, so that requests that arrive at the same time
//! make the same session: creating it succeeds for one, and the others load what that one made. The old session is ended
//! after ours exists and before the request continues; a process that dies between the two leaves a session that the next
//! request finds.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::common::Engine;
use super::error::OpenError;
use super::event::Event;
use super::room;
use super::sources::EntropyError;
use super::visit::CookieHeaders;
use crate::decision::state::{Arrival, Claim};
use crate::value::answer::{Loaded, StoreError, StoreErrorKind, Written};
use crate::value::content::Content;
use crate::value::cookie::parse::Candidates;
use crate::value::id::{Etag, SessionId, StoreKey};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

/// Reads the sessions of another library, so that its visitors stay signed in when an application moves to this one.
///
/// Pass it to [`SessionsBuilder::import_from`](crate::SessionsBuilder::import_from). For a request with the other
/// library's cookie and no valid cookie of this one, the engine calls [`read`](Self::read) when the session is opened, stores what
/// was read as a session of its own, and calls [`end`](Self::end).
///
/// ```
/// use session_core::import::{Imported, Importer, OldSession, RefusedImport};
/// use session_core::{Timestamp, store::{StoreError, async_trait}};
///
/// /// Sessions whose cookie is the user's name in plain text: an example of the trait, and of nothing else.
/// #[derive(Debug)]
/// struct Trusting;
///
/// #[async_trait]
/// impl Importer for Trusting {
///     fn name(&self) -> &'static str {
///         "trusting"
///     }
///     fn cookie(&self) -> &str {
///         "user"
///     }
///     fn clear_cookie(&self) -> String {
///         "user=; Path=/; Max-Age=0".to_owned()
///     }
///     fn keeps_records(&self) -> bool {
///         false
///     }
///     async fn read(&self, cookie: &[u8], _: Timestamp) -> Result<OldSession, StoreError> {
///         let Ok(user) = str::from_utf8(cookie) else { return Ok(OldSession::Refused(RefusedImport::Malformed)) };
///         Ok(OldSession::Found { token: cookie.to_vec(), session: Imported::new(Default::default()).with_user(user) })
///     }
///     async fn end(&self, _: &[u8]) -> Result<(), StoreError> {
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Importer: fmt::Debug + Send + Sync + 'static {
    /// The other library's name in errors and events: `"tower-sessions"`. The derived ids depend on it.
    fn name(&self) -> &'static str;

    /// The name of the other library's cookie.
    fn cookie(&self) -> &str;

    /// Returns the value of the `Set-Cookie` header that removes the other library's cookie.
    fn clear_cookie(&self) -> String;

    /// Whether the other library keeps a record that [`end`](Self::end) removes; `true` by default. Return `false` if the session
    /// is in the cookie itself: the engine then keeps a note in the store until [`Imported::expires`] or the import is
    /// switched off, so that a copied cookie is not imported again after a sign-out.
    fn keeps_records(&self) -> bool {
        true
    }

    /// Reads the session that this value of the cookie names, and changes nothing. The value is as it was received.
    ///
    /// # Errors
    /// [`StoreError`] if the other library's store fails; the request is answered with 503 and keeps its cookies.
    /// Whatever is wrong with the cookie or the record is [`OldSession::Refused`].
    async fn read(&self, cookie: &[u8], now: Timestamp) -> Result<OldSession, StoreError>;

    /// Ends the session with this [`token`](OldSession::Found::token), whether or not it exists.
    ///
    /// # Errors
    /// [`StoreError`] if the other library's store fails. The next request tries again.
    async fn end(&self, token: &[u8]) -> Result<(), StoreError>;
}

/// What [`Importer::read`] found.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
pub enum OldSession {
    /// The cookie or the record cannot be used; the visitor is a stranger.
    Refused(RefusedImport),
    /// The cookie is authentic, but there is no record: the session was imported before, or has ended.
    Missing {
        /// As for `Found`.
        token: Vec<u8>,
    },
    /// A live session.
    Found {
        /// What identifies the session and cannot be guessed, such as its id. It is hashed with the application's key.
        token: Vec<u8>,
        /// The session.
        session: Imported,
    },
}

/// Leaves out the token, which is a secret, and the values.
impl fmt::Debug for OldSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "Refused({reason:?})"),
            Self::Missing { .. } => f.write_str("Missing"),
            Self::Found { .. } => f.write_str("Found"),
        }
    }
}

/// A session of another library.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Imported {
    /// The values by their top-level names.
    pub data: Map<String, Value>,
    /// The user that the session is tagged with.
    pub user: Option<String>,
    /// When the old session would have expired, if it says so. The new session has the lifetimes of the application's
    /// policy.
    pub expires: Option<Timestamp>,
}

impl Imported {
    /// Makes a session of these values.
    #[must_use]
    pub fn new(data: Map<String, Value>) -> Self {
        Self { data, ..Self::default() }
    }

    /// Sets the user that the session is tagged with.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sets when the old session expires.
    #[must_use]
    pub fn with_expiry(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// Why a session of another library was not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedImport {
    /// The cookie's signature or encryption is not valid under the given keys.
    Forged,
    /// The cookie or the record is not of the expected format.
    Malformed,
    /// The old session has expired.
    Expired,
    /// There is no such session any more: it has ended, or was imported more than five minutes ago.
    Gone,
    /// The session is larger than a record may be.
    TooLarge,
}

/// An importer and the time at which it is switched off.
pub(crate) struct Source {
    pub(crate) importer: Box<dyn Importer>,
    pub(crate) until: Timestamp,
}

/// A session that was carried over: what the store holds of it, and the header that removes the old cookie.
pub(crate) struct Carried {
    pub(crate) loaded: Loaded,
    pub(crate) clear_cookie: String,
}

/// Carries the visitor over if the request has another library's cookie, and sets the arrival's claim.
pub(crate) async fn carry_over(
    engine: &Engine,
    cookies: &CookieHeaders,
    arrival: &mut Arrival,
    now: Timestamp,
) -> Result<Option<Carried>, OpenError> {
    for source in engine.imports.iter().filter(|source| now < source.until) {
        let importer = &*source.importer;
        for value in Candidates::find(cookies.iter(), importer.cookie()).values() {
            let imported = import(engine, source, value, now).await.map_err(|error| {
                engine.tell(&Event::StoreError(error.store()));
                OpenError::Store(error)
            })?;
            match imported {
                Ok((id, loaded)) => {
                    // The cookie is issued as one that came sealed with an old key is.
                    (arrival.claim, arrival.came, arrival.old_key) = (Some(Claim::Id(id)), true, true);
                    return Ok(Some(Carried { loaded, clear_cookie: importer.clear_cookie() }));
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
    now: Timestamp,
) -> Result<Result<(SessionId, Loaded), RefusedImport>, StoreError> {
    let Some(store) = &engine.store else { return Ok(Err(RefusedImport::Gone)) };
    let importer = &*source.importer;
    let (token, session) = match importer.read(value, now).await? {
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

fn record(engine: &Engine, session: Imported, now: Timestamp) -> Result<Record, Unmade> {
    let policy = &engine.policy;
    let mut etag = [0; 8];
    engine.entropy.fill(&mut etag).map_err(Unmade::Entropy)?;
    let payload = serde_json::to_vec(&serde_json::json!({ "v": 1, "data": session.data }))
        .map_err(|_| Unmade::Refused(RefusedImport::Malformed))?;
    let record = Record::new(Etag::new(u64::from_le_bytes(etag)), now, now.plus(policy.age), payload.into())
        .with_absolute_deadline(policy.absolute.map(|lifetime| now.plus(lifetime)))
        .with_owner(session.user.filter(|user| !user.is_empty()).map(Into::into));
    if record.size() > policy.max_record {
        return Err(Unmade::Refused(RefusedImport::TooLarge));
    }
    // Nested too deeply, or a number that no session holds.
    Content::decode(&record.payload, None).map_err(|_| Unmade::Refused(RefusedImport::Malformed))?;
    Ok(record)
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
