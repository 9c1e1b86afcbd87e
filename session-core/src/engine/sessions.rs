//! What an application configures once: keys, cookie, placement, rules; and what every visit then shares.

use std::fmt;
use std::sync::Arc;

use super::builder::SessionsBuilder;
use super::drain::Flights;
use super::drive::Sealed;
use super::event::{Event, Observer};
use super::finish::Spawn;
use super::sources::{Clock, Entropy, EntropyError, SystemEntropy};
use super::store::SessionStore;
use super::touches::Touches;
use super::turns::Turns;
use super::visit::{CookieHeaders, VisitGuard};
use crate::decision::commit::{CommitError, CookieOrder, Fresh};
use crate::decision::decide::Placement;
use crate::decision::policy::Policy;
use crate::decision::state::{Arrival, Claim, SessionState};
use crate::value::answer::{StoreError, StoreErrorKind, Written};
use crate::value::cookie::format::CookieSpec;
use crate::value::cookie::key::SecretKey;
use crate::value::cookie::keyring::KeyRing;
use crate::value::cookie::seal::{Binding, SealKind, sealed_len};
use crate::value::cookie::select::{MOST_COOKIE_BYTES, Selection, select};
use crate::value::cookie::token::{IdToken, RecordToken, Token};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::Record;
use crate::value::time::Timestamp;

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
    pub(super) inner: Arc<Inner>,
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
        VisitGuard::new(self.inner.clone(), cookies, spawn)
    }

    /// The rules in force.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// assert_eq!(sessions.policy().age.as_secs(), 7_200);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// The name of the cookie.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// assert_eq!(sessions.cookie_name(), "__Host-sid");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        self.inner.cookie.name()
    }

    /// The store, unless sessions live in the cookie.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// assert_eq!(sessions.store().map(|store| store.name()), Some("memory"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn SessionStore>> {
        self.inner.store.as_ref()
    }

    /// The list of ended sessions, where sessions live in the cookie and there is one. It needs sweeping as any store does.
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let builder = Sessions::builder().in_cookie().key(SecretKey::generate()?);
    /// let sessions = builder.revocations(MemoryStore::new()).build()?;
    /// assert_eq!(sessions.revocations().map(|store| store.name()), Some("memory"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn revocations(&self) -> Option<&Arc<dyn SessionStore>> {
        self.inner.revocations.as_ref()
    }

    /// Whether sessions are switched off: then the layer steps aside, and extracting a session says so.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// assert!(!sessions.is_off());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.inner.is_off()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What all visits share.
pub(crate) struct Inner {
    pub(crate) policy: Policy,
    pub(crate) cookie: CookieSpec,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    pub(crate) revocations: Option<Arc<dyn SessionStore>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) encrypt_at_rest: bool,
    pub(crate) touches: Touches,
    pub(crate) turns: Turns,
    pub(crate) flights: Arc<Flights>,
    pub(crate) secrets: Vec<String>,
    pub(crate) redirect_hosts: Vec<String>,
    pub(super) enabled: bool,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) keys: KeyRing,
    pub(super) binding: Binding,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.cookie)
            .field("store", &self.store)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn is_off(&self) -> bool {
        !self.enabled
    }

    pub(crate) fn tell(&self, event: &Event) {
        match event.is_trouble() {
            true => tracing::warn!(target: "session", ?event),
            false => tracing::debug!(target: "session", ?event),
        }
        self.observer.observe(event);
    }

    /// Reads the cookies of a request.
    pub(crate) fn arrive(&self, cookies: &CookieHeaders, now: Timestamp) -> Arrival {
        match self.policy.placement {
            Placement::Store => arrival(self.select(cookies, now), |token: IdToken| Claim::Id(token.id)),
            Placement::Cookie => {
                let claim = |token: RecordToken| Claim::Record(token.id, token.record);
                arrival(self.select(cookies, now), claim)
            }
        }
    }

    fn select<T: Token>(&self, cookies: &CookieHeaders, now: Timestamp) -> Selection<T> {
        let chosen = select::<T>(&self.keys, &self.binding, self.cookie.name(), cookies.iter(), now);
        chosen.rejected.iter().for_each(|reason| self.tell(&Event::RejectedCookie(reason)));
        if chosen.duplicates > 0 {
            self.tell(&Event::DuplicateCookies(chosen.duplicates));
        }
        if chosen.with_old_key {
            self.tell(&Event::UnsealedWithOldKey);
        }
        chosen
    }

    pub(crate) fn fresh(&self) -> Result<Fresh, EntropyError> {
        let mut bytes = [0; 64];
        self.entropy.fill(&mut bytes)?;
        Ok(Fresh::from_bytes(&bytes))
    }

    /// The same for a session that keeps its id: half of it, which the system makes in two thirds of the time.
    pub(crate) fn fresh_without_id(&self) -> Result<Fresh, EntropyError> {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes)?;
        Ok(Fresh::without_id(&bytes))
    }

    /// 32 random bytes as text, for CSRF tokens.
    pub(crate) fn random_token(&self) -> Result<String, EntropyError> {
        use base64::Engine as _;
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes)?;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The `Set-Cookie` value that a settled visit calls for.
    pub(crate) fn header(
        &self,
        state: &SessionState,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Option<String>, CommitError> {
        if let CookieOrder::Keep = state.cookie() {
            return Ok(None);
        }
        let now = now();
        let seal = |kind, nonce, text: &[u8], expires: &Option<Timestamp>| {
            let sealed = self.keys.seal(&self.binding, kind, nonce, text);
            self.cookie.set(&sealed, expires.map(|at| (now.until(at), at)))
        };
        let header = match state.cookie() {
            CookieOrder::Keep => return Ok(None),
            CookieOrder::Clear => return Ok(Some(self.cookie.clear())),
            CookieOrder::SetId { id, absolute_deadline, expires, nonce } => {
                let token = IdToken { issued_at: now, absolute_deadline: *absolute_deadline, id: id.clone() };
                seal(SealKind::Id, nonce, &token.encode()[..], expires)
            }
            CookieOrder::SetRecord { id, record, expires, nonce } => {
                seal(SealKind::Record, nonce, &RecordToken::encode_parts(now, id, record), expires)
            }
        };
        match header {
            Ok(header) => Ok(Some(header)),
            Err(error) => Err(CommitError::TooLarge { size: error.size, limit: error.limit }),
        }
    }

    /// Whether a cookie would be too long with this record in it, told before anything is done that counts on it.
    pub(crate) fn check_cookie(&self, record: &Record) -> Result<(), CommitError> {
        let size = self.cookie.name().len() + sealed_len(RecordToken::HEAD_LEN + record.size());
        let limit = MOST_COOKIE_BYTES;
        if size > limit { Err(CommitError::TooLarge { size, limit }) } else { Ok(()) }
    }

    /// What the store gets: the record as it is or, with encryption at rest, its payload sealed under its key.
    pub(crate) fn seal<'r>(
        &self,
        store: &dyn SessionStore,
        key: &StoreKey,
        record: &'r Record,
    ) -> Result<Sealed<'r>, StoreError> {
        if !self.encrypt_at_rest {
            return Ok(Sealed::AsItIs(record));
        }
        let mut nonce = [0; 24];
        self.entropy
            .fill(&mut nonce)
            .map_err(|error| StoreError::new(StoreErrorKind::Refused, store.name()).because(error))?;
        let sealed = self.keys.seal(&Binding::record(key), SealKind::AtRest, &nonce, &record.payload);
        let payload = sealed.as_str().as_bytes().into();
        Ok(Sealed::Sealed(Record { payload, ..record.clone() }))
    }

    /// The other way. A payload that was not sealed for this key is corrupt: there is no second decoder.
    pub(crate) fn unseal(&self, key: &StoreKey, record: Record) -> Option<Record> {
        let opened = self.keys.open(&Binding::record(key), SealKind::AtRest, &record.payload).ok()?;
        Some(Record { payload: opened.plaintext.into(), ..record })
    }

    pub(crate) fn read_conflict(&self, key: &StoreKey, written: Written) -> Result<Written, StoreError> {
        match written {
            Written::Conflict(current) if self.encrypt_at_rest => Ok(match self.unseal(key, current) {
                Some(record) => Written::Conflict(record),
                None => Written::Gone,
            }),
            written => Ok(written),
        }
    }

    /// Notes that a carried session must not be accepted again, for as long as its cookie could be.
    pub(crate) async fn revoke(&self, key: &StoreKey, record: &Record) -> Result<(), StoreError> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        let now = self.clock.now();
        // A copy that another request has refreshed lives longer than the one that came here.
        let any_copy =
            record.absolute_deadline.unwrap_or(now.plus(self.policy.age).plus(self.policy.tombstone));
        let until = any_copy.max(record.deadline());
        let fresh = self
            .fresh()
            .map_err(|error| StoreError::new(StoreErrorKind::Refused, revocations.name()).because(error))?;
        let note = Record {
            etag: Etag::new(fresh.etag.get()),
            created: now,
            idle_deadline: until,
            absolute_deadline: None,
            owner: None,
            payload: b"{\"v\":1}".as_slice().into(),
        };
        match revocations.create(key, &note, now).await? {
            Written::Applied | Written::Taken | Written::Conflict(_) | Written::Gone => Ok(()),
        }
    }

    pub(crate) fn standalone() -> Arc<Self> {
        let key = SecretKey::generate().expect("the system's random generator works");
        let sessions = Sessions::builder().in_cookie().key(key).build();
        sessions.expect("a key and a placement are all it takes").inner
    }
}

fn arrival<T>(chosen: Selection<T>, claim: impl FnOnce(T) -> Claim) -> Arrival {
    Arrival { claim: chosen.token.map(claim), came: chosen.came_in, old_key: chosen.with_old_key }
}

impl SecretKey {
    /// Makes a key from 32 bytes of the operating system's generator.
    ///
    /// # Errors
    /// [`EntropyError`] when there are none; nothing else is used instead.
    ///
    /// ```
    /// let key = session_core::SecretKey::generate()?;
    /// // Print it once, for the configuration; it is the key to every session.
    /// assert_eq!(key.expose_secret_hex().len(), 64);
    /// # Ok::<(), session_core::EntropyError>(())
    /// ```
    pub fn generate() -> Result<Self, EntropyError> {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        SystemEntropy.fill(bytes.as_mut())?;
        Self::from_bytes(bytes.as_ref()).map_err(|_| EntropyError)
    }
}
