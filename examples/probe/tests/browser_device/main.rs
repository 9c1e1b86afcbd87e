//! Sessions bound to the device in a real Chromium, over TLS, under three adapters: what a copied cookie jar is worth, and
//! what the browser that has the key notices.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod site;

use std::time::Duration;

use site::{Browser, EXPIRED, Kind, Placement, Site, USER};

#[test]
fn browser_sessions_are_bound_to_the_device_under_axum() {
    run("axum");
}

#[test]
fn browser_sessions_are_bound_to_the_device_under_actix() {
    run("actix");
}

#[test]
fn browser_sessions_are_bound_to_the_device_under_hyper() {
    run("hyper");
}

/// Whether a request brings an old cookie does not depend on the adapter.
#[test]
fn browser_a_session_in_its_cookie_is_bound_again_after_an_old_cookie_came_back() {
    runtime().block_on(async {
        let site = Site::new("axum", Placement::Cookie);
        an_old_cookie_that_comes_back_does_not_end_the_binding(&site).await;
    });
}

fn run(adapter: &'static str) {
    runtime().block_on(claims(adapter));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// How long a copied cookie is accepted: a proof lasts for 4 s here. With that, Chromium makes a proof before and after nearly
/// every request, and no more than six in some minutes: each claim has a browser of its own, and makes few requests.
const PATIENCE: Duration = Duration::from_secs(7);

async fn claims(adapter: &'static str) {
    let mut site = Site::new(adapter, Placement::Store);
    a_copied_jar_is_a_stranger_after_the_refresh_time(&site).await;
    two_tabs_prove_their_key_at_once(&site).await;
    a_browser_whose_clock_is_wrong_is_bound_like_any_other(&site).await;
    a_plain_browser_stays_signed_in(&site).await;
    a_browser_that_lost_its_key_signs_in_again(&site).await;
    a_restart_of_the_server_changes_nothing_and_signing_out_ends_it(&mut site).await;
}

async fn a_copied_jar_is_a_stranger_after_the_refresh_time(site: &Site) {
    let (owner, thief) = (site.browser(Kind::Binding).await, site.browser(Kind::Binding).await);
    owner.sign_in_and_register().await;
    thief.take_all_cookies_of(&owner).await;
    tokio::time::sleep(PATIENCE).await;
    let stolen = thief.cookies().await;
    assert_eq!(thief.read("/read").await, "anon", "the thief has all cookies, and not the key");
    let refused = site.refreshes_with_another_key(&stolen).await;
    let sets = |line: &str| line.starts_with("set-cookie: ") && !line.contains("Max-Age=0");
    assert!(!refused.lines().any(sets) && !refused.contains("credentials"), "{refused}");
    assert_eq!(thief.read("/read").await, "anon");
    let before = owner.bound().await;
    assert_eq!(owner.read("/read").await, USER, "the browser has proven its key again");
    assert_ne!(owner.bound().await, before, "each proof has its own cookie");
    owner.close().await;
    thief.close().await;
}

async fn two_tabs_prove_their_key_at_once(site: &Site) {
    let owner = site.browser(Kind::Binding).await;
    owner.read("/login").await;
    let first = owner.client.window().await.unwrap();
    let second = owner.client.new_window(true).await.unwrap().handle;
    owner.client.switch_to_window(second.clone()).await.unwrap();
    owner.read("/healthz").await;
    let mut tabs = [first, second];
    for tab in &tabs {
        owner.client.switch_to_window(tab.clone()).await.unwrap();
        owner.asks_later(EXPIRED).await;
    }
    tokio::time::sleep(PATIENCE).await;
    tabs.reverse();
    for tab in tabs {
        owner.client.switch_to_window(tab).await.unwrap();
        assert_eq!(owner.was_answered().await, USER);
    }
    assert!(owner.bound().await.is_some(), "the browser has got another short-lived cookie");
    owner.close().await;
}

async fn a_browser_whose_clock_is_wrong_is_bound_like_any_other(site: &Site) {
    let check = async |seconds| {
        let browser = site.browser(Kind::WithClockAhead(seconds)).await;
        browser.read("/healthz").await;
        assert!(browser.is_ahead_by(seconds).await, "its clock is not off: is LD_PRELOAD ignored here?");
        browser.sign_in_and_register().await;
        let thief = site.browser(Kind::WithoutBinding).await;
        thief.take_all_cookies_of(&browser).await;
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(browser.read("/read").await, USER);
        assert_eq!(thief.read("/read").await, "anon", "it is bound");
        browser.close().await;
        thief.close().await;
    };
    tokio::join!(check(3_600), check(-3_600));
}

async fn an_old_cookie_that_comes_back_does_not_end_the_binding(site: &Site) {
    let (browser, other) = (site.browser(Kind::Binding).await, site.browser(Kind::WithoutBinding).await);
    // A cookie of the same user that is not bound, as a response sets it that was under way while the key was registered.
    other.read("/login").await;
    let old = other.client.get_named_cookie("sid").await.unwrap();
    browser.read("/login").await;
    // It registers a key, and drops the short-lived cookie.
    tokio::time::sleep(EXPIRED).await;
    browser.client.add_cookie(old.clone()).await.unwrap();
    assert_eq!(browser.read("/read").await, USER, "and the response offers the binding again");
    browser.until_it_has_another_session_than(old.value()).await;
    let thief = site.browser(Kind::WithoutBinding).await;
    thief.take_all_cookies_of(&browser).await;
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(thief.read("/read").await, "anon", "it is bound");
    assert_eq!(browser.read("/read").await, USER, "with the new key");
    for browser in [browser, other, thief] {
        Browser::close(browser).await;
    }
}

async fn a_plain_browser_stays_signed_in(site: &Site) {
    let plain = site.browser(Kind::WithoutBinding).await;
    plain.read("/login").await;
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(plain.read("/read").await, USER);
    plain.close().await;
}

async fn a_browser_that_lost_its_key_signs_in_again(site: &Site) {
    let browser = site.browser(Kind::Binding).await;
    browser.sign_in_and_register().await;
    let cookies = browser.client.get_all_cookies().await.unwrap();
    browser.client.clone().close().await.unwrap();
    // With the table of its sessions go the keys, which are in software here. Cookies without an expiry went with the browser.
    for file in ["Device Bound Sessions", "Device Bound Sessions-journal"] {
        drop(std::fs::remove_file(browser.profile.path().join("Default").join(file)));
    }
    let browser = site.browser_in(browser.profile, Kind::Binding).await;
    browser.read("/healthz").await;
    for cookie in cookies {
        browser.client.add_cookie(cookie).await.unwrap();
    }
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(browser.read("/read").await, "anon");
    browser.sign_in_and_register().await;
    tokio::time::sleep(EXPIRED).await;
    assert_eq!(browser.read("/read").await, USER, "with another key");
    browser.close().await;
}

async fn a_restart_of_the_server_changes_nothing_and_signing_out_ends_it(site: &mut Site) {
    let browser = site.browser(Kind::Binding).await;
    browser.sign_in_and_register().await;
    site.restart();
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(browser.read("/read").await, USER);
    browser.read("/logout").await;
    assert!(browser.client.get_all_cookies().await.unwrap().is_empty());
    assert_eq!(browser.read("/read").await, "anon");
    browser.close().await;
}
