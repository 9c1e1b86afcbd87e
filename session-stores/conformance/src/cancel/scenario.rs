//! The requests that are interrupted, and what must hold afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use session_core::{
    Sessions,
    adapter::{BoxFuture, Closing, CookieHeaders, Spawn, Visit},
};

use super::Handler;
use super::interrupt::pend;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Puts two values, which are written when the visit closes.
    Put,
    /// Puts two values and commits in the handler.
    Commit,
    /// Puts two values while another request writes the same session.
    Contended,
    Destroy,
    Regenerate,
    /// Destroys the session without opening it.
    SignOut,
    PutAndPanic,
    DestroyAndPanic,
    RegenerateAndPanic,
    /// Panics inside of a closure that holds the session's state.
    PanicInUpdate,
}

impl Scenario {
    pub(super) const ALL: [Self; 10] = [
        Self::Put,
        Self::Commit,
        Self::Contended,
        Self::Destroy,
        Self::Regenerate,
        Self::SignOut,
        Self::PutAndPanic,
        Self::DestroyAndPanic,
        Self::RegenerateAndPanic,
        Self::PanicInUpdate,
    ];

    /// Returns whether the previous id is invalid after this was ordered.
    pub(super) fn ends_the_id(self) -> bool {
        self.destroys() || self.regenerates()
    }

    fn destroys(self) -> bool {
        matches!(self, Self::Destroy | Self::SignOut | Self::DestroyAndPanic)
    }

    fn regenerates(self) -> bool {
        matches!(self, Self::Regenerate | Self::RegenerateAndPanic)
    }

    fn panics(self) -> bool {
        matches!(self, Self::PutAndPanic | Self::DestroyAndPanic | Self::RegenerateAndPanic)
    }
}

/// Returns the handler of the interrupted request. It reports when it has given its order; `rival` is the application and
/// the cookie of the other request.
pub(super) fn interrupted(scenario: Scenario, acted: Arc<AtomicBool>, rival: (Sessions, String)) -> Handler {
    Arc::new(move |visit| {
        let (acted, rival) = (acted.clone(), rival.clone());
        Box::pin(async move {
            pend().await;
            if scenario == Scenario::SignOut {
                acted.store(true, SeqCst);
                visit.destroy().await.expect("the store answers");
            } else {
                act(scenario, &visit, &acted, &rival).await;
            }
            pend().await;
        })
    })
}

async fn act(scenario: Scenario, visit: &Visit, acted: &AtomicBool, rival: &(Sessions, String)) {
    let session = visit.session().await.expect("the store answers");
    pend().await;
    if scenario == Scenario::Contended {
        write_as_another(rival).await;
    }
    if scenario == Scenario::PanicInUpdate {
        let panics = |_: Option<i64>| -> i64 { panic!("on purpose, inside of the session") };
        session.update("first", panics).expect("it never returns");
    }
    session.put("first", 1).expect("the visit is open");
    if scenario.destroys() {
        session.destroy().expect("the visit is open");
    } else {
        session.put("second", 1).expect("the visit is open");
    }
    if scenario.regenerates() {
        session.regenerate().expect("the visit is open");
    }
    acted.store(true, SeqCst);
    pend().await;
    assert!(!scenario.panics(), "on purpose");
    if scenario == Scenario::Commit {
        session.commit().await.expect("nobody else writes");
    }
}

/// A write of another request, which causes a conflict.
async fn write_as_another((sessions, cookie): &(Sessions, String)) {
    let guard = sessions.visit(CookieHeaders::from_iter([cookie]), &NOWHERE);
    let session = guard.visit().session().await.expect("the store answers");
    session.increment("rival").expect("the visit is open");
    if let Closing::Pending(writing) = guard.close(200) {
        writing.await;
    }
}

/// The other request may be dropped half-way: it is not the one under test.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}

static NOWHERE: Nowhere = Nowhere;
