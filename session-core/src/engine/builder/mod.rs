//! The configuration of an application's sessions. A contradictory or incomplete configuration does not build.

mod pages;
mod place;
mod rules;
mod token;

use std::fmt;
use std::sync::Arc;

pub use self::token::TokenFrom;
use crate::decision::codec::CookieCodec;
use crate::decision::decide::Placement;
use crate::decision::policy::Policy;
use crate::engine::common::Engine;
use crate::engine::encrypted::EncryptedStore;
use crate::engine::error::ConfigError;
use crate::engine::event::Observer;
use crate::engine::import::Source;
use crate::engine::old_cookie::{Current, OldCookie, OldSource};
use crate::engine::sessions::Sessions;
use crate::engine::sources::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::engine::store::SessionStore;
use crate::engine::touches::Touches;
use crate::engine::turns::Turns;
use crate::value::cookie::builder::Cookie;
use crate::value::cookie::key::SecretKey;
use crate::value::cookie::keyring::KeyRing;
use crate::value::secret::SecretFields;
use crate::value::time::Timestamp;
use crate::value::url::RedirectHosts;

/// Builds [`Sessions`]. From [`Sessions::builder`]; [`build`](Self::build) checks the configuration.
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
    observers: Vec<Arc<dyn Observer>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    encrypt_at_rest: bool,
    secrets: SecretFields,
    redirect_hosts: Vec<String>,
    redirect_over_http: bool,
    private_pages: bool,
    xsrf_cookie: bool,
    enabled: bool,
    purpose: String,
    token_from: TokenFrom,
    imports: Vec<Source>,
    old_cookies: Vec<(OldCookie, Timestamp)>,
    #[cfg(feature = "dbsc")]
    pub(super) binding: Option<crate::engine::device::DeviceBinding>,
}

impl Sessions {
    /// Starts a configuration. What must be said: where sessions live, and a key.
    ///
    /// ```
    /// use session_core::{SecretKey, Sessions};
    ///
    /// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> SessionsBuilder {
        SessionsBuilder::default()
    }
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
            observers: Vec::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            encrypt_at_rest: false,
            secrets: SecretFields::default(),
            redirect_hosts: Vec::new(),
            redirect_over_http: false,
            private_pages: false,
            xsrf_cookie: false,
            enabled: true,
            purpose: "session".to_owned(),
            token_from: TokenFrom::Cookie,
            imports: Vec::new(),
            old_cookies: Vec::new(),
            #[cfg(feature = "dbsc")]
            binding: None,
        }
    }
}

impl SessionsBuilder {
    /// Adds a key. The first key seals cookies, and every key opens them.
    ///
    /// To rotate keys, deploy the new key in second place to every process, then move it to the front, wait for the
    /// absolute lifetime, and remove the old key.
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
    pub fn keys(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Sets the cookie's name and attributes. The default is `__Host-sid; Path=/; Secure; HttpOnly; SameSite=Lax`.
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

    /// Adds an observer that is called for every [`Event`](crate::Event). Several are called in the order in which they
    /// were added.
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
        self.observers.push(Arc::new(observer));
        self
    }

    /// Switches sessions off (or on again).
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Sets the purpose of these sessions; the default is `session`. A cookie that was sealed for one purpose does not
    /// open for another, even with the same name and key.
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

    /// Replaces the clock, for tests. Only with the feature `test-util`.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the random generator, for tests. Only with the feature `test-util`, since predictable ids are not
    /// secret.
    #[cfg(feature = "test-util")]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Checks the configuration and builds [`Sessions`].
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or contradicts another.
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
            (Some(_), true) => return Err(ConfigError::TwoPlacements),
            (Some(_), false) => Placement::Store,
            (None, true) => Placement::Cookie,
        };
        match policy.placement {
            Placement::Store if self.revocations.is_some() => return Err(ConfigError::NothingToRevoke),
            // Without sessions there is nothing to store.
            Placement::Cookie if self.encrypt_at_rest && self.enabled => {
                return Err(ConfigError::NothingAtRest);
            }
            Placement::Store | Placement::Cookie => {}
        }
        if self.keys.is_empty() {
            return Err(ConfigError::NoKey);
        }
        let redirect_hosts = RedirectHosts::new(&self.redirect_hosts, self.redirect_over_http)
            .map_err(|position| ConfigError::RedirectHost { position })?;
        let cookie = self.cookie.build()?;
        let keys = KeyRing::new(self.keys)?;
        let header = self.token_from.header()?;
        if header.is_some() && policy.placement == Placement::Cookie && self.enabled {
            return Err(ConfigError::HeaderNeedsStore);
        }
        if !self.imports.is_empty()
            && (header.is_some() || policy.placement == Placement::Cookie)
            && self.enabled
        {
            return Err(ConfigError::ImportNeedsStore);
        }
        if !self.old_cookies.is_empty() && header.is_some() && self.enabled {
            return Err(ConfigError::OldCookieNeedsCookie);
        }
        let current = Current {
            cookie: &cookie,
            keys: &keys,
            purpose: &self.purpose,
            placement: policy.placement,
            entropy: &self.entropy,
        };
        let old_cookies = self.old_cookies.into_iter().filter(|_| self.enabled);
        let old_cookies = old_cookies.map(|(old, until)| old.build(until, &current));
        let old_cookies = old_cookies.collect::<Result<Vec<_>, _>>()?;
        // A session that was signed out is not opened by the record that is left in the old store.
        let kept_in = || old_cookies.iter().find_map(OldSource::store).cloned();
        let revocations = self.revocations.or_else(kept_in);
        let store = match self.store {
            Some(store) if self.encrypt_at_rest => {
                let sealed = EncryptedStore::shared(store, keys.clone(), self.entropy.clone());
                Some(Arc::new(sealed) as Arc<dyn SessionStore>)
            }
            store => store,
        };
        if let Some(store) = &store {
            policy.max_record = policy.max_record.min(store.max_record());
        }
        policy.persistent = cookie.is_persistent();
        policy.revocable = revocations.is_some();
        policy.check()?;
        #[cfg(feature = "dbsc")]
        if self.binding.is_some() && header.is_some() && self.enabled {
            return Err(ConfigError::DeviceNeedsCookie);
        }
        #[cfg(feature = "dbsc")]
        let device = self.binding.map(|binding| binding.build(cookie.name())).transpose()?;
        let engine = Engine {
            codec: match header {
                Some(name) => CookieCodec::in_header(keys, cookie, name, &self.purpose),
                None => CookieCodec::new(keys, cookie, &self.purpose),
            },
            store,
            revocations,
            imports: self.imports,
            old_cookies,
            clock: self.clock,
            entropy: self.entropy,
            touches: Touches::default(),
            turns: Turns::default(),
            flights: Arc::default(),
            secrets: self.secrets,
            redirect_hosts,
            private_pages: self.private_pages,
            xsrf_cookie: self.xsrf_cookie,
            #[cfg(feature = "dbsc")]
            device,
            enabled: self.enabled,
            observers: self.observers,
            policy,
        };
        Ok(Sessions { engine: Arc::new(engine) })
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder").field("policy", &self.policy).finish_non_exhaustive()
    }
}
