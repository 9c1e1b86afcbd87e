//! Finds the session of a request that has a cookie of an earlier configuration and none of the current one.

use super::OldSource;
use super::config::Kept;
use super::moves::{to_cookie, to_store};
use crate::decision::codec::{CookieCodec, Decoded};
use crate::decision::state::{Arrival, Claim};
use crate::engine::carry::{Came, Handover};
use crate::engine::common::Engine;
use crate::engine::visit::CookieHeaders;
use crate::value::answer::StoreError;
use crate::value::cookie::format::Scope;
use crate::value::cookie::parse::Candidates;
use crate::value::cookie::reject::RejectReason;
use crate::value::time::Timestamp;
use crate::value::token::XSRF_COOKIE;

/// An authentic cookie of an earlier configuration, which came with no authentic cookie of the current one.
pub(crate) struct FromOld<'e> {
    source: &'e OldSource,
    read: Decoded,
}

/// Finds it among the configurations that are not switched off, in their order; a request without one costs a search for
/// each name. `may_move` says whether a session may change its place: the response can tell the browser.
///
/// `rejected` is called with the reason for each old cookie that is rejected, except for those that were rejected under the
/// same name as current ones already.
pub(crate) fn find<'e>(
    engine: &'e Engine,
    read: &Decoded,
    cookies: &CookieHeaders,
    may_move: bool,
    now: Timestamp,
    mut rejected: impl FnMut(RejectReason),
) -> Option<FromOld<'e>> {
    // Choosing comes before judging: a newer cookie that has expired is not replaced by an older one.
    let is_authentic = |reason| matches!(reason, RejectReason::Expired | RejectReason::IssuedInFuture);
    if read.arrival.claim.is_some() || read.rejected.iter().any(is_authentic) {
        return None;
    }
    let sources = engine.old_cookies.iter().filter(|source| now < source.until);
    for source in sources.filter(|source| may_move || matches!(source.kept, Kept::Alike)) {
        let placement = source.placement(engine.policy.placement);
        let read = source.codec.decode_at(cookies.host(), placement, cookies.iter(), now);
        let is_namesake = source.codec.cookie().name() == engine.codec.cookie().name();
        let is_found = read.arrival.claim.is_some();
        if is_found || !is_namesake {
            read.rejected.iter().for_each(&mut rejected);
        }
        if is_found {
            return Some(FromOld { source, read });
        }
    }
    None
}

impl Engine {
    /// Whether the request's session is found by a cookie of an earlier configuration.
    pub(crate) fn has_old_cookie(&self, cookies: &CookieHeaders, now: Timestamp) -> bool {
        !self.old_cookies.is_empty()
            && find(self, &self.read(cookies, now), cookies, true, now, |_| {}).is_some()
    }
}

impl FromOld<'_> {
    /// What opens the cookies of that configuration.
    pub(crate) fn codec(&self) -> &CookieCodec {
        &self.source.codec
    }

    /// Completes the arrival, in the terms of the current configuration, and moves a session that is kept elsewhere.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be moved; the request is answered with 503 and keeps its cookies.
    pub(crate) async fn take_over(
        self,
        engine: &Engine,
        cookies: &CookieHeaders,
        arrival: &mut Arrival,
        now: Timestamp,
    ) -> Result<Came, StoreError> {
        let handover = self.handover(engine, cookies, arrival.scope, now);
        // The cookie is issued as one that came sealed with an old key is.
        (arrival.came, arrival.old_key) = (true, true);
        let moved = match (&self.source.kept, self.read.arrival.claim) {
            (Kept::InCookie(list), Some(Claim::Record(id, record))) => {
                Some(to_store(engine, list.as_deref(), self.source.until, id, record, now).await?)
            }
            (Kept::InStore(store), Some(Claim::Id(id))) => {
                Some(to_cookie(engine, &**store, id, arrival, now).await?)
            }
            (Kept::Alike | Kept::InCookie(_) | Kept::InStore(_), claim) => {
                arrival.claim = claim;
                None
            }
        };
        let Some(moved) = moved else { return Ok(Came { loaded: None, handover: Some(handover) }) };
        let handover = moved.claim.is_some().then_some(handover);
        arrival.claim = moved.claim;
        Ok(Came { loaded: Some(moved.loaded), handover })
    }

    /// What the response does with the cookies of the earlier configuration. Those that the current one sets itself are not
    /// removed: browsers would remove the new ones.
    fn handover(
        &self,
        engine: &Engine,
        cookies: &CookieHeaders,
        scope: Scope,
        #[cfg_attr(not(feature = "dbsc"), expect(unused, reason = "nothing is bound"))] now: Timestamp,
    ) -> Handover {
        let old = self.source.codec.cookie_at(self.read.arrival.scope);
        let new = engine.codec.cookie_at(scope);
        let came = |name: &str| !Candidates::find(cookies.iter(), name).values().is_empty();
        let is_elsewhere = !old.is_in_the_same_place(new);
        let has_moved = matches!(self.source.kept, Kept::InCookie(_));
        Handover {
            clear: is_elsewhere.then(|| old.clear()),
            clear_touch: ((is_elsewhere || has_moved) && came(old.touch_name())).then(|| old.clear_touch()),
            clear_xsrf: (engine.xsrf_cookie && !old.has_scope_of(new) && came(XSRF_COOKIE))
                .then(|| old.clear_readable(XSRF_COOKIE)),
            #[cfg(feature = "dbsc")]
            bound: engine.rebind(&self.source.codec, cookies, scope, now),
            #[cfg(not(feature = "dbsc"))]
            bound: None,
        }
    }
}
