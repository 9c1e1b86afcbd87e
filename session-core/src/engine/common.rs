//! What all visits of one configuration share: the store, the clock, randomness, the cookie codec and the rules.

use std::fmt;
use std::sync::Arc;

use super::event::{Event, Observer, Told};
use super::flights::Flights;
use super::import::Source;
use super::old_cookie::OldSource;
use super::sources::{Clock, Entropy, EntropyError};
use super::store::SessionStore;
use super::touches::Touches;
use super::turns::Turns;
use super::visit::CookieHeaders;
use crate::decision::codec::{CookieCodec, Decoded};
use crate::decision::commit::Fresh;
use crate::decision::policy::Policy;
use crate::decision::state::Arrival;
use crate::value::secret::SecretFields;
use crate::value::time::Timestamp;
use crate::value::url::RedirectHosts;

/// The state that all visits share.
pub(crate) struct Engine {
    pub(crate) policy: Policy,
    pub(crate) codec: CookieCodec,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    pub(crate) revocations: Option<Arc<dyn SessionStore>>,
    /// Other libraries whose visitors are carried over.
    pub(crate) imports: Vec<Source>,
    /// Earlier configurations of the cookie.
    pub(crate) old_cookies: Vec<OldSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) touches: Touches,
    pub(crate) turns: Turns,
    pub(crate) flights: Arc<Flights>,
    pub(crate) secrets: SecretFields,
    pub(crate) redirect_hosts: RedirectHosts,
    pub(crate) private_pages: bool,
    pub(crate) xsrf_cookie: bool,
    /// How sessions are bound to devices, if they are.
    #[cfg(feature = "dbsc")]
    pub(crate) device: Option<super::device::Rules>,
    pub(super) enabled: bool,
    pub(super) observers: Vec<Arc<dyn Observer>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", self.codec.cookie())
            .field("store", &self.store)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn is_off(&self) -> bool {
        !self.enabled
    }

    pub(crate) fn tell(&self, event: &Event) {
        match event.is_trouble() {
            true => tracing::warn!(target: "session", ?event),
            false => tracing::debug!(target: "session", ?event),
        }
        self.observers.iter().for_each(|observer| observer.observe(event));
    }

    /// Tells what a commit returned, once its lock is released.
    pub(crate) fn tell_all(&self, told: &Told) {
        told.iter().for_each(|event| self.tell(event));
    }

    /// Reads the cookies of a request.
    pub(crate) fn read(&self, cookies: &CookieHeaders, now: Timestamp) -> Decoded {
        self.codec.decode_at(cookies.host(), self.policy.placement, cookies.iter(), now)
    }

    /// Reports what was read, and says what the request comes with. `old` has opened a cookie of an earlier configuration; if it
    /// has the name of the current one, it is no news that it does not open as one.
    pub(crate) fn arrive(
        &self,
        mut read: Decoded,
        cookies: &CookieHeaders,
        now: Timestamp,
        old: Option<&CookieCodec>,
    ) -> Arrival {
        let is_namesake = |old: &CookieCodec| old.cookie().name() == self.codec.cookie().name();
        if !old.is_some_and(is_namesake) {
            read.rejected.iter().for_each(|reason| self.tell(&Event::RejectedCookie(reason)));
        }
        if read.duplicates > 0 {
            self.tell(&Event::DuplicateCookies(read.duplicates));
        }
        if read.ignored > 0 {
            self.tell(&Event::IgnoredCookies(read.ignored));
        }
        if read.arrival.old_key {
            self.tell(&Event::UnsealedWithOldKey);
        }
        read.arrival.shows_nothing = cookies.shows_nothing();
        let may_be_withheld = self.codec.header().is_none() && !self.policy.unseen_begins;
        read.arrival.withheld = may_be_withheld && cookies.withhold(self.codec.cookie().same_site());
        #[cfg(feature = "dbsc")]
        if let Some(rules) = self.device.as_ref().filter(|_| read.arrival.claim.is_some() || old.is_some()) {
            let codecs = [Some(&self.codec), old];
            read.arrival.device = super::device::check(rules, codecs.into_iter().flatten(), cookies, now);
        }
        #[cfg(not(feature = "dbsc"))]
        let _ = now;
        read.arrival
    }

    pub(crate) fn fresh(&self) -> Result<Fresh, EntropyError> {
        let mut bytes = [0; 64];
        self.entropy.fill(&mut bytes)?;
        Ok(Fresh::from_bytes(&bytes))
    }

    /// The header that removes the short-lived cookie, where sessions are bound to devices.
    #[cfg_attr(not(feature = "dbsc"), expect(clippy::unused_self, reason = "nothing is bound"))]
    pub(crate) fn bound_removal(&self, host: Option<&[u8]>) -> Option<String> {
        #[cfg(feature = "dbsc")]
        return self.device.as_ref().map(|rules| self.no_bound_cookie(rules, self.scope_of(host)));
        #[cfg(not(feature = "dbsc"))]
        {
            _ = host;
            None
        }
    }

    /// Draws the randomness for a session that keeps its id: half as many bytes, in two thirds of the time.
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
}
