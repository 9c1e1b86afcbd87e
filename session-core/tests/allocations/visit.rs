//! The allocations of a whole visit, from the cookie to the report.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use session_core::{adapter::*, machine::*, *};
use session_store_memory::MemoryStore;
use stats_alloc::Region;

use crate::{COUNTER, alone};

/// Each number is paid by every request: a change that raises one should give its reason.
#[test]
fn a_visit_allocates_no_more_than_it_says_here() {
    let _alone = alone();
    let key = || SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    let in_memory = Sessions::builder().store(MemoryStore::new()).key(key()).build().unwrap();
    let in_cookie = Sessions::builder().in_cookie().key(key()).build().unwrap();
    // A state has a box of its own, which costs less than to move it from hand to hand.
    // Splitting a session by `serde_json` into an ordered map costs four of these, a cookie two for each seal.
    let in_all = [(&in_memory, "memory", [2, 16, 29]), (&in_cookie, "cookie", [2, 16, 32])];
    for (sessions, place, most) in in_all {
        let cookie = sign_in(sessions);
        let count = |handler| allocations(|| drop(visit(sessions, &cookie, handler)));
        let look: fn(&Session) = |session| assert!(session.has("user"));
        let add: fn(&Session) = |session| _ = session.increment("hits").unwrap();
        let made = [None, Some(look), Some(add)].map(count);
        let fits = made.iter().zip(&most).all(|(made, most)| made <= most);
        assert!(fits, "{place}: unused, read, written: {made:?}, allowed {most:?}");
    }
    let padded = allocations(|| Values::default().put("list.1024", 1).unwrap());
    assert!(padded < 20, "{padded} for 1,024 empty places");
}

fn sign_in(sessions: &Sessions) -> String {
    let fill = |session: &Session| {
        let item = serde_json::json!({ "sku": "SKU-0001", "qty": 1, "cents": 1_299 });
        session.put("user", "alice@example.com").unwrap();
        session.put("cart", vec![item; 5]).unwrap();
        session.put("hits", 0).unwrap();
    };
    let set_cookie = visit(sessions, "", Some(fill)).set_cookie.unwrap();
    set_cookie.split(';').next().unwrap().to_owned()
}

fn visit(sessions: &Sessions, cookie: &str, handler: Option<fn(&Session)>) -> VisitReport {
    let guard = sessions.visit(CookieHeaders::from_iter([cookie]), &Never);
    if let Some(handler) = handler {
        handler(&finished(guard.visit().session()).unwrap());
    }
    match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => finished(writing),
    }
}

/// The memory store never waits for anything.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// The least of several runs: the test harness has a thread of its own, which allocates now and then.
fn allocations(work: impl Fn()) -> usize {
    let counted = (0..20).map(|_| {
        let region = Region::new(COUNTER);
        work();
        let change = region.change();
        change.allocations + change.reallocations
    });
    counted.min().expect("twenty runs")
}

#[derive(Debug)]
struct Never;

impl Spawn for Never {
    fn spawn(&self, _: BoxFuture<()>) {
        unreachable!("nobody stops waiting here");
    }
}
