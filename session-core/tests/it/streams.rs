//! Streams, sockets and jobs: code that outlives a response, and what it can do with its session.

#![allow(clippy::unwrap_used, reason = "everything here runs in tests, where a panic is the report")]

use std::time::Duration;

use session_core::{
    CommitError, Cookie, SecretKey, SessionError, Sessions,
    adapter::{BoxFuture, Closing, CookieHeaders, Spawn, Visit, VisitGuard, VisitReport},
};
use session_store_memory::MemoryStore;
use session_testkit::{ManualClock, OpLog, Verb};

#[tokio::test]
async fn a_stream_held_for_ten_minutes_writes_nothing() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let session = visit.session().await.unwrap();
    assert!(end(guard).await.set_cookie.is_none());
    place.store.take();

    for _ in 0..20 {
        place.clock.advance(Duration::from_secs(30));
        assert_eq!(session.get::<String>("user").unwrap().as_deref(), Some("ada"));
    }
    drop((session, visit));
    tokio::task::yield_now().await;

    assert_eq!(place.store.count_all(), 0);
}

#[tokio::test]
async fn a_write_after_the_head_is_closed_and_is_not_kept() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let session = visit.session().await.unwrap();
    end(guard).await;

    assert!(matches!(session.put("late", 1), Err(SessionError::Closed)));
    assert!(matches!(session.destroy(), Err(SessionError::Closed)));
    assert!(matches!(session.regenerate(), Err(SessionError::Closed)));
    assert_eq!(session.get::<i64>("late").unwrap(), None);
}

#[tokio::test]
async fn a_read_only_session_shows_flash_and_leaves_it_for_the_next_visit() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    visit.session().await.unwrap().flash("notice", "saved").unwrap();
    end(guard).await;

    for _ in 0..2 {
        let (visit, guard) = place.visit(&cookie);
        let session = visit.read_only().await.unwrap();
        assert_eq!(session.flash_messages().get::<String>("notice").unwrap().as_deref(), Some("saved"));
        assert!(matches!(session.put("a", 1), Err(SessionError::ReadOnly)));
        end(guard).await;
    }
}

#[tokio::test]
async fn a_detached_session_writes_after_the_head_by_its_own_commit() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let detached = visit.detached().await.unwrap();
    end(guard).await;

    detached.increment("messages").unwrap();
    detached.commit().await.unwrap();
    detached.increment("messages").unwrap();
    detached.commit().await.unwrap();

    assert_eq!(place.messages(&cookie).await, Some(2));
}

#[tokio::test]
async fn a_detached_session_and_a_request_lose_nothing_of_each_other() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let detached = visit.detached().await.unwrap();
    visit.session().await.unwrap().increment("messages").unwrap();
    detached.increment("messages").unwrap();
    end(guard).await;

    detached.commit().await.unwrap();

    assert_eq!(place.messages(&cookie).await, Some(2));
}

#[tokio::test]
async fn a_detached_session_that_nobody_commits_writes_nothing() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let detached = visit.detached().await.unwrap();
    detached.increment("messages").unwrap();
    drop(detached);
    end(guard).await;

    assert_eq!(place.messages(&cookie).await, None);
    assert_eq!(place.store.count_of(Verb::Replace), 0);
}

#[tokio::test]
async fn a_socket_cannot_revive_a_session_that_was_signed_out_elsewhere() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (socket, guard) = place.visit(&cookie);
    let detached = socket.detached().await.unwrap();
    end(guard).await;
    let (elsewhere, guard) = place.visit(&cookie);
    elsewhere.destroy().await.unwrap();
    end(guard).await;

    detached.increment("messages").unwrap();

    assert!(matches!(detached.commit().await, Err(CommitError::Gone)));
    assert_eq!(place.messages(&cookie).await, None);
}

#[tokio::test]
async fn a_socket_that_looks_again_sees_the_sign_out() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (socket, guard) = place.visit(&cookie);
    assert!(socket.detached().await.unwrap().has("user"));
    end(guard).await;
    let (elsewhere, guard) = place.visit(&cookie);
    elsewhere.session().await.unwrap().destroy().unwrap();
    end(guard).await;

    assert!(!socket.detached().await.unwrap().has("user"));
}

#[tokio::test]
async fn a_detached_session_refuses_what_only_a_response_could_tell_the_browser() {
    let place = Place::new();
    let cookie = place.sign_in().await;
    let (visit, guard) = place.visit(&cookie);
    let detached = visit.detached().await.unwrap();
    let stranger = place.visit("").0.detached().await.unwrap();
    end(guard).await;
    place.store.take();

    detached.put("messages", 1).unwrap();
    detached.regenerate().unwrap();
    assert!(matches!(detached.commit().await, Err(CommitError::NoResponse)));
    stranger.put("messages", 1).unwrap();
    assert!(matches!(stranger.commit().await, Err(CommitError::NoResponse)));

    assert_eq!(place.store.count_all(), 0, "the visitor's session is as it was, and nobody's was made");
    assert_eq!(place.messages(&cookie).await, None);
}

#[tokio::test]
async fn a_detached_session_in_its_cookie_says_that_it_cannot_be_written() {
    let sessions = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap()).build().unwrap();
    let guard = sessions.visit(CookieHeaders::default(), &Tokio);
    guard.visit().session().await.unwrap().put("user", "ada").unwrap();
    let cookie = end(guard).await.set_cookie.unwrap();
    let guard = sessions.visit(CookieHeaders::from_iter([cookie.split(';').next().unwrap()]), &Tokio);
    let detached = guard.visit().detached().await.unwrap();
    detached.commit().await.unwrap();

    detached.put("user", "grace").unwrap();
    assert!(matches!(detached.commit().await, Err(CommitError::NoResponse)));
    detached.destroy().unwrap();
    assert!(matches!(detached.commit().await, Err(CommitError::NoResponse)));
}

struct Place {
    sessions: Sessions,
    store: OpLog<MemoryStore>,
    clock: ManualClock,
}

impl Place {
    fn new() -> Self {
        let (store, clock) = (OpLog::new(MemoryStore::new()), ManualClock::default());
        let sessions = Sessions::builder()
            .store(store.clone())
            .clock(clock.clone())
            .key(SecretKey::generate().unwrap())
            .cookie(Cookie::insecure_http("sid"))
            .build()
            .unwrap();
        Self { sessions, store, clock }
    }

    fn visit(&self, cookie: &str) -> (Visit, VisitGuard) {
        let guard = self.sessions.visit(CookieHeaders::from_iter([cookie]), &Tokio);
        (guard.visit().clone(), guard)
    }

    async fn sign_in(&self) -> String {
        let (visit, guard) = self.visit("");
        visit.session().await.unwrap().put("user", "ada").unwrap();
        let set_cookie = end(guard).await.set_cookie.unwrap();
        set_cookie.split(';').next().unwrap().to_owned()
    }

    async fn messages(&self, cookie: &str) -> Option<i64> {
        let (visit, guard) = self.visit(cookie);
        let messages = visit.session().await.unwrap().get("messages").unwrap();
        end(guard).await;
        messages
    }
}

async fn end(guard: VisitGuard) -> VisitReport {
    match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => writing.await,
    }
}

#[derive(Debug)]
struct Tokio;

impl Spawn for Tokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}
