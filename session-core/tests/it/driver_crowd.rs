//! Many concurrent writes of one session: waiting requests are written together, and each gets its own result.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::crowd::*;
use crate::driver_support::*;
use session_core::*;
use session_testkit::{Fault, Verb, When};

#[tokio::test]
async fn all_that_wait_are_written_at_once_whatever_they_had_read() {
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true))] {
        let mut browser = known(&app).await;
        let mut guards = Vec::new();
        for _ in 0..30 {
            guards.push(adding(&app, &browser).await);
        }
        let (again, slow) = one_in_front(&app, &mut browser).await;
        let waiting = closing(guards).await;
        assert_eq!(app.calls(), [], "nobody tries while it is another's turn");
        again.release();
        all_succeed(waiting).await;
        assert!(slow.await.unwrap().error.is_none());
        assert_eq!(app.calls(), [Verb::Replace], "one write for thirty");
        assert_eq!(read(&app, &mut browser, "n").await, Some(1 + 1 + 1 + 30));
    }
}

#[tokio::test]
async fn when_the_crowd_has_gone_a_write_is_two_calls_again() {
    let app = app();
    let mut browser = known(&app).await;
    let others = vec![adding(&app, &browser).await];
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    again.release();
    all_succeed(waiting).await;
    slow.await.unwrap();
    app.calls();
    assert!(app.events.take().contains(&Event::Conflict(1)), "they have waited");
    app.visit(&mut browser, async |session| session.increment("n").unwrap()).await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Replace]);
    assert!(!app.events.take().iter().any(|event| matches!(event, Event::Conflict(_))));
}

#[tokio::test]
async fn another_session_does_not_wait_for_the_crowd() {
    let app = app();
    let (mut crowded, mut alone) = (known(&app).await, known(&app).await);
    let (again, slow) = one_in_front(&app, &mut crowded).await;
    app.visit(&mut alone, async |session| session.increment("n").unwrap()).await;
    assert_eq!(read(&app, &mut alone, "n").await, Some(2));
    again.release();
    assert!(slow.await.unwrap().error.is_none());
}

#[tokio::test]
async fn what_another_process_wrote_in_between_is_kept() {
    let app = app();
    let elsewhere = app_on(app.store.clone(), |builder| builder.store(app.store.clone()));
    let mut browser = known(&app).await;
    let others = vec![adding(&app, &browser).await];
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    let mut next = app.gates().hold(Verb::Replace, When::Before);
    again.release();
    next.arrived().await;
    // What the waiting one was handed is old by now.
    elsewhere.visit(&mut browser.clone(), async |session| session.put("there", true).unwrap()).await;
    next.release();
    all_succeed(waiting).await;
    assert!(slow.await.unwrap().error.is_none());
    assert_eq!(read(&app, &mut browser, "n").await, Some(4));
    assert_eq!(read(&app, &mut browser, "there").await, Some(true));
}

#[tokio::test]
async fn a_session_that_ends_while_others_wait_stays_dead() {
    for renewed in [false, true] {
        let app = app();
        let mut browser = known(&app).await;
        let old = browser.clone();
        let others = vec![adding(&app, &old).await, adding(&app, &old).await];
        let (again, slow) = one_in_front(&app, &mut browser).await;
        let waiting = closing(others).await;
        let mut next = app.gates().hold(Verb::Replace, When::Before);
        again.release();
        next.arrived().await;
        let elsewhere = app_on(app.store.clone(), |builder| builder.store(app.store.clone()));
        let end = async |session: Session| if renewed { session.regenerate() } else { session.destroy() };
        elsewhere.visit(&mut browser, end).await.unwrap();
        next.release();
        assert!(slow.await.unwrap().error.is_none(), "it was first");
        for report in waiting {
            let report = report.await.unwrap();
            assert!(matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none());
        }
        assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, renewed.then_some(3));
    }
}

#[tokio::test]
async fn a_write_that_failed_fails_for_all_it_was_made_for_and_for_nobody_else() {
    for after_effect in [false, true] {
        let app = app();
        let mut browser = known(&app).await;
        let others = vec![adding(&app, &browser).await, adding(&app, &browser).await];
        let late = adding(&app, &browser).await;
        let (again, slow) = one_in_front(&app, &mut browser).await;
        let waiting = closing(others).await;
        // The first one to return is the one in front.
        let fault = if after_effect { Fault::nth(2).after() } else { Fault::nth(1) };
        app.fault(fault.on(Verb::Replace));
        again.release();
        assert!(slow.await.unwrap().error.is_none(), "it was on its way when the store began to fail");
        for failed in waiting {
            let failed = failed.await.unwrap();
            assert!(matches!(failed.error, Some(CommitError::Store(_))) && failed.set_cookie.is_none());
        }
        assert!(finish(late, 200).await.error.is_none());
        assert_eq!(read(&app, &mut browser, "n").await, Some(if after_effect { 6 } else { 4 }));
    }
}

#[tokio::test]
async fn who_has_waited_longer_than_the_policy_s_patience_says_so_and_does_not_try() {
    for front_finds_it_gone in [false, true] {
        let app = app();
        let mut browser = known(&app).await;
        let others = vec![adding(&app, &browser).await];
        let (again, slow) = one_in_front(&app, &mut browser).await;
        let waiting = closing(others).await;
        if front_finds_it_gone {
            // Then it has nothing to hand on.
            app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
        }
        app.calls();
        app.clock.advance(Duration::from_secs(2));
        again.release();
        assert_eq!(slow.await.unwrap().error.is_some(), front_finds_it_gone);
        for report in waiting {
            assert!(matches!(report.await.unwrap().error, Some(CommitError::Contended)));
        }
        assert_eq!(app.calls(), []);
        assert!(app.events.take().contains(&Event::Contended));
    }
}
