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
///
/// ```
/// use std::time::Duration;
///
/// use session_core::{SecretKey, Sessions};
/// # use session_store_memory::MemoryStore;
///
/// let sessions = Sessions::builder()
///     .store(MemoryStore::new())
///     .key(SecretKey::generate()?)
///     .age(Duration::from_secs(30 * 60))
///     .build()?;
/// assert_eq!(sessions.policy().age.as_secs(), 1_800);
/// assert_eq!(sessions.cookie_name(), "__Host-sid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let sessions = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate()?).build()?;
    /// assert_eq!(sessions.store().map(|store| store.name()), Some("memory"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The same, for a store that was chosen at run time.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use session_core::{SecretKey, SessionStore, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let chosen: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    /// let sessions = Sessions::builder().shared_store(chosen).key(SecretKey::generate()?).build()?;
    /// assert!(sessions.store().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shared_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Keeps each session in its cookie: nothing to run, about 3 KB, and of two writes at once the last response wins.
    /// A copied cookie works until its deadline; see [`revocations`](Self::revocations).
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// assert!(sessions.store().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn in_cookie(mut self) -> Self {
        self.in_cookie = true;
        self
    }

    /// For sessions in cookies: keeps a list, in this store, of those that were ended, so that a copied cookie dies with
    /// the sign-out. It costs one load per visit that opens its session. Without it, `destroy` means "this browser".
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let sessions = Sessions::builder()
    ///     .in_cookie()
    ///     .revocations(MemoryStore::new())
    ///     .key(SecretKey::generate()?)
    ///     .build()?;
    /// // The store holds notes of what ended, never a session.
    /// assert!(sessions.store().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn revocations(mut self, store: impl SessionStore) -> Self {
        self.revocations = Some(Arc::new(store));
        self
    }

    /// The same, for a store that was chosen at run time.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use session_core::{SecretKey, SessionStore, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let chosen: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    /// let sessions =
    ///     Sessions::builder().in_cookie().shared_revocations(chosen).key(SecretKey::generate()?).build()?;
    /// assert!(sessions.revocations().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shared_revocations(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.revocations = Some(store);
        self
    }

    /// Adds a key. The first one seals; all open, so that keys can be rotated: deploy the new one second everywhere (old
    /// processes must be able to open what new ones seal), then move it to the front, wait for the absolute lifetime, and
    /// remove the old one.
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// let new = SecretKey::generate()?;
    /// let old = SecretKey::generate()?;
    /// Sessions::builder().in_cookie().key(new).key(old).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key(mut self, key: SecretKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds several keys, in this order.
    ///
    /// ```
    /// # use session_core::{ConfigError, SecretKey, Sessions};
    /// let keys = [SecretKey::generate()?, SecretKey::generate()?];
    /// Sessions::builder().in_cookie().keys(keys).build()?;
    /// // Without any there is no default.
    /// assert!(matches!(Sessions::builder().in_cookie().build(), Err(ConfigError::NoKey)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// The cookie's name and attributes, instead of `__Host-sid; Path=/; Secure; HttpOnly; SameSite=Lax`.
    ///
    /// ```
    /// # use session_core::{Cookie, SecretKey, Sessions};
    /// // For development without TLS: no `__Host-`, no `Secure`.
    /// let cookie = Cookie::insecure_http("sid");
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).cookie(cookie).build()?;
    /// assert_eq!(sessions.cookie_name(), "sid");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookie = cookie;
        self
    }

    /// How long a session may lie unused; 2 hours unless said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.age(Duration::from_secs(15 * 60)).build()?;
    /// assert_eq!(sessions.policy().age.as_secs(), 900);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use session_core::Sessions;
    /// let builder = Sessions::builder().aal1();
    /// ```
    pub fn aal1(self) -> Self {
        self.age(30 * DAY).absolute(30 * DAY)
    }

    /// Those of the second: an hour unused, a day in all.
    ///
    /// ```
    /// # use session_core::Sessions;
    /// let builder = Sessions::builder().aal2();
    /// ```
    pub fn aal2(self) -> Self {
        self.age(DAY / 24).absolute(DAY)
    }

    /// Those of the third: 15 minutes unused, 12 hours in all.
    ///
    /// ```
    /// # use session_core::Sessions;
    /// let builder = Sessions::builder().aal3();
    /// ```
    pub fn aal3(self) -> Self {
        self.age(DAY / 96).absolute(DAY / 2)
    }

    /// The classic behaviour: every visit opens its session, a new visitor gets a record at once, and every response
    /// carries the cookie. It costs a load, and for new visitors a write, on every request.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// assert!(builder.eager(true).build()?.policy().eager);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn eager(mut self, eager: bool) -> Self {
        self.policy.eager = eager;
        self
    }

    /// Writes data changes even when the response is a 5xx. `regenerate`, `invalidate` and `destroy` always are.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// assert!(builder.commit_on_error(true).build()?.policy().commit_on_error);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_on_error(mut self, commit: bool) -> Self {
        self.policy.commit_on_error = commit;
        self
    }

    /// How long the tombstone of an ended session stands; 60 seconds unless said, at least the longest request.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// // Uploads here take up to five minutes.
    /// let sessions = builder.tombstone(Duration::from_secs(300)).build()?;
    /// assert_eq!(sessions.policy().tombstone.as_secs(), 300);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.contention(Duration::from_millis(500)).build()?;
    /// assert_eq!(sessions.policy().contention.as_millis(), 500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contention(mut self, patience: Duration) -> Self {
        self.policy.contention = patience;
        self
    }

    /// Seals what the store keeps, with the same keys, bound to the session's own key. Records that were written
    /// without are then unreadable, and their visitors strangers again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{Clock as _, CookieHeaders, SessionStore as _, SystemClock};
    /// # let store = std::sync::Arc::new(session_store_memory::MemoryStore::new());
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().shared_store(store.clone()).key(key);
    /// let sessions = builder.encrypt_at_rest(true).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// # let session = guard.visit().session().await?;
    /// # session.tag("ada")?;
    /// session.put("diagnosis", "a cold")?;
    /// session.commit().await?;
    /// # let index = store.owners().expect("the memory store has an index");
    /// # let (_, record) = index.list("ada", SystemClock.now()).await?.remove(0);
    /// // What the store got of it:
    /// assert!(!String::from_utf8_lossy(&record.payload).contains("a cold"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn encrypt_at_rest(mut self, encrypt: bool) -> Self {
        self.encrypt_at_rest = encrypt;
        self
    }

    /// Hears what happens.
    ///
    /// ```
    /// # use session_core::{Event, Observer};
    /// /// Counts sessions that a newer request had ended.
    /// #[derive(Debug)]
    /// struct Refused;
    ///
    /// impl Observer for Refused {
    ///     fn observe(&self, event: &Event) {
    ///         if matches!(event, Event::Gone) {
    ///             // metrics::counter!("sessions_gone").increment(1);
    ///         }
    ///     }
    /// }
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.observer(Refused).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
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

    /// Hosts that an intended URL may lead to besides paths on this site: `accounts.example.com`, `localhost:8080`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::Spawn for Here { fn spawn(&self, f: session_core::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{CookieHeaders, Redirects};
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

    /// Switches sessions off (or on again).
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// assert!(builder.enabled(false).build()?.is_off());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// What these sessions are for. Cookies sealed for one purpose never open for another, even with the same name and
    /// key; "session" unless said.
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// let key = SecretKey::generate()?;
    /// let shop = Sessions::builder().in_cookie().key(key.clone()).purpose("shop").build()?;
    /// // The same name and key, and yet a shop's cookie opens nothing here.
    /// let back_office = Sessions::builder().in_cookie().key(key).purpose("back office").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = purpose.into();
        self
    }

    /// A clock for tests. Only with the feature `test-util`.
    ///
    /// ```
    /// use session_core::{Clock, Timestamp};
    ///
    /// /// Always the same moment.
    /// #[derive(Debug)]
    /// struct Noon;
    ///
    /// impl Clock for Noon {
    ///     fn now(&self) -> Timestamp {
    ///         Timestamp::from_millis(43_200_000)
    ///     }
    /// }
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.clock(Noon).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Scripted randomness for tests. Only with the feature `test-util`: with it, no session is secret.
    ///
    /// ```
    /// use session_core::{Entropy, EntropyError};
    ///
    /// /// A generator that has failed.
    /// #[derive(Debug)]
    /// struct Dry;
    ///
    /// impl Entropy for Dry {
    ///     fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
    ///         Err(EntropyError)
    ///     }
    /// }
    ///
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.entropy(Dry).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "test-util")]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    /// [`ConfigError`] naming what does not.
    ///
    /// ```
    /// use session_core::{ConfigError, SecretKey, Sessions};
    ///
    /// // Where do they live?
    /// let nowhere = Sessions::builder().key(SecretKey::generate()?).build();
    /// assert!(matches!(nowhere, Err(ConfigError::NoPlacement)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Never flashed unless named.
const SECRETS: [&str; 5] = ["password", "password_confirmation", "_csrf", "_token", "_method"];
