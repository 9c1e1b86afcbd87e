//! Sessions of tower-sessions: a random id in the cookie, and a MessagePack record in a store.

use std::collections::HashMap;

use serde_json::Value;
use session_core::Timestamp;
use session_core::import::{Imported, RefusedImport};
use time::OffsetDateTime;

use crate::library::{Library, Source, importer};
use crate::old_cookie::OldCookie;
use crate::records::Records;

/// Imports sessions of tower-sessions 0.14 and 0.15, from its stores for Redis, Postgres, MySQL and SQLite.
pub struct TowerSessions(Source<Format>);

impl TowerSessions {
    /// Makes an importer of the sessions with this cookie (`id` unless it was configured) and these records.
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self(Source::in_records(Format, cookie, records))
    }
}

importer! {
    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::TowerSessions;
    /// # fn of(importer: TowerSessions) -> TowerSessions {
    /// // The user of axum-login.
    /// importer.with_user(|data| {
    ///     let user = data.get("axum-login.data")?.get("user_id").filter(|id| !id.is_null())?;
    ///     Some(user.to_string())
    /// })
    /// # }
    /// ```
    TowerSessions
}

struct Format;

impl Library for Format {
    const NAME: &'static str = "tower-sessions";

    /// An id is 16 bytes in URL-safe base64.
    fn check(&self, id: &str) -> Result<(), RefusedImport> {
        let is_id = id.len() == 22
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_id.then_some(()).ok_or(RefusedImport::Malformed)
    }

    fn read(&self, _: &str, record: Vec<u8>) -> Result<Imported, RefusedImport> {
        let (_, data, expiry): (i128, HashMap<String, Value>, OffsetDateTime) =
            rmp_serde::from_slice(&record).map_err(|_| RefusedImport::Malformed)?;
        Ok(Imported::new(data.into_iter().collect()).with_expiry(Timestamp::from(expiry)))
    }
}
