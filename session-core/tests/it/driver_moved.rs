//! A request that is in flight while another one gives its session a new id: whom it follows, and whom it does not.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{adapter::*, *};
use session_testkit::{Fault, Verb, When};

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

#[tokio::test]
async fn a_write_in_flight_follows_its_session_to_the_new_id() {
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true))] {
        let mut browser = signed_in(&app, "ada").await;
        let old = browser.clone();
        let slow = adding(&app, &old).await;
        regenerate(&app, &mut browser).await;
        app.calls();
        let report = finish(slow, 200).await;
        assert!(wrote_silently(&report), "{report:?}");
        assert_eq!(app.calls(), [Verb::Replace; 2], "it hears where the session is, and writes there");
        assert_eq!(read(&app, &mut browser, "n").await, Some(2));
        assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None, "the old id stays dead");
        assert_eq!(app.memory().stats().sessions(), 1);
    }
}

#[tokio::test]
async fn forty_writers_in_flight_when_the_id_changes_lose_nothing() {
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true))] {
        let mut browser = signed_in(&app, "ada").await;
        let mut slow = Vec::new();
        for nth in 0..40 {
            let guard = adding(&app, &browser).await;
            let session = guard.visit().session().await.unwrap();
            session.push("list", nth).unwrap();
            session.flash("status", nth).unwrap();
            slow.push(guard);
        }
        let renewing = app.arrive(&browser.cookies());
        renewing.visit().session().await.unwrap().regenerate().unwrap();
        // Some commit before the new id, some after it, some while it is made.
        let late = slow.split_off(10);
        let early: Vec<_> = slow.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
        let renewal = tokio::spawn(finish(renewing, 200));
        let late: Vec<_> = late.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
        for report in early.into_iter().chain(late) {
            let report = report.await.unwrap();
            assert!(wrote_silently(&report), "{report:?}");
        }
        let renewed = renewal.await.unwrap();
        assert!(renewed.error.is_none() && renewed.set_cookie.is_some());
        browser.hear(&renewed);
        assert_eq!(read(&app, &mut browser, "n").await, Some(41));
        let mut list = read::<Vec<u8>>(&app, &mut browser, "list").await.unwrap();
        list.sort_unstable();
        assert_eq!(list, (0..40).collect::<Vec<_>>());
        assert_eq!(app.memory().stats().sessions(), 1);
    }
}

#[tokio::test]
async fn without_a_user_forty_writers_in_flight_are_gone_and_told_so() {
    let app = app();
    let mut browser = known(&app).await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(adding(&app, &browser).await);
    }
    regenerate(&app, &mut browser).await;
    app.events.take();
    for (nth, guard) in slow.into_iter().enumerate() {
        if nth % 2 == 0 {
            let session = guard.visit().session().await.unwrap();
            assert!(matches!(session.commit().await, Err(CommitError::Gone)));
            assert!(matches!(session.put("n", 9), Err(SessionError::Destroyed)));
            assert!(finish(guard, 200).await.set_cookie.is_none());
        } else {
            assert!(is_gone(&finish(guard, 200).await));
        }
    }
    assert_eq!(app.events.take().iter().filter(|event| **event == Event::Gone).count(), 40);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

/// A request in flight under a planted id writes nothing into the session of the user that signs in.
#[tokio::test]
async fn a_planted_id_gains_nothing_when_its_session_signs_in() {
    for tagged_first in [false, true] {
        let app = app();
        let mut victim = known(&app).await;
        let attacker = victim.clone();
        let slow = adding(&app, &attacker).await;
        app.visit(&mut victim, async |session| {
            if tagged_first {
                session.tag("ada").unwrap();
                session.regenerate().unwrap();
            } else {
                session.regenerate().unwrap();
                session.tag("ada").unwrap();
            }
        })
        .await;
        assert!(is_gone(&finish(slow, 200).await));
        assert_eq!(read(&app, &mut victim, "n").await, Some(1));
    }
}

#[tokio::test]
async fn a_write_does_not_follow_to_another_user() {
    type Change = fn(&Session);
    let changes: [(&str, Change); 4] = [
        ("another user signs in", |session| {
            session.tag("bob").unwrap();
            session.regenerate().unwrap();
        }),
        ("the user signs out and the session goes on", |session| {
            session.untag().unwrap();
            session.regenerate().unwrap();
        }),
        ("everything is dropped", |session| session.invalidate().unwrap()),
        ("everything is dropped, and the same user signs in", |session| {
            session.invalidate().unwrap();
            session.tag("ada").unwrap();
            session.put("n", 1).unwrap();
        }),
    ];
    for (what, change) in changes {
        // The clock stands still: the new session begins in the same millisecond.
        let app = app();
        let mut browser = signed_in(&app, "ada").await;
        let (slow, ending) = (adding(&app, &browser).await, app.arrive(&browser.cookies()));
        ending.visit().session().await.unwrap().destroy().unwrap();
        app.visit(&mut browser, async |session| change(&session)).await;
        assert!(is_gone(&finish(slow, 200).await), "{what}");
        let before = app.memory().stats().sessions();
        assert!(finish(ending, 200).await.error.is_none(), "{what}: the old one has ended");
        assert_eq!(app.memory().stats().sessions(), before, "{what}: and the new one lives");
        assert_ne!(read(&app, &mut browser, "n").await, Some(2), "{what}");
    }
}

#[tokio::test]
async fn a_chain_of_new_ids_is_followed_to_its_end() {
    for ended in [false, true] {
        let app = app();
        let mut browser = signed_in(&app, "ada").await;
        let mut slow = Vec::new();
        for _ in 0..5 {
            slow.push(adding(&app, &browser).await);
            regenerate(&app, &mut browser).await;
        }
        if ended {
            app.visit(&mut browser.clone(), async |session| session.destroy().unwrap()).await;
        }
        for guard in slow {
            let report = finish(guard, 200).await;
            assert!(if ended { is_gone(&report) } else { wrote_silently(&report) }, "{report:?}");
        }
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, (!ended).then_some(6));
    }
}

#[tokio::test]
async fn a_chain_with_another_user_in_it_is_not_followed() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    app.visit(&mut browser, async |session| {
        session.invalidate().unwrap();
        session.tag("bob").unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        session.invalidate().unwrap();
        session.tag("ada").unwrap();
        session.put("n", 7).unwrap();
    })
    .await;
    assert!(is_gone(&finish(slow, 200).await));
    assert_eq!(read(&app, &mut browser, "n").await, Some(7));
}

#[tokio::test]
async fn a_visit_that_arrives_with_the_old_id_is_a_straggler_as_ever() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let mut old = browser.clone();
    regenerate(&app, &mut browser).await;
    app.visit(&mut old, async |session| {
        assert!(session.status().ended() && session.is_empty());
        session.put("n", 9).unwrap();
    })
    .await;
    assert_eq!(old.heard, None);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    // Nor does a sign-out that has not looked at the session.
    let guard = app.arrive(&old.cookies());
    guard.visit().destroy().await.unwrap();
    finish(guard, 200).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_sign_out_in_flight_ends_the_session_under_its_new_id() {
    for user in [Some("ada"), None] {
        let app = app();
        let mut browser = match user {
            Some(user) => signed_in(&app, user).await,
            None => known(&app).await,
        };
        let slow = app.arrive(&browser.cookies());
        slow.visit().session().await.unwrap().destroy().unwrap();
        regenerate(&app, &mut browser).await;
        regenerate(&app, &mut browser).await;
        let report = finish(slow, 200).await;
        assert!(report.error.is_none());
        assert!(report.set_cookie.unwrap().contains("Max-Age=0"));
        let survivor = user.is_none().then_some(1);
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, survivor, "{user:?}");
    }
}

#[tokio::test]
async fn an_invalidate_in_flight_drops_what_is_under_the_new_id() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let mut slow_browser = browser.clone();
    let slow = app.arrive(&browser.cookies());
    let session = slow.visit().session().await.unwrap();
    session.invalidate().unwrap();
    session.put("status", "goodbye").unwrap();
    regenerate(&app, &mut browser).await;
    let report = finish(slow, 200).await;
    assert!(report.error.is_none());
    slow_browser.hear(&report);
    app.visit(&mut slow_browser, async |session| {
        assert_eq!(session.user().name(), None);
        assert_eq!(session.get::<u8>("n").unwrap(), None);
        assert_eq!(session.get::<String>("status").unwrap().as_deref(), Some("goodbye"));
    })
    .await;
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None, "nobody is signed in any more");
}

#[tokio::test]
async fn of_two_parallel_regenerates_of_a_user_both_are_kept_and_one_id_lives() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let (one, other) = (adding(&app, &browser).await, adding(&app, &browser).await);
    for guard in [&one, &other] {
        guard.visit().session().await.unwrap().regenerate().unwrap();
    }
    let (first, second) = (finish(one, 200).await, finish(other, 200).await);
    assert!(first.error.is_none() && second.error.is_none(), "{first:?} {second:?}");
    let mut overtaken = browser.clone();
    overtaken.hear(&first);
    browser.hear(&second);
    assert_eq!(read(&app, &mut browser, "n").await, Some(3));
    assert_eq!(read::<u8>(&app, &mut overtaken, "n").await, None);
    assert_eq!(app.memory().stats().sessions(), 1);
}

#[tokio::test]
async fn a_visit_that_has_followed_goes_on_under_the_new_id() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    let session = slow.visit().session().await.unwrap();
    let before = session.id().unwrap();
    regenerate(&app, &mut browser).await;
    session.commit().await.unwrap();
    assert_ne!(session.id().unwrap(), before);
    let other = app.visit(&mut browser, async |session| session.id().unwrap()).await;
    assert_eq!(session.id().unwrap(), other, "the handle that device lists show");
    app.calls();
    app.events.take();
    session.increment("n").unwrap();
    session.commit().await.unwrap();
    assert_eq!(app.calls(), [Verb::Replace], "it knows where the session is");
    assert_eq!(app.events.take(), [Event::Committed(other)]);
    session.increment("n").unwrap();
    regenerate(&app, &mut browser).await;
    assert!(wrote_silently(&finish(slow, 200).await), "and follows again");
    assert_eq!(read(&app, &mut browser, "n").await, Some(4));
}

#[tokio::test]
async fn a_visit_that_has_followed_can_still_renew_and_end_its_session() {
    for ends in [false, true] {
        let app = app();
        let mut browser = signed_in(&app, "ada").await;
        let slow = adding(&app, &browser).await;
        let session = slow.visit().session().await.unwrap();
        regenerate(&app, &mut browser).await;
        session.commit().await.unwrap();
        if ends {
            session.destroy().unwrap();
        } else {
            session.regenerate().unwrap();
        }
        let id = session.id();
        let report = finish(slow, 200).await;
        assert!(report.error.is_none() && report.set_cookie.is_some());
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, None, "the id in between is dead");
        browser.hear(&report);
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, (!ends).then_some(2));
        if !ends {
            let now = app.visit(&mut browser, async |session| session.id().unwrap()).await;
            assert_eq!(id.unwrap(), now);
        }
    }
}

/// It does not know the new id; and the old one must not come back.
#[tokio::test]
async fn a_write_that_has_followed_sets_no_cookie_however_due_one_is() {
    for app in [app(), app_with(|builder| builder.eager(true))] {
        let mut browser = signed_in(&app, "ada").await;
        let remember = async |session: Session| session.lifetime().set_persistent(true).unwrap();
        app.visit(&mut browser, remember).await;
        app.pass(3_600);
        let slow = adding(&app, &browser).await;
        let session = slow.visit().session().await.unwrap();
        session.lifetime().set_age(Duration::from_secs(1_800)).unwrap();
        regenerate(&app, &mut browser).await;
        session.commit().await.unwrap();
        session.increment("n").unwrap();
        assert!(wrote_silently(&finish(slow, 200).await));
        assert_eq!(read(&app, &mut browser, "n").await, Some(3));
    }
}

#[tokio::test]
async fn a_detached_session_follows_its_session() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let guard = app.arrive(&browser.cookies());
    let detached = guard.visit().detached().await.unwrap();
    finish(guard, 200).await;
    for round in 0..3_u8 {
        regenerate(&app, &mut browser).await;
        detached.increment("n").unwrap();
        detached.commit().await.unwrap();
        assert_eq!(read(&app, &mut browser, "n").await, Some(2 + round));
    }
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    detached.increment("n").unwrap();
    assert!(matches!(detached.commit().await, Err(CommitError::Gone)));
}

#[tokio::test]
async fn a_failed_response_writes_nothing_under_the_new_id_either() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    finish(slow, 500).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_store_that_fails_on_the_way_is_an_error_and_never_gone() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    let session = slow.visit().session().await.unwrap();
    regenerate(&app, &mut browser).await;
    app.fault(Fault::nth(2).on(Verb::Replace));
    assert!(matches!(session.commit().await, Err(CommitError::Store(_))));
    session.commit().await.unwrap();
    finish(slow, 200).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(2), "tried again, once");
}

#[tokio::test]
async fn who_follows_for_longer_than_the_policy_s_patience_says_so() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    let mut gate = app.gates().hold(Verb::Replace, When::After);
    let closing = tokio::spawn(finish(slow, 200));
    gate.arrived().await;
    app.clock.advance(Duration::from_secs(2));
    gate.release();
    assert!(matches!(closing.await.unwrap().error, Some(CommitError::Contended)));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

/// The tombstone ends: the key is missing then, and nothing revives it.
#[tokio::test]
async fn a_write_that_comes_after_the_tombstone_was_removed_is_gone() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    let store = app.memory();
    let sweeper = store::SessionStore::sweeper(&store).unwrap();
    app.pass(61);
    while sweeper.sweep(app.clock.now(), 1_000).await.unwrap().more {}
    assert!(is_gone(&finish(slow, 200).await));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_device_that_is_ended_while_its_id_changes_is_ended() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let handle = app.visit(&mut browser, async |session| session.id().unwrap()).await;
    let mut gate = app.gates().hold(Verb::Destroy, When::Before);
    let ending = tokio::spawn({
        let sessions = app.sessions.clone();
        async move { sessions.of("ada").destroy(handle).await.unwrap() }
    });
    gate.arrived().await;
    regenerate(&app, &mut browser).await;
    gate.release();
    assert!(ending.await.unwrap());
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
}
