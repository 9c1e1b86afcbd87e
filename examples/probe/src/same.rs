//! One claim: whichever framework serves, a browser hears the same, byte for byte.

use session_stores::MemoryStore;
use session_testkit::adapter::{Place, Server, Transcript, transcript};
use session_testkit::probe::Application;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

macro_rules! heard_under {
    ($adapter:ident $(($threads:expr))?, $place:path) => {{
        async fn start(application: Application) -> Server {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("its number");
            let (guard, over) = oneshot::channel::<()>();
            tokio::spawn(crate::$adapter::serve(listener, application, $($threads,)? async move {
                drop(over.await);
            }));
            Server::new(address, guard)
        }
        transcript(start, $place)
    }};
}

async fn memory() -> Place {
    Place::store(MemoryStore::new(), ()).with_crowd(4)
}

async fn cookie() -> Place {
    Place::cookie()
}

/// Shows the first line that differs, with what stands before it.
fn assert_same(name: &str, axum: &Transcript, other: &Transcript) {
    let (axum, other): (Vec<_>, Vec<_>) = (axum.as_str().lines().collect(), other.as_str().lines().collect());
    let differs = (0..axum.len().max(other.len())).find(|at| axum.get(*at) != other.get(*at));
    if let Some(at) = differs {
        let before = axum[at.saturating_sub(6)..at].join("\n");
        panic!("after\n{before}\naxum:  {:?}\n{name}: {:?}", axum.get(at), other.get(at));
    }
}

#[test]
fn actix_and_hyper_say_what_axum_says_of_stored_sessions() {
    let axum = heard_under!(axum, memory);
    assert!(axum.as_str().lines().count() > 500, "there is something to compare");
    assert_same("actix", &axum, &heard_under!(actix(Some(1)), memory));
    assert_same("hyper", &axum, &heard_under!(hyper, memory));
}

#[test]
fn actix_and_hyper_say_what_axum_says_of_sessions_in_cookies() {
    let axum = heard_under!(axum, cookie);
    assert_same("actix", &axum, &heard_under!(actix(Some(1)), cookie));
    assert_same("hyper", &axum, &heard_under!(hyper, cookie));
}
