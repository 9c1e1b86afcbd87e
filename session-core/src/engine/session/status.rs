//! How this request found its session, and what has become of it since, as a facet of [`Session`].

use super::{Access, Session};
use crate::decision::decide::Origin;

/// How this request found its session: new, ended, or withheld from it. From [`Session::status`].
///
/// ```
/// # use session_core::Session;
/// let session = Session::standalone();
/// assert!(session.status().fresh() && !session.status().readonly());
/// ```
#[derive(Debug)]
#[doc(alias = "initiated")]
pub struct Status<'s>(&'s Session);

impl Session {
    /// Returns the facet that says how this request found the session: new, ended elsewhere, withheld by the browser,
    /// read-only.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        Status(self)
    }
}

impl Status<'_> {
    /// Returns whether the session was new when this request opened it, that is, no stored record was found.
    #[must_use]
    pub fn fresh(&self) -> bool {
        self.0.read(|state| state.is_fresh())
    }

    /// Returns whether the cookie names a session that was ended or renewed a moment ago. Such a request gets an empty
    /// session, and its changes are not kept, because a late request must not overwrite the cookie of a newer sign-in.
    /// [`regenerate`](Session::regenerate) and [`tag`](Session::tag) begin a new session: call the former on the page with
    /// the sign-in form.
    ///
    /// ```
    /// # use session_core::Session;
    /// # fn sign_in_page(session: &Session) -> Result<(), session_core::SessionError> {
    /// if session.status().ended() {
    ///     session.regenerate()?; // so that the form's CSRF token is kept
    /// }
    /// # Ok(())
    /// # }
    /// assert!(!Session::standalone().status().ended());
    /// ```
    #[must_use]
    pub fn ended(&self) -> bool {
        self.0.read(|state| state.origin() == Origin::Ended)
    }

    /// Returns whether another site sent this request and `SameSite` withheld the session's cookie, so that the visitor
    /// may have a session which this request cannot see. Changes are not kept, since a new cookie would replace that
    /// session, unless the request signs in ([`regenerate`](Session::regenerate) or [`tag`](Session::tag)). An explicit
    /// [`commit`](Session::commit) returns [`CommitError::Unseen`](crate::CommitError::Unseen).
    #[must_use]
    pub fn unseen(&self) -> bool {
        self.0.read(|state| state.origin() == Origin::Unseen)
    }

    /// Returns whether the session is bound to a device, and this request does not prove that it comes from there: its
    /// short-lived cookie is missing, too old, or another's. Such a request gets an empty session, and its changes are not
    /// kept, since a new cookie would replace that of the device. Signing in ([`regenerate`](Session::regenerate)) begins a
    /// new session; call it on the page that signs in as well, as for [`ended`](Self::ended). An explicit
    /// [`commit`](Session::commit) returns [`CommitError::Unproven`](crate::CommitError::Unproven).
    #[must_use]
    pub fn unproven(&self) -> bool {
        self.0.read(|state| state.origin() == Origin::Unproven)
    }

    /// Returns whether a stored session got a new id in this request.
    #[must_use]
    pub fn has_regenerated(&self) -> bool {
        self.0.read(|state| state.has_regenerated())
    }

    /// Returns whether this handle is read-only.
    #[must_use]
    pub fn readonly(&self) -> bool {
        self.0.access == Access::ReadOnly
    }
}
