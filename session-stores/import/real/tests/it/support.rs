//! The new application, and a browser's requests to it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn};
use session_core::import::{Importer, RefusedImport};
use session_core::{Event, Observer, SecretKey, Sessions, Timestamp};
use session_store_memory::MemoryStore;
use tokio::sync::Semaphore;

#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

#[derive(Clone, Debug, Default)]
struct Refusals(Arc<Mutex<Vec<RefusedImport>>>, Arc<AtomicUsize>);

impl Observer for Refusals {
    fn observe(&self, event: &Event) {
        match event {
            Event::RefusedImport(reason) => self.0.lock().unwrap().push(*reason),
            Event::Imported(_) => drop(self.1.fetch_add(1, SeqCst)),
            _ => {}
        }
    }
}

/// The new application.
#[derive(Clone)]
pub(crate) struct New {
    sessions: Sessions,
    refusals: Refusals,
}

/// What a request saw, and the cookies that its response set.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) user: Option<String>,
    pub(crate) cart: Option<Value>,
    pub(crate) set: Vec<String>,
}

impl New {
    pub(crate) fn importing(importer: impl Importer) -> Self {
        let refusals = Refusals::default();
        let sessions = Sessions::builder()
            .store(MemoryStore::new())
            .key(SecretKey::generate().unwrap())
            .observer(refusals.clone())
            .import_from(importer, Timestamp::now().plus(Duration::from_secs(3_600)))
            .build()
            .unwrap();
        Self { sessions, refusals }
    }

    pub(crate) async fn request(&self, cookie: &str) -> Seen {
        let guard = self.sessions.visit(CookieHeaders::from_iter([cookie]), &OnTokio);
        let session = guard.visit().session().await.unwrap();
        let (user, cart) = (session.user().name(), session.get::<Value>("cart").unwrap());
        let report = match guard.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(report) => report.await,
        };
        assert!(report.error.is_none());
        Seen { user, cart, set: report.set_cookies().map(str::to_owned).collect() }
    }

    /// A whole life: carried over by eight requests at once, known by the new cookie alone, and gone under the old one after
    /// a sign-out.
    pub(crate) async fn carries_over(&self, old: &str) {
        let together: Vec<_> = (0..8)
            .map(|_| {
                let (new, old) = (self.clone(), old.to_owned());
                tokio::spawn(async move { new.request(&old).await })
            })
            .collect();
        let mut set = Vec::new();
        for request in together {
            let seen = request.await.unwrap();
            assert_eq!(seen.user.as_deref(), Some("ada"), "{seen:?}");
            assert_eq!(seen.cart, Some(cart()));
            assert!(seen.set[1].starts_with("id=;") && seen.set[1].contains("Max-Age=0"), "{seen:?}");
            set = seen.set;
        }
        let new = set[0].split(';').next().unwrap();
        let seen = self.request(new).await;
        assert_eq!((seen.user.as_deref(), seen.set.len()), (Some("ada"), 0));
        assert_eq!(self.sessions.of("ada").count().await.unwrap(), 1, "one session was made");
        self.sessions.of("ada").destroy_all().await.unwrap();
        assert_eq!(self.request(old).await.user, None);
        assert_eq!(self.request(new).await.user, None);
    }

    /// The deployment: visitors who signed in with the old application send four requests at once, three times over, to the
    /// new one. Each is who they were, in every response.
    pub(crate) async fn takes_over(&self, visitors: Vec<(String, String)>) {
        let count = visitors.len();
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let moving = visitors.into_iter().map(|(name, old)| {
            let (new, at_once) = (self.clone(), at_once.clone());
            tokio::spawn(async move {
                let _turn = at_once.acquire().await.unwrap();
                let mut cookie = old;
                for _ in 0..3 {
                    let requests: Vec<_> = (0..4)
                        .map(|_| {
                            let (new, cookie) = (new.clone(), cookie.clone());
                            tokio::spawn(async move { new.request(&cookie).await })
                        })
                        .collect();
                    for request in requests {
                        let seen = request.await.unwrap();
                        assert_eq!(seen.user.as_ref(), Some(&name), "nobody is signed out");
                        if let Some(set) = seen.set.first() {
                            cookie = set.split(';').next().unwrap().to_owned();
                        }
                    }
                }
                assert!(cookie.starts_with("__Host-sid="));
                assert_eq!(new.sessions.of(&name).count().await.unwrap(), 1, "one session for each visitor");
            })
        });
        let moving: Vec<_> = moving.collect();
        for visitor in moving {
            visitor.await.unwrap();
        }
        assert_eq!(self.imported(), count, "each was carried over once");
        assert_eq!(self.refusals.0.lock().unwrap().len(), 0);
    }

    fn imported(&self) -> usize {
        self.refusals.1.load(SeqCst)
    }

    pub(crate) async fn refuses(&self, cookie: &str, reason: RefusedImport) {
        let seen = self.request(cookie).await;
        assert_eq!((seen.user, seen.cart, seen.set.len()), (None, None, 0), "{cookie}");
        let refused = std::mem::take(&mut *self.refusals.0.lock().unwrap());
        assert_eq!(refused, [reason], "{cookie}");
    }
}

/// How many visitors come at the same time.
const AT_ONCE: usize = 32;
/// The deadline on a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// What both old applications keep beside the user.
pub(crate) fn cart() -> Value {
    serde_json::json!({ "items": [{ "sku": "tea", "price": 4.35 }], "note": null })
}
