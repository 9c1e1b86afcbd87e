//! Cookies of another scope, of sibling hosts and of forgers: which are found, which open, and the events for the others.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::adapter::Entropy as _;
use session_core::*;

/// The same application in one placement, whatever its cookie.
fn app_with_cookie(in_cookie: bool, store: &Store, cookie: Cookie) -> App {
    app_on(store.clone(), |builder| match in_cookie {
        true => builder.in_cookie().cookie(cookie),
        false => builder.store(store.clone()).cookie(cookie),
    })
}

#[tokio::test]
async fn at_20_after_a_change_of_domain_or_path_no_old_cookie_opens_and_sign_out_signs_out() {
    let scopes = [
        Cookie::named("sid"),
        Cookie::named("sid").domain("example.com"),
        Cookie::named("sid").domain("shop.example.com"),
        Cookie::named("sid").path("/shop"),
        Cookie::named("sid").path("/shop").domain("example.com"),
        Cookie::named("sid").partitioned(true),
    ];
    for in_cookie in [false, true] {
        for (from, old) in scopes.iter().enumerate() {
            for (to, new) in scopes.iter().enumerate().filter(|(to, _)| *to != from) {
                let store = new_store();
                let before = app_with_cookie(in_cookie, &store, old.clone());
                let visitor = known(&before).await;
                let stale = visitor.cookie.clone().unwrap();
                let after = app_with_cookie(in_cookie, &store, new.clone());
                // The doubles count alike; other numbers make other ids.
                after.entropy.fill(&mut [0; 256]).unwrap();

                let mut browser = visitor.clone();
                assert_eq!(read::<u8>(&after, &mut browser, "n").await, None, "{from} to {to}");
                let mut browser = Browser::new();
                after.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
                // The browser keeps and sends both cookies, in an order of its own.
                for old_first in [true, false] {
                    let own = browser.cookie.clone().unwrap();
                    let both = if old_first { [&*stale, &*own] } else { [&*own, &*stale] };
                    let mut browser = Browser { cookie: Some(both.join("; ")), ..Browser::new() };
                    assert_eq!(read(&after, &mut browser, "n").await, Some(2), "{from} to {to}");
                }
                after.visit(&mut browser, async |session| session.destroy().unwrap()).await;
                assert_eq!(browser.cookie, None);
                let mut left = Browser { cookie: Some(stale), ..Browser::new() };
                assert_eq!(read::<u8>(&after, &mut left, "n").await, None, "{from} to {to}: signed out");
            }
        }
    }
}

#[tokio::test]
async fn at_20_the_same_domain_in_other_letters_is_the_same_scope() {
    let store = new_store();
    let before = app_with_cookie(true, &store, Cookie::named("sid").domain("example.com"));
    let mut browser = known(&before).await;
    let after = app_with_cookie(true, &store, Cookie::named("sid").domain(".Example.COM"));
    assert_eq!(read(&after, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn at_15_the_cookies_of_a_sibling_sign_nobody_out() {
    let fat = |nth: usize| format!("fat{nth}={}", "x".repeat(4_090));
    let tiny = |nth: usize| format!("t{nth}=1");
    let forged = |_: usize| format!("__Host-sid={}", "A".repeat(120));
    let siblings: [Vec<String>; 5] = [
        (0..5).map(fat).collect(),
        (0..40).map(fat).collect(),
        (0..1_000).map(tiny).collect(),
        (0..7).map(forged).collect(),
        (0..5).map(fat).chain((0..7).map(forged)).chain((0..1_000).map(tiny)).collect(),
    ];
    for in_cookie in [false, true] {
        let app = match in_cookie {
            true => app_in_cookie(|builder, _| builder),
            false => app(),
        };
        let browser = known(&app).await;
        let ours = browser.cookie.clone().unwrap();
        for before in &siblings {
            let in_one = Browser { cookie: Some(format!("{}; {ours}", before.join("; "))), ..Browser::new() };
            assert_eq!(read(&app, &mut in_one.clone(), "n").await, Some(1));
            let headers: Vec<&str> = before.iter().map(String::as_str).chain([&*ours]).collect();
            let guard = app.arrive(&headers);
            assert_eq!(
                guard.visit().session().await.unwrap().get::<u8>("n").unwrap(),
                Some(1),
                "many headers"
            );
            assert!(!app.events.take().iter().any(|event| matches!(event, Event::IgnoredCookies(_))));
        }
    }
}

#[tokio::test]
async fn at_15_what_was_not_looked_at_is_an_event() {
    let app = app();
    let browser = known(&app).await;
    let ours = browser.cookie.clone().unwrap();
    for forged in [8, 9, 100] {
        let cookies = format!("{}{ours}", "__Host-sid=forged; ".repeat(forged));
        let mut flooded = Browser { cookie: Some(cookies), ..Browser::new() };
        assert_eq!(read::<u8>(&app, &mut flooded, "n").await, None);
        let events = app.events.take();
        assert!(events.contains(&Event::IgnoredCookies(forged + 1 - 8)), "{events:?}");
        assert!(events.iter().any(Event::is_trouble));
        assert!(flooded.heard.is_none(), "and no cookie is touched");
    }
}

#[tokio::test]
async fn ck_4_a_session_too_large_with_its_attributes_is_refused_before_anything_is_sent() {
    let paths = ["/".to_owned(), format!("/{}", "p".repeat(900))];
    for (persistent, path) in [(false, &paths[0]), (true, &paths[0]), (false, &paths[1]), (true, &paths[1])] {
        let cookie = Cookie::named("sid").path(path).persistent(persistent);
        let app = app_in_cookie(|builder, store| builder.revocations(store).cookie(cookie));
        let mut browser = known(&app).await;
        let mut fitted = 0;
        for size in (1_500..3_000).step_by(7) {
            let fill = async |session: Session| {
                session.put("big", "x".repeat(size)).unwrap();
                session.regenerate().unwrap();
            };
            let before = browser.cookie.clone();
            let (_, report) = app.answer(&mut browser, 200, fill).await;
            match (&report.set_cookie, &report.error) {
                (Some(header), None) => {
                    assert!(header.len() <= 4_096, "{}", header.len());
                    fitted = header.len();
                }
                (None, Some(CommitError::TooLarge { size, limit: 4_096 })) => {
                    assert!(*size > 4_096 && browser.cookie == before);
                    assert!(!app.calls().contains(&session_testkit::Verb::Create), "nothing is revoked");
                    break;
                }
                other => panic!("{other:?}"),
            }
            app.calls();
        }
        assert!((4_070..=4_096).contains(&fitted), "{fitted} bytes were the most");
        assert_eq!(read(&app, &mut browser, "n").await, Some(1), "the old cookie is as good as before");
    }
}
