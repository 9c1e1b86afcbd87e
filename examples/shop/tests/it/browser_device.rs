//! The shop over HTTPS with sessions bound to the browser, and the page that shows it. In Chromium on each adapter, with sessions
//! in memory; in Firefox, which does not implement the protocol, as well.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::time::Duration;

use crate::support::{Browser, Engine, Screen, World, claims, visit};

#[test]
fn browser_chromium_binds_a_session_of_the_shop_on_axum() {
    check("axum");
}

#[test]
fn browser_chromium_binds_a_session_of_the_shop_on_actix() {
    check("actix");
}

#[test]
fn browser_chromium_binds_a_session_of_the_shop_on_hyper() {
    check("hyper");
}

#[test]
fn browser_firefox_stays_signed_in_where_sessions_are_bound() {
    for adapter in ["axum", "actix", "hyper"] {
        let claims = claims![a_browser_without_the_protocol_sees_that_on_the_page_and_stays_signed_in];
        visit(Engine::Firefox, &settings(adapter), claims);
    }
}

#[test]
fn browser_the_page_of_a_bound_session_fits_a_desktop_and_a_phone() {
    let claims = claims![the_page_fits_a_desktop, the_page_fits_a_phone];
    visit(Engine::Chromium, &settings("axum"), claims);
}

/// Chromium proves a key only a few times in ten minutes, so each test has browsers of its own and one claim.
fn check(adapter: &str) {
    let claims = claims![the_page_shows_the_proofs_and_a_copied_jar_is_asked_to_sign_in];
    visit(Engine::Chromium, &settings(adapter), claims);
}

fn settings(adapter: &str) -> [(&str, &str); 5] {
    [
        ("SESSION_DRIVER", "memory"),
        ("SESSION_DEVICE_BINDING_REFRESH", "4s"),
        // No driver sets a cookie with the prefix `__Host-`, as the thief must.
        ("SESSION_COOKIE_NAME", "shop"),
        ("--adapter", adapter),
        ("--https", ""),
    ]
}

/// When the short-lived cookie has expired, and when a copy of it is not accepted any more.
const EXPIRED: Duration = Duration::from_secs(5);
const STALE: Duration = Duration::from_secs(7);

async fn become_bound(browser: &Browser) {
    browser.sign_in().await;
    browser
        .until(
            "the registration of a key: this Chromium has no Device Bound Session Credentials",
            async |browser| {
                browser.go("/security").await;
                browser.has("#bound").await
            },
        )
        .await;
}

async fn the_page_shows_the_proofs_and_a_copied_jar_is_asked_to_sign_in(world: World) {
    let (owner, thief) = (world.browser().await, world.browser().await);
    become_bound(&owner).await;
    assert!(owner.count("#proofs tbody tr").await >= 1, "the registration itself");
    tokio::time::sleep(EXPIRED).await;
    owner.press("#again").await;
    assert!(owner.has("#bound").await && owner.has("#next").await);
    assert!(owner.count("#proofs tbody tr").await >= 2);
    assert!(owner.text("#seen").await.contains("Proved"));

    thief.go("/favicon.svg").await;
    for cookie in owner.client.get_all_cookies().await.unwrap() {
        thief.client.add_cookie(cookie).await.unwrap();
    }
    tokio::time::sleep(STALE).await;
    thief.go("/account").await;
    assert_eq!(thief.path().await, "/sign-in");
    assert!(thief.text("#flash").await.starts_with("This browser did not prove"));
    owner.press("#again").await;
    assert!(owner.has("#bound").await, "the browser with the key goes on");
    assert!(owner.text("#seen").await.contains("Unproven"), "{}", owner.text("#seen").await);

    owner.press("#sign-out").await;
    assert_eq!(owner.text("#flash").await, "You are signed out.");
    owner.go("/security").await;
    assert_eq!(owner.path().await, "/sign-in");
}

async fn a_browser_without_the_protocol_sees_that_on_the_page_and_stays_signed_in(world: World) {
    let browser = world.browser().await;
    browser.sign_in().await;
    tokio::time::sleep(STALE).await;
    browser.go("/security").await;
    assert_eq!(browser.text("#unbound").await, "This session is not bound");
    assert!(browser.has("#sign-out").await);
}

async fn the_page_fits_a_desktop(world: World) {
    pictures(&world.browser_on(Screen::Desktop).await, "desktop").await;
}

async fn the_page_fits_a_phone(world: World) {
    pictures(&world.browser_on(Screen::Phone).await, "phone").await;
}

async fn pictures(browser: &Browser, series: &str) {
    become_bound(browser).await;
    for (theme, language) in [("light", "en"), ("dark", "de")] {
        browser.press(&format!("[name=theme][value={theme}]")).await;
        browser.press(&format!("[name=language][value={language}]")).await;
        browser.go("/security").await;
        let fits = browser.script("return document.documentElement.scrollWidth <= window.innerWidth").await;
        assert_eq!(fits, serde_json::json!(true), "it is wider than the screen of {series}");
        browser.shot(&format!("{series}-{theme}-18-security")).await;
        tokio::time::sleep(EXPIRED).await;
    }
}
