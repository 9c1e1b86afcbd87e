//! The description of an earlier configuration of the session's cookie, and its check.

use std::sync::Arc;

use crate::decision::codec::CookieCodec;
use crate::decision::decide::Placement;
use crate::engine::encrypted::EncryptedStore;
use crate::engine::error::ConfigError;
use crate::engine::sources::Entropy;
use crate::engine::store::SessionStore;
use crate::value::cookie::builder::Cookie;
use crate::value::cookie::format::CookieSpec;
use crate::value::cookie::key::SecretKey;
use crate::value::cookie::keyring::KeyRing;
use crate::value::time::Timestamp;

/// An earlier configuration of the session's cookie. Pass it to
/// [`SessionsBuilder::migrate_from_cookie`](crate::SessionsBuilder::migrate_from_cookie).
///
/// Whatever is not said here is as it is now: the keys, the purpose, and where sessions are kept.
///
/// ```
/// use session_core::{Cookie, OldCookie, SecretKey, Sessions, Timestamp};
/// # use session_store_memory::MemoryStore;
///
/// // Sessions were in the cookie `sid` of all hosts of the domain; now they are in a store, and their cookie is `__Host-sid`.
/// let old = OldCookie::new(Cookie::named("sid").domain("example.com")).in_cookie();
/// let until = Timestamp::from_millis(1_830_000_000_000);
/// let sessions = Sessions::builder()
///     .store(MemoryStore::new())
///     .key(SecretKey::generate()?)
///     .migrate_from_cookie(old, until)
///     .build()?;
/// assert_eq!(sessions.cookie_name(), "__Host-sid");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct OldCookie {
    cookie: Cookie,
    keys: Vec<SecretKey>,
    purpose: Option<String>,
    kept: Kept,
    is_encrypted: bool,
}

/// Where the sessions of an earlier configuration were kept.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// Where they are now.
    Alike,
    /// In the cookie, with this list of revocations.
    InCookie(Option<Arc<dyn SessionStore>>),
    /// In this store.
    InStore(Arc<dyn SessionStore>),
}

/// The current configuration, as far as an earlier one is compared with it.
pub(crate) struct Current<'c> {
    pub(crate) cookie: &'c CookieSpec,
    pub(crate) keys: &'c KeyRing,
    pub(crate) purpose: &'c str,
    pub(crate) placement: Placement,
    pub(crate) entropy: &'c Arc<dyn Entropy>,
}

impl OldCookie {
    /// Describes the cookie as it was: its name, path, domain and attributes.
    pub fn new(cookie: Cookie) -> Self {
        Self { cookie, keys: Vec::new(), purpose: None, kept: Kept::Alike, is_encrypted: false }
    }

    /// Adds a key that the cookie was sealed with, if it is not one of the current keys. Once a key is given, the cookie opens
    /// with the given ones only.
    pub fn key(mut self, key: SecretKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the purpose that the cookie was sealed for, if it is not the current one.
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// Says that the session was in this cookie; it is moved into the store.
    pub fn in_cookie(mut self) -> Self {
        if !matches!(self.kept, Kept::InCookie(_)) {
            self.kept = Kept::InCookie(None);
        }
        self
    }

    /// Says that the session was in this cookie, and names the list of revocations: a session in it is not moved, and one
    /// that is moved is put into it, so that servers with the earlier configuration refuse the old cookie as well.
    pub fn revocations(self, list: impl SessionStore) -> Self {
        self.shared_revocations(Arc::new(list))
    }

    /// Takes an `Arc`, for a store that is chosen at run time.
    pub fn shared_revocations(mut self, list: Arc<dyn SessionStore>) -> Self {
        self.kept = Kept::InCookie(Some(list));
        self
    }

    /// Names the store that the session was in; it is moved into the cookie. To move sessions from one store to another, use
    /// [`MigratingStore`](crate::store::MigratingStore).
    pub fn store(self, store: impl SessionStore) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// Takes an `Arc`, for a store that is chosen at run time.
    pub fn shared_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.kept = Kept::InStore(store);
        self
    }

    /// Says that the records in the [`store`](Self::store) were encrypted with the keys of the cookie, as by
    /// [`SessionsBuilder::encrypt_at_rest`](crate::SessionsBuilder::encrypt_at_rest).
    pub fn encrypt_at_rest(mut self, encrypted: bool) -> Self {
        self.is_encrypted = encrypted;
        self
    }

    pub(crate) fn build(self, until: Timestamp, now: &Current<'_>) -> Result<OldSource, ConfigError> {
        let old = self.cookie.build()?;
        let kept = match (self.kept, now.placement) {
            (Kept::Alike, _) | (Kept::InCookie(None), Placement::Cookie) => Kept::Alike,
            (Kept::InCookie(Some(_)), Placement::Cookie) | (Kept::InStore(_), Placement::Store) => {
                return Err(ConfigError::OldCookiePlace);
            }
            (kept @ Kept::InCookie(_), Placement::Store) | (kept @ Kept::InStore(_), Placement::Cookie) => {
                kept
            }
        };
        let is_sealed_alike = self.keys.is_empty() && self.purpose.is_none();
        if is_sealed_alike && matches!(kept, Kept::Alike) && old.is_in_the_same_places(now.cookie) {
            return Err(ConfigError::OldCookieIsCurrent);
        }
        let keys = if self.keys.is_empty() { now.keys.clone() } else { KeyRing::new(self.keys)? };
        let kept = match kept {
            Kept::InStore(store) if self.is_encrypted => {
                Kept::InStore(Arc::new(EncryptedStore::shared(store, keys.clone(), now.entropy.clone())))
            }
            kept => kept,
        };
        let codec = CookieCodec::new(keys, old, self.purpose.as_deref().unwrap_or(now.purpose));
        Ok(OldSource { codec, kept, until })
    }
}

/// A checked earlier configuration, and the time at which it is switched off.
pub(crate) struct OldSource {
    pub(super) codec: CookieCodec,
    pub(super) kept: Kept,
    pub(super) until: Timestamp,
}

impl OldSource {
    /// What opens its cookies, unless it is switched off.
    #[cfg(feature = "dbsc")]
    pub(crate) fn codec_at(&self, now: Timestamp) -> Option<&CookieCodec> {
        (now < self.until).then_some(&self.codec)
    }

    /// What the cookie holds.
    pub(super) fn placement(&self, now: Placement) -> Placement {
        match self.kept {
            Kept::Alike => now,
            Kept::InCookie(_) => Placement::Cookie,
            Kept::InStore(_) => Placement::Store,
        }
    }

    /// The store that sessions are moved from.
    pub(crate) fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        match &self.kept {
            Kept::InStore(store) => Some(store),
            Kept::Alike | Kept::InCookie(_) => None,
        }
    }
}
