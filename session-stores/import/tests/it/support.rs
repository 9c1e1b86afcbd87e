//! The new application, what a browser gets from it, and what the old one has written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn};
use session_core::import::{Importer, RefusedImport};
use session_core::store::{StoreError, async_trait};
use session_core::{Event, Observer, SecretKey, Sessions, Timestamp};
use session_import::{OldRecord, Records};
use session_store_memory::MemoryStore;
use session_testkit::ManualClock;

#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

#[derive(Clone, Debug, Default)]
struct Refusals(Arc<Mutex<Vec<RefusedImport>>>);

impl Observer for Refusals {
    fn observe(&self, event: &Event) {
        if let Event::RefusedImport(reason) = event {
            self.0.lock().unwrap().push(*reason);
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
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) values: Value,
    pub(crate) set: Vec<String>,
}

impl New {
    pub(crate) fn importing(importer: impl Importer) -> Self {
        Self::at(Timestamp::now(), importer)
    }

    /// An application whose clock shows this time.
    pub(crate) fn at(now: Timestamp, importer: impl Importer) -> Self {
        let refusals = Refusals::default();
        let sessions = Sessions::builder()
            .store(MemoryStore::new())
            .key(SecretKey::generate().unwrap())
            .clock(ManualClock::at(now))
            .observer(refusals.clone())
            .import_from(importer, now.plus(Duration::from_secs(3_600)))
            .build()
            .unwrap();
        Self { sessions, refusals }
    }

    pub(crate) async fn request(&self, cookie: &str) -> Seen {
        let guard = self.sessions.visit(CookieHeaders::from_iter([cookie]), &OnTokio);
        let session = guard.visit().session().await.unwrap();
        let (messages, errors) = (session.flash_messages(), session.errors());
        let values = json!({
            "user": session.user().name(),
            "all": serde_json::to_value(session.all()).unwrap(),
            "status": messages.get::<Value>("status").unwrap(),
            "old title": session.old::<Value>("title").unwrap(),
            "error": errors.first("email"),
            "login error": session.form("login").errors().first("name"),
            "intended": session.urls().intended(),
            "previous": session.urls().previous(),
        });
        let report = match guard.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(report) => report.await,
        };
        assert!(report.error.is_none());
        Seen { values, set: report.set_cookies().map(str::to_owned).collect() }
    }

    /// A whole life: carried over by eight requests at once, known by the new cookie alone, and gone under the old one after
    /// a sign-out.
    pub(crate) async fn carries_over(&self, old: &str, expected: &Value) {
        let together: Vec<_> = (0..8)
            .map(|_| {
                let (new, old) = (self.clone(), old.to_owned());
                tokio::spawn(async move { new.request(&old).await })
            })
            .collect();
        let name = old.split('=').next().unwrap();
        let mut set = Vec::new();
        for request in together {
            let seen = request.await.unwrap();
            // One of them takes the flash with it.
            let flash = ["status", "old title", "error", "login error"];
            for (key, value) in expected.as_object().unwrap() {
                let got = &seen.values[key];
                assert!(got == value || flash.contains(&&**key) && got.is_null(), "{key}: {seen:?}");
            }
            assert!(
                seen.set[1].starts_with(&format!("{name}=;")) && seen.set[1].contains("Max-Age=0"),
                "{seen:?}"
            );
            set = seen.set;
        }
        let new = set[0].split(';').next().unwrap();
        let seen = self.request(new).await;
        assert_eq!((&seen.values["user"], &seen.values["all"]), (&expected["user"], &expected["all"]));
        assert_eq!(seen.set.len(), 0, "{seen:?}");
        let user = expected["user"].as_str().unwrap();
        assert_eq!(self.sessions.of(user).count().await.unwrap(), 1, "one session was made");
        self.sessions.of(user).destroy_all().await.unwrap();
        assert_eq!(self.request(old).await.values["user"], Value::Null);
        assert_eq!(self.request(new).await.values["user"], Value::Null);
    }

    /// The visitor is a stranger, whose cookies stay as they are.
    pub(crate) async fn refuses(&self, cookie: &str, reason: RefusedImport) {
        let seen = self.request(cookie).await;
        assert_eq!(
            (&seen.values["user"], &seen.values["all"], seen.set.len()),
            (&Value::Null, &json!({}), 0)
        );
        let refused = std::mem::take(&mut *self.refusals.0.lock().unwrap());
        assert_eq!(refused, [reason], "{cookie}");
    }
}

/// Records in a map, which never expire.
#[derive(Clone, Debug, Default)]
pub(crate) struct InMemory(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl InMemory {
    pub(crate) fn with(id: &str, record: impl Into<Vec<u8>>) -> Self {
        let records = Self::default();
        records.0.lock().unwrap().insert(id.to_owned(), record.into());
        records
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Records for InMemory {
    async fn load(&self, id: &str) -> Result<Option<OldRecord>, StoreError> {
        Ok(self.0.lock().unwrap().get(id).cloned().map(OldRecord::new))
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        self.0.lock().unwrap().remove(id);
        Ok(())
    }
}

/// The value of the only cookie, or of the first.
pub(crate) fn value_of(cookie: &str) -> &str {
    cookie.split(';').next().unwrap().split_once('=').unwrap().1
}
