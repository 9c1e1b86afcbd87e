//! The shop in real browsers. In Chromium: each claim on axum with its sessions in the cookie, in memory and in files, and on
//! actix and hyper with its sessions in memory. In Firefox and WebKit: on axum with its sessions in the cookie and in memory.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use crate::support::{Browser, EMAIL, Engine, PASSWORD, World, claims, visit};
use serde_json::json;

#[test]
fn browser_chromium_shows_the_shop_on_axum_with_sessions_in_the_cookie() {
    check(Engine::Chromium, "axum", "cookie");
}

#[test]
fn browser_chromium_shows_the_shop_on_axum_with_sessions_in_memory() {
    check(Engine::Chromium, "axum", "memory");
}

#[test]
fn browser_chromium_shows_the_shop_on_axum_with_sessions_in_files() {
    check(Engine::Chromium, "axum", "file");
}

#[test]
fn browser_chromium_shows_the_shop_on_actix() {
    check(Engine::Chromium, "actix", "memory");
}

#[test]
fn browser_chromium_shows_the_shop_on_hyper() {
    check(Engine::Chromium, "hyper", "memory");
}

#[test]
fn browser_firefox_shows_the_shop_with_sessions_in_the_cookie() {
    check(Engine::Firefox, "axum", "cookie");
}

#[test]
fn browser_firefox_shows_the_shop_with_sessions_in_memory() {
    check(Engine::Firefox, "axum", "memory");
}

#[test]
fn browser_webkit_shows_the_shop_with_sessions_in_the_cookie() {
    check(Engine::WebKit, "axum", "cookie");
}

#[test]
fn browser_webkit_shows_the_shop_with_sessions_in_memory() {
    check(Engine::WebKit, "axum", "memory");
}

fn check(engine: Engine, adapter: &str, driver: &str) {
    let mut claims = claims![
        theme_and_language_stay_as_chosen,
        sign_in_keeps_what_was_typed_but_never_the_password,
        a_flash_message_is_shown_once,
        the_page_that_sign_in_interrupted_is_shown_afterwards,
        sign_out_in_one_tab_ends_the_other,
        a_form_of_another_site_is_refused,
        an_old_proof_asks_for_the_password_again,
    ];
    claims.extend(match driver {
        // No list of devices, and of two writes at once the last response wins: the price of having no store.
        "cookie" => claims![devices_are_not_listed_and_the_page_says_why],
        _ => claims![
            two_tabs_at_once_lose_nothing_of_the_cart,
            devices_end_one_and_end_all_others,
            who_was_signed_out_elsewhere_may_go_on_at_once,
        ],
    });
    let settings = [("SESSION_DRIVER", driver), ("--adapter", adapter), ("SHOP_CONFIRM_AFTER", "4")];
    visit(engine, &settings, claims);
}

async fn theme_and_language_stay_as_chosen(world: World) {
    let browser = world.browser().await;
    browser.go("/cart").await;
    browser.press("[name=theme][value=dark]").await;
    assert_eq!(browser.path().await, "/cart", "the switch leads back to the page");
    browser.press("[name=language][value=de]").await;
    browser.go("/").await;
    assert!(browser.has("html[data-theme=dark][lang=de]").await);
    assert_eq!(browser.text("h1").await, "Guter Tee und was dazugehört");
    browser.press("[name=theme][value=light]").await;
    assert!(browser.has("html[data-theme=light][lang=de]").await);
}

async fn sign_in_keeps_what_was_typed_but_never_the_password(world: World) {
    let browser = world.browser().await;
    browser.go("/sign-in").await;
    browser.fill("#email", "ada.example.com").await;
    browser.press("#sign-in").await;
    assert_eq!(browser.text("#email-error").await, "This is not an e-mail address.");
    assert_eq!(browser.text("#password-error").await, "Please enter your password.");
    assert_eq!(browser.value("#email").await, "ada.example.com");

    browser.fill("#email", EMAIL).await;
    browser.fill("#password", "a guess").await;
    browser.click("#remember").await;
    browser.press("#sign-in").await;
    assert_eq!(browser.text("#email-error").await, "This e-mail and password do not belong together.");
    assert_eq!(browser.value("#email").await, EMAIL);
    assert_eq!(browser.value("#password").await, "");
    assert!(browser.has("#remember:checked").await, "the check mark was part of what was typed");
    assert!(!browser.client.source().await.unwrap().contains("a guess"));

    let before = browser.cookie().await;
    browser.fill("#password", PASSWORD).await;
    browser.press("#sign-in").await;
    assert_eq!(browser.text("#flash").await, "Welcome, Ada!");
    assert!(browser.has("#sign-out").await);
    let after = browser.cookie().await;
    assert_ne!(before.value(), after.value(), "signing in is a new id");
    assert!(before.expires().is_none() && after.expires().is_some(), "remembered beyond the browser's end");
}

async fn a_flash_message_is_shown_once(world: World) {
    let browser = world.browser().await;
    browser.go("/").await;
    browser.press("#add-assam").await;
    assert_eq!(browser.text("#flash").await, "In your cart: Assam Breakfast");
    assert_eq!(browser.cart().await, "1");
    browser.go("/").await;
    assert!(!browser.has("#flash").await);
    assert_eq!(browser.cart().await, "1");
}

async fn the_page_that_sign_in_interrupted_is_shown_afterwards(world: World) {
    let browser = world.browser().await;
    browser.go("/").await;
    browser.press("#add-teapot").await;
    browser.go("/cart").await;
    browser.press("#order").await;
    assert_eq!(browser.path().await, "/sign-in");
    browser.fill("#email", EMAIL).await;
    browser.fill("#password", PASSWORD).await;
    browser.press("#sign-in").await;
    assert_eq!(browser.path().await, "/cart");
    browser.press("#order").await;
    assert_eq!(browser.path().await, "/orders");
    assert_eq!((browser.count("tbody tr").await, browser.cart().await.as_str()), (1, "0"));
}

async fn sign_out_in_one_tab_ends_the_other(world: World) {
    let browser = world.browser().await;
    browser.sign_in().await;
    let first = browser.client.window().await.unwrap();
    let second = browser.tab().await;
    browser.go("/orders").await;
    browser.client.switch_to_window(first).await.unwrap();
    browser.press("#sign-out").await;
    assert_eq!(browser.text("#flash").await, "You are signed out.");
    browser.client.switch_to_window(second).await.unwrap();
    browser.go("/orders").await;
    assert_eq!(browser.path().await, "/sign-in");
}

async fn a_form_of_another_site_is_refused(world: World) {
    let browser = world.browser().await;
    browser.go("/").await;
    browser.order_from_elsewhere().await;
    assert_eq!(browser.text("#status h1").await, "419");
    browser.go("/").await;
    assert_eq!(browser.cart().await, "0");
    // This browser says where its requests come from, so that the shop's own forms need no token.
    browser.script("for (const field of document.querySelectorAll('[name=_csrf]')) field.remove()").await;
    browser.press("#add-assam").await;
    assert_eq!(browser.cart().await, "1");
}

async fn an_old_proof_asks_for_the_password_again(world: World) {
    let browser = world.browser().await;
    browser.sign_in().await;
    browser
        .until("the question for the password", async |browser| {
            browser.go("/account").await;
            browser.path().await == "/confirm"
        })
        .await;
    browser.fill("#password", "a guess").await;
    browser.press("#confirm").await;
    assert_eq!((browser.path().await.as_str(), browser.has("#password-error").await), ("/confirm", true));
    // On a busy machine the proof may be old again before the page has come.
    browser
        .until("the page behind the question", async |browser| {
            browser.fill("#password", PASSWORD).await;
            browser.press("#confirm").await;
            browser.path().await == "/account"
        })
        .await;
    assert_eq!(browser.script("return document.querySelector('#save') !== null").await, json!(true));
}

async fn devices_are_not_listed_and_the_page_says_why(world: World) {
    let browser = world.browser().await;
    browser.sign_in().await;
    browser.go("/devices").await;
    assert!(browser.text("#not-here").await.contains("SESSION_DRIVER=memory"));
}

async fn two_tabs_at_once_lose_nothing_of_the_cart(world: World) {
    let browser = world.browser().await;
    browser.go("/").await;
    let first = browser.client.window().await.unwrap();
    let second = browser.tab().await;
    for _ in 0..ROUNDS {
        // Both tabs click at the same moment, which is a little ahead.
        let moment = browser.script("return Date.now() + 400").await;
        for (tab, product) in [(&first, "assam"), (&second, "sencha")] {
            browser.client.switch_to_window(tab.clone()).await.unwrap();
            browser.go("/").await;
            let click = format!("document.querySelector('#add-{product}').click()");
            browser.mark().await;
            browser.script(&format!("setTimeout(() => {click}, {moment} - Date.now())")).await;
        }
        for tab in [&first, &second] {
            browser.client.switch_to_window(tab.clone()).await.unwrap();
            browser.arrive().await;
        }
    }
    browser.go("/cart").await;
    assert_eq!(browser.value("#count-assam").await, ROUNDS.to_string());
    assert_eq!(browser.value("#count-sencha").await, ROUNDS.to_string());
}

async fn devices_end_one_and_end_all_others(world: World) {
    let (here, there) = (world.browser().await, world.browser().await);
    here.sign_in().await;
    here.go("/devices").await;
    // The claims before this one have left devices behind that nobody signed out.
    if here.has("#end-others").await {
        here.press("#end-others").await;
    }
    there.sign_in().await;
    here.go("/devices").await;
    assert_eq!((here.count(".devices li").await, here.count(".devices .this").await), (2, 1));
    assert!(here.text(".devices .this").await.contains(here.device()));

    here.press("[name=device]").await;
    assert_eq!(here.text("#flash").await, "The device is signed out.");
    assert!(is_out(&there).await && !is_out(&here).await);

    there.sign_in().await;
    here.go("/devices").await;
    here.press("#end-others").await;
    assert_eq!(here.text("#flash").await, "Other devices signed out: 1");
    assert!(is_out(&there).await && !is_out(&here).await);
}

async fn who_was_signed_out_elsewhere_may_go_on_at_once(world: World) {
    let (here, there) = (world.browser().await, world.browser().await);
    here.sign_in().await;
    there.sign_in().await;
    there.go("/").await;
    here.go("/devices").await;
    here.press("#end-others").await;

    there.press("#add-assam").await;
    assert_eq!(there.path().await, "/sign-in");
    assert!(there.text("#flash").await.starts_with("This session was ended"));
    there.go("/").await;
    there.press("#add-assam").await;
    assert_eq!(there.cart().await, "1");
}

async fn is_out(browser: &Browser) -> bool {
    browser.go("/orders").await;
    browser.path().await == "/sign-in"
}

const ROUNDS: usize = 3;
