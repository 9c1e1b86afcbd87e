//! Sessions for a server without async: open one for a request, close it before the response, over a store that blocks.

use std::fmt;

use super::report::VisitReport;
use super::sources::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
use super::visit::CookieHeaders;
use crate::decision::codec::CookieCodec;
use crate::decision::commit::{Commit, CommitError, Fresh, StoreOp};
use crate::decision::decide::Trigger;
use crate::decision::policy::{Policy, PolicyError};
use crate::decision::state::{Access, Arrival, Claim, LoadError, SessionState};
use crate::value::answer::{Loaded, StoreError, Written};
use crate::value::id::StoreKey;

/// A store of sessions with blocking calls.
///
/// The operations are the methods of [`SessionStore`](crate::store::SessionStore), which states their contract; the
/// suite in `session-conformance` tests it.
pub trait BlockingStore: fmt::Debug + Send + Sync {
    /// The store's name in errors: `"sled"`.
    fn name(&self) -> &'static str;

    /// Reads the entry under the key: nothing, a tombstone or the record. The caller judges expiry.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed or the record is corrupt.
    fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError>;

    /// Performs one operation, entirely or not at all.
    ///
    /// # Errors
    /// [`StoreError`] if the store failed.
    fn perform(&self, operation: &StoreOp) -> Result<Written, StoreError>;
}

/// Sessions for a server without async.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use session_core::adapter::CookieHeaders;
/// use session_core::machine::{Access, BlockingSessions, BlockingStore, CookieCodec, StoreOp};
/// use session_core::store::{Loaded, StoreError, StoreKey, Written};
/// use session_core::{Cookie, KeyRing, Policy, SecretKey};
///
/// /// Keeps new sessions and nothing else: the repository's `examples/custom-server` has a whole store.
/// #[derive(Debug, Default)]
/// struct Shelf(Mutex<HashMap<StoreKey, Loaded>>);
///
/// impl BlockingStore for Shelf {
///     fn name(&self) -> &'static str {
///         "shelf"
///     }
///
///     fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
///         Ok(self.0.lock().unwrap().get(key).cloned().unwrap_or(Loaded::Missing))
///     }
///
///     fn perform(&self, operation: &StoreOp) -> Result<Written, StoreError> {
///         let StoreOp::Create { key, record, .. } = operation else { return Ok(Written::Gone) };
///         self.0.lock().unwrap().insert(*key, Loaded::Found(record.clone()));
///         Ok(Written::Applied)
///     }
/// }
///
/// let keys = KeyRing::new([SecretKey::generate()?])?;
/// let codec = CookieCodec::new(keys, Cookie::host("sid").build()?, "session");
/// let sessions = BlockingSessions::new(codec, Policy::default(), Shelf::default())?;
///
/// let mut session = sessions.open(&CookieHeaders::default(), Access::Full)?;
/// session.data_mut().put("theme", "dark")?;
/// // The response is ready: these are the headers it must have besides its own.
/// let report = sessions.close(session, 200);
/// let headers: Vec<_> = report.headers(|_| []).into_iter().flatten().map(|header| header.name()).collect();
/// assert_eq!(headers, ["vary", "cache-control", "set-cookie"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BlockingSessions<S> {
    codec: CookieCodec,
    policy: Policy,
    store: S,
    clock: Box<dyn Clock>,
    entropy: Box<dyn Entropy>,
}

impl<S: BlockingStore> BlockingSessions<S> {
    /// Makes sessions with this policy. For [`Placement::Cookie`](crate::machine::table::Placement::Cookie) the store is the
    /// list of revocations, used if [`Policy::revocable`] is set.
    ///
    /// # Errors
    /// [`PolicyError`] if two rules contradict each other.
    pub fn new(codec: CookieCodec, policy: Policy, store: S) -> Result<Self, PolicyError> {
        policy.check()?;
        Ok(Self { codec, policy, store, clock: Box::new(SystemClock), entropy: Box::new(SystemEntropy) })
    }

    /// Replaces the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Replaces the system's random generator.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Box::new(entropy);
        self
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Opens the session that a request names, or a fresh one.
    ///
    /// # Errors
    /// [`LoadError`] if the session cannot be loaded. Respond with 503, and do not change the cookie.
    pub fn open(&self, cookies: &CookieHeaders, access: Access) -> Result<SessionState, LoadError> {
        let now = self.clock.now();
        let arrival = self.arrive(cookies);
        let loaded = match &arrival.claim {
            Some(Claim::Id(id)) => self.store.load(&id.store_key()),
            Some(Claim::Record(id, _)) if self.policy.revocable => self.store.load(&id.store_key()),
            Some(Claim::Record(..)) | None => Ok(Loaded::Missing),
        };
        let mut state = SessionState::open(arrival, loaded, access, now)?;
        state.limit_to(&self.policy);
        Ok(state)
    }

    /// Writes the changes of a request whose response is ready. A 5xx drops them, unless the policy says otherwise.
    /// Apply all [`headers`](VisitReport::headers) of the report to the response, and respond with its
    /// [`failure`](VisitReport::failure) instead if there is one.
    #[must_use = "the response must carry the headers, and a failure must be answered"]
    pub fn close(&self, mut state: SessionState, status: u16) -> VisitReport {
        state.answered(status);
        let (state, result) = self.settle(state, self.policy.trigger(status));
        let report = VisitReport::settled(&self.codec, &state, result, || self.clock.now());
        VisitReport { looked: true, ..report }
    }

    /// Ends the session that a request names without loading it, and returns the report for its response.
    #[must_use = "the response must carry the headers, and a failure must be answered"]
    pub fn sign_out(&self, cookies: &CookieHeaders) -> VisitReport {
        let mut state = SessionState::unread(self.arrive(cookies));
        state.destroy();
        self.close(state, 200)
    }

    /// Writes the changes in the middle of a request, and returns the state, which must still be [closed](Self::close).
    #[must_use = "the state must still be closed"]
    pub fn commit(&self, state: SessionState) -> (SessionState, Result<(), CommitError>) {
        self.settle(state, Trigger::Commit)
    }

    /// Makes a CSRF token, for [`SessionState::regenerate`].
    ///
    /// # Errors
    /// [`EntropyError`](crate::error::EntropyError) if the random generator failed.
    pub fn token(&self) -> Result<String, EntropyError> {
        use base64::Engine as _;
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes)?;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
    }

    fn arrive(&self, cookies: &CookieHeaders) -> Arrival {
        let now = self.clock.now();
        let mut arrival =
            self.codec.decode_at(cookies.host(), self.policy.placement, cookies.iter(), now).arrival;
        arrival.shows_nothing = cookies.shows_nothing();
        arrival.withheld = cookies.withhold(self.codec.cookie().same_site()) && !self.policy.unseen_begins;
        arrival
    }

    fn settle(&self, state: SessionState, trigger: Trigger) -> (SessionState, Result<(), CommitError>) {
        let draw = || {
            let mut bytes = [0; 64];
            self.entropy.fill(&mut bytes).map(|()| Fresh::from_bytes(&bytes))
        };
        let mut commit = match Commit::begin(state, &self.policy, trigger, self.clock.now(), draw) {
            Ok(commit) => commit,
            Err(refused) => return (refused.state, Err(refused.error)),
        };
        // Before anything is revoked: the visitor keeps the old cookie if the new one is refused.
        while let Some(Err(error)) = commit
            .carried()
            .map(|(record, is_persistent)| self.codec.check(commit.scope(), record, is_persistent))
        {
            if !commit.give_way() {
                return (commit.undo(), Err(error));
            }
        }
        while let Some(operation) = commit.step() {
            let answer = self.store.perform(operation);
            commit.answer(answer, || self.clock.now(), draw);
        }
        let (state, outcome) = commit.finish();
        (state, outcome.result)
    }
}

impl<S: fmt::Debug> fmt::Debug for BlockingSessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingSessions")
            .field("codec", &self.codec)
            .field("policy", &self.policy)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
