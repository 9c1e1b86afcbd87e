//! Cancellation: drops a request at every `await` and checks what the adapter leaves behind.
//!
//! Polls the future of a response `k` times and drops it, for every `k` until it completes: once while the operation that
//! it awaits is in progress, once when that has just completed. For every `k`, a write happened entirely or not at all, an
//! ordered `destroy` or `regenerate` happened, the next request is answered, and nothing of the dropped request is left.

mod interrupt;
mod scenario;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use session_core::{
    Cookie, Event, Observer, SecretKey, Sessions, SessionsBuilder,
    adapter::{BoxFuture, Visit},
    store::SessionStore,
};

use interrupt::{Ended, Moment, Pends, interrupt};
use scenario::{Scenario, interrupted};
use session_testkit::doubles::wrap::Hooked;

/// The handler of the adapter's route.
pub type Handler = Arc<dyn Fn(Visit) -> BoxFuture<()> + Send + Sync>;

/// The response of one request: the value of its `Set-Cookie` header.
pub type Responding = Pin<Box<dyn Future<Output = Option<String>>>>;

/// Where the sessions of these claims live.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: there is no third place")]
pub enum Place {
    /// In a store, each call of which returns `Pending` several times before and after its effect.
    Store(Arc<dyn SessionStore>),
    /// In the cookie, with a store of revoked sessions.
    Cookie(Arc<dyn SessionStore>),
}

/// Runs the claims on one adapter. `place` is called for every run. `serve` builds the adapter's service around the
/// sessions, with one route that passes its visit to the handler and awaits it, and calls the service with this `Cookie`
/// header. Call it on a Tokio runtime.
///
/// # Panics
/// If a claim does not hold. The message has the number of polls after which the request was dropped.
///
/// ```
/// use std::sync::Arc;
///
/// use session_core::{Sessions, adapter::{BoxFuture, Spawn}};
/// use session_store_memory::MemoryStore;
/// use session_conformance::cancel::{Handler, Place, Responding, every_request_may_be_dropped_at_any_await};
///
/// // Here an adapter's service would be called; this is the core itself.
/// fn serve(sessions: Sessions, cookie: Option<String>, handler: Handler) -> Responding {
///     Box::pin(async move {
///         let guard = sessions.visit(cookie.iter().collect(), &ON_TOKIO);
///         let handling = handler(guard.visit().clone());
///         guard.serve(handling, |()| 200).await.report.set_cookie
///     })
/// }
///
/// #[derive(Debug)]
/// struct OnTokio;
/// static ON_TOKIO: OnTokio = OnTokio;
///
/// impl Spawn for OnTokio {
///     fn spawn(&self, future: BoxFuture<()>) {
///         tokio::spawn(future);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let place = || Place::Store(Arc::new(MemoryStore::new()));
/// every_request_may_be_dropped_at_any_await(place, serve).await;
/// # }
/// ```
pub async fn every_request_may_be_dropped_at_any_await(
    place: impl Fn() -> Place,
    serve: impl Fn(Sessions, Option<String>, Handler) -> Responding,
) {
    for scenario in Scenario::ALL {
        for moment in [Moment::UnderWay, Moment::Happened] {
            let mut polls = 0;
            while !(Run { scenario, moment, polls }).holds(place(), &serve).await {
                polls += 1;
                assert!(polls < 1_000, "{scenario:?} never completes");
            }
            assert!(polls > 2, "{scenario:?} completed after {polls} polls: nothing was interrupted");
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Run {
    scenario: Scenario,
    moment: Moment,
    polls: usize,
}

impl Run {
    /// Signs in, drops a request after so many polls, and reads the session again. Returns whether the request completed.
    async fn holds(
        self,
        place: Place,
        serve: &impl Fn(Sessions, Option<String>, Handler) -> Responding,
    ) -> bool {
        let alive = Arc::new(());
        let gone = Arc::downgrade(&alive);
        let in_cookie = matches!(place, Place::Cookie(_));
        let sessions = build(place, alive);
        let signed_in = serve(sessions.clone(), None, sign_in()).await;
        let cookie = signed_in.as_deref().and_then(pair).expect("signing in sets a cookie");

        let acted = Arc::new(AtomicBool::new(false));
        let handler = interrupted(self.scenario, acted.clone(), (sessions.clone(), cookie.clone()));
        let request = serve(sessions.clone(), Some(cookie.clone()), handler);
        let ended = interrupt(request, self.polls, self.moment).await;
        sessions.drain().await;

        let seen = look(&sessions, &cookie, serve).await;
        let acted = acted.load(SeqCst);
        if in_cookie {
            self.judge_the_old_cookie(&seen, acted);
        } else {
            self.judge_the_store(&seen, acted, &ended);
        }
        if let Some(renewed) = ended.set_cookie().and_then(pair) {
            let seen = look(&sessions, &renewed, serve).await;
            self.claim(seen.user && seen.first && seen.second, "what the new cookie says was not written");
        }
        drop(sessions);
        self.claim(gone.upgrade().is_none(), "something of the request lives on");
        !matches!(ended, Ended::Dropped)
    }

    fn judge_the_store(self, seen: &Seen, acted: bool, ended: &Ended) {
        let old_id_is_dead = acted && self.scenario.ends_the_id();
        self.claim(seen.user != old_id_is_dead, "the old id lives, or ended unasked");
        self.claim(seen.first == seen.second, "half of a write was kept");
        match (self.scenario, ended) {
            (Scenario::Put | Scenario::Commit | Scenario::Contended, Ended::Answered(_)) => {
                self.claim(seen.first, "an acknowledged write is lost");
            }
            (_, Ended::Panicked) => self.claim(!seen.first, "a handler that panicked wrote something"),
            (_, Ended::Answered(_) | Ended::Dropped) => {}
        }
    }

    /// Without a response the browser keeps its previous cookie; only the end of an id is visible elsewhere.
    fn judge_the_old_cookie(self, seen: &Seen, acted: bool) {
        let dead = acted && self.scenario.ends_the_id();
        self.claim(seen.user != dead, "the old cookie lives, or ended unasked");
        self.claim(!seen.first && !seen.second, "a cookie has changed by itself");
    }

    #[track_caller]
    fn claim(self, holds: bool, otherwise: &str) {
        let Self { scenario, moment, polls } = self;
        assert!(holds, "{scenario:?} dropped after {polls} polls, {moment:?}: {otherwise}");
    }
}

/// Alive as long as any visit, handle or write of the application, each of which has a reference to it.
#[derive(Debug)]
#[expect(dead_code, reason = "it is held, not used")]
struct Alive(Arc<()>);

impl Observer for Alive {
    fn observe(&self, _: &Event) {}
}

fn build(place: Place, alive: Arc<()>) -> Sessions {
    let builder: SessionsBuilder = Sessions::builder()
        .key(SecretKey::generate().expect("the system has random bytes"))
        .cookie(Cookie::insecure_http("sid"))
        .observer(Alive(alive));
    let builder = match place {
        Place::Store(store) => builder.store(Hooked::around(store, Pends)),
        Place::Cookie(ended) => builder.in_cookie().revocations(Hooked::around(ended, Pends)),
    };
    builder.build().expect("a place and a key are all it takes")
}

fn sign_in() -> Handler {
    Arc::new(|visit| {
        Box::pin(async move {
            let session = visit.session().await.expect("the store answers");
            session.put("user", "ada").expect("the visit is open");
        })
    })
}

/// The state that a later request finds.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    user: bool,
    first: bool,
    second: bool,
}

async fn look(
    sessions: &Sessions,
    cookie: &str,
    serve: &impl Fn(Sessions, Option<String>, Handler) -> Responding,
) -> Seen {
    let seen = Arc::new(Mutex::new(None));
    let found = seen.clone();
    let looks: Handler = Arc::new(move |visit| {
        let found = found.clone();
        Box::pin(async move {
            let session = visit.session().await.expect("the store answers");
            let has = |key| session.has(key);
            let seen = Seen { user: has("user"), first: has("first"), second: has("second") };
            *found.lock().expect("nobody panics with it") = Some(seen);
        })
    });
    serve(sessions.clone(), Some(cookie.to_owned()), looks).await;
    let seen = seen.lock().expect("nobody panics with it").take();
    seen.expect("the next request reaches its handler")
}

fn pair(set_cookie: &str) -> Option<String> {
    let pair = set_cookie.split(';').next()?;
    (!pair.ends_with('=')).then(|| pair.to_owned())
}
