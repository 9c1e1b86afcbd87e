//! The CSRF token of a session, as a facet of [`Session`].
//!
//! The token is made on first use, stored with the session, renewed with its id, and dropped when the session's user
//! changes. For a short time after a renewal the previous token is accepted as well, so that a form which was open in
//! another tab can still be submitted; a token that was renewed explicitly has no such grace.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Session;
use crate::decision::state::SessionState;
use crate::engine::common::Engine;
use crate::engine::error::SessionError;
use crate::engine::sources::EntropyError;
use crate::value::content::{CSRF, CSRF_BEFORE};
use crate::value::time::Timestamp;
use crate::value::token::{CsrfToken, TOKEN_BYTES};

/// The CSRF token of a session: what forms carry so that another site cannot submit them. From [`Session::csrf`].
///
/// The adapters' CSRF layers verify it for every unsafe request. Use this type to put the token into a page, or to
/// verify it where no layer does.
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// let token = session.csrf().token()?;
/// assert!(session.csrf().verify(&token));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug)]
pub struct Csrf<'s>(pub(in crate::engine) &'s Session);

/// The token before the last regenerate.
#[derive(Serialize, Deserialize)]
struct Before {
    token: String,
    until: Timestamp,
}

impl Session {
    /// Returns the facet for the session's CSRF token.
    #[must_use]
    pub fn csrf(&self) -> Csrf<'_> {
        Csrf(self)
    }
}

impl Csrf<'_> {
    /// Returns the token for a page: 86 characters of URL-safe base64. Makes the token if the session has none yet.
    ///
    /// The text is different with every call, because the token (32 random bytes) is masked anew. A page that shows both
    /// the token and a visitor's input therefore does not leak the token by the size of its compressed response (BREACH).
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if no random bytes are available, and the [errors of every
    /// change](Session#errors-of-every-change) if the token must be made.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// let (one, two) = (session.csrf().token()?, session.csrf().token()?);
    /// assert_ne!(one, two);
    /// assert!(session.csrf().verify(&one) && session.csrf().verify(&two));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[doc(alias = "csrf_token")]
    pub fn token(&self) -> Result<String, SessionError> {
        let (session, engine) = (self.0, self.0.shared.engine.clone());
        session.shared.shows_token.store(true, Ordering::Release);
        if let Some(token) = session.try_read(|state| Ok::<_, SessionError>(token(state)))? {
            return masked(&engine, &token);
        }
        // Checked again under the same lock: of two concurrent first uses, one makes the token.
        session.edit(|state| match token(state) {
            Some(token) => masked(&engine, &token),
            None => make(&engine, state),
        })
    }

    /// Replaces the token and returns the new one. Forms that carry the previous token are refused from now on.
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if no random bytes are available, and the [errors of every
    /// change](Session#errors-of-every-change).
    #[doc(alias = "regenerate_csrf_token")]
    pub fn regenerate(&self) -> Result<String, SessionError> {
        let engine = self.0.shared.engine.clone();
        self.0.shared.shows_token.store(true, Ordering::Release);
        self.0.edit(|state| {
            let token = make(&engine, state)?;
            state.content.system.forget(CSRF_BEFORE);
            Ok::<_, SessionError>(token)
        })
    }

    /// Returns whether `given` is this session's token, masked or not. Compares in constant time.
    #[must_use]
    #[doc(alias = "verify_csrf")]
    pub fn verify(&self, given: &str) -> bool {
        let now = self.0.shared.engine.clock.now();
        let Some(given) = CsrfToken::parse(given) else { return false };
        let (own, before) = self.0.read(|state| (token(state), before(state)));
        let before = before.filter(|before| now < before.until);
        let before = before.and_then(|before| CsrfToken::parse(&before.token));
        [own, before].into_iter().flatten().any(|token| token.equals(&given))
    }
}

/// Keeps the token that a regenerate is about to replace, for the time of its grace.
pub(super) fn keep_for_grace(state: &mut SessionState, now: Timestamp) {
    if let Some(token) = stored(state) {
        let before = Before { token, until: now.plus(GRACE) };
        let put = state.content.system.put(CSRF_BEFORE, before);
        debug_assert!(put.is_ok(), "a small object under a plain name can always be put");
    }
}

fn make(engine: &Engine, state: &mut SessionState) -> Result<String, SessionError> {
    let text = engine.random_token()?;
    let token = CsrfToken::parse(&text).ok_or(SessionError::Entropy(EntropyError))?;
    let masked = masked(engine, &token)?;
    state.content.system.put(CSRF, text)?;
    Ok(masked)
}

pub(crate) fn masked(engine: &Engine, token: &CsrfToken) -> Result<String, SessionError> {
    let mut mask = [0; TOKEN_BYTES];
    engine.entropy.fill(&mut mask)?;
    Ok(token.masked(mask))
}

pub(crate) fn token(state: &SessionState) -> Option<CsrfToken> {
    CsrfToken::parse(&stored(state)?)
}

fn stored(state: &SessionState) -> Option<String> {
    state.content.system.get(CSRF).ok().flatten()
}

fn before(state: &SessionState) -> Option<Before> {
    state.content.system.get(CSRF_BEFORE).ok().flatten()
}

/// How long the token before a regenerate is accepted.
const GRACE: Duration = Duration::from_secs(120);
