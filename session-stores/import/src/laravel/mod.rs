//! Sessions of Laravel: PHP or JSON payloads in Redis, files or a database, or in an encrypted cookie.

mod keys;
mod php;
mod values;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, RefusedImport};

pub use keys::LaravelKeys;

use crate::library::{Library, Source, importer};
use crate::old_cookie::{OldCookie, decoded};
use crate::records::Records;
use crate::values::user_id;

/// Imports sessions of Laravel from its drivers `redis`, `file`, `database` and `cookie`.
///
/// The cookie is [`OldCookie::laravel`]. Flash messages, old input, validation errors, the intended page and the previous page are
/// carried over; `_token` is not: the new session has a CSRF token of its own. A value that is, or has in it, an object of a PHP
/// class is left out.
pub struct Laravel(Source<Format>);

impl Laravel {
    /// Makes an importer of the sessions with this cookie and these records: [`RedisRecords`](crate::RedisRecords) with
    /// Laravel's two prefixes, [`FileRecords::laravel`](crate::FileRecords::laravel), or
    /// [`SqlRecords::laravel`](crate::SqlRecords::laravel).
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self(Source::in_records(Format { cookies: None, encrypted: None }, cookie, records))
    }

    /// Makes an importer of sessions in cookies (the driver `cookie`), which are encrypted with these keys.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie, keys: LaravelKeys) -> Self {
        Self(Source::in_cookies(Format { cookies: Some(keys), encrypted: None }, cookie))
    }

    /// Decrypts the sessions with these keys, if `session.encrypt` is on. A session that is not encrypted is then refused.
    #[must_use]
    pub fn with_encryption(mut self, keys: LaravelKeys) -> Self {
        self.0.library.encrypted = Some(keys);
        self
    }

    /// Returns the id of the user that a session guard keeps, if the guard is Laravel's own `SessionGuard`.
    #[must_use]
    pub fn user_of_guard(data: &Map<String, Value>, guard: &str) -> Option<String> {
        user_id(data, &format!("login_{guard}_{SESSION_GUARD}"))
    }
}

importer! {
    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::Laravel;
    /// # fn of(importer: Laravel) -> Laravel {
    /// // The id under `login_web_…`, where the guard "web" keeps it.
    /// importer.with_user(|data| Laravel::user_of_guard(data, "web"))
    /// # }
    /// ```
    Laravel
}

struct Format {
    /// The keys of sessions in cookies.
    cookies: Option<LaravelKeys>,
    /// With `session.encrypt`.
    encrypted: Option<LaravelKeys>,
}

impl Library for Format {
    const NAME: &'static str = "laravel";

    /// An id is 40 letters and digits.
    fn check(&self, id: &str) -> Result<(), RefusedImport> {
        let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then_some(()).ok_or(RefusedImport::Malformed)
    }

    fn read(&self, _: &str, record: Vec<u8>) -> Result<Imported, RefusedImport> {
        // A cache store, as Redis is one, serializes the text once more, and so does the encrypter.
        let mut payload = unserialized(record);
        if let Some(keys) = &self.encrypted {
            payload = unserialized(keys.decrypt(&payload)?);
        }
        values::read(&payload)
    }

    /// The session is in a second cookie, whose name is the id.
    fn read_cookies(&self, id: &str, all: &CookieHeaders) -> Option<Result<Imported, RefusedImport>> {
        let (keys, sealed) = (self.cookies.as_ref()?, all.get(id)?);
        let text = decoded(sealed).and_then(|sealed| keys.open_cookie(id, &sealed));
        Some(text.and_then(|text| {
            let held: Held = serde_json::from_str(&text).map_err(|_| RefusedImport::Malformed)?;
            // The last second counts.
            let last = Timestamp::from_millis(held.expires.saturating_mul(1_000));
            let session = self.read(id, held.data.into_bytes())?;
            Ok(session.with_expiry(last.plus(Duration::from_secs(1))))
        }))
    }

    fn arrange(&self, session: &mut Imported) {
        values::arrange(session);
    }
}

/// The cookie that holds a session: its payload and when it expires, in seconds.
#[derive(Deserialize)]
struct Held {
    data: String,
    expires: i64,
}

fn unserialized(payload: Vec<u8>) -> Vec<u8> {
    match php::text_of(&payload) {
        Some(text) => text.to_vec(),
        None => payload,
    }
}

/// The SHA-1 of `Illuminate\Auth\SessionGuard`.
const SESSION_GUARD: &str = "59ba36addc2b2f9401580f014c7f58ea4e30989d";
