//! Requests dropped at every await: what an adapter leaves behind when a client goes away in the middle.
//!
//! The future of a response is polled `k` times and dropped, for every `k` until it completes, with a store whose calls
//! all pend. Whatever `k` was: a write happened entirely or not at all, an ordered `destroy` or `regenerate` happened,
//! and the next request is answered.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

use session_core::{BoxFuture, Cookie, SecretKey, Session, SessionStore, Sessions, StoreError, async_trait};

use crate::doubles::wrap::{Call, Hook, Hooked, Outcome};

/// What the adapter's route does with its session.
///
/// ```
/// use session_testkit::cancel::Handler;
/// use std::sync::Arc;
///
/// let handler: Handler = Arc::new(|session| {
///     Box::pin(async move { drop(session.put("theme", "dark")) })
/// });
/// # let _ = handler;
/// ```
pub type Handler = Arc<dyn Fn(Session) -> BoxFuture<()> + Send + Sync>;

/// The response of one request: the value of its `Set-Cookie` header.
///
/// ```
/// use session_testkit::cancel::Responding;
///
/// let responding: Responding = Box::pin(async { Some("sid=1; Path=/".to_owned()) });
/// # let _ = responding;
/// ```
pub type Responding = Pin<Box<dyn Future<Output = Option<String>>>>;

/// Runs the claims on one adapter. `serve` makes its service of the sessions, with one route that opens the session and
/// awaits the handler, and calls it with this `Cookie` header. Call it on a current-thread tokio runtime
/// (`#[tokio::test]` is one): what a dropped request leaves behind then runs whenever the claims yield.
///
/// # Panics
/// When a claim does not hold, with the number of polls after which the request was dropped.
///
/// The adapter here is the smallest there is: it makes a visit, runs the handler and closes the visit.
///
/// ```
/// use session_core::{BoxFuture, CookieHeaders, Sessions, Spawn};
/// use session_store_memory::MemoryStore;
/// use session_testkit::cancel::{Handler, every_request_may_be_dropped_at_any_await};
/// use std::sync::Arc;
///
/// #[derive(Debug)]
/// struct OnTokio;
///
/// impl Spawn for OnTokio {
///     fn spawn(&self, future: BoxFuture<()>) {
///         tokio::spawn(future);
///     }
/// }
///
/// async fn serve(sessions: Sessions, cookie: Option<String>, handler: Handler) -> Option<String> {
///     let cookies: CookieHeaders = cookie.into_iter().collect();
///     let guard = sessions.visit(cookies, &OnTokio);
///     let visit = guard.visit().clone();
///     let route = async move { handler(visit.session().await.unwrap()).await };
///     guard.serve(route, |()| 200).await.report.set_cookie
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// every_request_may_be_dropped_at_any_await(
///     || Arc::new(MemoryStore::new()),
///     |sessions, cookie, handler| Box::pin(serve(sessions, cookie, handler)),
/// )
/// .await;
/// # }
/// ```
pub async fn every_request_may_be_dropped_at_any_await(
    store: impl Fn() -> Arc<dyn SessionStore>,
    serve: impl Fn(Sessions, Option<String>, Handler) -> Responding,
) {
    for scenario in [Scenario::Put, Scenario::Destroy, Scenario::Regenerate, Scenario::Commit] {
        let mut polls = 0;
        while !drop_after(polls, scenario, store(), &serve).await {
            polls += 1;
            assert!(polls < 1_000, "{scenario:?} never completes");
        }
        assert!(polls > 4, "{scenario:?} completed after {polls} polls: nothing was interrupted");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Put,
    Destroy,
    Regenerate,
    Commit,
}

/// Signs in, drops a request after so many polls, looks again. Answers whether the request completed.
async fn drop_after(
    polls: usize,
    scenario: Scenario,
    store: Arc<dyn SessionStore>,
    serve: &impl Fn(Sessions, Option<String>, Handler) -> Responding,
) -> bool {
    let says = |claim: &str| format!("{scenario:?} dropped after {polls} polls: {claim}");
    let sessions = Sessions::builder()
        .store(Hooked::around(store, Pends))
        .key(SecretKey::generate().expect("the system has random bytes"))
        .cookie(Cookie::insecure_http("sid"))
        .build()
        .expect("a store and a key are all it takes");
    let signed_in = serve(sessions.clone(), None, handler(|session| session.put("user", "ada"))).await;
    let cookie = signed_in.as_deref().and_then(pair).expect("signing in sets a cookie");

    let acted = Arc::new(AtomicBool::new(false));
    let mut request = serve(sessions.clone(), Some(cookie.clone()), interrupted(scenario, acted.clone()));
    let answer = poll_times(&mut request, polls).await;
    drop(request);
    settle().await;

    let seen = look(&sessions, &cookie, serve).await;
    let (user, half) = (seen.user.is_some(), seen.first != seen.second);
    assert!(!half, "{}", says("half of a write was kept"));
    match scenario {
        Scenario::Put | Scenario::Commit => {
            assert!(user, "{}", says("the session is lost"));
            assert!(seen.first.is_some() || answer.is_none(), "{}", says("an acknowledged write is lost"));
        }
        Scenario::Destroy | Scenario::Regenerate => {
            assert_eq!(user, !acted.load(SeqCst), "{}", says("the old id lives, or ended unasked"));
        }
    }
    if let (Scenario::Regenerate, Some(Some(set_cookie))) = (scenario, &answer) {
        let cookie = pair(set_cookie).expect("a regenerate sets a cookie");
        let moved = look(&sessions, &cookie, serve).await;
        assert!(moved.user.is_some() && moved.first.is_some(), "{}", says("the new id has nothing"));
    }
    answer.is_some()
}

fn interrupted(scenario: Scenario, acted: Arc<AtomicBool>) -> Handler {
    Arc::new(move |session| {
        let acted = acted.clone();
        Box::pin(async move {
            pend().await;
            session.put("first", 1).expect("the visit is open");
            if scenario == Scenario::Destroy {
                session.destroy().expect("the visit is open");
            } else {
                session.put("second", 1).expect("the visit is open");
            }
            if scenario == Scenario::Regenerate {
                session.regenerate().expect("the visit is open");
            }
            acted.store(true, SeqCst);
            pend().await;
            if scenario == Scenario::Commit {
                session.commit().await.expect("nobody else writes");
                pend().await;
            }
        })
    })
}

#[derive(Clone, Debug, Default)]
struct Seen {
    user: Option<String>,
    first: Option<i64>,
    second: Option<i64>,
}

async fn look(
    sessions: &Sessions,
    cookie: &str,
    serve: &impl Fn(Sessions, Option<String>, Handler) -> Responding,
) -> Seen {
    let seen = Arc::new(std::sync::Mutex::new(None));
    let write = seen.clone();
    let looks: Handler = handler(move |session| {
        let found =
            Seen { user: session.get("user")?, first: session.get("first")?, second: session.get("second")? };
        *write.lock().expect("nobody panics with it") = Some(found);
        Ok(())
    });
    serve(sessions.clone(), Some(cookie.to_owned()), looks).await;
    let seen = seen.lock().expect("nobody panics with it").take();
    seen.expect("the next request reaches its handler")
}

fn handler(
    act: impl Fn(&Session) -> Result<(), session_core::SessionError> + Send + Sync + 'static,
) -> Handler {
    Arc::new(move |session| {
        let acted = act(&session);
        Box::pin(async move { acted.expect("the visit is open") })
    })
}

/// Polls so many times, letting other tasks run in between.
async fn poll_times<T>(future: &mut (impl Future<Output = T> + Unpin), times: usize) -> Option<T> {
    for _ in 0..times {
        if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Lets what was left behind run to its end.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// The hook of a store whose every call pends before its effect and after it.
#[derive(Debug)]
struct Pends;

#[async_trait]
impl Hook for Pends {
    async fn before(&self, _: &Call) -> Result<(), StoreError> {
        pend().await;
        Ok(())
    }

    async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
        pend().await;
        Ok(())
    }
}

/// Pends once.
async fn pend() {
    let mut pended = false;
    poll_fn(|context| {
        if std::mem::replace(&mut pended, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn pair(set_cookie: &str) -> Option<String> {
    let pair = set_cookie.split(';').next()?;
    (!pair.ends_with('=')).then(|| pair.to_owned())
}
