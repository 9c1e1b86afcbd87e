//! Applications before and after a change of their cookie's configuration, and a browser that keeps cookies as browsers do.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

pub(crate) mod stepped;

use std::collections::BTreeMap;
use std::time::Duration;

use session_core::{adapter::*, store::*, *};
use session_store_memory::MemoryStore;
use session_testkit::{ManualClock, ScriptedEntropy};

use crate::driver_support::*;

/// One change of the configuration.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// The application with the earlier configuration.
    pub(crate) before: App,
    /// With the current configuration, which names the earlier one.
    pub(crate) after: App,
    /// With the current configuration alone.
    pub(crate) alone: App,
    /// A copy of an old cookie is known to have ended: by its record, or by a list.
    pub(crate) ends_copies: bool,
    /// Sessions are in cookies now.
    pub(crate) into_cookie: bool,
    /// Sessions move from one place to the other.
    pub(crate) moves: bool,
}

/// When the earlier configuration is switched off.
pub(crate) fn until() -> Timestamp {
    ManualClock::default().now().plus(Duration::from_secs(20 * 3_600))
}

/// What the applications of one change share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) list: MemoryStore,
    clock: ManualClock,
    entropy: ScriptedEntropy,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let (clock, entropy) = (ManualClock::default(), ScriptedEntropy::new());
        Self { store: new_store(), list: MemoryStore::new(), clock, entropy }
    }

    pub(crate) fn app(&self, configure: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> App {
        let (events, clock, entropy) = (Events::default(), self.clock.clone(), self.entropy.clone());
        let builder = Sessions::builder()
            .clock(clock.clone())
            .entropy(entropy.clone())
            .observer(events.clone())
            .most_sessions(usize::MAX);
        let sessions = configure(builder).build().unwrap();
        App { sessions, store: self.store.clone(), clock, entropy, events }
    }
}

/// Where sessions are kept, on one side of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Store,
    Cookie,
    Listed,
}

pub(crate) fn placed(
    builder: SessionsBuilder,
    kept: Kept,
    cookie: Cookie,
    shared: &Shared,
) -> SessionsBuilder {
    let builder = builder.cookie(cookie);
    match kept {
        Kept::Store => builder.store(shared.store.clone()),
        Kept::Cookie => builder.in_cookie(),
        Kept::Listed => builder.in_cookie().revocations(shared.list.clone()),
    }
}

/// The configuration before, as the one after names it.
pub(crate) fn old(from: Kept, to: Kept, cookie: Cookie, shared: &Shared) -> OldCookie {
    let old = OldCookie::new(cookie);
    match (from, to) {
        (Kept::Store, Kept::Store) | (Kept::Cookie | Kept::Listed, Kept::Cookie | Kept::Listed) => old,
        (Kept::Store, Kept::Cookie | Kept::Listed) => old.store(shared.store.clone()),
        (Kept::Cookie, Kept::Store) => old.in_cookie(),
        (Kept::Listed, Kept::Store) => old.revocations(shared.list.clone()),
    }
}

pub(crate) fn change(name: &'static str, from: (Kept, Cookie), to: (Kept, Cookie)) -> Change {
    changed(name, from, to, |builder| builder)
}

/// The same with further rules for all three applications.
pub(crate) fn changed(
    name: &'static str,
    from: (Kept, Cookie),
    to: (Kept, Cookie),
    rules: impl Fn(SessionsBuilder) -> SessionsBuilder,
) -> Change {
    let shared = Shared::new();
    let keyed = |builder: SessionsBuilder| rules(builder.key(key(1)));
    let before = shared.app(|builder| placed(keyed(builder), from.0, from.1.clone(), &shared));
    let now = |builder| placed(keyed(builder), to.0, to.1.clone(), &shared);
    let old = old(from.0, to.0, from.1.clone(), &shared);
    let after = shared.app(|builder| now(builder).migrate_from_cookie(old, until()));
    let (into_cookie, was_cookie) = (to.0 != Kept::Store, from.0 != Kept::Store);
    Change {
        name,
        before,
        after,
        alone: shared.app(now),
        ends_copies: !(into_cookie && was_cookie) || to.0 == Kept::Listed,
        into_cookie,
        moves: into_cookie != was_cookie,
    }
}

/// Every kind of change.
pub(crate) fn changes() -> Vec<Change> {
    let (host, plain) = (|| Cookie::host("sid"), || Cookie::named("sid"));
    let domain = || Cookie::named("sid").domain("example.com");
    let mut all = Vec::new();
    for kept in [Kept::Store, Kept::Cookie, Kept::Listed] {
        all.extend([
            change("name", (kept, Cookie::host("old")), (kept, host())),
            change("prefix", (kept, plain()), (kept, host())),
            change("path", (kept, plain().path("/shop")), (kept, plain())),
            change("domain", (kept, domain()), (kept, plain())),
            change("into a domain", (kept, host()), (kept, domain())),
            change("partition", (kept, plain()), (kept, plain().partitioned(true))),
            change("http", (kept, Cookie::insecure_http("sid")), (kept, host())),
        ]);
    }
    for (from, to) in [
        (Kept::Cookie, Kept::Store),
        (Kept::Listed, Kept::Store),
        (Kept::Store, Kept::Cookie),
        (Kept::Store, Kept::Listed),
    ] {
        all.push(change("place", (from, host()), (to, host())));
        all.push(change("place and domain", (from, domain()), (to, host())));
    }
    all
}

/// A browser that tells cookies apart by name, domain, path and partition. It sends all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jar(pub(crate) BTreeMap<(String, String), String>);

impl Jar {
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.0.iter().map(|((name, _), value)| format!("{name}={value}")).collect()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn hear(&mut self, report: &VisitReport) {
        for set in report.set_cookies() {
            let mut parts = set.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let scope = |part: &&str| {
                ["Path=", "Domain=", "Partitioned"].iter().any(|attribute| part.starts_with(attribute))
            };
            let place = (name.to_owned(), parts.filter(scope).collect::<Vec<_>>().join("; "));
            match set.contains("Max-Age=0") {
                true => drop(self.0.remove(&place)),
                false => drop(self.0.insert(place, value.to_owned())),
            }
        }
    }

    pub(crate) fn arrive(&self, app: &App) -> VisitGuard {
        let cookies = self.cookies();
        app.arrive(&cookies.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A whole request.
    pub(crate) async fn visit<T>(&mut self, app: &App, handler: impl AsyncFnOnce(Session) -> T) -> T {
        self.answer(app, 200, handler).await.0
    }

    pub(crate) async fn answer<T>(
        &mut self,
        app: &App,
        status: u16,
        handler: impl AsyncFnOnce(Session) -> T,
    ) -> (T, VisitReport) {
        let guard = self.arrive(app);
        let session = guard.visit().session().await.unwrap();
        let value = handler(session).await;
        let report = finish(guard, status).await;
        assert!(report.error.is_none(), "{:?}", report.error);
        self.hear(&report);
        (value, report)
    }

    /// The number that [`signed_in`] left in the session.
    pub(crate) async fn n(&mut self, app: &App) -> Option<u64> {
        self.visit(app, async |session| session.get::<u64>("n").unwrap()).await
    }

    /// What the session holds for a request whose response is lost.
    pub(crate) async fn glimpse(&self, app: &App) -> Option<u64> {
        self.clone().n(app).await
    }
}

/// A browser with a session of `ada` that holds `n` = 1.
pub(crate) async fn signed_in(app: &App) -> Jar {
    let mut jar = Jar::default();
    jar.visit(app, async |session| {
        session.tag("ada").unwrap();
        session.put("n", 1).unwrap();
    })
    .await;
    app.calls();
    app.events.take();
    jar
}

/// All live records, without notes.
pub(crate) async fn records(store: &MemoryStore, now: Timestamp) -> Vec<Record> {
    store.owners().unwrap().list("ada", now).await.unwrap().into_iter().map(|(_, record)| record).collect()
}
