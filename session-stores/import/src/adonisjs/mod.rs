//! Sessions of AdonisJS: JSON records in Redis, files or a database, or in an encrypted cookie.

mod keys;

use serde_json::{Map, Value};
use session_core::import::{CookieHeaders, Imported, ImportedError, RefusedImport};

pub use keys::AdonisJsKeys;
use keys::message_of;

use crate::library::{Library, Source, importer};
use crate::old_cookie::{OldCookie, decoded};
use crate::records::Records;
use crate::values::{path_of, take, take_object, take_text, texts, user_id};

/// Imports sessions of `@adonisjs/session` 7 and 8 (AdonisJS 6 and 7) from its stores `redis`, `file`, `database` and `cookie`.
///
/// The cookie is [`OldCookie::adonisjs`]. Flash messages and the intended page are carried over; `csrf-secret` is not: the new
/// session has a CSRF token of its own.
pub struct AdonisJs(Source<Format>);

impl AdonisJs {
    /// Makes an importer of the sessions with this cookie and these records: [`RedisRecords`](crate::RedisRecords),
    /// [`FileRecords::adonisjs`](crate::FileRecords::adonisjs), or
    /// [`SqlRecords::adonisjs`](crate::SqlRecords::adonisjs).
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self(Source::in_records(Format { cookies: None }, cookie, records))
    }

    /// Makes an importer of sessions in cookies (the store `cookie`), which are encrypted with these keys.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie, keys: AdonisJsKeys) -> Self {
        Self(Source::in_cookies(Format { cookies: Some(keys) }, cookie))
    }

    /// Returns the id of the user that a session guard of `@adonisjs/auth` keeps.
    #[must_use]
    pub fn user_of_guard(data: &Map<String, Value>, guard: &str) -> Option<String> {
        user_id(data, &format!("auth_{guard}"))
    }
}

importer! {
    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::AdonisJs;
    /// # fn of(importer: AdonisJs) -> AdonisJs {
    /// // The id under `auth_web`, where the session guard "web" keeps it.
    /// importer.with_user(|data| AdonisJs::user_of_guard(data, "web"))
    /// # }
    /// ```
    AdonisJs
}

struct Format {
    /// The keys of sessions in cookies.
    cookies: Option<AdonisJsKeys>,
}

impl Library for Format {
    const NAME: &'static str = "adonisjs";

    /// An id is a CUID (24 characters) or, in version 8, a UUID.
    fn check(&self, id: &str) -> Result<(), RefusedImport> {
        let is_id = (16..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_id.then_some(()).ok_or(RefusedImport::Malformed)
    }

    fn read(&self, id: &str, record: Vec<u8>) -> Result<Imported, RefusedImport> {
        object(message_of(record.trim_ascii(), Some(id))?)
    }

    /// The session is in a second cookie, whose name is the id.
    fn read_cookies(&self, id: &str, all: &CookieHeaders) -> Option<Result<Imported, RefusedImport>> {
        let (keys, sealed) = (self.cookies.as_ref()?, all.get(id)?);
        Some(decoded(sealed).and_then(|sealed| keys.decrypt(id, &sealed)).and_then(object))
    }

    fn arrange(&self, session: &mut Imported) {
        let mut flash = take_object(&mut session.data, "__flash__");
        take(&mut session.data, "csrf-secret");
        session.intended = take_text(&mut session.data, "redirect.intendedUrl").as_deref().map(path_of);
        let rejected = [take_object(&mut flash, "errors"), take_object(&mut flash, "inputErrorsBag")];
        let rejected = rejected.into_iter().rfind(|errors| !errors.is_empty()).unwrap_or_default();
        session.flash.errors = rejected
            .into_iter()
            .map(|(field, messages)| ImportedError { form: String::new(), field, messages: texts(&messages) })
            .collect();
        // AdonisJS keeps messages and old input under the same names.
        session.flash.input.clone_from(&flash);
        session.flash.messages = flash;
    }
}

fn object(values: Value) -> Result<Imported, RefusedImport> {
    match values {
        Value::Object(data) => Ok(Imported::new(data)),
        _ => Err(RefusedImport::Malformed),
    }
}
