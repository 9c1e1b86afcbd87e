//! The binding of a session to its device, as an application shows it.

use super::User;
use crate::value::time::Timestamp;

/// The binding of a session to the device that signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoundDevice {
    /// When the session was bound.
    pub since: Timestamp,
    /// When the device proved itself, the newest last; at most five.
    pub proofs: Vec<Timestamp>,
    /// When the newest proof ends: the browser's first request after this time waits for the next one. A browser may prove
    /// itself earlier; Chromium does so within the last two minutes.
    pub next_refresh: Timestamp,
}

impl User<'_> {
    /// Returns the binding of the session to its device, or `None` if it is not bound: the browser has no Device Bound
    /// Session Credentials, has not registered its key yet, or the session began before bindings were switched on. Only
    /// with the feature `dbsc`.
    ///
    /// ```
    /// let session = session_core::Session::standalone();
    /// assert!(session.user().binding().is_none());
    /// ```
    #[must_use]
    pub fn binding(&self) -> Option<BoundDevice> {
        let bond = self.0.read(|state| state.content.bond())?;
        let refresh = self.0.shared.engine.device.as_ref()?.refresh;
        let newest = bond.proofs.last().copied().unwrap_or(bond.since);
        Some(BoundDevice { since: bond.since, next_refresh: newest.plus(refresh), proofs: bond.proofs })
    }
}
