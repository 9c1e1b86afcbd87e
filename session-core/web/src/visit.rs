//! How extractors find a request's visit, and how a session ends with a message for the next page.

use serde::Serialize;
use session_core::adapter::Visit;
use session_core::{OpenError, path::Accepts};

use crate::rejection::Rejection;

/// Returns the visit that an extractor found in the request's extensions.
///
/// # Errors
/// [`Rejection::NoLayer`] if there is none, [`OpenError::Disabled`] if sessions are switched off.
pub fn find_visit(in_extensions: Option<&Visit>) -> Result<Visit, Rejection> {
    match in_extensions {
        None => Err(Rejection::NoLayer),
        Some(visit) if visit.is_off() => Err(OpenError::Disabled.into()),
        Some(visit) => Ok(visit.clone()),
    }
}

/// Returns the visit for an optional extractor: `None` without a layer, or where sessions are switched off.
///
/// Opening the visit can still fail. Report that error: a store that is down must not look like a visitor without a
/// session.
#[must_use]
pub fn find_visit_if_any(in_extensions: Option<&Visit>) -> Option<Visit> {
    in_extensions.filter(|visit| !visit.is_off()).cloned()
}

/// Returns the visit for an extractor that reads a form: `None` where sessions are switched off, since forms are read
/// there, too.
///
/// # Errors
/// [`Rejection::NoLayer`] if there is none.
pub fn find_visit_for_input(in_extensions: Option<&Visit>) -> Result<Option<Visit>, Rejection> {
    match find_visit(in_extensions) {
        Ok(visit) => Ok(Some(visit)),
        Err(Rejection::Open(OpenError::Disabled)) => Ok(None),
        Err(rejection) => Err(rejection),
    }
}

/// Ends the session and leaves a message for the next page, in a new session that holds nothing else.
///
/// Everything of the old session is dropped and its id is invalidated, as by [`Visit::destroy`]. Costs a load and a
/// write instead of one call. More messages may be flashed, or left with a redirect, afterwards.
///
/// # Errors
/// As for [`Visit::session`], and for the message as for [`Session::flash`](session_core::Session::flash).
pub async fn sign_out_with<V: Serialize>(
    visit: &Visit,
    key: impl Accepts<V>,
    value: V,
) -> Result<(), Rejection> {
    let session = visit.session().await?;
    session.invalidate()?;
    Ok(session.flash(key, value)?)
}
