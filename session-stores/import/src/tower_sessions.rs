//! Sessions of tower-sessions: a random id in the cookie, and a MessagePack record in a store.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, Importer, OldSession, RefusedImport};
use session_core::store::StoreError;
use time::OffsetDateTime;

use crate::old_cookie::OldCookie;
use crate::records::Records;
use crate::{MOST_BYTES, UserOf};

/// Imports sessions of tower-sessions 0.14 and 0.15, from its stores for Redis, Postgres, MySQL and SQLite.
pub struct TowerSessions {
    cookie: OldCookie,
    records: Box<dyn Records>,
    user: Option<Box<UserOf>>,
}

impl TowerSessions {
    /// Makes an importer of the sessions with this cookie (`id` unless it was configured) and these records.
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self { cookie, records: Box::new(records), user: None }
    }

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
    #[must_use]
    pub fn with_user(
        mut self,
        user: impl Fn(&Map<String, Value>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.user = Some(Box::new(user));
        self
    }
}

#[async_trait]
impl Importer for TowerSessions {
    fn name(&self) -> &'static str {
        "tower-sessions"
    }

    fn cookie(&self) -> &str {
        self.cookie.name()
    }

    fn clear_cookie(&self) -> String {
        self.cookie.clear()
    }

    async fn read(&self, cookie: &[u8], _: &CookieHeaders, now: Timestamp) -> Result<OldSession, StoreError> {
        let id = match self.cookie.open(cookie) {
            Ok(id) if is_id(&id) => id,
            Ok(_) => return Ok(OldSession::Refused(RefusedImport::Malformed)),
            Err(reason) => return Ok(OldSession::Refused(reason)),
        };
        let Some(record) = self.records.load(&id).await? else {
            return Ok(OldSession::Missing { token: id.into_bytes() });
        };
        Ok(match decode(&record.bytes, now) {
            Ok(session) => {
                let user = self.user.as_ref().and_then(|user| user(&session.data));
                let session = user.into_iter().fold(session, Imported::with_user);
                OldSession::Found { token: id.into_bytes(), session }
            }
            Err(reason) => OldSession::Refused(reason),
        })
    }

    async fn end(&self, token: &[u8]) -> Result<(), StoreError> {
        match str::from_utf8(token) {
            Ok(id) => self.records.remove(id).await,
            Err(_) => Ok(()),
        }
    }
}

impl fmt::Debug for TowerSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSessions")
            .field("cookie", &self.cookie)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// An id is 16 bytes in URL-safe base64: nothing else becomes a key of the store.
fn is_id(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn decode(record: &[u8], now: Timestamp) -> Result<Imported, RefusedImport> {
    if record.len() > MOST_BYTES {
        return Err(RefusedImport::TooLarge);
    }
    let (_, data, expiry): (i128, HashMap<String, Value>, OffsetDateTime) =
        rmp_serde::from_slice(record).map_err(|_| RefusedImport::Malformed)?;
    let expires = Timestamp::from(expiry);
    if expires <= now {
        return Err(RefusedImport::Expired);
    }
    Ok(Imported::new(data.into_iter().collect()).with_expiry(expires))
}
