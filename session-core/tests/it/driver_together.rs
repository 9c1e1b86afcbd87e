//! Requests of one session that are written together: none loses a change, and none gets another's failure.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::crowd::*;
use crate::driver_support::*;
use session_core::*;
use session_testkit::{Verb, When};

#[tokio::test]
async fn a_write_that_does_not_fit_fails_and_the_others_of_its_group_are_kept() {
    let app = app_with(|builder| builder.max_record(2_000));
    let mut browser = known(&app).await;
    let mut others = Vec::new();
    for nth in 0..9 {
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        session.increment("n").unwrap();
        if nth % 3 == 1 {
            // One fits, not two.
            session.push("list", "x".repeat(1_000)).unwrap();
        }
        others.push(guard);
    }
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    again.release();
    slow.await.unwrap();
    let mut failed = Vec::new();
    for (nth, report) in waiting.into_iter().enumerate() {
        match report.await.unwrap().error {
            None => {}
            Some(CommitError::TooLarge { limit: 2_000, .. }) => failed.push(nth),
            Some(other) => panic!("{other}"),
        }
    }
    assert_eq!((failed, app.calls()), (vec![4, 7], vec![Verb::Replace]));
    assert_eq!(read(&app, &mut browser, "n").await, Some(3 + 7));
    assert_eq!(read::<Vec<String>>(&app, &mut browser, "list").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_visit_whose_write_was_one_of_several_writes_again() {
    let app = app();
    let mut browser = known(&app).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let guard = adding(&app, &browser).await;
        sessions.push((guard.visit().session().await.unwrap(), guard));
    }
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let commits: Vec<_> = sessions
        .iter()
        .map(|(session, _)| session.clone())
        .map(|session| tokio::spawn(async move { session.commit().await }))
        .collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    again.release();
    slow.await.unwrap();
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    assert_eq!(app.calls(), [Verb::Replace]);
    for (nth, (session, guard)) in sessions.into_iter().enumerate() {
        assert_eq!(session.get::<usize>("n").unwrap(), Some(3 + nth + 1), "what it wrote, as it wrote it");
        session.increment("n").unwrap();
        assert!(finish(guard, 200).await.error.is_none());
    }
    assert_eq!(read(&app, &mut browser, "n").await, Some(3 + 3 + 3));
}

#[tokio::test]
async fn each_of_several_is_reported_as_if_it_were_alone() {
    let app = app();
    let mut browser = known(&app).await;
    let others = vec![adding(&app, &browser).await, adding(&app, &browser).await];
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    again.release();
    all_succeed(waiting).await;
    slow.await.unwrap();
    let committed = app.events.take().iter().filter(|event| matches!(event, Event::Committed(_))).count();
    assert_eq!(committed, 3);
}

#[tokio::test]
async fn flash_is_shown_once_when_visits_that_leave_it_and_visits_that_show_it_are_written_at_once() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.flash("before", 1).unwrap()).await;
    let mut others = Vec::new();
    for nth in 0..4 {
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        assert_eq!(session.flash_messages().get::<u8>("before").unwrap(), Some(1));
        session.flash(format!("after{nth}"), nth).unwrap();
        others.push(guard);
    }
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    again.release();
    all_succeed(waiting).await;
    slow.await.unwrap();
    app.visit(&mut browser, async |session| {
        assert_eq!(session.flash_messages().get::<u8>("before").unwrap(), None);
        for nth in 0..4 {
            assert_eq!(session.flash_messages().get(format!("after{nth}")).unwrap(), Some(nth));
        }
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.flash_messages().get::<u8>("after1").unwrap(), None)
    })
    .await;
}

#[tokio::test]
async fn a_new_id_is_not_written_in_a_group_and_waiting_requests_of_its_user_follow_it() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.tag("ada").unwrap()).await;
    let renews = app.arrive(&browser.cookies());
    renews.visit().session().await.unwrap().regenerate().unwrap();
    let guards = vec![
        adding(&app, &browser).await,
        renews,
        adding(&app, &browser).await,
        adding(&app, &browser).await,
    ];
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(guards).await;
    again.release();
    slow.await.unwrap();
    for report in waiting {
        let report = report.await.unwrap();
        assert!(report.error.is_none(), "{:?}", report.error);
        browser.hear(&report);
    }
    assert_eq!(read(&app, &mut browser, "n").await, Some(3 + 3));
}

#[tokio::test]
async fn an_update_that_panics_is_the_fault_of_its_own_request_alone() {
    let app = app();
    let mut browser = known(&app).await;
    let panics = app.arrive(&browser.cookies());
    let session = panics.visit().session().await.unwrap();
    session.update("n", |n: Option<u8>| if n == Some(1) { 2 } else { panic!("it is run again") }).unwrap();
    let others = vec![adding(&app, &browser).await, panics, adding(&app, &browser).await];
    let (again, slow) = one_in_front(&app, &mut browser).await;
    let waiting = closing(others).await;
    again.release();
    slow.await.unwrap();
    let panicked: Vec<bool> = {
        let mut ends = Vec::new();
        for report in waiting {
            ends.push(report.await.map(|report| assert!(report.error.is_none())).is_err());
        }
        ends
    };
    assert_eq!(panicked, [false, true, false]);
    assert_eq!(read(&app, &mut browser, "n").await, Some(3 + 2));
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_waits_or_writes_for_others_is_written_all_the_same() {
    for which in 0..3 {
        let app = app();
        let mut browser = known(&app).await;
        let mut others = Vec::new();
        for _ in 0..3 {
            others.push(adding(&app, &browser).await);
        }
        let (again, slow) = one_in_front(&app, &mut browser).await;
        let waiting = closing(others).await;
        let mut together = app.gates().hold(Verb::Replace, When::Before);
        again.release();
        together.arrived().await;
        // The adapter drops the future; the first of them is writing for all.
        waiting[which].abort();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        together.release();
        slow.await.unwrap();
        for (nth, report) in waiting.into_iter().enumerate() {
            assert_eq!(report.await.is_err(), nth == which);
        }
        assert_eq!(read(&app, &mut browser, "n").await, Some(3 + 3));
        assert_eq!(app.calls().iter().filter(|verb| **verb == Verb::Replace).count(), 1);
    }
}
