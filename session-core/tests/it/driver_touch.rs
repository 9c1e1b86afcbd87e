//! The touch cookie: reads move the idle deadline of a carried session without sending the session again.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::*;

/// A visitor whose session is 12 minutes old, so that the next visit refreshes it.
async fn due(app: &App) -> Browser {
    let browser = known(app).await;
    app.pass(720);
    browser
}

async fn user(app: &App, browser: &mut Browser) -> Option<String> {
    read(app, browser, "user").await
}

/// A request that has read its session and whose answer is still to come.
async fn slow_read(app: &App, browser: &Browser) -> adapter::VisitGuard {
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().get::<String>("user").unwrap();
    guard
}

#[tokio::test]
async fn a_slow_read_does_not_undo_a_sign_in() {
    for (revocations, read_only) in [(false, false), (false, true), (true, false)] {
        let app =
            app_in_cookie(|builder, store| if revocations { builder.revocations(store) } else { builder });
        let mut browser = due(&app).await;
        let slow = app.arrive(&browser.cookies());
        match read_only {
            true => slow.visit().read_only().await.unwrap(),
            false => slow.visit().session().await.unwrap(),
        };
        app.visit(&mut browser, async |session| {
            session.regenerate().unwrap();
            session.put("user", "grace").unwrap();
        })
        .await;
        let signed_in = browser.cookie.clone();
        let report = finish(slow, 200).await;
        browser.hear(&report);
        assert!(report.set_cookie.is_none() && report.set_touch.is_some());
        assert_eq!(browser.cookie, signed_in);
        assert_eq!(user(&app, &mut browser).await.as_deref(), Some("grace"));
        // The touch of the old session keeps the new one neither alive nor from being refreshed.
        app.pass(720);
        assert_eq!(user(&app, &mut browser).await.as_deref(), Some("grace"));
        assert!(browser.heard_touch.is_some());
    }
}

#[tokio::test]
async fn a_slow_read_does_not_undo_a_sign_out_or_any_change() {
    for revocations in [false, true] {
        let app =
            app_in_cookie(|builder, store| if revocations { builder.revocations(store) } else { builder });
        let mut browser = due(&app).await;
        let (slow, slower) = (slow_read(&app, &browser).await, slow_read(&app, &browser).await);
        app.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
        browser.hear(&finish(slow, 200).await);
        assert_eq!(read(&app, &mut browser, "n").await, Some(2), "a change is kept");
        app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
        assert_eq!((&browser.cookie, &browser.touch), (&None, &None), "both are removed");
        browser.hear(&finish(slower, 200).await);
        assert_eq!(browser.cookie, None, "and the session stays away");
        assert_eq!(user(&app, &mut browser).await, None);
    }
}

#[tokio::test]
async fn a_sign_out_without_loading_removes_both_cookies() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = due(&app).await;
    assert!(user(&app, &mut browser).await.is_some() && browser.touch.is_some());
    let guard = app.arrive(&browser.cookies());
    guard.visit().destroy().await.unwrap();
    let report = finish(guard, 200).await;
    assert_eq!(report.set_cookies().count(), 2);
    browser.hear(&report);
    assert_eq!((browser.cookie, browser.touch), (None, None));
}

#[tokio::test]
async fn a_session_that_is_only_read_lives_on_by_its_touches() {
    let app = app_in_cookie(|builder, _| builder.absolute(None));
    let mut browser = known(&app).await;
    let record = browser.cookie.clone();
    for hour in 0..30 {
        app.pass(3_600);
        assert!(user(&app, &mut browser).await.is_some(), "after {hour} hours");
        assert!(browser.heard.is_none() && browser.heard_touch.is_some());
    }
    assert_eq!(browser.cookie, record, "the record is as it was written");
    app.pass(719);
    assert!(user(&app, &mut browser).await.is_some() && browser.heard_touch.is_none(), "not due");
    app.pass(7_200);
    assert_eq!(user(&app, &mut browser).await, None, "and ends when it is no longer read");
    assert!(browser.heard.is_none() && browser.heard_touch.is_none());
}

#[tokio::test]
async fn a_touch_does_not_move_the_absolute_deadline() {
    let app = app_in_cookie(|builder, _| builder.absolute(Duration::from_secs(10_000)));
    let mut browser = known(&app).await;
    app.pass(7_000);
    assert!(user(&app, &mut browser).await.is_some() && browser.heard_touch.is_some());
    app.pass(2_999);
    assert!(user(&app, &mut browser).await.is_some());
    app.pass(1);
    assert_eq!(user(&app, &mut browser).await, None);
}

#[tokio::test]
async fn without_its_touch_a_session_lives_as_long_as_its_record_says() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = known(&app).await;
    app.pass(7_000);
    assert!(user(&app, &mut browser).await.is_some());
    let mut without = Browser { touch: None, ..browser.clone() };
    app.pass(199);
    assert!(user(&app, &mut without.clone()).await.is_some());
    app.pass(1);
    assert_eq!(user(&app, &mut without).await, None);
    assert!(user(&app, &mut browser).await.is_some());
}

#[tokio::test]
async fn a_touch_of_another_session_or_version_is_worth_nothing() {
    let app = app_in_cookie(|builder, _| builder);
    let (mut ada, mut eve) = (known(&app).await, known(&app).await);
    let before = ada.clone();
    app.visit(&mut ada, async |session| session.put("n", 2).unwrap()).await;
    app.pass(7_000);
    let mut old_version = before;
    for browser in [&mut eve, &mut old_version] {
        assert!(user(&app, browser).await.is_some() && browser.touch.is_some());
    }
    app.pass(200);
    let value = |browser: &Browser| browser.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
    let touches = [
        eve.touch.clone(),
        old_version.touch.clone(),
        Some("__Host-sid.t=junk".to_owned()),
        Some(format!("__Host-sid.t={}", "x".repeat(5_000))),
        Some(format!("__Host-sid.t={}", value(&ada))),
    ];
    for touch in touches {
        let mut browser = Browser { touch, ..ada.clone() };
        assert_eq!(user(&app, &mut browser).await, None, "{:?}", browser.touch);
    }
    // Nor is a touch a session.
    let touch = eve.touch.clone().unwrap().replace(".t=", "=");
    let mut browser = Browser { cookie: Some(touch), ..Browser::new() };
    assert_eq!(user(&app, &mut browser).await, None);
    assert!(user(&app, &mut eve).await.is_some(), "its own is");
}

#[tokio::test]
async fn among_several_touches_the_latest_of_this_session_counts() {
    let app = app_in_cookie(|builder, _| builder);
    let (mut ada, mut eve) = (due(&app).await, due(&app).await);
    assert!(user(&app, &mut ada).await.is_some());
    let early = ada.touch.clone().unwrap();
    app.pass(720);
    assert!(user(&app, &mut ada).await.is_some() && user(&app, &mut eve).await.is_some());
    let (late, other) = (ada.touch.clone().unwrap(), eve.touch.unwrap());
    app.pass(7_100);
    for order in [[&early, &late, &other], [&other, &late, &early], [&late, &other, &early]] {
        let touches = order.map(String::as_str).join("; ");
        let mut browser = Browser { touch: Some(touches), ..ada.clone() };
        assert!(user(&app, &mut browser).await.is_some());
    }
}

#[tokio::test]
async fn an_age_that_was_shortened_is_not_lengthened_by_an_earlier_touch() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = due(&app).await;
    let slow = slow_read(&app, &browser).await;
    app.visit(&mut browser, async |session| session.lifetime().set_age(Duration::from_secs(300)).unwrap())
        .await;
    browser.hear(&finish(slow, 200).await);
    app.pass(300);
    assert_eq!(user(&app, &mut browser).await, None);
}

#[tokio::test]
async fn an_emptied_session_is_not_kept_alive() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = Browser::new();
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    app.visit(&mut browser, async |session| session.clear().unwrap()).await;
    app.pass(59);
    app.visit(&mut browser, async |session| assert!(!session.status().fresh())).await;
    assert!(browser.heard_touch.is_none());
    app.pass(1);
    app.visit(&mut browser, async |session| assert!(session.status().fresh())).await;
}

#[tokio::test]
async fn an_eager_read_moves_the_deadline_and_sends_no_record() {
    let app = app_in_cookie(|builder, _| builder.eager(true));
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |_| {}).await;
    app.visit(&mut browser, async |_| {}).await;
    assert!(browser.heard.is_none() && browser.heard_touch.is_some(), "a cookie on every response");
}

#[tokio::test]
async fn a_change_after_a_refresh_in_the_same_visit_is_sent_and_so_is_a_change_before_it() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = due(&app).await;
    app.visit(&mut browser, async |session| {
        session.commit().await.unwrap();
        session.put("n", 2).unwrap();
    })
    .await;
    assert!(browser.heard.is_some());
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
    app.visit(&mut browser, async |session| {
        session.put("n", 3).unwrap();
        session.commit().await.unwrap();
        app.pass(1_000);
    })
    .await;
    assert!(browser.heard.is_some(), "what was committed earlier");
    app.pass(7_100);
    assert_eq!(read(&app, &mut browser, "n").await, Some(3), "with the later deadline");
}

#[tokio::test]
async fn a_persistent_record_outlives_its_touches_in_the_browser() {
    let cookie = || Cookie::host("sid").persistent(true);
    for (absolute, max_age) in [(Some(Duration::from_secs(86_400)), 86_400), (None, 34_560_000)] {
        let app = app_in_cookie(|builder, _| builder.cookie(cookie()).absolute(absolute));
        let mut browser = known(&app).await;
        app.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
        let heard = browser.heard.clone().unwrap();
        assert!(heard.contains(&format!("; Max-Age={max_age}; ")), "{heard}");
        app.pass(720);
        assert!(user(&app, &mut browser).await.is_some());
        let touch = browser.heard_touch.clone().unwrap();
        assert!(touch.starts_with("__Host-sid.t=") && touch.contains("; Max-Age=7200; "), "{touch}");
        assert!(touch.contains("; Path=/; Secure; HttpOnly; SameSite=Lax; "), "{touch}");
    }
}

#[tokio::test]
async fn a_touch_is_small_and_its_response_is_not_cached() {
    let app = app_in_cookie(|builder, _| builder);
    let browser = due(&app).await;
    let report = finish(slow_read(&app, &browser).await, 200).await;
    let touch = report.set_touch.as_deref().unwrap();
    assert!(touch.split(';').next().unwrap().len() <= 90, "{touch}");
    assert_eq!(report.cache_control([]), Some("no-store"));
    let headers: Vec<_> = report.headers(|_| []).into_iter().flatten().collect();
    assert_eq!(headers.len(), 3, "{headers:?}");
    assert!(headers.contains(&adapter::HeaderChange::Append("set-cookie", touch)));
}

#[tokio::test]
async fn a_failed_response_still_refreshes_and_an_abandoned_one_says_nothing() {
    let app = app_in_cookie(|builder, _| builder);
    let browser = due(&app).await;
    let failed = slow_read(&app, &browser).await;
    failed.visit().session().await.unwrap().put("n", 9).unwrap();
    let report = finish(failed, 500).await;
    assert!(report.set_cookie.is_none() && report.set_touch.is_some());
    let report = finish(slow_read(&app, &browser).await, 503).await;
    assert!(report.set_cookie.is_none() && report.set_touch.is_some());
}

#[tokio::test]
async fn a_session_in_a_store_has_no_touch_cookie() {
    let app = app();
    let mut browser = due(&app).await;
    assert!(user(&app, &mut browser).await.is_some() && browser.heard_touch.is_none());
    let (_, report) = app.answer(&mut browser, 200, async |session| session.destroy().unwrap()).await;
    assert_eq!(report.set_cookies().count(), 1);
}
