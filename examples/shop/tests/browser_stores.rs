//! The shop in real browsers, with its sessions in memory and in files: what only a store can promise.

mod support;

use support::{Browser, World, visit};

/// One test of this name for each kind of store.
macro_rules! in_each_store {
    ($($claim:ident;)*) => {
        mod in_memory { $(#[test] fn $claim() { super::visit("memory", &[], super::$claim); })* }
        mod in_files { $(#[test] fn $claim() { super::visit("file", &[], super::$claim); })* }
    };
}

in_each_store! {
    browser_two_tabs_at_once_lose_nothing_of_the_cart;
    browser_devices_end_one_and_end_all_others;
}

#[test]
fn browser_devices_of_sessions_in_cookies_cannot_be_listed_and_the_page_says_why() {
    visit("cookie", &[], async |world: World| {
        let browser = world.browser().await;
        browser.sign_in().await;
        browser.go("/devices").await;
        assert!(browser.text("#not-here").await.contains("SESSION_DRIVER=memory"));
    });
}

async fn browser_two_tabs_at_once_lose_nothing_of_the_cart(world: World) {
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
            browser.script(&format!("setTimeout(() => {click}, {moment} - Date.now())")).await;
        }
        for tab in [&first, &second] {
            browser.client.switch_to_window(tab.clone()).await.unwrap();
            browser.until("the answer to a click", async |browser| browser.has("#flash").await).await;
        }
    }
    browser.go("/cart").await;
    assert_eq!(browser.value("#count-assam").await, ROUNDS.to_string());
    assert_eq!(browser.value("#count-sencha").await, ROUNDS.to_string());
}

async fn browser_devices_end_one_and_end_all_others(world: World) {
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
