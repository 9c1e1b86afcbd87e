//! A network between a store and its server that drops bytes and cuts connections.

use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use session_conformance::proxy::{Proxy, Weather};
use session_core::store::{Loaded, StoreErrorKind, Written};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::outage::{LEEWAY, works};
use super::{NOW, PATIENT, Served, created, record};

/// A proxy before the test server, and the URL through it.
async fn proxied<S: Served>() -> (Proxy, String) {
    let url = S::url();
    let (_, rest) = url.split_once('@').unwrap();
    let (place, _) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(place.to_socket_addrs().unwrap().next().unwrap()).await.unwrap();
    let through = url.replace(place, &proxy.address().to_string());
    (proxy, through)
}

/// Packets that vanish, resets, refusals: an error within the deadline, and all is well soon after.
pub(crate) async fn a_network_that_fails_is_lived_with<S: Served>() {
    let ground = S::new().await;
    let (proxy, url) = proxied::<S>().await;
    let deadline = Duration::from_secs(2);
    let store = S::open_at(&url, ground.config().deadline(deadline)).unwrap();
    let key = created(&ground.store(), &record("{}")).await;
    for weather in [Weather::BlackHole, Weather::Reset, Weather::Refuse] {
        works(&store, &key).await;
        proxy.set(weather);
        for _ in 0..3 {
            let begun = Instant::now();
            let kind = store.load(&key).await.unwrap_err().kind();
            assert!(matches!(kind, StoreErrorKind::Timeout | StoreErrorKind::Unavailable), "{kind:?}");
            assert!(begun.elapsed() < deadline + LEEWAY, "{:?}", begun.elapsed());
        }
        proxy.set(Weather::Fine);
    }
    works(&store, &key).await;
}

/// As after a restart of the server that nobody's request ran into: eight connections in the pool, all of them dead.
pub(crate) async fn a_visit_after_every_connection_broke_succeeds<S: Served>() {
    let ground = S::new().await;
    let (proxy, url) = proxied::<S>().await;
    let store = S::open_at(&url, ground.config().deadline(PATIENT)).unwrap();
    let key = created(&store, &record("{}")).await;
    for _ in 0..3 {
        let mut warm = JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            warm.spawn(async move { store.load(&key).await.unwrap() });
        }
        assert!(warm.join_all().await.into_iter().all(|there| matches!(there, Loaded::Found(_))));
        proxy.set(Weather::Refuse);
        while TcpStream::connect(proxy.address()).await.is_ok() {}
        proxy.set(Weather::Fine);
    }
    assert_eq!(store.touch(&key, super::LATER, NOW).await.unwrap(), Written::Applied);
}

pub(crate) async fn a_read_whose_answer_is_lost_is_asked_again<S: Served>() {
    let ground = S::new().await;
    let (proxy, url) = proxied::<S>().await;
    let store = S::open_at(&url, ground.config().deadline(PATIENT).max_connections(1)).unwrap();
    let first = record("{}");
    let key = created(&store, &first).await;
    for byte in (0..200).step_by(20) {
        for weather in [Weather::CutRequest(byte), Weather::CutReply(byte)] {
            proxy.set(weather);
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first.clone()), "{weather:?}");
        }
    }
}

/// The connection ends after each so many bytes of a write or of its answer. What was asked is done or not, never by
/// half; and asked again with the same etag, the store says that it is done.
pub(crate) async fn a_write_whose_answer_is_lost_is_settled_by_its_etag<S: Served>() {
    let ground = S::new().await;
    let (proxy, url) = proxied::<S>().await;
    let store = S::open_at(&url, ground.config().deadline(PATIENT).max_connections(1)).unwrap();
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
