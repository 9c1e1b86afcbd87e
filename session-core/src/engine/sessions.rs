//! The checked configuration of an application's sessions, shared by all visits.

use std::fmt;
use std::sync::Arc;

use super::common::Engine;
use super::finish::Spawn;
use super::store::SessionStore;
use super::visit::{CookieHeaders, VisitGuard};
use crate::decision::policy::Policy;

/// The configured sessions of an application: placement, keys, cookie and rules. Cloning is cheap.
///
/// ```
/// use session_core::{SecretKey, Sessions};
///
/// // In the cookie itself: nothing to run, up to about 3 KB.
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sessions {
    pub(super) engine: Arc<Engine>,
}

impl Sessions {
    /// Begins the visit of one request, without reading the cookies yet. `cookies` holds the values of its `Cookie`
    /// headers (with [`TokenFrom::Header`](crate::TokenFrom::Header), of that header); `spawn` runs writes to their end if the request is dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// use session_core::adapter::CookieHeaders;
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let cookies: CookieHeaders = [b"theme=dark; __Host-sid=forged"].into_iter().collect();
    /// let guard = sessions.visit(cookies, &Here);
    /// // A forged cookie opens a fresh session, and the store is not asked.
    /// assert!(guard.visit().session().await?.status().fresh());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn visit(&self, cookies: CookieHeaders, spawn: &'static dyn Spawn) -> VisitGuard {
        VisitGuard::new(self.engine.clone(), cookies, spawn)
    }

    /// Returns the rules of these sessions.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.engine.policy
    }

    /// Returns the name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        self.engine.codec.cookie().name()
    }

    /// Returns the name of the touch cookie, which moves the idle deadline of a session that is kept in its cookie.
    #[must_use]
    pub fn touch_cookie_name(&self) -> &str {
        self.engine.codec.cookie().touch_name()
    }

    /// Returns the header that tokens come in, in lower case, or `None` if they come in a cookie.
    #[must_use]
    pub fn token_header(&self) -> Option<&'static str> {
        self.engine.codec.header()
    }

    /// Returns the store, or `None` if sessions are kept in the cookie.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        self.engine.store.as_ref()
    }

    /// Returns the store of the list of revocations, if sessions are kept in the cookie and a list is configured, or else the
    /// store that they are moved from ([`OldCookie::store`](crate::OldCookie::store)). It must be swept like any other store.
    #[must_use]
    pub fn revocations(&self) -> Option<&Arc<dyn SessionStore>> {
        self.engine.revocations.as_ref()
    }

    /// Returns whether sessions are switched off. The layer then passes requests through, and extracting a session
    /// fails.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.engine.is_off()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt(f)
    }
}
