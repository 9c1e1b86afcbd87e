//! The session part of this server, whole: open a session when a request needs one, close it before the response leaves.
//!
//! Both halves are plain function calls. The core decides; what it wants done is asked of [`Store`], right here.

use session_core::machine::{Arrival, Claim, NewerFormat, SessionState};
use session_core::machine::{Commit, CookieOrder, Fresh};
use session_core::{
    CommitError, Cookie, EntropyError, KeyRing, Policy, SecretKey,
    adapter::{Clock as _, Entropy as _, SystemClock, SystemEntropy},
    machine::{Binding, CookieSpec, IdToken, SealKind, select},
    store::Loaded,
};

use crate::store::Store;

/// What all requests share.
pub(crate) struct Sessions {
    keys: KeyRing,
    cookie: CookieSpec,
    binding: Binding,
    policy: Policy,
    store: Store,
}

impl Sessions {
    /// Sessions under one key, in a cookie for plain HTTP.
    ///
    /// # Errors
    /// What is wrong with the key or the cookie.
    pub(crate) fn new(key: SecretKey) -> Result<Self, Box<dyn std::error::Error>> {
        let cookie = Cookie::insecure_http("sid").build()?;
        let (keys, binding) = (KeyRing::new([key])?, cookie.binding("session"));
        Ok(Self { keys, cookie, binding, policy: Policy::default(), store: Store::default() })
    }

    /// Opens the session that these `Cookie` headers name, or a fresh one.
    ///
    /// # Errors
    /// A newer version of the library wrote the record: leave it alone and answer 503.
    pub(crate) fn open(&self, headers: &[String]) -> Result<SessionState, NewerFormat> {
        let now = SystemClock.now();
        let headers = headers.iter().map(String::as_bytes);
        let found = select::<IdToken>(&self.keys, &self.binding, self.cookie.name(), headers, now);
        let mut arrival = Arrival::without_cookie();
        (arrival.came, arrival.old_key) = (found.came_in, found.with_old_key);
        let mut loaded = Loaded::Missing;
        if let Some(token) = found.token {
            loaded = self.store.load(&token.id.store_key());
            arrival.claim = Some(Claim::Id(token.id));
        }
        let mut session = SessionState::open(arrival, loaded, now)?;
        session.take_flash();
        Ok(session)
    }

    /// Writes what the request changed, and gives the `Set-Cookie` header that the response must have, if any.
    ///
    /// # Errors
    /// [`CommitError::Gone`]: the session ended meanwhile, answer as if nothing was. Any other: 503 or 500, no cookie.
    pub(crate) fn close(&self, session: &mut SessionState) -> Result<Option<String>, CommitError> {
        let mut commit = Commit::begin(session, &self.policy, SystemClock.now(), fresh)?;
        while let Some(operation) = commit.step() {
            let answer = self.store.perform(operation);
            commit.answer(Ok(answer), &self.policy, SystemClock.now(), fresh);
        }
        commit.finish(session, &self.policy).result?;
        match session.cookie() {
            CookieOrder::Keep | CookieOrder::SetRecord { .. } => Ok(None), // records never travel here
            CookieOrder::Clear => Ok(Some(self.cookie.clear())),
            CookieOrder::SetId { id, absolute_deadline, expires, nonce } => {
                let now = SystemClock.now();
                let token = IdToken { issued_at: now, absolute_deadline: *absolute_deadline, id: id.clone() };
                let sealed = self.keys.seal(&self.binding, SealKind::Id, nonce, &token.encode()[..]);
                let header = self.cookie.set(&sealed, expires.map(|at| (now.until(at), at)));
                header
                    .map(Some)
                    .map_err(|error| CommitError::TooLarge { size: error.size, limit: error.limit })
            }
        }
    }
}

/// The randomness of one attempt to write.
fn fresh() -> Result<Fresh, EntropyError> {
    let mut bytes = [0; 64];
    SystemEntropy.fill(&mut bytes)?;
    Ok(Fresh::from_bytes(&bytes))
}

/// A CSRF token, which a new id brings with it.
pub(crate) fn token() -> Result<String, EntropyError> {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
