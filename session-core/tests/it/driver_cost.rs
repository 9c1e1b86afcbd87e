//! The store calls of each kind of request: the cost table, asserted with the operation log.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_testkit::{Fault, Verb};

#[tokio::test]
async fn i7_a_visit_that_nobody_opens_costs_nothing_with_or_without_a_cookie() {
    let app = app();
    let browser = known(&app).await;
    for cookies in [vec![], browser.cookies()] {
        let report = finish(app.arrive(&cookies), 200).await;
        assert!(report.set_cookie.is_none() && !report.looked && report.error.is_none());
        assert_eq!(app.calls(), []);
    }
}

#[tokio::test]
async fn a_look_at_a_session_that_is_not_there_costs_nothing_and_makes_nothing() {
    let (app, mut browser) = (app(), Browser::new());
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
    assert_eq!((app.calls(), browser.heard), (vec![], None));
}

#[tokio::test]
async fn i5_a_read_is_one_call_and_no_header() {
    let app = app();
    let mut browser = known(&app).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    assert_eq!((app.calls(), browser.heard), (vec![Verb::Load], None));
}

#[tokio::test]
async fn a_write_is_two_calls() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
    assert_eq!((app.calls(), browser.heard), (vec![Verb::Load, Verb::Replace], None));
}

#[tokio::test]
async fn a_value_put_again_is_a_read() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    assert_eq!(app.calls(), [Verb::Load]);
}

#[tokio::test]
async fn the_first_write_of_a_new_visitor_is_one_call() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    assert_eq!(app.calls(), [Verb::Create]);
    assert!(browser.cookie.is_some());
}

#[tokio::test]
async fn a_login_with_regenerate_is_two_calls() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.put("user", "grace").unwrap();
        session.regenerate().unwrap();
    })
    .await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Rotate]);
}

#[tokio::test]
async fn a_logout_is_two_calls_or_one_without_a_look() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser.clone(), async |session| session.destroy().unwrap()).await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Destroy]);
    let guard = app.arrive(&browser.cookies());
    guard.visit().destroy().await.unwrap();
    browser.hear(&finish(guard, 200).await);
    assert_eq!((app.calls(), browser.cookie), (vec![Verb::Destroy], None));
}

#[tokio::test]
async fn id_5_a_forged_or_malformed_cookie_costs_nothing() {
    let app = app();
    let good = known(&app).await.cookie.unwrap();
    for bad in
        ["__Host-sid=", "__Host-sid=junk", &format!("{good}A"), &good.to_uppercase(), &good[..good.len() - 1]]
    {
        let guard = app.arrive(&[bad]);
        assert!(guard.visit().session().await.unwrap().status().fresh());
        assert!(finish(guard, 200).await.set_cookie.is_none(), "a cookie that is not ours is left alone");
        assert_eq!(app.calls(), [], "{bad}");
    }
}

#[tokio::test]
async fn a_refresh_is_two_calls_and_the_touch_carries_no_data() {
    let app = app();
    let mut browser = known(&app).await;
    app.pass(719);
    read::<u8>(&app, &mut browser, "n").await;
    assert_eq!(app.calls(), [Verb::Load]);
    app.pass(1);
    read::<u8>(&app, &mut browser, "n").await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Touch]);
    app.pass(7_199);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1), "it was moved by its whole age");
}

#[tokio::test]
async fn a_thousand_requests_at_the_refresh_point_make_one_touch() {
    let app = app();
    let browser = known(&app).await;
    app.pass(1_000);
    let mut open = Vec::new();
    for _ in 0..1_000 {
        let guard = app.arrive(&browser.cookies());
        guard.visit().session().await.unwrap();
        open.push(guard);
    }
    for guard in open {
        assert!(finish(guard, 200).await.error.is_none());
    }
    let calls = app.calls();
    assert_eq!(calls.iter().filter(|verb| **verb == Verb::Touch).count(), 1);
    assert_eq!(calls.len(), 1_001);
}

#[tokio::test]
async fn however_often_a_visit_is_asked_it_loads_once() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    for _ in 0..5 {
        guard.visit().session().await.unwrap();
        guard.visit().clone().read_only().await.unwrap();
    }
    finish(guard, 200).await;
    assert_eq!(app.calls(), [Verb::Load]);
}

#[tokio::test]
async fn a_conflict_is_one_call_more_and_both_writes_stay() {
    let app = app();
    let mut browser = known(&app).await;
    let slow = app.arrive(&browser.cookies());
    let session = slow.visit().session().await.unwrap();
    session.increment("n").unwrap();
    app.visit(&mut browser, async |session| session.increment("n").unwrap()).await;
    app.calls();
    assert!(finish(slow, 200).await.error.is_none());
    assert_eq!(app.calls(), [Verb::Replace, Verb::Replace]);
    assert_eq!(read(&app, &mut browser, "n").await, Some(3));
}

#[tokio::test]
async fn a_write_moves_the_deadline_with_it() {
    let app = app();
    let mut browser = known(&app).await;
    app.pass(3_600);
    app.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Replace]);
    app.pass(7_199);
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
}

#[tokio::test]
async fn sixty_four_clients_lose_no_increment() {
    let app = std::sync::Arc::new(app());
    let mut browser = known(&app).await;
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (app, mut browser) = (app.clone(), browser.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..10 {
                app.visit(&mut browser, async |session| {
                    session.increment("n").unwrap();
                    tokio::task::yield_now().await;
                })
                .await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(read(&app, &mut browser, "n").await, Some(641));
}

#[tokio::test]
async fn a_touch_that_fails_is_tried_by_the_next_request() {
    let app = app();
    let browser = known(&app).await;
    app.pass(1_000);
    app.fault(Fault::nth(1).on(Verb::Touch));
    for expected in [true, false] {
        let guard = app.arrive(&browser.cookies());
        guard.visit().session().await.unwrap();
        let report = finish(guard, 200).await;
        assert_eq!(report.error.is_some(), expected);
        assert!(report.set_cookie.is_none());
    }
}
