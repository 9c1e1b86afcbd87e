//! A browser, and the WebDriver commands that the browser tests use.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::engine::Engine;

/// A browser with a profile of its own.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(super) engine: Engine,
    pub(super) base: String,
}

impl Browser {
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
    }

    /// The name under which the shop lists it among a user's devices.
    pub(crate) fn device(&self) -> &'static str {
        match self.engine {
            Engine::Chromium => "Chrome, Linux",
            Engine::Firefox => "Firefox, Linux",
            Engine::WebKit => "Safari, Linux",
        }
    }

    /// Where the browser is.
    pub(crate) async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.client.find(Locator::Css(css)).await.unwrap().text().await.unwrap()
    }

    /// What a field shows now.
    pub(crate) async fn value(&self, css: &str) -> String {
        self.client.find(Locator::Css(css)).await.unwrap().prop("value").await.unwrap().unwrap_or_default()
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The session's cookie.
    pub(crate) async fn cookie(&self) -> fantoccini::cookies::Cookie<'static> {
        self.client.get_named_cookie("shop").await.unwrap()
    }

    /// Clicks something that leads nowhere, such as a check box.
    pub(crate) async fn click(&self, css: &str) {
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
    }

    /// Clicks, and waits until the page that comes of it is there.
    pub(crate) async fn press(&self, css: &str) {
        self.mark().await;
        self.client.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
        self.arrive().await;
    }

    /// Puts something into the cart with a form on a page of another site.
    pub(crate) async fn order_from_elsewhere(&self) {
        let form = format!(
            "data:text/html,<form method=post action='{}/cart/add'><input name=sku value=assam><button id=go>Go</button>",
            self.base
        );
        self.client.goto(&form).await.unwrap();
        self.press("#go").await;
    }

    /// Marks this page: the next one is there when the mark is not.
    pub(crate) async fn mark(&self) {
        self.client.execute("window.before = true", Vec::new()).await.unwrap();
    }

    /// Waits until the page that was marked has given way to the next.
    pub(crate) async fn arrive(&self) {
        self.until("the next page", async |browser| {
            browser.script("return !window.before && document.readyState === 'complete'").await == json!(true)
        })
        .await;
    }

    /// Asks again until it is so.
    pub(crate) async fn until(&self, what: &str, mut so: impl AsyncFnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !so(self).await {
            assert!(begun.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        // Between two pages there is no document to ask.
        self.client.execute(script, Vec::new()).await.unwrap_or(Value::Null)
    }

    pub(crate) async fn sign_in(&self) {
        self.go("/sign-in").await;
        self.fill("#email", EMAIL).await;
        self.fill("#password", PASSWORD).await;
        self.press("#sign-in").await;
        let path = self.path().await;
        assert!(self.has("#sign-out").await, "nobody is signed in at {path}: {}", self.text("body").await);
    }

    pub(crate) async fn cart(&self) -> String {
        self.text("#cart-count").await
    }

    /// Another tab of this browser, which is then the one that is driven.
    pub(crate) async fn tab(&self) -> fantoccini::wd::WindowHandle {
        let tab = self.client.new_window(true).await.unwrap().handle;
        self.client.switch_to_window(tab.clone()).await.unwrap();
        tab
    }

    /// Keeps a picture of what is shown under `target/screenshots`.
    pub(crate) async fn shot(&self, name: &str) {
        let picture = self.client.screenshot().await.unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse";

const PATIENCE: Duration = Duration::from_secs(60);
