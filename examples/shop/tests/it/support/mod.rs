//! The shop as a child process, the browsers that visit it, and the claims about its pages.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod browser;
mod engine;
mod process;

use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::sync::Mutex;

pub(crate) use browser::{Browser, EMAIL, PASSWORD};
use engine::Running;
pub(crate) use engine::{Engine, Screen};
use process::Process;

/// One shop, and the browsers that were opened in this test.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    engine: Engine,
    shop: Process,
    /// Where the shop is, and the hash of its certificate's key if it speaks HTTPS.
    base: String,
    spki: Option<String>,
    open: Mutex<Vec<(Screen, Running)>>,
    /// How many of them the current claim has taken.
    taken: AtomicUsize,
    dir: TempDir,
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
pub(crate) fn visit(engine: Engine, settings: &[(&str, &str)], claims: Vec<Claim>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new(engine, settings);
        let mut failed = Vec::new();
        for Claim { name, test } in claims {
            let (fresh, claim) = (world.clone(), test(world.clone()));
            // A task of its own: a panic in it comes back as an error.
            let attempt = async move {
                fresh.forget().await;
                claim.await;
            };
            if tokio::spawn(attempt).await.is_err() {
                failed.push(name);
            }
        }
        for (_, running) in world.0.open.lock().await.drain(..) {
            drop(running.client.clone().close().await);
        }
        assert!(failed.is_empty(), "in {engine:?} with {settings:?}, not true: {failed:#?}");
    });
}

impl World {
    fn new(engine: Engine, settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
        shop.args(["--listen", "127.0.0.1:0"])
            .env_remove("SESSION_KEYS")
            .env("SESSION_FILE_LOCATION", dir.path().join("sessions"))
            .envs(settings.iter().copied().filter(|(name, _)| !name.starts_with("--")));
        for (name, value) in settings.iter().filter(|(name, _)| name.starts_with("--")) {
            shop.args([name, value].into_iter().filter(|text| !text.is_empty()));
        }
        let is_https = settings.iter().any(|(name, _)| *name == "--https");
        let site = if is_https { "https://localhost:" } else { "http://" };
        let shop = Process::start(shop, site, "the shop is built by cargo");
        let base = format!("{site}{}", shop.said);
        let spki = shop.heard.iter().find_map(|line| Some(line.split_once("spki-list=")?.1.to_owned()));
        let (open, taken) = (Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Inner { engine, shop, base, spki, open, taken, dir }))
    }

    pub(crate) async fn browser(&self) -> Browser {
        self.browser_on(Screen::Desktop).await
    }

    /// Lets every browser forget that it was ever here: no cookie, one tab.
    async fn forget(&self) {
        self.0.taken.store(0, Ordering::Relaxed);
        for (_, Running { client, .. }) in self.0.open.lock().await.iter() {
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
        let mut open = self.0.open.lock().await;
        let taken = self.0.taken.fetch_add(1, Ordering::Relaxed);
        let client = match open.get(taken) {
            Some((known, running)) if *known == screen => running.client.clone(),
            _ => {
                let home = self.0.dir.path().join(format!("browser-{}", open.len()));
                let running = self.0.engine.open(screen, &home, self.0.spki.as_deref()).await;
                let client = running.client.clone();
                open.push((screen, running));
                client
            }
        };
        Browser { client, engine: self.0.engine, base: self.0.base.clone() }
    }
}
