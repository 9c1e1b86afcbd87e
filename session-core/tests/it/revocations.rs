//! An ended session in a cookie stays ended for as long as a copy of the cookie could be accepted.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{store::*, *};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn listed(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> App {
    app_in_cookie(|builder, list| configure(builder.revocations(list)))
}

/// Changes of how long a session lives.
fn changes_of_lifetime() -> [fn(&Session); 6] {
    [
        |session| session.lifetime().remember_me(30 * DAY).unwrap(),
        |session| session.lifetime().set_absolute(Some(60 * DAY)).unwrap(),
        |session| session.lifetime().set_absolute(None).unwrap(),
        |session| session.lifetime().set_age(20 * HOUR).unwrap(),
        |session| {
            session.lifetime().set_absolute(None).unwrap();
            session.lifetime().set_age(365 * DAY).unwrap();
        },
        |session| session.lifetime().set_persistent(true).unwrap(),
    ]
}

async fn is_alive(app: &App, browser: &Browser) -> bool {
    read::<u8>(app, &mut browser.clone(), "n").await.is_some()
}

async fn sign_out(app: &App, browser: &Browser) {
    app.visit(&mut browser.clone(), async |session| session.destroy().unwrap()).await;
}

#[tokio::test]
async fn at_2_a_change_of_lifetime_takes_a_new_id_and_the_old_one_ends() {
    for (nth, change) in changes_of_lifetime().into_iter().enumerate() {
        let app = listed(|builder| builder);
        let mut browser = known(&app).await;
        let before = browser.clone();
        app.visit(&mut browser, async |session| {
            let id = session.id().unwrap();
            change(&session);
            assert_ne!(session.id().unwrap(), id, "change {nth}");
        })
        .await;
        assert!(is_alive(&app, &browser).await && !is_alive(&app, &before).await, "change {nth}");
        sign_out(&app, &browser).await;
        for days in [0, 2, 29, 70, 300] {
            app.pass(days * 24 * 3_600);
            assert!(!is_alive(&app, &browser).await, "change {nth}, {days} days later");
        }
    }
}

#[tokio::test]
async fn at_2_a_request_in_flight_does_not_carry_an_ended_session_on() {
    let orders: [fn(&Session); 4] = [
        |session| session.regenerate().unwrap(),
        |session| session.tag("eve").unwrap(),
        |session| session.put("n", 2).unwrap(),
        |_| {},
    ];
    for (nth, order) in changes_of_lifetime().into_iter().chain(orders).enumerate() {
        let app = listed(|builder| builder);
        let browser = known(&app).await;
        let mut slow = browser.clone();
        let guard = app.arrive(&slow.cookies());
        let session = guard.visit().session().await.unwrap();
        sign_out(&app, &browser).await;
        app.pass(900); // a refresh is due, too
        order(&session);
        slow.hear(&finish(guard, 200).await);
        for hours in [0, 1, 48, 24 * 20] {
            app.pass(hours * 3_600);
            assert!(!is_alive(&app, &slow).await, "order {nth}, {hours} hours later");
        }
    }
}

#[tokio::test]
async fn at_2_a_note_stands_for_the_session_s_own_age() {
    let app = listed(|builder| builder.absolute(None));
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_age(30 * DAY).unwrap()).await;
    let (tab, mut copy) = (browser.clone(), browser);
    app.pass(10 * 24 * 3_600);
    assert_eq!(read::<u8>(&app, &mut copy, "n").await, Some(1), "the copy is used, and lives on to day 40");
    app.pass(24 * 3_600);
    sign_out(&app, &tab).await;
    for _ in 11..45 {
        assert!(!is_alive(&app, &copy).await);
        app.pass(24 * 3_600);
    }
}

#[tokio::test]
async fn at_2_an_existing_note_is_lengthened() {
    let app = listed(|builder| builder.absolute(None));
    let mut browser = known(&app).await;
    let first = app.arrive(&browser.cookies());
    let second = app.arrive(&browser.cookies());
    first.visit().session().await.unwrap().destroy().unwrap();
    second.visit().session().await.unwrap().destroy().unwrap();
    finish(first, 200).await;
    let key = app.store.ops().iter().rev().find_map(|op| op.key).unwrap();
    let until = async || match app.memory().load(&key).await.unwrap() {
        Loaded::Found(note) => note.idle_deadline,
        other => panic!("{other:?}"),
    };
    let before = until().await;
    app.pass(50);
    let report = finish(second, 200).await;
    browser.hear(&report);
    assert_eq!(browser.cookie, None, "a second sign-out signs out");
    assert_eq!(before.until(until().await), Duration::from_secs(50));
}

#[tokio::test]
async fn at_2_a_note_that_cannot_be_lengthened_is_a_failed_sign_out() {
    let app = listed(|builder| builder);
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().destroy().unwrap();
    sign_out(&app, &browser).await;
    app.fault(session_testkit::Fault::every().on(session_testkit::Verb::Touch));
    let report = finish(guard, 200).await;
    assert!(report.error.is_some() && report.set_cookie.is_none(), "{report:?}");
}
