//! A visit after it has followed its session to the new id.

use std::time::Duration;

use session_testkit::Verb;

use super::*;

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
