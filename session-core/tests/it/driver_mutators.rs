//! Every mutator is refused by read-only, destroyed and closed sessions.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use serde_json::json;
use session_core::*;

type Mutator = (&'static str, fn(&Session) -> Result<(), SessionError>);

/// All of them; whoever adds one adds it here.
const MUTATORS: &[Mutator] = &[
    ("put", |s| s.put("a", 1)),
    ("put_many", |s| s.put_many(json!({ "a": 1 }))),
    ("merge", |s| s.merge(json!({ "a": 1 }))),
    ("replace", |s| s.replace(json!({ "a": 1 }))),
    ("push", |s| s.push("list", 1)),
    ("forget", |s| s.forget("n")),
    ("pull", |s| s.pull::<u8>("n").map(drop)),
    ("increment", |s| s.increment("n").map(drop)),
    ("increment_by", |s| s.increment_by("n", 2).map(drop)),
    ("decrement", |s| s.decrement("n").map(drop)),
    ("decrement_by", |s| s.decrement_by("n", 2).map(drop)),
    ("clear", Session::clear),
    ("flush", Session::flush),
    ("remember", |s| s.remember("new", || 1).map(drop)),
    ("update", |s| s.update("n", |n: Option<u8>| n.unwrap_or(0)).map(drop)),
    ("store", |s| s.put_struct(&json!({ "a": 1 }))),
    ("regenerate", Session::regenerate),
    ("invalidate", Session::invalidate),
    ("destroy", Session::destroy),
    ("tag", |s| s.tag("ada")),
    ("untag", Session::untag),
    ("set_age", |s| s.lifetime().set_age(Duration::from_secs(60))),
    ("set_absolute", |s| s.lifetime().set_absolute(None)),
    ("remember_me", |s| s.lifetime().remember_me(Duration::from_secs(60))),
    ("set_persistent", |s| s.lifetime().set_persistent(true)),
    ("confirm", |session| session.user().confirm()),
    ("set_meta", |s| s.user().set_meta("browser", "Firefox")),
    ("regenerate_csrf_token", |s| s.csrf().regenerate().map(drop)),
    ("set_intended_url", |s| s.urls().set_intended("/a")),
    ("pull_intended_url", |s| s.urls().pull_intended().map(drop)),
    ("clear_intended_url", |session| session.urls().clear_intended()),
    ("set_previous_url", |s| s.urls().set_previous("/a")),
    ("flash", |s| s.flash("a", 1)),
    ("flash of something falsy", |s| s.flash("a", false)),
    ("flash of null", |s| s.flash("a", ())),
    ("flash_many", |s| s.flash_many(&json!({ "a": 0 }))),
    ("now", |s| s.flash_now("a", 1)),
    ("reflash", Session::reflash),
    ("reflash_only", |s| s.reflash_only("a")),
    ("reflash_except", |s| s.reflash_except("a")),
    ("keep", |s| s.reflash_only("a")),
    ("flash_all", Session::flash_all),
    ("flash_only", |s| s.flash_only("a")),
    ("flash_except", |s| s.flash_except("a")),
    ("with_errors", |s| s.with_errors([("a", "b")])),
    ("with_errors of a form", |s| s.form("f").with_errors([("a", "b")])),
];

fn all_refused(session: &Session, refused: fn(&SessionError) -> bool) {
    for (name, mutate) in MUTATORS {
        let answer = mutate(session);
        assert!(matches!(&answer, Err(error) if refused(error)), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn peers_22_a_read_only_session_refuses_every_mutator() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    let session = guard.visit().read_only().await.unwrap();
    assert!(session.status().readonly());
    all_refused(&session, |error| matches!(error, SessionError::ReadOnly));
    assert!(matches!(session.commit().await, Err(CommitError::ReadOnly)));
    assert!(finish(guard, 200).await.set_cookie.is_none());
    assert_eq!(app.calls().len(), 1, "the load");
}

#[tokio::test]
async fn a_destroyed_session_refuses_every_mutator() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.destroy().unwrap();
        all_refused(&session, |error| matches!(error, SessionError::Destroyed));
    })
    .await;
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn e8_a_closed_session_refuses_every_mutator() {
    let app = app();
    let mut browser = known(&app).await;
    let session = app.visit(&mut browser, async |session| session).await;
    all_refused(&session, |error| matches!(error, SessionError::Closed));
    assert!(matches!(session.commit().await, Err(CommitError::Closed)));
    assert_eq!(session.get::<u8>("n").unwrap(), Some(1), "reading goes on");
}

#[tokio::test]
async fn every_mutator_works_on_a_full_handle() {
    let app = app();
    for (name, mutate) in MUTATORS {
        let mut browser = known(&app).await;
        app.visit(&mut browser, async |session| {
            assert!(mutate(&session).is_ok(), "{name}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_visit_that_is_over_opens_nothing() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    let visit = guard.visit().clone();
    finish(guard, 200).await;
    assert!(matches!(visit.session().await, Err(OpenError::Closed)));
    assert!(matches!(visit.destroy().await, Err(OpenError::Closed)));
    assert_eq!(app.calls(), []);
}

#[tokio::test]
async fn a_detached_session_writes_after_the_response_with_its_own_commit() {
    let app = app();
    let mut browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    let session = guard.visit().detached().await.unwrap();
    finish(guard, 200).await;
    session.put("n", 8).unwrap();
    session.commit().await.unwrap();
    assert_eq!(read(&app, &mut browser, "n").await, Some(8));
}

#[tokio::test]
async fn peers_21_a_copy_of_all_values_changes_nothing() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        let mut all: serde_json::Value = session.all().to().unwrap();
        all["n"] = 9.into();
        assert_eq!(session.get::<u8>("n").unwrap(), Some(1));
    })
    .await;
    assert_eq!(app.calls().len(), 1);
}
