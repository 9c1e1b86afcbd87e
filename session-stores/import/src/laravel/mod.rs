//! Sessions of Laravel: PHP or JSON payloads in Redis, files or a database, or in an encrypted cookie.

mod keys;
mod php;
mod values;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, Importer, OldSession, RefusedImport};
use session_core::store::StoreError;

pub use keys::LaravelKeys;

use crate::old_cookie::{OldCookie, decoded};
use crate::records::Records;
use crate::values::user_id;
use crate::{MOST_BYTES, UserOf};

/// Imports sessions of Laravel from its drivers `redis`, `file`, `database` and `cookie`.
///
/// The cookie is [`OldCookie::laravel`]. Flash messages, old input, validation errors, the intended page and the previous page are
/// carried over; `_token` is not: the new session has a CSRF token of its own. A value that is, or has in it, an object of a PHP
/// class is left out.
pub struct Laravel {
    cookie: OldCookie,
    place: Place,
    /// With `session.encrypt`.
    encrypted: Option<LaravelKeys>,
    user: Option<Box<UserOf>>,
}

enum Place {
    Records(Box<dyn Records>),
    /// In a second cookie, whose name is the id.
    Cookie(LaravelKeys),
}

impl Laravel {
    /// Makes an importer of the sessions with this cookie and these records: [`RedisRecords`](crate::RedisRecords) with
    /// Laravel's two prefixes, [`FileRecords::laravel`](crate::FileRecords::laravel), or
    /// [`SqlRecords::laravel`](crate::SqlRecords::laravel).
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self { cookie, place: Place::Records(Box::new(records)), encrypted: None, user: None }
    }

    /// Makes an importer of sessions in cookies (the driver `cookie`), which are encrypted with these keys.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie, keys: LaravelKeys) -> Self {
        Self { cookie, place: Place::Cookie(keys), encrypted: None, user: None }
    }

    /// Decrypts the sessions with these keys, if `session.encrypt` is on. A session that is not encrypted is then refused.
    #[must_use]
    pub fn with_encryption(mut self, keys: LaravelKeys) -> Self {
        self.encrypted = Some(keys);
        self
    }

    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::Laravel;
    /// # fn of(importer: Laravel) -> Laravel {
    /// // The id under `login_web_…`, where the guard "web" keeps it.
    /// importer.with_user(|data| Laravel::user_of_guard(data, "web"))
    /// # }
    /// ```
    #[must_use]
    pub fn with_user(
        mut self,
        user: impl Fn(&Map<String, Value>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.user = Some(Box::new(user));
        self
    }

    /// Returns the id of the user that a session guard keeps, if the guard is Laravel's own `SessionGuard`.
    #[must_use]
    pub fn user_of_guard(data: &Map<String, Value>, guard: &str) -> Option<String> {
        user_id(data, &format!("login_{guard}_{SESSION_GUARD}"))
    }

    async fn find(&self, id: &str, all: &CookieHeaders) -> Result<Option<Found>, StoreError> {
        Ok(match &self.place {
            Place::Cookie(keys) => all.get(id).map(|sealed| in_cookie(id, sealed, keys)),
            Place::Records(records) => {
                let found = records.load(id).await?;
                found.map(|record| Found { payload: Ok(record.bytes), expires: record.expires })
            }
        })
    }

    fn imported(&self, found: Found, now: Timestamp) -> Result<Imported, RefusedImport> {
        let mut payload = found.payload?;
        if found.expires.is_some_and(|expires| expires <= now) {
            return Err(RefusedImport::Expired);
        }
        if payload.len() > MOST_BYTES {
            return Err(RefusedImport::TooLarge);
        }
        // A cache store, as Redis is one, serializes the text once more, and so does the encrypter.
        payload = unserialized(payload);
        if let Some(keys) = &self.encrypted {
            payload = unserialized(keys.decrypt(&payload)?);
        }
        let mut session = values::imported(&payload, self.user.as_deref())?;
        session.expires = found.expires;
        Ok(session)
    }
}

struct Found {
    payload: Result<Vec<u8>, RefusedImport>,
    expires: Option<Timestamp>,
}

/// The cookie that holds the session: its payload and when it expires, in seconds.
fn in_cookie(id: &str, sealed: &[u8], keys: &LaravelKeys) -> Found {
    #[derive(Deserialize)]
    struct Held {
        data: String,
        expires: i64,
    }
    let held = decoded(sealed)
        .and_then(|sealed| keys.open_cookie(id, &sealed))
        .and_then(|text| serde_json::from_str::<Held>(&text).map_err(|_| RefusedImport::Malformed));
    match held {
        // The last second counts.
        Ok(held) => {
            let end = Timestamp::from_millis(held.expires.saturating_mul(1_000)).plus(Duration::from_secs(1));
            Found { payload: Ok(held.data.into_bytes()), expires: Some(end) }
        }
        Err(reason) => Found { payload: Err(reason), expires: None },
    }
}

fn unserialized(payload: Vec<u8>) -> Vec<u8> {
    match php::text_of(&payload) {
        Some(text) => text.to_vec(),
        None => payload,
    }
}

#[async_trait]
impl Importer for Laravel {
    fn name(&self) -> &'static str {
        "laravel"
    }

    fn cookie(&self) -> &str {
        self.cookie.name()
    }

    fn clear_cookie(&self) -> String {
        self.cookie.clear()
    }

    fn keeps_records(&self) -> bool {
        matches!(self.place, Place::Records(_))
    }

    async fn read(
        &self,
        cookie: &[u8],
        all: &CookieHeaders,
        now: Timestamp,
    ) -> Result<OldSession, StoreError> {
        let id = match self.cookie.open(cookie) {
            Ok(id) if is_id(&id) => id,
            Ok(_) => return Ok(OldSession::Refused(RefusedImport::Malformed)),
            Err(reason) => return Ok(OldSession::Refused(reason)),
        };
        let found = self.find(&id, all).await?;
        Ok(match found.map(|found| self.imported(found, now)) {
            None => OldSession::Missing { token: id.into_bytes() },
            Some(Ok(session)) => OldSession::Found { token: id.into_bytes(), session },
            Some(Err(reason)) => OldSession::Refused(reason),
        })
    }

    async fn end(&self, token: &[u8]) -> Result<(), StoreError> {
        match (&self.place, str::from_utf8(token)) {
            (Place::Records(records), Ok(id)) => records.remove(id).await,
            (Place::Cookie(_), _) | (_, Err(_)) => Ok(()),
        }
    }
}

impl fmt::Debug for Laravel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laravel").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

/// An id is 40 letters and digits: nothing else becomes a key, a file name or a cookie's name.
fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The SHA-1 of `Illuminate\Auth\SessionGuard`.
const SESSION_GUARD: &str = "59ba36addc2b2f9401580f014c7f58ea4e30989d";
