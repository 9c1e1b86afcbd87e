//! Screenshots of every page at desktop and phone width, for review; and a check that no page is wider than a phone.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use crate::support::{Browser, Engine, Screen, World, claims, visit};
use serde_json::json;

#[test]
fn browser_every_page_fits_a_desktop_and_a_phone() {
    let claims = claims![every_page_fits_a_desktop, every_page_fits_a_phone];
    visit(Engine::Chromium, &[("SESSION_DRIVER", "memory")], claims);
}

async fn every_page_fits_a_desktop(world: World) {
    let (browser, other) = (world.browser_on(Screen::Desktop).await, world.browser().await);
    tour(&browser, &other, "desktop-light", "light", "en").await;
    tour(&browser, &other, "desktop-dark", "dark", "de").await;
}

async fn every_page_fits_a_phone(world: World) {
    let (browser, other) = (world.browser_on(Screen::Phone).await, world.browser().await);
    tour(&browser, &other, "phone-light", "light", "en").await;
    tour(&browser, &other, "phone-dark", "dark", "de").await;
}

/// Every page, in every state that looks different.
async fn tour(browser: &Browser, other: &Browser, series: &str, theme: &str, language: &str) {
    let picture = async |name: &str| {
        let fits = browser.script("return document.documentElement.scrollWidth <= window.innerWidth").await;
        assert_eq!(fits, json!(true), "{name} is wider than the screen of {series}");
        browser.shot(&format!("{series}-{name}")).await;
    };
    browser.go("/").await;
    browser.press(&format!("[name=theme][value={theme}]")).await;
    browser.press(&format!("[name=language][value={language}]")).await;
    picture("01-shelf").await;
    browser.go("/cart").await;
    picture("02-cart-empty").await;
    browser.go("/orders").await;
    picture("03-sign-in").await;
    browser.fill("#email", &format!("{}@example", "donaudampfschiff".repeat(5))).await;
    browser.press("#sign-in").await;
    picture("04-sign-in-errors").await;
    browser.sign_in().await;
    picture("05-orders-empty").await;
    browser.go("/").await;
    for sku in ["assam", "teapot", "honey", "honey"] {
        browser.press(&format!("#add-{sku}")).await;
    }
    picture("06-flash").await;
    browser.script("document.querySelector('#add-assam').focus()").await;
    browser
        .client
        .find(fantoccini::Locator::Css("#add-assam"))
        .await
        .unwrap()
        .send_keys("\u{e004}")
        .await
        .unwrap();
    picture("07-focus").await;
    browser.go("/cart").await;
    picture("08-cart").await;
    browser.fill("#count-honey", "a few").await;
    browser.press("form:has(#count-honey) button").await;
    picture("09-cart-error").await;
    browser.press("#order").await;
    picture("10-orders").await;
    browser.go("/account").await;
    browser.fill("#address-street", &"Lindenallee".repeat(8)).await;
    browser.press("#save").await;
    picture("11-account-errors").await;
    browser.go("/confirm").await;
    picture("12-confirm").await;
    other.sign_in().await;
    browser.go("/devices").await;
    picture("13-devices").await;
    browser.go("/session").await;
    picture("14-session").await;
    browser.go("/nowhere").await;
    picture("15-nowhere").await;
    browser.go("/").await;
    browser.order_from_elsewhere().await;
    picture("16-forged").await;
    other.go("/devices").await;
    other.press("#end-others").await;
    browser.go("/").await;
    picture("17-ended-elsewhere").await;
    other.press("#sign-out").await;
}
