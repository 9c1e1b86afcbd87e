//! What holds for every session: how long it lives, how large it grows, what is written when, what is never flashed.

use std::time::Duration;

use super::SessionsBuilder;

impl SessionsBuilder {
    /// How long a session may lie unused; 2 hours unless said.
    pub fn age(mut self, age: Duration) -> Self {
        self.policy.age = age;
        self
    }

    /// How long a session may live in all, `None` for as long as it is used; 24 hours unless said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.absolute(Duration::from_secs(8 * 60 * 60)).build()?;
    /// assert_eq!(sessions.policy().absolute, Some(Duration::from_secs(28_800)));
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// // For as long as it is used.
    /// assert_eq!(builder.absolute(None).build()?.policy().absolute, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn absolute(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.policy.absolute = lifetime.into();
        self
    }

    /// The lifetimes that NIST SP 800-63B-4 asks of its first assurance level: 30 days in all, unused or not.
    pub fn aal1(self) -> Self {
        self.age(30 * DAY).absolute(30 * DAY)
    }

    /// Those of the second: an hour unused, a day in all.
    pub fn aal2(self) -> Self {
        self.age(DAY / 24).absolute(DAY)
    }

    /// Those of the third: 15 minutes unused, 12 hours in all.
    pub fn aal3(self) -> Self {
        self.age(DAY / 96).absolute(DAY / 2)
    }

    /// The classic behaviour: every visit opens its session, a new visitor gets a record at once, and every response
    /// carries the cookie. It costs a load, and for new visitors a write, on every request.
    pub fn eager(mut self, eager: bool) -> Self {
        self.policy.eager = eager;
        self
    }

    /// Writes data changes even when the response is a 5xx. `regenerate`, `invalidate` and `destroy` always are.
    pub fn commit_on_error(mut self, commit: bool) -> Self {
        self.policy.commit_on_error = commit;
        self
    }

    /// How long the tombstone of an ended session stands; 60 seconds unless said, at least the longest request.
    pub fn tombstone(mut self, lifetime: Duration) -> Self {
        self.policy.tombstone = lifetime;
        self
    }

    /// The largest session in bytes; 64 KiB unless said, or the store's own limit if that is lower.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// assert_eq!(builder.max_record(8 * 1024).build()?.policy().max_record, 8_192);
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// // The store keeps no more than 64 KiB, so neither does the policy.
    /// assert_eq!(builder.max_record(1 << 20).build()?.policy().max_record, 65_536);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.policy.max_record = bytes;
        self
    }

    /// How long a commit may go on replaying over other requests' writes; 2 seconds unless said.
    pub fn contention(mut self, patience: Duration) -> Self {
        self.policy.contention = patience;
        self
    }

    /// Form fields that are never flashed back unless named; these replace `password`, `password_confirmation`,
    /// `_csrf`, `_token` and `_method`.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.secret_fields(["password", "pin", "_csrf"]).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn secret_fields<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.secrets = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a request that another site sent without the session's cookie (a payment provider's `POST`, say) may begin a
    /// session by writing. Off unless said, since it replaces the session that the visitor may have; signing in begins one
    /// in any case.
    pub fn unseen_begins(mut self, begins: bool) -> Self {
        self.policy.unseen_begins = begins;
        self
    }

    /// Hosts that an intended URL may lead to besides paths on this site: `accounts.example.com`, `localhost:8080`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::{CookieHeaders, Redirects};
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.redirect_hosts(["accounts.example.com"]).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// # let session = guard.visit().session().await?;
    /// let redirects = Redirects::new(session, None, None);
    /// assert!(redirects.to("https://accounts.example.com/profile").finish().is_ok());
    /// assert!(redirects.to("https://evil.example/").finish().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn redirect_hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.redirect_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
