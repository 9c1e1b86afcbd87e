//! Changing a visit's session: its content, its id, its end.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Access, SessionState};
use crate::decision::decide::Fate;
use crate::decision::policy::Policy;
use crate::value::content::{self, Content};
use crate::value::error::ValueError;
use crate::value::flash::FlashBag;
use crate::value::id::SessionId;
use crate::value::json::strict::to_raw;
use crate::value::path::AnyKey;
use crate::value::record::Record;
use crate::value::sibling;
use crate::value::values::Values;

impl SessionState {
    /// Bounds what this visit may hold, at each change and not only at the commit: beyond twice the
    /// [limit of a record](Policy::max_record), a change returns [`ValueError::TooLarge`] and nothing is changed. Old
    /// input and errors give way instead, as at the commit.
    ///
    /// Call it once, when the session is opened. The bound is cheap: sizes are added up, and what is held is counted only
    /// if the sum exceeds the bound. Up to an eighth of it can therefore be held in excess.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// state.limit_to(&policy);
    /// let big = "x".repeat(2 * policy.max_record);
    /// assert!(matches!(state.data_mut().put("big", big), Err(session_core::ValueError::TooLarge { .. })));
    /// assert!(!state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limit_to(&mut self, policy: &Policy) {
        self.content.limit_to(policy.max_record);
    }

    /// Returns the visitor's values, to change them. Every change is journalled.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// state.data_mut().increment("visits")?;
    /// assert_eq!(state.data().get::<u32>("visits")?, Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data_mut(&mut self) -> &mut Values {
        &mut self.content.data
    }

    /// Leaves a value for the next visit, in one of the three flash bags.
    ///
    /// # Errors
    /// [`ValueError`] for a malformed path or a value that JSON cannot represent.
    ///
    /// ```
    #[doc = include_str!("../../given/a_new_session.in")]
    /// state.flash(FlashBag::Messages, "status", "Saved")?;
    /// // For the next visit: this one does not show it.
    /// assert!(state.flashed(FlashBag::Messages).is_empty() && state.is_changed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flash<V: Serialize>(
        &mut self,
        bag: FlashBag,
        key: impl AnyKey,
        value: V,
    ) -> Result<(), ValueError> {
        let not_json = |source| ValueError::NotJson { key: key.path().to_string(), source };
        let json = to_raw(&value).map_err(not_json)?;
        self.content.flash.flash_at(bag, key.path(), json)
    }

    /// Removes what the previous visit left, so that the next one does not show it again. [`open`](Self::open) does
    /// this for [`Access::Full`]; call it when a visit that was opened for reading begins to write. Calling it again
    /// has no effect.
    pub fn take_flash(&mut self) {
        if self.access == Access::ReadOnly {
            self.access = Access::Full;
            self.content.flash.take();
        }
    }

    /// Tells the status of the response, before the commit of [`Trigger::Response`](crate::machine::table::Trigger::Response).
    /// Flash that this visit has not shown is then left for the next one: nothing was read, and the response is a redirect
    /// or has no body (1xx, 204, 205, 304); or it is one that [shows nothing](super::Arrival::shows_nothing).
    pub fn answered(&mut self, status: u16) {
        if self.shows_nothing || is_without_page(status) {
            self.content.flash.pass_on(self.shows_nothing);
        }
    }

    /// Sets or removes the user of the session. Another user than before, or the first one, also orders a new id, so that
    /// an id from before the sign-in is worthless after it. The same user again, and the removal of the user, keep the id.
    ///
    /// A change of user drops the CSRF token, and what is known about the former user: the time of authentication and the
    /// stamp.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.set_owner(Some("ada"));
    /// assert_eq!(state.fate(), Fate::Keep, "it is hers already");
    /// state.set_owner(Some("eve"));
    /// assert_eq!(state.fate(), Fate::Renew);
    /// ```
    pub fn set_owner(&mut self, owner: Option<&str>) {
        if self.owner() == owner {
            return;
        }
        if owner.is_some() {
            // An id that was drawn but that no cookie has carried yet is new enough.
            self.fate = self.fate.max(Fate::Renew);
        }
        // The binding belongs to another user, so it is dropped and a new one is offered.
        self.content.system.forget(content::DEVICE);
        if self.owner().is_some() {
            self.content.system.forget(content::AUTHENTICATED_AT);
            self.content.system.forget(content::STAMP);
        }
        self.content.set_owner(owner.map(Arc::from));
    }

    /// Removes all values and the intended and previous URL. Keeps the id, flash messages, CSRF token, tag and
    /// lifetimes.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.clear();
    /// assert!(state.data().is_empty());
    /// assert_eq!(state.owner(), Some("ada"));
    /// ```
    pub fn clear(&mut self) {
        self.content.data.clear();
        for key in [content::INTENDED, content::PREVIOUS] {
            self.content.system.forget(key);
        }
    }

    /// Gives the session a new id with the next commit, which invalidates the old one in the same step. An existing
    /// CSRF token is replaced by `csrf()`.
    ///
    /// # Errors
    /// The error of `csrf`; nothing is changed then.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.regenerate(|| Ok::<_, Infallible>("token".to_owned()))?;
    /// assert_eq!(state.fate(), Fate::Renew);
    /// assert!(!state.data().is_empty(), "the data stay");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn regenerate<E>(&mut self, csrf: impl FnOnce() -> Result<String, E>) -> Result<(), E> {
        if self.fate == Fate::Keep {
            if self.content.system.exists(content::CSRF) {
                let token = csrf()?;
                self.set_csrf(&token);
            }
            self.fate = Fate::Renew;
            self.next_id = None;
        }
        Ok(())
    }

    fn set_csrf(&mut self, token: &str) {
        let put = self.content.system.put(content::CSRF, token);
        debug_assert!(put.is_ok(), "a string under a plain name can always be put");
    }

    /// Removes everything and orders a new id. Values that are put afterwards are kept.
    ///
    /// ```
    #[doc = include_str!("../../given/a_stored_session.in")]
    /// state.invalidate();
    /// state.data_mut().put("status", "goodbye")?;
    /// assert_eq!((state.fate(), state.data().len(), state.owner()), (Fate::Renew, 1, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate(&mut self) {
        self.content.wipe();
        if self.fate == Fate::Keep {
            self.next_id = None;
        }
        self.fate = self.fate.max(Fate::Renew);
    }

    /// Ends the session: its record becomes a tombstone, and its cookie is removed.
    pub fn destroy(&mut self) {
        self.content.wipe();
        self.fate = Fate::Destroy;
    }

    /// Leaves the new id for requests that came with the old one and sign the same user in.
    pub(in crate::decision) fn tell_siblings(&mut self, fresh: Option<&SessionId>) {
        let new = self.next_id.as_deref().or(fresh).filter(|_| self.content.signs_in());
        match (new, &self.id) {
            (Some(new), Some(old)) => self.content.set_sibling(Some(&sibling::wrap(new, old))),
            _ => self.content.set_sibling(None),
        }
    }

    /// Drops the changes to data; what was shown is not taken. A new CSRF token that came with a new id is kept.
    pub(in crate::decision) fn drop_data(&mut self) {
        let renewed = [content::CSRF, content::CSRF_BEFORE].map(|name| {
            (name, self.content.system.get::<Box<serde_json::value::RawValue>>(name).ok().flatten())
        });
        let stored = self.stored_content();
        self.content.become_content(stored);
        if self.fate == Fate::Renew && self.content.system.exists(content::CSRF) {
            for (name, value) in renewed {
                let put = value.map(|value| self.content.system.put(name, value));
                debug_assert!(!matches!(put, Some(Err(_))), "what stood in a session fits in it again");
            }
        }
    }

    /// The idle timeout of the session as it stood there before this visit changed it.
    pub(in crate::decision) fn stored_age(&self, policy: &Policy) -> Duration {
        self.stored_content().age().unwrap_or(policy.age)
    }

    /// What stood there before this visit changed it.
    pub(super) fn stored_content(&self) -> Content {
        let decode = |record: &Record| Content::decode(&record.payload, record.owner.clone()).ok();
        self.base.as_ref().and_then(decode).unwrap_or_default()
    }
}

/// Whether a response of this status shows no page: it has no body, or it leads to another page.
const fn is_without_page(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 205 | 300..=399)
}
