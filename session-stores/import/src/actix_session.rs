//! Sessions of actix-session: values as JSON texts, in the cookie itself or in Redis.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};
use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, Importer, OldSession, RefusedImport};
use session_core::store::StoreError;

use crate::old_cookie::OldCookie;
use crate::records::Records;
use crate::{MOST_BYTES, UserOf};

/// Imports sessions of actix-session 0.11, from its cookie store and its stores for Redis.
pub struct ActixSession {
    cookie: OldCookie,
    /// None if the session is in the cookie.
    records: Option<Box<dyn Records>>,
    user: Option<Box<UserOf>>,
}

impl ActixSession {
    /// Makes an importer of sessions in cookies (`CookieSessionStore`). The default cookie of actix-session is
    /// `OldCookie::private("id", key)`.
    #[must_use]
    pub fn in_cookie(cookie: OldCookie) -> Self {
        Self { cookie, records: None, user: None }
    }

    /// Makes an importer of sessions with these records (`RedisSessionStore`), whose key is in this cookie.
    pub fn new(cookie: OldCookie, records: impl Records) -> Self {
        Self { records: Some(Box::new(records)), ..Self::in_cookie(cookie) }
    }

    /// Derives the user that a session is tagged with from its values.
    ///
    /// ```
    /// # use session_import::ActixSession;
    /// # fn of(importer: ActixSession) -> ActixSession {
    /// // The user of actix-identity.
    /// importer.with_user(|data| Some(data.get("actix_identity.user_id")?.as_str()?.to_owned()))
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

    fn imported(&self, state: &[u8]) -> Result<Imported, RefusedImport> {
        if state.len() > MOST_BYTES {
            return Err(RefusedImport::TooLarge);
        }
        let texts: HashMap<String, String> =
            serde_json::from_slice(state).map_err(|_| RefusedImport::Malformed)?;
        let values = texts.into_iter().map(|(name, text)| Ok((name, serde_json::from_str(&text)?)));
        let data: Map<String, Value> =
            values.collect::<Result<_, serde_json::Error>>().map_err(|_| RefusedImport::Malformed)?;
        let user = self.user.as_ref().and_then(|user| user(&data));
        Ok(user.into_iter().fold(Imported::new(data), Imported::with_user))
    }
}

#[async_trait]
impl Importer for ActixSession {
    fn name(&self) -> &'static str {
        "actix-session"
    }

    fn cookie(&self) -> &str {
        self.cookie.name()
    }

    fn clear_cookie(&self) -> String {
        self.cookie.clear()
    }

    fn keeps_records(&self) -> bool {
        self.records.is_some()
    }

    async fn read(&self, cookie: &[u8], _: &CookieHeaders, _: Timestamp) -> Result<OldSession, StoreError> {
        let key = match self.cookie.open(cookie) {
            Ok(key) if key.len() <= MOST_KEY => key,
            Ok(_) => return Ok(OldSession::Refused(RefusedImport::TooLarge)),
            Err(reason) => return Ok(OldSession::Refused(reason)),
        };
        let token = key.into_bytes();
        let state = match (&self.records, str::from_utf8(&token)) {
            (Some(records), Ok(key)) => records.load(key).await?.map(|record| record.bytes),
            (None, _) | (_, Err(_)) => Some(token.clone()),
        };
        Ok(match state.map(|state| self.imported(&state)) {
            Some(Ok(session)) => OldSession::Found { token, session },
            Some(Err(reason)) => OldSession::Refused(reason),
            None => OldSession::Missing { token },
        })
    }

    async fn end(&self, token: &[u8]) -> Result<(), StoreError> {
        match (&self.records, str::from_utf8(token)) {
            (Some(records), Ok(key)) => records.remove(key).await,
            (None, _) | (_, Err(_)) => Ok(()),
        }
    }
}

impl fmt::Debug for ActixSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixSession")
            .field("cookie", &self.cookie)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// The longest key that actix-session puts into a cookie.
const MOST_KEY: usize = 4_064;
