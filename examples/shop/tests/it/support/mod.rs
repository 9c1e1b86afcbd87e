//! The shop as a child process, a browser that visits it, and the few words that the browser tests speak.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// One shop, one WebDriver, and the browsers that were opened in this test.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    shop: Process,
    driver: Process,
    open: Mutex<Vec<(Screen, Client)>>,
    /// How many of them the current claim has taken.
    taken: AtomicUsize,
    dir: TempDir,
}

/// A browser with a profile of its own.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) client: Client,
    base: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 1280 × 900.
    Desktop,
    /// 390 × 844.
    Phone,
}

/// Something that is true of the shop in a browser.
pub(crate) struct Claim {
    name: &'static str,
    test: Box<dyn FnOnce(World) -> BoxFuture>,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Claim {
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(
        name: &'static str,
        test: impl FnOnce(World) -> F + 'static,
    ) -> Self {
        Self { name, test: Box::new(move |world| Box::pin(test(world))) }
    }
}

/// Functions as claims, by their names.
macro_rules! claims {
    ($($claim:ident),* $(,)?) => { vec![$($crate::support::Claim::new(stringify!($claim), $claim)),*] };
}
pub(crate) use claims;

/// Runs claims one after the other, each with browsers that have never been here, and names those that failed. The
/// browsers themselves are shared, since starting one takes longer than most claims. They end with the test, whether
/// it fails or not.
pub(crate) fn visit(settings: &[(&str, &str)], claims: Vec<Claim>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new(settings);
        let mut failed = Vec::new();
        for Claim { name, test } in claims {
            world.forget().await;
            // A task of its own: a panic in it comes back as an error.
            if tokio::spawn(test(world.clone())).await.is_err() {
                failed.push(name);
            }
        }
        for (_, client) in world.0.open.lock().await.drain(..) {
            drop(client.close().await);
        }
        assert!(failed.is_empty(), "with {settings:?}, not true: {failed:#?}");
    });
}

impl World {
    fn new(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
        shop.args(["--listen", "127.0.0.1:0"])
            .env_remove("SESSION_KEYS")
            .env("SESSION_FILE_LOCATION", dir.path().join("sessions"))
            .envs(settings.iter().copied().filter(|(name, _)| !name.starts_with("--")));
        for (name, value) in settings.iter().filter(|(name, _)| name.starts_with("--")) {
            shop.args([name, value]);
        }
        let shop = Process::start(shop, "http://", "the shop is built by cargo");
        let mut chromedriver = Command::new("chromedriver");
        chromedriver.arg("--port=0");
        let driver = Process::start(
            chromedriver,
            "successfully on port ",
            "install chromium-driver (Debian) or chromedriver",
        );
        Self(Arc::new(Inner { shop, driver, open: Mutex::default(), taken: AtomicUsize::new(0), dir }))
    }

    pub(crate) async fn browser(&self) -> Browser {
        self.browser_on(Screen::Desktop).await
    }

    /// Lets every browser forget that it was ever here: no cookie, one tab.
    async fn forget(&self) {
        self.0.taken.store(0, Ordering::Relaxed);
        for (_, client) in self.0.open.lock().await.iter() {
            let tabs = client.windows().await.unwrap();
            for tab in &tabs[1..] {
                client.switch_to_window(tab.clone()).await.unwrap();
                client.close_window().await.unwrap();
            }
            client.switch_to_window(tabs[0].clone()).await.unwrap();
            client.delete_all_cookies().await.unwrap();
        }
    }

    /// A browser that has never been here.
    pub(crate) async fn browser_on(&self, screen: Screen) -> Browser {
        let base = format!("http://{}", self.0.shop.said);
        let mut open = self.0.open.lock().await;
        let taken = self.0.taken.fetch_add(1, Ordering::Relaxed);
        if let Some((known, client)) = open.get(taken)
            && *known == screen
        {
            return Browser { client: client.clone(), base };
        }
        let client = self.start(screen, open.len()).await;
        open.push((screen, client.clone()));
        Browser { client, base }
    }

    async fn start(&self, screen: Screen, number: usize) -> Client {
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|program| std::path::Path::new(program).exists())
            .expect("no browser here: install chromium (Debian: apt-get install chromium chromium-driver)");
        let profile = self.0.dir.path().join(format!("profile-{number}"));
        let mut arguments: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let mut chrome = json!({ "binary": program, "args": arguments });
        if screen == Screen::Phone {
            let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
            chrome["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": chrome });
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written as an object") };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.0.driver.said))
            .await
            .expect("chromedriver opens a browser; chromium and chromium-driver must be of the same version")
    }
}

impl Browser {
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
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
        // A mark on the old page: the new one is there when the mark is not.
        self.script("window.before = true").await;
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

/// A child process that says where it listens, and is killed by its id when this is dropped.
struct Process {
    child: Child,
    said: String,
}

impl Process {
    /// Starts it and reads its output until the word after `mark`: an address or a port.
    fn start(mut command: Command, mark: &str, advice: &str) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap_or_else(
                |error| panic!("{:?} does not start ({error}): {advice}", command.get_program()),
            );
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark).filter(|(_, rest)| rest.starts_with(char::is_numeric))?;
            Some(rest.split(' ').next().unwrap_or(rest).trim_end_matches('.').to_owned())
        });
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let said = said.unwrap_or_else(|| panic!("{:?} ended before it listened", command.get_program()));
        Self { child, said }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
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

/// With the pipe a browser ends when its driver does, however that came about.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
    "--lang=en",
    "--window-size=1280,900",
];
