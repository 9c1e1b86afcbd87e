//! What must hold when the network between a store and its server fails.

use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use session_core::{Loaded, StoreErrorKind, StoreKey, Written};
use session_testkit::proxy::{Proxy, Weather};

use super::{NOW, Store, created, record};

/// A proxy before the server at this URL, and the URL through it.
pub(crate) async fn proxied(url: &str) -> (Proxy, String) {
    let (_, rest) = url.split_once('@').unwrap();
    let (place, _) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(place.to_socket_addrs().unwrap().next().unwrap()).await.unwrap();
    let through = url.replace(place, &proxy.address().to_string());
    (proxy, through)
}

/// How a load fails now, and that it does so soon enough. A signal takes a moment to reach all threads of a server: one
/// answer may still come.
pub(crate) async fn fails_in(store: &Store, key: &StoreKey, most: Duration) -> StoreErrorKind {
    for _ in 0..50 {
        let begun = Instant::now();
        let answer = store.load(key).await;
        assert!(begun.elapsed() < most, "{:?}", begun.elapsed());
        if let Err(error) = answer {
            return error.kind();
        }
    }
    panic!("it does not fail");
}

pub(crate) async fn works_within_a_second(store: &Store, key: &StoreKey) {
    let begun = Instant::now();
    while store.load(key).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(1), "it does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// Packets that vanish, resets, refusals: an error within the deadline, and all is well within a second after.
pub(crate) async fn a_network_that_fails_is_lived_with(store: Store, proxy: &Proxy, deadline: Duration) {
    let key = created(&store, &record("{}")).await;
    for weather in [Weather::BlackHole, Weather::Reset, Weather::Refuse] {
        let mut warm = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = std::sync::Arc::clone(&store);
            warm.spawn(async move { store.load(&key).await.unwrap() });
        }
        warm.join_all().await;
        proxy.set(weather);
        for _ in 0..3 {
            let begun = Instant::now();
            let kind = store.load(&key).await.unwrap_err().kind();
            assert!(matches!(kind, StoreErrorKind::Timeout | StoreErrorKind::Unavailable), "{kind:?}");
            assert!(begun.elapsed() < deadline + Duration::from_millis(150), "{:?}", begun.elapsed());
        }
        proxy.set(Weather::Fine);
        works_within_a_second(&store, &key).await;
    }
}

/// The connection ends after each so many bytes of a write or of its answer. What was asked is done or not, never by
/// half; and asked again with the same etag, the store says that it is done.
pub(crate) async fn a_write_whose_answer_is_lost_is_settled_by_its_etag(store: Store, proxy: &Proxy) {
    let mut there = record("{}");
    let key = created(&store, &there).await;
    let mut lost = [0, 0];
    for (way, weather) in
        [Weather::CutRequest as fn(u64) -> Weather, Weather::CutReply].into_iter().enumerate()
    {
        for byte in (0..400).step_by(7) {
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(there.clone()));
            let next = record(&format!("{{\"cut\":{byte}}}"));
            proxy.set(weather(byte));
            let first = store.replace(&key, there.etag, &next, NOW).await;
            proxy.set(Weather::Fine);
            match first {
                Ok(answer) => assert_eq!(answer, Written::Applied),
                Err(_) => {
                    lost[way] += 1;
                    works_within_a_second(&store, &key).await;
                    let stands = store.load(&key).await.unwrap();
                    assert!(stands == Loaded::Found(there.clone()) || stands == Loaded::Found(next.clone()));
                    let again = store.replace(&key, there.etag, &next, NOW).await.unwrap();
                    assert_eq!(again, Written::Applied);
                }
            }
            there = next;
        }
    }
    assert!(lost.iter().all(|&times| times > 3), "the cuts hit: {lost:?}");
}
