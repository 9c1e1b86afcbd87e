//! The importer that all libraries share: opens the cookie, finds the record, checks its size and expiry, and ends the old session.
//!
//! A [`Library`] says only what is its own. `importer!` makes a public type of it.

use session_core::Timestamp;
use session_core::import::{CookieHeaders, Imported, OldSession, RefusedImport};
use session_core::store::StoreError;

use crate::old_cookie::OldCookie;
use crate::records::{OldRecord, Records};
use crate::{MOST_BYTES, UserOf};

/// What distinguishes one library's sessions from another's.
pub(crate) trait Library: Send + Sync + 'static {
    /// The name in errors and events. The derived ids depend on it.
    const NAME: &'static str;

    /// Checks an id from the cookie. What passes becomes a key of a store, a file name or the name of a cookie.
    fn check(&self, id: &str) -> Result<(), RefusedImport>;

    /// Reads a record into [`Imported::data`], with all values as the library keeps them.
    fn read(&self, id: &str, record: Vec<u8>) -> Result<Imported, RefusedImport>;

    /// Reads the session that is in the cookies themselves, as [`read`](Self::read) does; `None` if there is none.
    fn read_cookies(&self, id: &str, all: &CookieHeaders) -> Option<Result<Imported, RefusedImport>> {
        let _ = (id, all);
        None
    }

    /// Moves the flash and the pages that the library keeps among the values to their places, and removes what is not imported.
    fn arrange(&self, session: &mut Imported) {
        let _ = session;
    }
}

/// The old sessions of an application: in which cookie and which records they are.
pub(crate) struct Source<L> {
    pub(crate) library: L,
    pub(crate) cookie: OldCookie,
    /// `None` if the sessions are in cookies.
    pub(crate) records: Option<Box<dyn Records>>,
    pub(crate) user: Option<Box<UserOf>>,
}

impl<L: Library> Source<L> {
    pub(crate) fn in_cookies(library: L, cookie: OldCookie) -> Self {
        Self { library, cookie, records: None, user: None }
    }

    pub(crate) fn in_records(library: L, cookie: OldCookie, records: impl Records) -> Self {
        Self { records: Some(Box::new(records)), ..Self::in_cookies(library, cookie) }
    }

    #[expect(clippy::unused_self, reason = "the macro has no name for the library")]
    pub(crate) fn name(&self) -> &'static str {
        L::NAME
    }

    pub(crate) async fn read(
        &self,
        cookie: &[u8],
        all: &CookieHeaders,
        now: Timestamp,
    ) -> Result<OldSession, StoreError> {
        let opened = self.cookie.open(cookie);
        let id = match opened.and_then(|id| self.library.check(&id).map(|()| id)) {
            Ok(id) => id,
            Err(reason) => return Ok(OldSession::Refused(reason)),
        };
        let found = match &self.records {
            Some(records) => records.load(&id).await?.map(|record| self.read_record(&id, record)),
            None => self.library.read_cookies(&id, all),
        };
        let token = id.into_bytes();
        Ok(match found.map(|session| self.imported(session?, now)) {
            None => OldSession::Missing { token },
            Some(Ok(session)) => OldSession::Found { token, session },
            Some(Err(reason)) => OldSession::Refused(reason),
        })
    }

    pub(crate) async fn end(&self, token: &[u8]) -> Result<(), StoreError> {
        match (&self.records, str::from_utf8(token)) {
            (Some(records), Ok(id)) => records.remove(id).await,
            (None, _) | (_, Err(_)) => Ok(()),
        }
    }

    fn read_record(&self, id: &str, record: OldRecord) -> Result<Imported, RefusedImport> {
        if record.bytes.len() > MOST_BYTES {
            return Err(RefusedImport::TooLarge);
        }
        let mut session = self.library.read(id, record.bytes)?;
        session.expires = session.expires.or(record.expires);
        Ok(session)
    }

    fn imported(&self, mut session: Imported, now: Timestamp) -> Result<Imported, RefusedImport> {
        if session.expires.is_some_and(|expires| expires <= now) {
            return Err(RefusedImport::Expired);
        }
        session.user = self.user.as_ref().and_then(|user| user(&session.data));
        self.library.arrange(&mut session);
        Ok(session)
    }
}

/// Makes an importer of a tuple struct around a [`Source`]. The documentation is that of its method `with_user`.
macro_rules! importer {
    ($(#[$documentation:meta])* $importer:ident) => {
        impl $importer {
            $(#[$documentation])*
            #[must_use]
            pub fn with_user(
                mut self,
                user: impl Fn(&serde_json::Map<String, serde_json::Value>) -> Option<String> + Send + Sync + 'static,
            ) -> Self {
                self.0.user = Some(Box::new(user));
                self
            }
        }

        #[session_core::store::async_trait]
        impl session_core::import::Importer for $importer {
            fn name(&self) -> &'static str {
                self.0.name()
            }

            fn cookie(&self) -> &str {
                self.0.cookie.name()
            }

            fn clear_cookie(&self) -> String {
                self.0.cookie.clear()
            }

            fn keeps_records(&self) -> bool {
                self.0.records.is_some()
            }

            async fn read(
                &self,
                cookie: &[u8],
                all: &session_core::import::CookieHeaders,
                now: session_core::Timestamp,
            ) -> Result<session_core::import::OldSession, session_core::store::StoreError> {
                self.0.read(cookie, all, now).await
            }

            async fn end(&self, token: &[u8]) -> Result<(), session_core::store::StoreError> {
                self.0.end(token).await
            }
        }

        impl std::fmt::Debug for $importer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($importer))
                    .field("cookie", &self.0.cookie)
                    .field("records", &self.0.records)
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use importer;
