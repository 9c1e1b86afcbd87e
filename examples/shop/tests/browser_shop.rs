//! The shop in a real browser, with its sessions in the cookie, in memory and in files: what is the same in all three.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use serde_json::json;
use support::{EMAIL, PASSWORD, World, claims, visit};

#[test]
fn browser_the_shop_with_sessions_in_the_cookie() {
    check("cookie");
}

#[test]
fn browser_the_shop_with_sessions_in_memory() {
    check("memory");
}

#[test]
fn browser_the_shop_with_sessions_in_files() {
    check("file");
}

#[test]
fn browser_the_shop_on_actix() {
    visit("memory", &[("--adapter", "actix")], claims![sign_in_keeps_what_was_typed_but_never_the_password]);
}

#[test]
fn browser_the_shop_on_hyper() {
    visit("memory", &[("--adapter", "hyper")], claims![sign_in_keeps_what_was_typed_but_never_the_password]);
}

fn check(driver: &str) {
    let mut claims = claims![
        theme_and_language_stay_as_chosen,
        sign_in_keeps_what_was_typed_but_never_the_password,
        a_flash_message_is_shown_once,
        the_page_that_sign_in_interrupted_is_shown_afterwards,
        sign_out_in_one_tab_ends_the_other,
        a_forged_form_is_refused,
        an_old_proof_asks_for_the_password_again,
    ];
    if driver == "cookie" {
        claims.extend(claims![devices_are_not_listed_and_the_page_says_why]);
    }
    visit(driver, &[("SHOP_CONFIRM_AFTER", "3")], claims);
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

async fn a_forged_form_is_refused(world: World) {
    let browser = world.browser().await;
    browser.go("/").await;
    browser
        .script("for (const field of document.querySelectorAll('[name=_csrf]')) field.value = 'forged'")
        .await;
    browser.press("#add-assam").await;
    assert_eq!(browser.text("#status h1").await, "419");
    browser.go("/").await;
    assert_eq!(browser.cart().await, "0");
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
    browser.fill("#password", PASSWORD).await;
    browser.press("#confirm").await;
    assert_eq!(browser.path().await, "/account");
    assert_eq!(browser.script("return document.querySelector('#save') !== null").await, json!(true));
}

async fn devices_are_not_listed_and_the_page_says_why(world: World) {
    let browser = world.browser().await;
    browser.sign_in().await;
    browser.go("/devices").await;
    assert!(browser.text("#not-here").await.contains("SESSION_DRIVER=memory"));
}
