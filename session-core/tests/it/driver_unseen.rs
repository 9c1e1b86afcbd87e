//! Requests from another site, from which `SameSite` withholds the session's cookie: they replace no cookie, and can sign
//! in.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::{adapter::*, *};
use session_testkit::Verb;

/// What a browser says of a request.
#[derive(Clone, Copy)]
struct Sent {
    method: &'static str,
    site: &'static str,
    mode: &'static str,
    dest: &'static str,
}

/// A payment provider's form, sent by the visitor's browser.
const CALLBACK: Sent = Sent { method: "POST", site: "cross-site", mode: "navigate", dest: "document" };
const LINK: Sent = Sent { method: "GET", ..CALLBACK };

fn arrive(app: &App, sent: Sent, cookies: &[&str]) -> VisitGuard {
    let header = move |name: &'static str| match name {
        "sec-fetch-site" => Some(sent.site.as_bytes()),
        "sec-fetch-mode" => Some(sent.mode.as_bytes()),
        "sec-fetch-dest" => Some(sent.dest.as_bytes()),
        _ => None,
    };
    let head = RequestHead { method: sent.method, url: "/paid", authority: None, header };
    app.sessions.visit(CookieHeaders::of(cookies, &head), &OnTokio)
}

/// Whether a write in this request sets a cookie.
async fn replaces(app: &App, sent: Sent, cookies: &[&str]) -> bool {
    let guard = arrive(app, sent, cookies);
    let session = guard.visit().session().await.unwrap();
    session.put("paid", true).unwrap();
    assert_eq!(session.get::<bool>("paid").unwrap(), Some(true), "for this request it is there");
    let report = finish(guard, 200).await;
    assert!(report.error.is_none());
    report.set_cookie.is_some()
}

#[tokio::test]
async fn a_cross_site_post_that_writes_does_not_replace_the_visitor_s_cookie() {
    for app in [app(), app_in_cookie(|builder, _| builder)] {
        app.events.take();
        assert!(!replaces(&app, CALLBACK, &[]).await);
        assert!(app.events.take().contains(&Event::Unseen), "not in silence");
        assert_eq!(app.calls(), [], "and nothing was stored");
    }
}

#[tokio::test]
async fn the_handler_sees_that_the_session_is_unseen_and_a_commit_fails() {
    let app = app();
    let guard = arrive(&app, CALLBACK, &[]);
    let session = guard.visit().session().await.unwrap();
    assert!(session.status().unseen() && session.status().fresh());
    session.commit().await.unwrap();
    session.put("paid", true).unwrap();
    let error = session.commit().await.unwrap_err();
    assert!(matches!(error, CommitError::Unseen), "{error:?}");
    assert!(error.to_string().contains("another site"), "{error}");
    assert!(finish(guard, 200).await.set_cookie.is_none());
    assert_eq!(app.calls(), []);
}

#[tokio::test]
async fn a_sign_in_from_another_site_begins_a_session() {
    let signs_in: [fn(&Session); 2] =
        [|session| session.regenerate().unwrap(), |session| session.tag("ada").unwrap()];
    for sign_in in signs_in {
        let app = app();
        let guard = arrive(&app, CALLBACK, &[]);
        let session = guard.visit().session().await.unwrap();
        sign_in(&session);
        session.put("user", "ada").unwrap();
        let report = finish(guard, 200).await;
        let mut browser = Browser::new();
        browser.hear(&report);
        let writes = app.calls().into_iter().filter(|verb| *verb != Verb::Count);
        assert_eq!(writes.collect::<Vec<_>>(), [Verb::Create]);
        assert_eq!(read::<String>(&app, &mut browser, "user").await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn a_sign_out_from_another_site_says_nothing_about_the_cookie() {
    let app = app();
    let guard = arrive(&app, CALLBACK, &[]);
    guard.visit().session().await.unwrap().destroy().unwrap();
    assert!(finish(guard, 200).await.set_cookie.is_none());
}

#[tokio::test]
async fn only_what_the_cookie_s_own_same_site_withholds_is_unseen() {
    let with = |same_site| app_with(|builder| builder.cookie(Cookie::host("sid").same_site(same_site)));
    let (lax, strict, none) = (with(SameSite::Lax), with(SameSite::Strict), with(SameSite::None));
    let own = Sent { site: "same-origin", ..CALLBACK };
    let sibling = Sent { site: "same-site", ..CALLBACK };
    let bookmark = Sent { site: "none", ..LINK };
    let image = Sent { mode: "no-cors", dest: "image", ..LINK };
    let frame = Sent { dest: "iframe", ..LINK };
    for (sent, in_lax, in_strict) in [
        (CALLBACK, false, false),
        (LINK, true, false),
        (image, false, false),
        (frame, false, false),
        (own, true, true),
        (sibling, true, true),
        (bookmark, true, true),
    ] {
        let name = format!("{} {} {} {}", sent.method, sent.site, sent.mode, sent.dest);
        assert_eq!(replaces(&lax, sent, &[]).await, in_lax, "Lax: {name}");
        assert_eq!(replaces(&strict, sent, &[]).await, in_strict, "Strict: {name}");
        assert!(replaces(&none, sent, &[]).await, "None: {name}");
    }
}

#[tokio::test]
async fn a_request_that_does_carry_a_cookie_of_ours_is_what_its_cookie_says() {
    let app = app();
    let browser = known(&app).await;
    let guard = arrive(&app, CALLBACK, &browser.cookies());
    let session = guard.visit().session().await.unwrap();
    assert!(!session.status().unseen() && !session.status().fresh());
    drop(guard);
    assert!(replaces(&app, CALLBACK, &["__Host-sid=forged"]).await, "it could have come, so it would have");
}

#[tokio::test]
async fn the_classic_behaviour_can_be_asked_for() {
    let app = app_with(|builder| builder.unseen_begins(true));
    assert!(replaces(&app, CALLBACK, &[]).await);
}

#[tokio::test]
async fn what_an_unseen_visit_wrote_is_not_in_the_visitor_s_own_session_later() {
    let app = app();
    let mut browser = known(&app).await;
    assert!(!replaces(&app, CALLBACK, &[]).await);
    assert_eq!(read::<bool>(&app, &mut browser, "paid").await, None);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, Some(1));
}
