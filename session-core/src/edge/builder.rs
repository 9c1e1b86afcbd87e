//! How an application says what its sessions are like; nothing is half-configured.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::event::{Observer, Unobserved};
use super::sessions::{Inner, Sessions};
use super::sources::{Clock, Entropy, SystemClock, SystemEntropy};
use super::store::SessionStore;
use super::touches::Touches;
use super::turns::Turns;
use crate::decision::decide::Placement;
use crate::decision::policy::Policy;
use crate::value::cookie::builder::Cookie;
use crate::value::cookie::key::SecretKey;
use crate::value::cookie::keyring::KeyRing;

/// Collects what an application decides; [`build`](Self::build) checks that it fits together.
#[must_use]
pub struct SessionsBuilder {
    policy: Policy,
    cookie: Cookie,
    keys: Vec<SecretKey>,
    store: Option<Arc<dyn SessionStore>>,
    in_cookie: bool,
    revocations: Option<Arc<dyn SessionStore>>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    encrypt_at_rest: bool,
    secrets: Vec<String>,
    redirect_hosts: Vec<String>,
    enabled: bool,
    purpose: String,
}

impl Default for SessionsBuilder {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            cookie: Cookie::host("sid"),
            keys: Vec::new(),
            store: None,
            in_cookie: false,
            revocations: None,
            observer: Arc::new(Unobserved),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            encrypt_at_rest: false,
            secrets: SECRETS.map(str::to_owned).to_vec(),
            redirect_hosts: Vec::new(),
            enabled: true,
            purpose: "session".to_owned(),
        }
    }
}

impl SessionsBuilder {
    /// Keeps sessions in this store; the cookie carries an id alone.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The same, for a store that was chosen at run time.
    pub fn shared_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Keeps each session in its cookie: nothing to run, about 3 KB, and of two writes at once the last response wins.
    /// A copied cookie works until its deadline; see [`revocations`](Self::revocations).
    pub fn in_cookie(mut self) -> Self {
        self.in_cookie = true;
        self
    }

    /// For sessions in cookies: keeps a list, in this store, of those that were ended, so that a copied cookie dies with
    /// the sign-out. It costs one load per visit that opens its session. Without it, `destroy` means "this browser".
    pub fn revocations(mut self, store: impl SessionStore) -> Self {
        self.revocations = Some(Arc::new(store));
        self
    }

    /// The same, for a store that was chosen at run time.
    pub fn shared_revocations(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.revocations = Some(store);
        self
    }

    /// Adds a key. The first one seals; all open, so that keys can be rotated: deploy the new one second everywhere (old
    /// processes must be able to open what new ones seal), then move it to the front, wait for the absolute lifetime, and
    /// remove the old one.
    pub fn key(mut self, key: SecretKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds several keys, in this order.
    pub fn keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// The cookie's name and attributes, instead of `__Host-sid; Path=/; Secure; HttpOnly; SameSite=Lax`.
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// How long a session may lie unused; 2 hours unless said.
    pub fn age(mut self, age: Duration) -> Self {
        self.policy.age = age;
        self
    }

    /// How long a session may live in all, `None` for as long as it is used; 24 hours unless said.
    pub fn absolute(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.policy.absolute = lifetime.into();
        self
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
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.policy.max_record = bytes;
        self
    }

    /// How long a commit may go on replaying over other requests' writes; 2 seconds unless said.
    pub fn contention(mut self, patience: Duration) -> Self {
        self.policy.contention = patience;
        self
    }

    /// Seals what the store keeps, with the same keys, bound to the session's own key. Records that were written
    /// without are then unreadable, and their visitors strangers again.
    pub fn encrypt_at_rest(mut self, encrypt: bool) -> Self {
        self.encrypt_at_rest = encrypt;
        self
    }

    /// Hears what happens.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Form fields that are never flashed back unless named; these replace `password`, `password_confirmation`,
    /// `_csrf`, `_token` and `_method`.
    pub fn secret_fields<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.secrets = names.into_iter().map(Into::into).collect();
        self
    }

    /// Hosts that an intended URL may lead to besides paths on this site: `accounts.example.com`, `localhost:8080`.
    pub fn redirect_hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.redirect_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Switches sessions off (or on again).
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// What these sessions are for. Cookies sealed for one purpose never open for another, even with the same name and
    /// key; "session" unless said.
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// A clock for tests. Only with the feature `test-util`.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Scripted randomness for tests. Only with the feature `test-util`: with it, no session is secret.
    #[cfg(feature = "test-util")]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    /// [`ConfigError`] naming what does not.
    pub fn build(self) -> Result<Sessions, ConfigError> {
        let mut policy = self.policy;
        policy.placement = match (&self.store, self.in_cookie) {
            (None, false) => return Err(ConfigError::NoPlacement),
            (Some(_), false) => Placement::Store,
            (_, true) => Placement::Cookie,
        };
        if let (Some(store), Placement::Store) = (&self.store, policy.placement) {
            policy.max_record = policy.max_record.min(store.max_record());
        }
        if self.keys.is_empty() {
            return Err(ConfigError::NoKey);
        }
        let cookie = self.cookie.build()?;
        policy.persistent = cookie.is_persistent();
        policy.check()?;
        let inner = Inner {
            binding: cookie.binding(&self.purpose),
            cookie,
            keys: KeyRing::new(self.keys)?,
            store: self.store.filter(|_| policy.placement == Placement::Store),
            revocations: self.revocations.filter(|_| policy.placement == Placement::Cookie),
            clock: self.clock,
            entropy: self.entropy,
            encrypt_at_rest: self.encrypt_at_rest,
            touches: Touches::default(),
            turns: Turns::default(),
            flights: Arc::default(),
            secrets: self.secrets,
            redirect_hosts: self.redirect_hosts,
            enabled: self.enabled,
            observer: self.observer,
            policy,
        };
        Ok(Sessions { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Never flashed unless named.
const SECRETS: [&str; 5] = ["password", "password_confirmation", "_csrf", "_token", "_method"];
