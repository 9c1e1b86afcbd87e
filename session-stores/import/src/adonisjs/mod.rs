//! Sessions of AdonisJS: JSON records in Redis, files or a database, or in an encrypted cookie.

mod keys;

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, ImportedError, Importer, OldSession, RefusedImport};
use session_core::store::StoreError;

pub use keys::AdonisJsKeys;
use keys::message_of;

use crate::old_cookie::{OldCookie, decoded};
use crate::records::Records;
use crate::values::{path_of, take, take_object, take_text, texts, user_id};
use crate::{MOST_BYTES, UserOf};

/// Imports sessions of `@adonisjs/session` 7 and 8 (AdonisJS 6 and 7) from its stores `redis`, `file`, `database` and `cookie`.
///
/// The cookie is [`OldCookie::adonisjs`]. Flash messages and the intended page are carried over; `csrf-secret` is not: the new
/// session has a CSRF token of its own.
pub struct AdonisJs {
    cookie: OldCookie,
    place: Place,
    user: Option<Box<UserOf>>,
}

enum Place {
    Records(Box<dyn Records>),
    /// In a second cookie, whose name is the id.
    Cookie(AdonisJsKeys),
}

impl AdonisJs {
    /// Makes an importer of the sessions with this cookie and these records: [`RedisRecords`](crate::RedisRecords),
    /// [`FileRecords::adonisjs`](crate::FileRecords::adonisjs), or
    /// [`SqlRecords::adonisjs`](crate::SqlRecords::adonisjs).
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self { cookie, place: Place::Records(Box::new(records)), user: None }
    }

    /// Makes an importer of sessions in cookies (the store `cookie`), which are encrypted with these keys.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie, keys: AdonisJsKeys) -> Self {
        Self { cookie, place: Place::Cookie(keys), user: None }
    }

    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::AdonisJs;
    /// # fn of(importer: AdonisJs) -> AdonisJs {
    /// // The id under `auth_web`, where the session guard "web" keeps it.
    /// importer.with_user(|data| AdonisJs::user_of_guard(data, "web"))
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

    /// Returns the id of the user that a session guard of `@adonisjs/auth` keeps.
    #[must_use]
    pub fn user_of_guard(data: &Map<String, Value>, guard: &str) -> Option<String> {
        user_id(data, &format!("auth_{guard}"))
    }

    async fn find(&self, id: &str, all: &CookieHeaders) -> Result<Option<Found>, StoreError> {
        Ok(match &self.place {
            Place::Cookie(keys) => all.get(id).map(|sealed| {
                let values = decoded(sealed).and_then(|sealed| keys.decrypt(id, &sealed));
                Found { values, expires: None }
            }),
            Place::Records(records) => records.load(id).await?.map(|record| Found {
                values: match record.bytes.len() > MOST_BYTES {
                    true => Err(RefusedImport::TooLarge),
                    false => message_of(record.bytes.trim_ascii(), Some(id)),
                },
                expires: record.expires,
            }),
        })
    }

    fn imported(&self, found: Found, now: Timestamp) -> Result<Imported, RefusedImport> {
        if found.expires.is_some_and(|expires| expires <= now) {
            return Err(RefusedImport::Expired);
        }
        let Value::Object(mut data) = found.values? else { return Err(RefusedImport::Malformed) };
        let user = self.user.as_ref().and_then(|user| user(&data));
        let mut flash = take_object(&mut data, "__flash__");
        take(&mut data, "csrf-secret");
        let intended = take_text(&mut data, "redirect.intendedUrl");
        let mut session = Imported::new(data);
        (session.user, session.expires) = (user, found.expires);
        session.intended = intended.as_deref().map(path_of);
        let rejected = [take_object(&mut flash, "errors"), take_object(&mut flash, "inputErrorsBag")];
        let rejected = rejected.into_iter().rfind(|errors| !errors.is_empty()).unwrap_or_default();
        session.flash.errors = rejected
            .into_iter()
            .map(|(field, messages)| ImportedError { form: String::new(), field, messages: texts(&messages) })
            .collect();
        // AdonisJS keeps messages and old input under the same names.
        session.flash.input.clone_from(&flash);
        session.flash.messages = flash;
        Ok(session)
    }
}

struct Found {
    values: Result<Value, RefusedImport>,
    expires: Option<Timestamp>,
}

#[async_trait]
impl Importer for AdonisJs {
    fn name(&self) -> &'static str {
        "adonisjs"
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

impl fmt::Debug for AdonisJs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdonisJs").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}

/// An id is a CUID (24 characters) or, in version 8, a UUID: nothing else becomes a key, a file name or a cookie's name.
fn is_id(text: &str) -> bool {
    (16..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
