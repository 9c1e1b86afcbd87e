//! What an application configures once: keys, cookie, placement, rules; and what every visit then shares.

use std::fmt;
use std::sync::Arc;

use super::builder::SessionsBuilder;
use super::common::Engine;
use super::finish::Spawn;
use super::store::SessionStore;
use super::visit::{CookieHeaders, VisitGuard};
use crate::decision::policy::Policy;

/// All that an application decides about its sessions, ready for use. Cloning is cheap.
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
    /// Starts a configuration. What must be said: where sessions live, and a key.
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::default()
    }

    /// Begins one request's visit. Nothing is looked at yet; `cookies` are the values of its `Cookie` headers, and
    /// `spawn` finishes what a dropped request has begun.
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
    /// assert!(guard.visit().session().await?.fresh());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn visit(&self, cookies: CookieHeaders, spawn: &'static dyn Spawn) -> VisitGuard {
        VisitGuard::new(self.engine.clone(), cookies, spawn)
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.engine.policy
    }

    /// The name of the cookie.
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        self.engine.codec.cookie().name()
    }

    /// The store, unless sessions live in the cookie.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        self.engine.store.as_ref()
    }

    /// The list of ended sessions, where sessions live in the cookie and there is one. It needs sweeping as any store does.
    #[must_use]
    pub fn revocations(&self) -> Option<&Arc<dyn SessionStore>> {
        self.engine.revocations.as_ref()
    }

    /// Whether sessions are switched off: then the layer steps aside, and extracting a session says so.
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
