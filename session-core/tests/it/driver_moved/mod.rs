//! Requests in flight while another one gives their session a new id: which of them follow it, and which do not.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

mod ends;
mod fails;
mod goes_on;
mod strangers;
mod writes;

use crate::driver_support::*;
use session_core::{adapter::*, *};

/// A browser whose session belongs to this user.
async fn signed_in(app: &App, user: &str) -> Browser {
    let mut browser = known(app).await;
    app.visit(&mut browser, async |session| session.tag(user).unwrap()).await;
    app.calls();
    app.events.take();
    browser
}

/// A request that has loaded the session and added one to `n`.
async fn adding(app: &App, browser: &Browser) -> VisitGuard {
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().increment("n").unwrap();
    guard
}

async fn regenerate(app: &App, browser: &mut Browser) {
    app.visit(browser, async |session| session.regenerate().unwrap()).await;
}

fn is_gone(report: &VisitReport) -> bool {
    matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none()
}

fn wrote_silently(report: &VisitReport) -> bool {
    report.error.is_none() && report.set_cookie.is_none()
}
