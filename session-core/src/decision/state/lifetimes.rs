//! The lifetimes of a single session: set by hand, within the limits that hold for all.

use std::time::Duration;

use super::SessionState;
use crate::decision::decide::{Fate, Origin};
use crate::decision::policy::{Policy, PolicyError, check_lifetimes};
use crate::value::time::Timestamp;

impl SessionState {
    /// Sets the idle timeout: whole seconds, at least one, and at most the absolute lifetime.
    pub(crate) fn set_age(
        &mut self,
        age: Duration,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), PolicyError> {
        check_lifetimes(age, self.absolute_lifetime(policy, now))?;
        self.content.set_age(age);
        Ok(())
    }

    /// Sets the absolute lifetime from now on. One that is shorter than the idle timeout ends the session earlier.
    pub(crate) fn set_absolute(
        &mut self,
        lifetime: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), PolicyError> {
        if let Some(lifetime) = lifetime {
            check_lifetimes(lifetime, None).map_err(|_| PolicyError::AbsoluteTooShort)?;
        }
        self.content.set_absolute(lifetime.map(|lifetime| now.plus(lifetime)));
        Ok(())
    }

    /// Sets both, and makes the cookie outlive the browser.
    pub(crate) fn remember_me(&mut self, lifetime: Duration, now: Timestamp) -> Result<(), PolicyError> {
        check_lifetimes(lifetime, Some(lifetime))?;
        self.content.set_absolute(Some(now.plus(lifetime)));
        self.content.set_age(lifetime);
        self.content.set_persistent(true);
        Ok(())
    }

    /// How long the session lasts in all, as this visit would write it.
    fn absolute_lifetime(&self, policy: &Policy, now: Timestamp) -> Option<Duration> {
        let base = self.base.as_ref().filter(|_| !self.content.is_wiped());
        match (self.content.absolute_set(), base) {
            (Some(by_hand), _) => by_hand.map(|end| now.until(end)),
            (None, Some(base)) => base.absolute_deadline.map(|end| base.created.until(end)),
            (None, None) => policy.absolute,
        }
    }

    /// What this visit ordered for the id.
    ///
    /// A record in a cookie gets a new id when its lifetime changes. All copies under one id then have the same lifetimes,
    /// so that a note in the list of revocations, made from any of them, stands for as long as all of them.
    pub(super) fn fate_of(&self, lifetime_changed: bool) -> Fate {
        match self.origin {
            Origin::Carried if lifetime_changed => self.fate.max(Fate::Renew),
            _ => self.fate,
        }
    }
}
