//! Sessions of actix-session: values as JSON texts, in the cookie itself or in Redis.

use std::collections::HashMap;

use serde_json::{Map, Value};
use session_core::import::{CookieHeaders, Imported, RefusedImport};

use crate::library::{Library, Source, importer};
use crate::old_cookie::OldCookie;
use crate::records::Records;

/// Imports sessions of actix-session 0.11, from its cookie store and its stores for Redis.
pub struct ActixSession(Source<Format>);

impl ActixSession {
    /// Makes an importer of sessions in cookies (`CookieSessionStore`). The default cookie of actix-session is
    /// `OldCookie::private("id", key)`.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie) -> Self {
        Self(Source::in_cookies(Format, cookie))
    }

    /// Makes an importer of sessions with these records (`RedisSessionStore`), whose key is in this cookie.
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self(Source::in_records(Format, cookie, records))
    }
}

importer! {
    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::ActixSession;
    /// # fn of(importer: ActixSession) -> ActixSession {
    /// // The user of actix-identity.
    /// importer.with_user(|data| Some(data.get("actix_identity.user_id")?.as_str()?.to_owned()))
    /// # }
    /// ```
    ActixSession
}

struct Format;

impl Library for Format {
    const NAME: &'static str = "actix-session";

    fn check(&self, id: &str) -> Result<(), RefusedImport> {
        if id.len() > MOST_KEY { Err(RefusedImport::TooLarge) } else { Ok(()) }
    }

    fn read(&self, _: &str, record: Vec<u8>) -> Result<Imported, RefusedImport> {
        values(&record).map(Imported::new).map_err(|_| RefusedImport::Malformed)
    }

    /// The text of the cookie, which is a key if there are records, is otherwise the session.
    fn read_cookies(&self, text: &str, _: &CookieHeaders) -> Option<Result<Imported, RefusedImport>> {
        Some(self.read(text, text.into()))
    }
}

fn values(record: &[u8]) -> serde_json::Result<Map<String, Value>> {
    let texts: HashMap<String, String> = serde_json::from_slice(record)?;
    texts.into_iter().map(|(name, text)| Ok((name, serde_json::from_str(&text)?))).collect()
}

/// The longest key that actix-session puts into a cookie.
const MOST_KEY: usize = 4_064;
