//! The offer of a binding: the headers of the response that signs somebody in, or out.

use crate::decision::commit::CookieOrder;
use crate::decision::state::{Notice, SessionState};
use crate::engine::common::Engine;
use crate::engine::report::VisitReport;
use crate::engine::sources::EntropyError;
use crate::value::cookie::format::Scope;
use crate::value::device::proof::Stage;
use crate::value::device::token::Challenge;
use crate::value::device::{Shown, words};
use crate::value::id::StoreKey;

use super::Rules;

/// Adds what the browser is told about its binding.
///
/// At sign-in it is asked for a key, and gets the short-lived cookie at once: requests that are on their way when the
/// session becomes bound carry it already. A session that is bound stays so with a new id: otherwise whoever copied its
/// cookies could renew the id within the minutes they work, and bind the session to a key of their own.
///
/// A session in its cookie is asked for again if it was bound and the browser has sent the cookie from before: a response that
/// was under way meanwhile has set it. That gives nothing to whoever copied such a cookie, which works without any binding.
pub(crate) fn offer(engine: &Engine, state: &SessionState, report: &mut VisitReport) {
    let Some(rules) = &engine.device else { return };
    let sets_cookie = report.set_cookie.is_some();
    let is_unbound = state.notice() == Some(Notice::Unbound) && report.error.is_none();
    let session = match state.cookie() {
        CookieOrder::Clear { .. } => {
            report.set_bound = sets_cookie.then(|| engine.no_bound_cookie(rules, state.scope()));
            return;
        }
        CookieOrder::SetId { id, .. } | CookieOrder::SetRecord { id, .. }
            if sets_cookie && (state.signed_in() || is_unbound) =>
        {
            Some(id.store_key())
        }
        CookieOrder::Keep | CookieOrder::SetTouch { .. } if is_unbound => state.key(),
        CookieOrder::Keep
        | CookieOrder::SetTouch { .. }
        | CookieOrder::SetId { .. }
        | CookieOrder::SetRecord { .. } => None,
    };
    if let Some(session) = session.filter(|_| !state.is_bound()) {
        // Without random bytes there is no offer; the session itself has its own.
        _ = ask(engine, rules, session, state.scope(), report);
    }
}

fn ask(
    engine: &Engine,
    rules: &Rules,
    session: StoreKey,
    scope: Scope,
    report: &mut VisitReport,
) -> Result<(), EntropyError> {
    let (id, now) = (engine.binding_id()?, engine.clock.now());
    let challenge = Challenge { issued_at: now, stage: Stage::Registration, id, session };
    let challenge = engine.challenge(&challenge)?;
    let cookie = engine.bound_cookie(rules, scope, Shown::Offered(id), now)?;
    report.set_bound = Some(cookie);
    let registration = words::registration(rules.algorithms, &rules.register_path, challenge.as_str());
    report.registration = Some(registration);
    Ok(())
}
