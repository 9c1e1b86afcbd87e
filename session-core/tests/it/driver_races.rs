//! Concurrent requests of one visitor, and requests that are dropped half-way: defects of other libraries, avoided.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::driver_support::*;
use session_core::{adapter::*, *};
use session_testkit::{Fault, Verb, When};

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

async fn eventually(what: &str, done: impl AsyncFn() -> bool) {
    for _ in 0..10_000 {
        if done().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn peers_1_parallel_writes_to_different_keys_both_stay() {
    let app = app();
    let mut browser = known(&app).await;
    let guards: Vec<_> = (0..10).map(|_| app.arrive(&browser.cookies())).collect();
    for (nth, guard) in guards.iter().enumerate() {
        guard.visit().session().await.unwrap().put(format!("key{nth}"), nth).unwrap();
    }
    for guard in guards {
        assert!(finish(guard, 200).await.error.is_none());
    }
    for nth in 0..10 {
        assert_eq!(read(&app, &mut browser, &format!("key{nth}")).await, Some(nth));
    }
}

#[tokio::test]
async fn lc_2_peers_2_a_slow_writer_does_not_revive_a_destroyed_session() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    let slow = app.arrive(&old.cookies());
    slow.visit().session().await.unwrap().put("n", 5).unwrap();
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    let report = finish(slow, 200).await;
    assert!(matches!(report.error, Some(CommitError::Gone)));
    assert!(report.set_cookie.is_none() && report.failure().is_none(), "the response goes out as it is");
    assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
}

#[tokio::test]
async fn peers_3_an_old_id_stays_dead_when_a_slow_writer_comes_after_a_regenerate() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    let slow = app.arrive(&old.cookies());
    slow.visit().session().await.unwrap().put("n", 5).unwrap();
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    let report = finish(slow, 200).await;
    assert!(matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none());
    assert_eq!(read::<String>(&app, &mut old.clone(), "user").await, None);
    assert_eq!(read::<String>(&app, &mut browser, "user").await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn peers_4_a_straggler_with_the_old_id_says_nothing_about_the_cookie() {
    let app = app();
    let mut browser = known(&app).await;
    let mut old = browser.clone();
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    for write in [false, true] {
        app.visit(&mut old, async |session| {
            assert!(session.status().fresh() && session.is_empty());
            if write {
                session.put("n", 9).unwrap();
                assert_eq!(session.get::<u8>("n").unwrap(), Some(9), "it lives for this request");
            }
        })
        .await;
        assert_eq!(old.heard, None);
    }
    assert_eq!(app.memory().stats().sessions(), 1, "nothing was made for it");
}

#[tokio::test]
async fn peers_5_a_regenerate_in_a_failing_handler_keeps_the_session_under_a_new_id() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    let token = app.visit(&mut browser, async |session| session.csrf().token().unwrap()).await;
    let (_, report) = app
        .answer(&mut browser, 500, async |session| {
            session.put("n", 9).unwrap();
            session.regenerate().unwrap();
        })
        .await;
    assert!(report.set_cookie.is_some() && report.error.is_none());
    app.visit(&mut browser, async |session| {
        assert_eq!(session.get::<u8>("n").unwrap(), Some(1), "data was dropped");
        assert!(session.csrf().verify(&token), "the one before counts for a while");
    })
    .await;
    app.clock.advance(Duration::from_secs(120));
    app.visit(&mut browser, async |session| assert!(!session.csrf().verify(&token), "the token was renewed"))
        .await;
    assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
}

#[tokio::test]
async fn peers_6_a_removed_or_updated_value_is_saved() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.forget("user").unwrap()).await;
    app.visit(&mut browser, async |session| session.update("n", |n: Option<u8>| n.unwrap_or(0) + 4).unwrap())
        .await;
    assert_eq!(read::<String>(&app, &mut browser, "user").await, None);
    assert_eq!(read(&app, &mut browser, "n").await, Some(5));
}

#[tokio::test]
async fn peers_7_a_put_after_a_regenerate_keeps_the_new_id() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    app.visit(&mut browser, async |session| {
        session.regenerate().unwrap();
        session.put("after", 1).unwrap();
    })
    .await;
    assert_ne!(browser.cookie, old.cookie);
    assert_eq!(read(&app, &mut browser, "after").await, Some(1));
    assert_eq!(read::<u8>(&app, &mut old.clone(), "after").await, None);
}

#[tokio::test]
async fn peers_9_a_cancelled_request_does_not_keep_a_later_logout_from_working() {
    let app = app();
    let mut browser = known(&app).await;
    let cancelled = app.arrive(&browser.cookies());
    cancelled.visit().session().await.unwrap().put("n", 9).unwrap();
    drop(cancelled);
    let old = browser.clone();
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
}

#[tokio::test]
async fn peers_20_a_rotation_that_fails_leaves_the_old_session_whole() {
    let app = app();
    let mut browser = known(&app).await;
    app.fault(Fault::nth(1).on(Verb::Rotate));
    let (_, report) = app.answer(&mut browser, 200, async |session| session.regenerate().unwrap()).await;
    assert!(report.error.is_some() && report.set_cookie.is_none());
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn peers_30_a_regenerate_ends_the_old_record_at_once() {
    let app = app();
    let mut browser = known(&app).await;
    let mut old = browser.clone();
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    assert_eq!(read::<u8>(&app, &mut old, "n").await, None);
    assert_eq!(app.memory().stats().sessions(), 1);
}

#[tokio::test]
async fn of_two_parallel_regenerates_one_wins_and_one_id_lives() {
    let app = app();
    let mut browser = known(&app).await;
    let (one, other) = (app.arrive(&browser.cookies()), app.arrive(&browser.cookies()));
    for guard in [&one, &other] {
        guard.visit().session().await.unwrap().regenerate().unwrap();
    }
    let (won, lost) = (finish(one, 200).await, finish(other, 200).await);
    assert!(won.set_cookie.is_some() && lost.set_cookie.is_none());
    assert!(matches!(lost.error, Some(CommitError::Gone)));
    browser.hear(&won);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    assert_eq!(app.memory().stats().sessions(), 1);
}

#[tokio::test]
async fn lc_3_a_handler_that_is_dropped_after_destroy_has_signed_out() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().destroy().unwrap();
    drop(guard);
    eventually("it is destroyed", async || read::<u8>(&app, &mut browser.clone(), "n").await.is_none()).await;
}

#[tokio::test]
async fn lc_3_a_handler_that_is_dropped_after_regenerate_has_ended_the_old_id_and_written_no_data() {
    for on_error in [false, true] {
        let app = app_with(|builder| builder.commit_on_error(on_error));
        let browser = known(&app).await;
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        session.put("n", 9).unwrap();
        session.regenerate().unwrap();
        let new = session.id().unwrap();
        drop(guard);
        eventually("the old id is dead", async || {
            read::<u8>(&app, &mut browser.clone(), "n").await.is_none()
        })
        .await;
        assert_eq!(app.memory().stats().sessions(), 1, "{new} holds the data");
        assert!(session.put("late", 1).is_err());
    }
}

#[tokio::test]
async fn a_write_that_has_begun_is_finished_wherever_its_future_is_dropped() {
    for (verb, when) in [
        (Verb::Replace, When::Before),
        (Verb::Replace, When::After),
        (Verb::Rotate, When::Before),
        (Verb::Rotate, When::After),
        (Verb::Destroy, When::Before),
        (Verb::Destroy, When::After),
    ] {
        let app = app();
        let browser = known(&app).await;
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        match verb {
            Verb::Replace => session.put("n", 2).unwrap(),
            Verb::Rotate => session.regenerate().unwrap(),
            _ => session.destroy().unwrap(),
        }
        let mut gate = app.gates().hold(verb, when);
        let Closing::Pending(mut closing) = guard.close(200) else { panic!("there is something to write") };
        assert!(poll_once(&mut closing).is_pending());
        gate.arrived().await;
        drop(closing);
        gate.release();
        eventually("it is done", async || {
            let n = read::<u8>(&app, &mut browser.clone(), "n").await;
            n == (verb == Verb::Replace).then_some(2)
        })
        .await;
    }
}

#[tokio::test]
async fn a_closing_that_is_dropped_unpolled_writes_all_the_same() {
    let app = app();
    let mut browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().put("n", 2).unwrap();
    drop(guard.close(200));
    eventually("it is written", async || read(&app, &mut browser.clone(), "n").await == Some(2)).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
}

#[tokio::test]
async fn a_commit_that_the_handler_gave_up_on_comes_before_the_closing_one() {
    let app = app();
    let mut browser = Browser::new();
    let guard = app.arrive(&[]);
    let session = guard.visit().session().await.unwrap();
    session.put("one", 1).unwrap();
    session.increment("n").unwrap();
    let mut gate = app.gates().hold(Verb::Create, When::Before);
    {
        let mut commit = Box::pin(session.commit());
        assert!(poll_once(&mut commit).is_pending());
    }
    session.put("two", 2).unwrap();
    session.increment("n").unwrap();
    gate.arrived().await;
    let Closing::Pending(closing) = guard.close(200) else { panic!("it waits for the commit before it") };
    let closing = tokio::spawn(closing);
    tokio::task::yield_now().await;
    gate.release();
    browser.hear(&closing.await.unwrap());
    assert_eq!(app.calls(), [Verb::Create, Verb::Replace]);
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
    assert_eq!(app.memory().stats().sessions(), 1);
}

#[tokio::test]
async fn an_order_given_while_a_commit_is_under_way_is_carried_out() {
    for destroy in [false, true] {
        let app = app();
        let mut browser = known(&app).await;
        let old = browser.clone();
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        session.put("n", 2).unwrap();
        let mut gate = app.gates().hold(Verb::Replace, When::After);
        let commit = tokio::spawn({
            let session = session.clone();
            async move { session.commit().await }
        });
        gate.arrived().await;
        if destroy {
            session.destroy().unwrap()
        } else {
            session.regenerate().unwrap()
        }
        gate.release();
        commit.await.unwrap().unwrap();
        let report = finish(guard, 200).await;
        assert!(report.set_cookie.is_some());
        browser.hear(&report);
        assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, (!destroy).then_some(2));
    }
}

#[tokio::test]
async fn a_session_opened_after_a_sign_out_is_destroyed_and_the_cookie_is_removed() {
    let app = app();
    let mut browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().destroy().await.unwrap();
    let session = guard.visit().session().await.unwrap();
    assert!(matches!(session.put("n", 1), Err(SessionError::Destroyed)));
    browser.hear(&finish(guard, 200).await);
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn after_gone_a_write_is_refused_and_not_forgotten() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    let session = guard.visit().session().await.unwrap();
    session.put("n", 2).unwrap();
    app.visit(&mut browser.clone(), async |session| session.destroy().unwrap()).await;
    assert!(matches!(session.commit().await, Err(CommitError::Gone)));
    assert!(matches!(session.put("n", 3), Err(SessionError::Destroyed)));
    assert!(finish(guard, 200).await.set_cookie.is_none());
}

#[tokio::test]
async fn lc_4_an_idle_session_is_gone_and_its_key_is_not_adopted() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    app.pass(7_200);
    app.visit(&mut browser, async |session| {
        assert!(session.status().fresh() && session.is_empty());
        session.put("n", 7).unwrap();
    })
    .await;
    assert_ne!(browser.cookie, old.cookie, "a new id");
    assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
    assert!(app.events.take().contains(&Event::Expired));
}

#[tokio::test]
async fn lc_5_nothing_but_set_absolute_moves_the_absolute_deadline() {
    let app =
        app_with(|builder| builder.age(Duration::from_secs(3_600)).absolute(Duration::from_secs(7_200)));
    let mut browser = known(&app).await;
    for _ in 0..3 {
        app.pass(1_799);
        app.visit(&mut browser, async |session| {
            session.increment("n").unwrap();
            session.regenerate().unwrap();
        })
        .await;
    }
    assert_eq!(read(&app, &mut browser, "n").await, Some(4));
    app.pass(7_200 - 3 * 1_799);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
}
