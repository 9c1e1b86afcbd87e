//! Shared by the driver's tests: an application over a logged store, and a browser that keeps its cookie.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part; a panic is the report")]

pub(crate) mod crowd;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{adapter::*, *};
use session_store_memory::MemoryStore;
use session_testkit::{FaultyStore, GateStore, ManualClock, OpLog, ScriptedEntropy, Verb};

pub(crate) type Store = OpLog<FaultyStore<GateStore<MemoryStore>>>;

pub(crate) struct App {
    pub(crate) sessions: Sessions,
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) entropy: ScriptedEntropy,
    pub(crate) events: Events,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Observer for Events {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Events {
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[derive(Debug)]
pub(crate) struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

pub(crate) fn key(seed: u8) -> SecretKey {
    let bytes: [u8; 32] = std::array::from_fn(|place| (place as u8).wrapping_mul(37) ^ seed);
    SecretKey::from_bytes(&bytes).unwrap()
}

pub(crate) fn app() -> App {
    app_with(|builder| builder)
}

pub(crate) fn new_store() -> Store {
    OpLog::new(FaultyStore::new(GateStore::new(MemoryStore::new())))
}

/// In a store, unless the configuration says otherwise.
pub(crate) fn app_with(configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> App {
    let store = new_store();
    app_on(store.clone(), |builder| configure(builder.store(store)))
}

pub(crate) fn app_in_cookie(configure: impl FnOnce(SessionsBuilder, Store) -> SessionsBuilder) -> App {
    let store = new_store();
    app_on(store.clone(), |builder| configure(builder.in_cookie(), store))
}

pub(crate) fn app_on(store: Store, configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> App {
    let (clock, entropy, events) = (ManualClock::default(), ScriptedEntropy::new(), Events::default());
    let builder = Sessions::builder()
        .key(key(1))
        .clock(clock.clone())
        .entropy(entropy.clone())
        .observer(events.clone());
    App { sessions: configure(builder).build().unwrap(), store, clock, entropy, events }
}

impl App {
    pub(crate) fn fault(&self, fault: session_testkit::Fault) {
        self.store.inner().fail(fault);
    }

    pub(crate) fn gates(&self) -> GateStore<MemoryStore> {
        self.store.inner().inner().clone()
    }

    pub(crate) fn memory(&self) -> MemoryStore {
        self.store.inner().inner().inner().clone()
    }

    /// The calls since the last time.
    pub(crate) fn calls(&self) -> Vec<Verb> {
        self.store.take().into_iter().map(|op| op.verb).collect()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A visit with these cookies.
    pub(crate) fn arrive(&self, cookies: &[&str]) -> VisitGuard {
        self.sessions.visit(cookies.iter().copied().collect(), &OnTokio)
    }

    /// A whole request of this browser: the handler gets the session, the browser the answer.
    pub(crate) async fn visit<T>(&self, browser: &mut Browser, handler: impl AsyncFnOnce(Session) -> T) -> T {
        let (value, report) = self.answer(browser, 200, handler).await;
        assert!(report.error.is_none(), "{:?}", report.error);
        value
    }

    /// The same with a status, and the report.
    pub(crate) async fn answer<T>(
        &self,
        browser: &mut Browser,
        status: u16,
        handler: impl AsyncFnOnce(Session) -> T,
    ) -> (T, VisitReport) {
        let guard = self.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        let value = handler(session).await;
        let report = finish(guard, status).await;
        browser.hear(&report);
        (value, report)
    }
}

pub(crate) async fn finish(guard: VisitGuard, status: u16) -> VisitReport {
    match guard.close(status) {
        Closing::Ready(report) => report,
        Closing::Pending(finish) => finish.await,
    }
}

/// It keeps the session's cookie and its touch cookie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
    pub(crate) touch: Option<String>,
    pub(crate) heard: Option<String>,
    pub(crate) heard_touch: Option<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.cookie.iter().chain(&self.touch).map(String::as_str).collect()
    }

    pub(crate) fn hear(&mut self, report: &VisitReport) {
        self.heard.clone_from(&report.set_cookie);
        self.heard_touch.clone_from(&report.set_touch);
        let keep = |place: &mut Option<String>, set: &Option<String>| {
            if let Some(header) = set {
                let pair = header.split(';').next().unwrap();
                *place = (!header.contains("Max-Age=0")).then(|| pair.to_owned());
            }
        };
        keep(&mut self.cookie, &report.set_cookie);
        keep(&mut self.touch, &report.set_touch);
    }
}

/// A browser that has been here and left `put("user", "ada")`, `put("n", 1)` and a CSRF token behind.
pub(crate) async fn known(app: &App) -> Browser {
    let mut browser = Browser::new();
    app.visit(&mut browser, async |session| {
        session.put("user", "ada").unwrap();
        session.put("n", 1).unwrap();
        session.csrf().token().unwrap();
    })
    .await;
    app.calls();
    app.events.take();
    browser
}

pub(crate) async fn read<T: serde::de::DeserializeOwned>(
    app: &App,
    browser: &mut Browser,
    key: &str,
) -> Option<T> {
    app.visit(browser, async |session| session.get::<T>(key).unwrap()).await
}
