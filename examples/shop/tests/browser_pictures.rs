//! Pictures of every page at desktop and phone width, for eyes to judge; and that nothing sticks out on a phone.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use serde_json::json;
use support::{Browser, Screen, World, claims, visit};

#[test]
fn browser_every_page_fits_a_desktop_and_a_phone() {
    visit("memory", &[], claims![every_page_fits_a_desktop, every_page_fits_a_phone]);
}

async fn every_page_fits_a_desktop(world: World) {
    tour(&world.browser_on(Screen::Desktop).await, "desktop").await;
}

async fn every_page_fits_a_phone(world: World) {
    tour(&world.browser_on(Screen::Phone).await, "phone").await;
}

async fn tour(browser: &Browser, screen: &str) {
    let picture = async |name: &str| {
        let wide = browser.script("return document.documentElement.scrollWidth <= window.innerWidth").await;
        assert_eq!(wide, json!(true), "{name} is wider than the {screen}");
        browser.shot(&format!("{screen}-{name}")).await;
    };
    browser.go("/").await;
    picture("1-shelf").await;
    browser.go("/orders").await;
    browser.fill("#email", "ada").await;
    browser.press("#sign-in").await;
    picture("2-sign-in-with-errors").await;
    browser.sign_in().await;
    browser.go("/").await;
    for sku in ["assam", "teapot", "honey", "honey"] {
        browser.press(&format!("#add-{sku}")).await;
    }
    picture("3-flash").await;
    browser.go("/cart").await;
    picture("4-cart").await;
    browser.press("#order").await;
    picture("5-orders").await;
    browser.press("[name=theme][value=dark]").await;
    browser.press("[name=language][value=de]").await;
    browser.go("/").await;
    picture("6-shelf-dark").await;
    browser.go("/devices").await;
    picture("7-devices-dark").await;
    browser.go("/session").await;
    picture("8-session-dark").await;
    browser.go("/account").await;
    picture("9-account-dark").await;
    browser.go("/nowhere").await;
    picture("10-nowhere-dark").await;
}
