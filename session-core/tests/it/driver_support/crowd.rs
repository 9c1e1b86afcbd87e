//! Requests that wait behind another one of their session, whose write is held.

use session_core::adapter::*;
use session_testkit::doubles::gate::Gate;
use session_testkit::{Verb, When};
use tokio::task::JoinHandle;

use super::{App, Browser, finish};

/// A request that has opened its session and added one to `n`.
pub(crate) async fn adding(app: &App, browser: &Browser) -> VisitGuard {
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().increment("n").unwrap();
    guard
}

/// A request that has lost once and whose turn it is: its second try is held at the gate.
pub(crate) async fn one_in_front(app: &App, browser: &mut Browser) -> (Gate, JoinHandle<VisitReport>) {
    let slow = adding(app, browser).await;
    app.visit(browser, async |session| session.increment("n").unwrap()).await;
    let mut lost = app.gates().hold(Verb::Replace, When::After);
    let slow = tokio::spawn(finish(slow, 200));
    lost.arrived().await;
    let mut again = app.gates().hold(Verb::Replace, When::Before);
    lost.release();
    again.arrived().await;
    app.calls();
    app.events.take();
    (again, slow)
}

/// Closes them all, and lets each run until it waits.
pub(crate) async fn closing(guards: Vec<VisitGuard>) -> Vec<JoinHandle<VisitReport>> {
    let closing = guards.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    closing
}

pub(crate) async fn all_succeed(closing: Vec<JoinHandle<VisitReport>>) {
    for report in closing {
        let report = report.await.unwrap();
        assert!(report.error.is_none(), "{:?}", report.error);
    }
}
