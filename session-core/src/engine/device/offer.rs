//! The offer of a binding: the headers of the response that signs somebody in, or out.

use crate::decision::commit::CookieOrder;
use crate::decision::state::SessionState;
use crate::engine::common::Engine;
use crate::engine::report::VisitReport;
use crate::engine::sources::EntropyError;
use crate::value::content;
use crate::value::cookie::format::Scope;
use crate::value::device::proof::Stage;
use crate::value::device::token::Challenge;
use crate::value::device::{BindingId, words};
use crate::value::id::SessionId;

/// Adds what the browser is told about its binding.
///
/// At sign-in it is asked for a key, and gets the short-lived cookie at once: requests that are on their way when the
/// session becomes bound carry it already. A session that is bound stays so with a new id: otherwise whoever copied its
/// cookies could renew the id within the minutes they work, and bind the session to a key of their own.
pub(crate) fn offer(engine: &Engine, state: &SessionState, report: &mut VisitReport) {
    let Some(rules) = &engine.device else { return };
    if report.set_cookie.is_none() {
        return;
    }
    match state.cookie() {
        CookieOrder::Clear { .. } => report.set_bound = Some(engine.no_bound_cookie(rules, state.scope())),
        CookieOrder::SetId { id, .. } | CookieOrder::SetRecord { id, .. }
            if state.signed_in() && !state.content.system.exists(content::DEVICE) =>
        {
            // Without random bytes there is no offer; the session itself has its own.
            _ = ask(engine, id, state.scope(), report);
        }
        _ => {}
    }
}

fn ask(
    engine: &Engine,
    session: &SessionId,
    scope: Scope,
    report: &mut VisitReport,
) -> Result<(), EntropyError> {
    let Some(rules) = &engine.device else { return Ok(()) };
    let mut id = [0; 16];
    engine.entropy.fill(&mut id)?;
    let (id, now) = (BindingId::from_bytes(id), engine.clock.now());
    let challenge =
        Challenge { issued_at: now, stage: Stage::Registration, id, session: session.store_key() };
    let challenge = engine.challenge(&challenge)?;
    let cookie = engine.bound_cookie(rules, scope, id, now)?;
    report.set_bound = Some(cookie);
    let registration = words::registration(rules.algorithms, &rules.register_path, challenge.as_str());
    report.registration = Some(registration);
    Ok(())
}
