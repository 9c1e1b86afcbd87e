//! The stage of a scenario: a server of the adapter under test, its sessions on test doubles, and browsers.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use session_core::{
    SecretKey, Sessions, SessionsBuilder,
    adapter::{Clock, Entropy as _, SystemClock},
    store::SessionStore,
};

use super::browser::{Browser, Protocol};
use super::jar::Origin;
use super::server::Server;
use super::transcript::Transcript;
use crate::fixture::IntoStore;
use crate::probe::{Application, Stats};
use session_testkit::doubles::gate::Gates;
use session_testkit::{FaultyStore, GateStore, ManualClock, ScriptedEntropy};

/// Where the sessions of a run are kept.
///
/// ```
/// use session_conformance::adapter::Place;
///
/// async fn memory() -> Place {
///     Place::store(session_store_memory::MemoryStore::new(), ())
/// }
/// # let _ = memory();
/// ```
pub struct Place {
    store: Option<Arc<dyn SessionStore>>,
    crowd: usize,
    _guard: Box<dyn Any>,
}

impl Place {
    /// In a new store for every scenario. The guard, such as a temporary directory, is kept until the scenario has ended.
    #[must_use]
    pub fn store<How>(store: impl IntoStore<How>, guard: impl Any) -> Self {
        Self { store: Some(store.into_store()), crowd: 64, _guard: Box::new(guard) }
    }

    /// Sets the number of concurrent clients in the scenario with a crowd; 64 by default. For stores whose writes wait for
    /// a disk.
    #[must_use]
    pub fn with_crowd(mut self, clients: usize) -> Self {
        self.crowd = clients;
        self
    }

    /// In the cookie.
    #[must_use]
    pub fn cookie() -> Self {
        Self { store: None, crowd: 64, _guard: Box::new(()) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("store", &self.store).finish_non_exhaustive()
    }
}

pub(super) type Start = Arc<dyn Fn(Application) -> Pin<Box<dyn Future<Output = Server>>>>;
pub(super) type MakePlace = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Place>>>>;

/// The argument of a scenario, which opens worlds.
pub struct Stage {
    pub(super) start: Start,
    pub(super) place: MakePlace,
    pub(super) protocol: Protocol,
    pub(super) transcript: Arc<Mutex<Transcript>>,
    /// Whether a server has declared HTTP/2.
    pub(super) http2: AtomicBool,
    /// What its framework cannot do, by the names of scenarios, and why.
    pub(super) cannot: Mutex<Vec<(&'static str, &'static str)>>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// One running server, with its clock, its store and its browsers.
pub struct World {
    /// The clock of the library and the browsers.
    pub clock: ManualClock,
    /// The store's faults and gates; `None` if sessions are in the cookie.
    pub doubles: Option<Doubles>,
    /// The number of clients in a crowd.
    pub crowd: usize,
    server: Server,
    store: Option<Arc<dyn SessionStore>>,
    protocol: Protocol,
    transcript: Arc<Mutex<Transcript>>,
    _place: Place,
}

/// The test doubles around the store.
#[derive(Debug)]
pub struct Doubles {
    /// Makes calls fail.
    pub faults: FaultyStore<dyn SessionStore>,
    /// Holds calls.
    pub gates: GateStore<dyn SessionStore>,
}

impl Doubles {
    fn around(store: Arc<dyn SessionStore>) -> Self {
        let faults: FaultyStore<dyn SessionStore> = FaultyStore::over(store);
        let faulty: Arc<dyn SessionStore> = Arc::new(faults.clone());
        let gates = GateStore::around(faulty, Gates::default());
        Self { faults, gates }
    }
}

impl Stage {
    /// Opens a world with the defaults.
    pub async fn open(&self) -> World {
        self.open_with(|sessions| sessions).await
    }

    /// Opens a world with another configuration.
    pub async fn open_with(&self, tune: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> World {
        let place = (self.place)().await;
        let doubles = place.store.clone().map(Doubles::around);
        let clock = ManualClock::at(SystemClock.now());
        let store =
            doubles.as_ref().map(|doubles| -> Arc<dyn SessionStore> { Arc::new(doubles.gates.clone()) });
        let server = self.serve(store.as_ref(), &clock, tune).await;
        World {
            clock,
            doubles,
            crowd: place.crowd,
            server,
            store,
            protocol: self.protocol,
            transcript: Arc::clone(&self.transcript),
            _place: place,
        }
    }

    /// Starts a second server over the same store, clock and keys, with another configuration, like the next deployment.
    pub async fn redeploy(&self, world: &mut World, tune: impl FnOnce(SessionsBuilder) -> SessionsBuilder) {
        let server = self.serve(world.store.as_ref(), &world.clock, tune).await;
        world.server = server;
    }

    async fn serve(
        &self,
        store: Option<&Arc<dyn SessionStore>>,
        clock: &ManualClock,
        tune: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Server {
        let stats = Stats::default();
        let mut sessions = Sessions::builder().observer(stats.observer()).clock(clock.clone());
        sessions = match store {
            Some(store) => sessions.store(stats.counted(Arc::clone(store))),
            None => sessions.in_cookie(),
        };
        let sessions = tune(sessions).key(key(1)).build().expect("the scenario's rules agree");
        let server = (self.start)(Application { sessions: Some(sessions), stats }).await;
        if server.http2 {
            self.http2.store(true, Ordering::Relaxed);
        }
        locked(&self.cannot).clone_from(&server.cannot);
        server
    }

    /// Why the framework prevents what this scenario claims, if a server said so.
    pub(super) fn why_not(&self, scenario: &str) -> Option<&'static str> {
        locked(&self.cannot).iter().find(|(name, _)| *name == scenario).map(|(_, why)| *why)
    }
}

impl World {
    /// Returns whether sessions are in the cookie.
    #[must_use]
    pub fn in_cookie(&self) -> bool {
        self.doubles.is_none()
    }

    /// Whether the framework turns a panic into a response like every 5xx.
    #[must_use]
    pub fn answers_panics(&self) -> bool {
        self.server.answers_panics
    }

    /// Returns a browser without cookies, on a page of `https://app.example`. The socket is plain, as behind a proxy.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser {
            address: self.server.address,
            protocol: self.protocol,
            clock: self.clock.clone(),
            transcript: Some(Arc::clone(&self.transcript)),
            jar: Arc::default(),
            origin: Origin { host: "app.example".to_owned(), secure: true },
        }
    }

    /// Returns a browser with the jar of another one, which sends its requests to the current server of this world.
    #[must_use]
    pub fn moved(&self, browser: &Browser) -> Browser {
        Browser { address: self.server.address, ..browser.clone() }
    }

    /// Returns the store's calls so far, as `/stats` counts them.
    pub async fn calls(&self) -> Calls {
        let stats: serde_json::Value =
            serde_json::from_str(&self.browser().quiet().get("/stats").await.text()).expect("JSON");
        let count = |verb: &str| stats["store"][verb].as_u64().expect("a count");
        Calls {
            load: count("load"),
            create: count("create"),
            replace: count("replace"),
            touch: count("touch"),
            destroy: count("destroy"),
            rotate: count("rotate"),
        }
    }

    /// Returns another number of `/stats`.
    pub async fn counted(&self, name: &str) -> u64 {
        let stats: serde_json::Value =
            serde_json::from_str(&self.browser().quiet().get("/stats").await.text()).expect("JSON");
        stats[name].as_u64().expect("a count")
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Returns a secret key of a scenario, a different one for each number.
pub(super) fn key(number: u32) -> SecretKey {
    let mut bytes = [0; 32];
    ScriptedEntropy::seeded(number).fill(&mut bytes).expect("scripted");
    SecretKey::from_bytes(&bytes).expect("32 bytes of all kinds")
}

/// Waits until the condition holds, for what happens after a response.
pub(super) async fn eventually(claim: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..3_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{claim}: not within half a minute");
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls of a store's verbs.
///
/// ```
/// use session_conformance::adapter::Calls;
///
/// let before = Calls { load: 1, ..Calls::NONE };
/// let after = Calls { load: 2, replace: 1, ..Calls::NONE };
/// assert_eq!(after.since(before), Calls { load: 1, replace: 1, ..Calls::NONE });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a promise: a store has six verbs")]
#[expect(missing_docs, reason = "each is the verb of its name")]
pub struct Calls {
    pub load: u64,
    pub create: u64,
    pub replace: u64,
    pub touch: u64,
    pub destroy: u64,
    pub rotate: u64,
}

impl Calls {
    /// No calls.
    pub const NONE: Self = Self { load: 0, create: 0, replace: 0, touch: 0, destroy: 0, rotate: 0 };

    /// Returns the calls since an earlier count.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            load: self.load - before.load,
            create: self.create - before.create,
            replace: self.replace - before.replace,
            touch: self.touch - before.touch,
            destroy: self.destroy - before.destroy,
            rotate: self.rotate - before.rotate,
        }
    }
}
