//! The connection is cut after every byte of every request and reply: the call is applied or not, and a repetition with
//! the same etag tells which, without applying it twice.

use std::time::{Duration, Instant};

use session_conformance::proxy::{Proxy, Weather};
use session_core::store::{Loaded, SessionStore, StoreErrorKind, Written};
use session_store_redis::{RedisStore, redis};

use crate::support::{PATIENT, SOON, fresh_key, fresh_prefix, now, owned, record, shared_url, until};

pub(crate) async fn proxy() -> (Proxy, String) {
    let info = redis::Client::open(shared_url()).unwrap();
    let redis::ConnectionAddr::Tcp(host, port) = info.get_connection_info().addr().clone() else {
        panic!("a TCP address")
    };
    let address = tokio::net::lookup_host((host, port)).await.unwrap().next().unwrap();
    let proxy = Proxy::start(address).await.unwrap();
    let url = format!("redis://{}", proxy.address());
    (proxy, url)
}

/// Runs a verb once for its length in bytes, then once for every place at which it can be cut, and each time again.
/// The reply differs in the length of nothing that matters: all inputs are of one size.
async fn cut_everywhere<F: AsyncFn(&RedisStore)>(name: &str, verb: impl AsyncFn(&RedisStore, Probe) -> F) {
    let (proxy, url) = proxy().await;
    let store = RedisStore::builder(url).prefix("cuts:").timeout(PATIENT).open().unwrap();
    verb(&store, Probe { proxy: &proxy, cut: None }).await(&store).await;
    let probe = Probe { proxy: &proxy, cut: None };
    let check = verb(&store, probe).await;
    let length = proxy.passed();
    check(&store).await;
    assert!(length.request > 0 && length.reply > 0, "{name}: {length:?}");
    let requests = (0..length.request).map(Weather::CutRequest);
    let replies = (0..length.reply).map(Weather::CutReply);
    for cut in requests.chain(replies) {
        verb(&store, Probe { proxy: &proxy, cut: Some(cut) }).await(&store).await;
    }
}

struct Probe<'a> {
    proxy: &'a Proxy,
    cut: Option<Weather>,
}

impl Probe<'_> {
    /// Lets the next call run into the cut.
    fn arm(&self) {
        self.proxy.set(self.cut.unwrap_or(Weather::Fine));
    }

    /// The call that was cut, then the same call again: it must hold, and the first may only have been unreachable.
    fn resolved(&self, first: Result<Written, session_core::store::StoreError>) -> bool {
        match first {
            Ok(answer) => {
                assert_eq!(answer, Written::Applied, "{:?}", self.cut);
                self.cut.is_none()
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{:?}", self.cut);
                false
            }
        }
    }
}

#[tokio::test]
async fn a_load_cut_anywhere_still_answers() {
    cut_everywhere("load", async |store, probe| {
        let (key, stored) = (fresh_key(), record("{\"v\":1}"));
        store.create(&key, &stored, now()).await.unwrap();
        probe.arm();
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(stored), "{:?}", probe.cut);
        async |_: &RedisStore| {}
    })
    .await;
}

#[tokio::test]
async fn a_create_cut_anywhere_happens_once() {
    cut_everywhere("create", async |store, probe| {
        let (key, new) = (fresh_key(), owned("ada"));
        let _ = store.load(&key).await.unwrap();
        probe.arm();
        let first = store.create(&key, &new, now()).await;
        if !probe.resolved(first) {
            assert_eq!(store.create(&key, &new, now()).await.unwrap(), Written::Applied);
        }
        async move |store: &RedisStore| {
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(new.clone()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_replace_cut_anywhere_happens_once() {
    cut_everywhere("replace", async |store, probe| {
        let (key, old, new) = (fresh_key(), record("1"), record("2"));
        store.create(&key, &old, now()).await.unwrap();
        probe.arm();
        let first = store.replace(&key, old.etag, &new, now()).await;
        if !probe.resolved(first) {
            assert_eq!(store.replace(&key, old.etag, &new, now()).await.unwrap(), Written::Applied);
        }
        async move |store: &RedisStore| {
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(new.clone()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_touch_cut_anywhere_holds() {
    cut_everywhere("touch", async |store, probe| {
        let (key, old) = (fresh_key(), record("1"));
        let later = old.idle_deadline.plus(Duration::from_secs(90));
        store.create(&key, &old, now()).await.unwrap();
        probe.arm();
        let first = store.touch(&key, later, now()).await;
        if !probe.resolved(first) {
            assert_eq!(store.touch(&key, later, now()).await.unwrap(), Written::Applied);
        }
        async move |store: &RedisStore| {
            let touched = old.clone().with_idle_deadline(later);
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(touched));
        }
    })
    .await;
}

#[tokio::test]
async fn a_destroy_cut_anywhere_leaves_it_dead() {
    cut_everywhere("destroy", async |store, probe| {
        let (key, old) = (fresh_key(), record("1"));
        store.create(&key, &old, now()).await.unwrap();
        probe.arm();
        let first = store.destroy(&key, until()).await;
        if !probe.resolved(first) {
            store.destroy(&key, until()).await.unwrap();
        }
        async move |store: &RedisStore| {
            assert!(matches!(store.load(&key).await.unwrap(), Loaded::Ended { .. }));
        }
    })
    .await;
}

#[tokio::test]
async fn a_rotate_cut_anywhere_leaves_exactly_one_live_id() {
    cut_everywhere("rotate", async |store, probe| {
        let (old, new) = (fresh_key(), fresh_key());
        let (before, after) = (owned("ada"), owned("ada"));
        store.create(&old, &before, now()).await.unwrap();
        probe.arm();
        let first = store.rotate(&old, before.etag, &new, &after, now(), until()).await;
        let settled = probe.resolved(first);
        let (at_old, at_new) = (store.load(&old).await.unwrap(), store.load(&new).await.unwrap());
        match (&at_old, &at_new) {
            (Loaded::Found(_), Loaded::Missing) | (Loaded::Ended { .. }, Loaded::Found(_)) => {}
            other => panic!("{:?}: {other:?}", probe.cut),
        }
        if !settled {
            let again = store.rotate(&old, before.etag, &new, &after, now(), until()).await;
            assert_eq!(again.unwrap(), Written::Applied);
        }
        async move |store: &RedisStore| {
            assert!(matches!(store.load(&old).await.unwrap(), Loaded::Ended { .. }));
            assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(after.clone()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_greeting_cut_anywhere_costs_one_call_at_most() {
    let (proxy, url) = proxy().await;
    let connect = async || {
        let store = RedisStore::builder(&url).prefix(fresh_prefix()).timeout(PATIENT).open().unwrap();
        (store.load(&fresh_key()).await, store)
    };
    connect().await.0.unwrap();
    proxy.set(Weather::Fine);
    connect().await.0.unwrap();
    let length = proxy.passed();
    let requests = (0..length.request).map(Weather::CutRequest);
    for cut in requests.chain((0..length.reply).map(Weather::CutReply)) {
        proxy.set(cut);
        let (first, store) = connect().await;
        if let Err(error) = first {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{cut:?}: {error:?}");
        }
        assert_eq!(store.load(&fresh_key()).await.unwrap(), Loaded::Missing, "{cut:?}");
    }
}

#[tokio::test]
async fn a_line_that_goes_dead_is_replaced_soon_after_its_return() {
    let (proxy, url) = proxy().await;
    let deadline = Duration::from_secs(2);
    let store = RedisStore::builder(url).prefix(fresh_prefix()).timeout(deadline).connect().await.unwrap();
    proxy.set(Weather::BlackHole);
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(store.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Timeout);
        assert!(began.elapsed() < deadline + SOON, "{:?}", began.elapsed());
    }
    proxy.set(Weather::Fine);
    let back = Instant::now();
    while store.load(&fresh_key()).await.is_err() {
        assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
    }
    println!("back after {:?}", back.elapsed());
}

#[tokio::test]
async fn resets_and_refusals_are_unavailable_and_slowness_is_not() {
    let (proxy, url) = proxy().await;
    let store = RedisStore::builder(url).prefix(fresh_prefix()).timeout(PATIENT).connect().await.unwrap();
    for weather in [Weather::Reset, Weather::Refuse] {
        proxy.set(weather);
        for _ in 0..3 {
            assert_eq!(store.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        }
        proxy.set(Weather::Fine);
        let back = Instant::now();
        while store.load(&fresh_key()).await.is_err() {
            assert!(back.elapsed() < SOON, "{:?}", back.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    proxy.set(Weather::Slow(Duration::from_millis(100)));
    assert_eq!(store.create(&fresh_key(), &record("1"), now()).await.unwrap(), Written::Applied);
}
