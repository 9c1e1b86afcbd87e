//! Sessions that are ended or renewed while their id changes: sign-outs, second renewals, devices.

use session_testkit::{Verb, When};

use super::*;

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
