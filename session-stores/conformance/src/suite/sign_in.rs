//! Concurrent sign-ins on one session: a rotation that finds the session already rotated joins the first sign-in.

use futures_util::future::join_all;
use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn, VisitGuard, VisitReport};
use session_core::{SecretKey, Sessions};

use super::Trial;

/// Several concurrent clicks on "Sign in", and one after all are answered: every response carries the cookie of the same
/// session, which has the changes of all.
pub async fn sign_ins_at_once_end_in_one_session(t: Trial) {
    let key = SecretKey::generate().expect("the system has random bytes");
    let sessions = Sessions::builder().shared_store(t.store.clone()).key(key).build();
    let sessions = sessions.expect("a store and a key are all it takes");
    let user = t.owner();
    let before = count(arrive(&sessions, None), None).await;
    let clicks = (0..CLICKS).map(|_| count(arrive(&sessions, before.as_deref()), Some(&user)));
    let mut answers = join_all(clicks).await;
    answers.push(count(arrive(&sessions, before.as_deref()), Some(&user)).await);
    let all: Vec<_> = answers.iter().map(|cookie| cookie.as_deref().expect("a cookie")).collect();
    for (nth, cookie) in all.into_iter().enumerate() {
        let guard = arrive(&sessions, Some(cookie));
        let session = guard.visit().session().await.expect("the store answers");
        assert_eq!(session.user().name().as_deref(), Some(&*user), "click {nth}");
        let counted = session.get::<usize>("n").expect("a number");
        assert_eq!(counted, Some(1 + CLICKS + 1), "click {nth}");
        close(guard).await;
    }
    if t.store.owners().is_some() {
        assert_eq!(sessions.of(&*user).count().await.expect("an answer"), 1, "one device");
    }
    let guard = arrive(&sessions, before.as_deref());
    let session = guard.visit().session().await.expect("the store answers");
    assert!(session.status().ended() && session.is_empty(), "the old id stays dead");
}

fn arrive(sessions: &Sessions, cookie: Option<&str>) -> VisitGuard {
    sessions.visit(cookie.into_iter().collect::<CookieHeaders>(), &Nowhere)
}

/// Adds one to the counter and signs the user in; returns the cookie that the browser has then.
async fn count(guard: VisitGuard, user: Option<&str>) -> Option<String> {
    let session = guard.visit().session().await.expect("the store answers");
    session.increment("n").expect("a number");
    if let Some(user) = user {
        session.tag(user).expect("the session is open");
    }
    // All have opened the session before the first one commits.
    tokio::task::yield_now().await;
    let report = close(guard).await;
    assert!(report.error.is_none(), "{report:?}");
    let set = report.set_cookie.as_deref().and_then(|set| set.split(';').next());
    set.map(str::to_owned)
}

async fn close(guard: VisitGuard) -> VisitReport {
    match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => writing.await,
    }
}

/// Every visit here is closed and awaited.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {
        panic!("no visit is dropped before its end");
    }
}

const CLICKS: usize = 6;
