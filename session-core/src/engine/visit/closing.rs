//! The headers of a closed visit besides the session's cookie: who may cache the response, and the script-readable token.

use std::sync::atomic::Ordering;

use super::{VisitInner, lock};
use crate::decision::codec::SetCookies;
use crate::engine::carry::Handover;
use crate::engine::report::VisitReport;
use crate::engine::session::{Shared, csrf};
use crate::value::cookie::parse::Candidates;
use crate::value::token::{CsrfToken, XSRF_COOKIE};

/// What a visit knows about its response when it closes.
pub(super) struct Closer {
    looked: bool,
    /// Signed out before the session was opened: a later opening found the tombstone.
    removal: SetCookies,
    /// The header that tokens come in, if they do not come in a cookie.
    header: Option<&'static str>,
    /// The header that removes the short-lived cookie of a session that is bound to its device.
    bound_removal: Option<String>,
    clear_site_data: bool,
    /// What is done with another cookie, which the session came with.
    handover: Handover,
    /// The tokens in the request's `XSRF-TOKEN` cookies, if this cookie is to be kept up to date.
    xsrf_tokens: Option<Vec<CsrfToken>>,
}

impl Closer {
    pub(super) fn of(visit: &VisitInner) -> Self {
        let xsrf_tokens = visit.engine.xsrf_cookie.then(|| {
            let sent = Candidates::find(visit.cookies.iter(), XSRF_COOKIE);
            let texts = sent.values().iter().filter_map(|value| std::str::from_utf8(value).ok());
            texts.filter_map(CsrfToken::parse).collect()
        });
        let removal = lock(&visit.signed_out).take().unwrap_or_default();
        Self {
            looked: visit.looked.load(Ordering::Acquire),
            bound_removal: removal
                .session
                .as_ref()
                .and_then(|_| visit.engine.bound_removal(visit.cookies.host())),
            removal,
            header: visit.engine.codec.header(),
            clear_site_data: visit.clear_site_data.load(Ordering::Acquire),
            handover: visit.handover.get().cloned().unwrap_or_default(),
            xsrf_tokens,
        }
    }

    /// Completes the report, with the session if it was opened.
    pub(super) fn complete(self, report: VisitReport, shared: Option<&Shared>) -> VisitReport {
        let succeeded = report.error.is_none();
        let xsrf_cookie = shared.filter(|_| succeeded).and_then(|shared| self.xsrf_cookie(shared));
        let (removed, forgotten) = match self.header {
            Some(name) => (None, self.removal.session.map(|token| (name, token))),
            None => (self.removal.session, None),
        };
        let is_set = report.set_cookie.is_some();
        // Not before the new cookie: a visitor keeps one of the two.
        let handover = if is_set { self.handover } else { Handover::default() };
        VisitReport {
            looked: self.looked,
            xsrf_cookie,
            private: shared.is_some_and(is_private),
            clear_site_data: self.clear_site_data && succeeded,
            clear_old: handover.clear,
            clear_old_touch: handover.clear_touch,
            clear_old_xsrf: handover.clear_xsrf,
            set_cookie: report.set_cookie.or(removed),
            set_touch: report.set_touch.or(self.removal.touch),
            set_token: report.set_token.or(forgotten),
            header: self.header,
            set_bound: report.set_bound.or(self.bound_removal).or(handover.bound),
            registration: report.registration,
            error: report.error,
        }
    }

    /// The cookie for a session that has a token which the browser does not have. Without random bytes for its mask, it
    /// is set by the next response.
    fn xsrf_cookie(&self, shared: &Shared) -> Option<String> {
        let sent = self.xsrf_tokens.as_ref()?;
        let (token, scope) = {
            let visit = shared.lock();
            (csrf::token(&visit.state)?, visit.state.scope())
        };
        // The one that an earlier configuration set is removed.
        if self.handover.clear_xsrf.is_none() && sent.iter().any(|sent| sent.equals(&token)) {
            return None;
        }
        let value = csrf::masked(&shared.engine, &token).ok()?;
        Some(shared.engine.codec.cookie_at(scope).readable(XSRF_COOKIE, &value))
    }
}

/// Whether the response must stay out of caches: it shows the token, or belongs to a user.
fn is_private(shared: &Shared) -> bool {
    shared.engine.private_pages
        && (shared.shows_token.load(Ordering::Acquire) || shared.lock().state.owner().is_some())
}
