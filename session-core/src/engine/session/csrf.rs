//! The token that forms carry, so that another site cannot make this visitor's browser send them.
//!
//! It is made on first use, kept by the session, renewed with its id. For a short while after a renewal the token before
//! it still counts, so that a form which was open in another tab at sign-in can be sent; a token that was renewed on
//! purpose does not.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::Session;
use crate::decision::state::SessionState;
use crate::engine::error::SessionError;
use crate::value::content::{CSRF, CSRF_BEFORE};
use crate::value::time::Timestamp;

/// The token before the last regenerate.
#[derive(Serialize, Deserialize)]
struct Before {
    token: String,
    until: Timestamp,
}

impl Session {
    /// The token that forms of this session carry: 32 random bytes as 43 characters, made on first use.
    ///
    /// # Errors
    /// [`SessionError::Entropy`]; and, when there is none yet, what every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// let token = session.csrf().token()?;
    /// assert_eq!(token.len(), 43);
    /// assert!(session.csrf().verify(&token));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn csrf_token(&self) -> Result<String, SessionError> {
        let sessions = self.shared.sessions.clone();
        if let Some(token) = self.read(token) {
            return Ok(token);
        }
        // Asked again under the same lock: of two first uses at once, one makes the token.
        self.edit(|state| match token(state) {
            Some(token) => Ok(token),
            None => {
                let made = sessions.random_token()?;
                state.content.system.put(CSRF, &made)?;
                Ok::<_, SessionError>(made)
            }
        })
    }

    /// Makes a new token; forms that carry an older one are refused from now on.
    ///
    /// # Errors
    /// [`SessionError::Entropy`], and what every change may answer.
    ///
    /// ```
    /// # use session_core::Session;
    /// let session = Session::standalone();
    /// let old = session.csrf().token()?;
    /// assert_ne!(session.csrf().regenerate()?, old);
    /// assert!(!session.csrf().verify(&old));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    pub fn regenerate_csrf_token(&self) -> Result<String, SessionError> {
        let sessions = self.shared.sessions.clone();
        self.edit(|state| {
            let token = sessions.random_token()?;
            state.content.system.forget(CSRF_BEFORE);
            state.content.system.put(CSRF, &token)?;
            Ok::<_, SessionError>(token)
        })
    }

    /// Whether a form with this token comes from this session; compared in constant time.
    ///
    /// ```
    /// # use session_core::Session;
    /// assert!(!Session::standalone().csrf().verify(""));
    /// ```
    #[must_use]
    pub fn verify_csrf(&self, given: &str) -> bool {
        let now = self.shared.sessions.clock.now();
        let (own, before) = self.read(|state| (token(state), before(state)));
        let equal = |own: &str| bool::from(own.as_bytes().ct_eq(given.as_bytes()));
        own.is_some_and(|own| equal(&own))
            || before.is_some_and(|before| now < before.until && equal(&before.token))
    }
}

/// Notes the token that a regenerate is about to replace.
pub(super) fn retire(state: &mut SessionState, now: Timestamp) {
    if let Some(token) = token(state) {
        let before = Before { token, until: now.plus(GRACE) };
        let put = state.content.system.put(CSRF_BEFORE, before);
        debug_assert!(put.is_ok(), "a small object under a plain name can always be put");
    }
}

fn token(state: &SessionState) -> Option<String> {
    state.content.system.get(CSRF).ok().flatten()
}

fn before(state: &SessionState) -> Option<Before> {
    state.content.system.get(CSRF_BEFORE).ok().flatten()
}

/// How long the token before a regenerate still counts. Short, since whoever planted the session before sign-in knows
/// that token.
const GRACE: Duration = Duration::from_secs(120);
