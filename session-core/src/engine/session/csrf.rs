//! The CSRF token of a session, as a facet of [`Session`].
//!
//! The token is made on first use, stored with the session, and renewed with its id. For a short time after a renewal
//! the previous token is accepted as well, so that a form which was open in another tab can still be submitted; a token
//! that was renewed explicitly has no such grace.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::Session;
use crate::decision::state::SessionState;
use crate::engine::error::SessionError;
use crate::value::content::{CSRF, CSRF_BEFORE};
use crate::value::time::Timestamp;

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
pub struct Csrf<'s>(&'s Session);

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
    /// Returns the token: 32 random bytes as 43 characters. Makes it if the session has none yet.
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if no random bytes are available, and the [errors of every
    /// change](Session#errors-of-every-change) if the token must be made.
    #[doc(alias = "csrf_token")]
    pub fn token(&self) -> Result<String, SessionError> {
        let session = self.0;
        let sessions = session.shared.engine.clone();
        if let Some(token) = session.read(token) {
            return Ok(token);
        }
        // Checked again under the same lock: of two concurrent first uses, one makes the token.
        session.edit(|state| match token(state) {
            Some(token) => Ok(token),
            None => {
                let made = sessions.random_token()?;
                state.content.system.put(CSRF, &made)?;
                Ok::<_, SessionError>(made)
            }
        })
    }

    /// Replaces the token and returns the new one. Forms that carry the previous token are refused from now on.
    ///
    /// # Errors
    /// [`SessionError::Entropy`] if no random bytes are available, and the [errors of every
    /// change](Session#errors-of-every-change).
    #[doc(alias = "regenerate_csrf_token")]
    pub fn regenerate(&self) -> Result<String, SessionError> {
        let sessions = self.0.shared.engine.clone();
        self.0.edit(|state| {
            let token = sessions.random_token()?;
            state.content.system.forget(CSRF_BEFORE);
            state.content.system.put(CSRF, &token)?;
            Ok::<_, SessionError>(token)
        })
    }

    /// Returns whether `given` is this session's token. Compares in constant time.
    #[must_use]
    #[doc(alias = "verify_csrf")]
    pub fn verify(&self, given: &str) -> bool {
        let now = self.0.shared.engine.clock.now();
        let (own, before) = self.0.read(|state| (token(state), before(state)));
        let equal = |own: &str| bool::from(own.as_bytes().ct_eq(given.as_bytes()));
        own.is_some_and(|own| equal(&own))
            || before.is_some_and(|before| now < before.until && equal(&before.token))
    }
}

/// Keeps the token that a regenerate is about to replace, for the time of its grace.
pub(super) fn keep_for_grace(state: &mut SessionState, now: Timestamp) {
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

/// How long the token before a regenerate is accepted. Short, because an attacker who planted the session before
/// sign-in knows that token.
const GRACE: Duration = Duration::from_secs(120);
