//! The shop in real browsers, with its sessions in memory and in files: what only a store can promise.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod support;

use support::{Browser, World, claims, visit};

#[test]
fn browser_tabs_and_devices_with_sessions_in_memory() {
    visit(
        "memory",
        &[],
        claims![two_tabs_at_once_lose_nothing_of_the_cart, devices_end_one_and_end_all_others],
    );
}

#[test]
fn browser_tabs_and_devices_with_sessions_in_files() {
    visit(
        "file",
        &[],
        claims![two_tabs_at_once_lose_nothing_of_the_cart, devices_end_one_and_end_all_others],
    );
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
            browser.script("window.before = true").await;
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
    there.sign_in().await;
    here.go("/devices").await;
    assert_eq!((here.count(".devices li").await, here.count(".devices .this").await), (2, 1));
    assert!(here.text(".devices .this").await.contains("Chrome, Linux"));

    here.press("[name=device]").await;
    assert_eq!(here.text("#flash").await, "The device is signed out.");
    assert!(is_out(&there).await && !is_out(&here).await);

    there.sign_in().await;
    here.go("/devices").await;
    here.press("#end-others").await;
    assert_eq!(here.text("#flash").await, "Other devices signed out: 1");
    assert!(is_out(&there).await && !is_out(&here).await);
}

async fn is_out(browser: &Browser) -> bool {
    browser.go("/orders").await;
    browser.path().await == "/sign-in"
}

const ROUNDS: usize = 3;
