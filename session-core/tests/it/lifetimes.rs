//! The lifetimes of one session stay within the limits of the configuration: at least a second, at most the absolute deadline.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{error::*, *};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn placements() -> [App; 2] {
    [app(), app_in_cookie(|builder, _| builder)]
}

/// Why the order was refused.
fn refused(result: Result<(), SessionError>) -> PolicyError {
    match result {
        Err(SessionError::Lifetime(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_age_beyond_the_absolute_lifetime_is_refused_as_when_building() {
    let built = Sessions::builder().in_cookie().key(key(1)).age(60 * DAY).build();
    let Err(ConfigError::Policy(expected)) = built else { panic!("{built:?}") };
    for app in placements() {
        let mut browser = known(&app).await;
        for (age, ok) in
            [(60 * DAY, false), (DAY + Duration::from_secs(1), false), (DAY, true), (Duration::MAX, false)]
        {
            let result = app.visit(&mut browser, async |session| session.lifetime().set_age(age)).await;
            assert_eq!(result.is_ok(), ok, "{age:?}: {result:?}");
        }
        let error =
            app.visit(&mut Browser::new(), async |session| session.lifetime().set_age(60 * DAY)).await;
        assert_eq!(refused(error), expected, "of a new session, too");
        let error = app
            .visit(&mut browser, async |session| {
                session.invalidate().unwrap();
                session.lifetime().set_age(60 * DAY)
            })
            .await;
        assert_eq!(refused(error), expected, "and of one that begins anew");
    }
}

#[tokio::test]
async fn a_refused_age_changes_nothing() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_age(60 * DAY).unwrap_err()).await;
    assert_eq!(browser.heard, None);
    app.pass(7_200);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None, "the configured age still holds");
}

#[tokio::test]
async fn a_longer_absolute_lifetime_makes_room_for_a_longer_age() {
    for app in placements() {
        let mut browser = known(&app).await;
        app.visit(&mut browser, async |session| {
            session.lifetime().set_absolute(Some(60 * DAY)).unwrap();
            session.lifetime().set_age(60 * DAY).unwrap();
            refused(session.lifetime().set_age(61 * DAY));
        })
        .await;
        app.pass(59 * 24 * 3_600);
        app.visit(&mut browser, async |session| {
            assert_eq!(session.get::<u8>("n").unwrap(), Some(1));
            refused(session.lifetime().set_age(61 * DAY));
            session.lifetime().set_absolute(None).unwrap();
            session.lifetime().set_age(61 * DAY).unwrap();
        })
        .await;
        app.pass(60 * 24 * 3_600);
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, Some(1));
    }
    let endless = app_with(|builder| builder.absolute(None));
    let mut browser = known(&endless).await;
    endless.visit(&mut browser, async |session| session.lifetime().set_age(60 * DAY).unwrap()).await;
}

#[tokio::test]
async fn a_lifetime_under_a_second_is_refused_and_no_cookie_is_sent_that_removes_itself() {
    for app in placements() {
        let mut browser = known(&app).await;
        for short in
            [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(500), Duration::from_millis(999)]
        {
            app.visit(&mut browser, async |session| {
                refused(session.lifetime().remember_me(short));
                refused(session.lifetime().set_age(short));
                refused(session.lifetime().set_absolute(Some(short)));
            })
            .await;
            assert_eq!(browser.heard, None, "{short:?}");
        }
        app.visit(&mut browser, async |session| {
            session.lifetime().remember_me(Duration::from_millis(1_500)).unwrap()
        })
        .await;
        assert!(browser.heard.clone().unwrap().contains("Max-Age=1;"), "{:?}", browser.heard);
    }
}

#[tokio::test]
async fn a_session_may_end_earlier_than_its_age() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_absolute(Some(HOUR)).unwrap()).await;
    app.pass(3_599);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, Some(1));
    app.pass(1);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
}

#[tokio::test]
async fn a_cookie_in_the_last_second_of_its_session_does_not_remove_itself() {
    let app = app_with(|builder| builder.cookie(Cookie::host("sid").persistent(true)));
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_absolute(Some(HOUR)).unwrap()).await;
    app.clock.advance(Duration::from_millis(3_599_500));
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    assert!(browser.heard.clone().unwrap().contains("Max-Age=1;"), "{:?}", browser.heard);
}
