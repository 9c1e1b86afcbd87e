//! A server that is down: the responses meanwhile, and the sessions after its return.

use std::time::{Duration, Instant};

use session_conformance::proxy::Weather;
use session_test_servers::{Kind, start};
use tokio::task::JoinSet;

use super::line::{Line, until_it_serves};
use super::site::{Reply, SOON, Site, Visitor};

/// Every process of the server stands still, with its connections open.
pub(crate) async fn paused(kind: Kind) {
    let server = start(kind).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    server.pause();
    wait_until_it_fails(&ada).await;
    nothing_but_503(&site, &ada).await;
    server.resume();
    until_it_serves(&server).await;
    still_signed_in(&ada).await;
}

/// Every process of the server dies at once and is started again, with its data if it keeps any.
pub(crate) async fn killed(kind: Kind) {
    let server = start(kind).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    server.kill9();
    nothing_but_503(&site, &ada).await;
    server.restart().unwrap();
    match kind {
        Kind::Redis | Kind::RedisCluster | Kind::Memcached => {
            assert_eq!(ada.get_soon("/read").await.text, "anon", "it kept nothing");
            still_signed_in(&signed_in(&site).await).await;
        }
        Kind::Postgres | Kind::MariaDb | Kind::DynamoDb | Kind::Etcd => still_signed_in(&ada).await,
    }
}

/// The network between the site and its server fails in this way.
pub(crate) async fn cut_off(kind: Kind, weather: Weather) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let ada = signed_in(&site).await;
    line.set(weather);
    nothing_but_503(&site, &ada).await;
    line.set(Weather::Fine);
    still_signed_in(&ada).await;
}

/// The network between the site and its server takes its time, and everybody is served.
pub(crate) async fn slow(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, Duration::from_secs(60)).await;
    let ada = signed_in(&site).await;
    line.set(Weather::Slow(Duration::from_millis(20)));
    still_signed_in(&ada).await;
    assert_eq!(ada.get("/logout").await.status, 200);
    assert_eq!(ada.get("/read").await.text, "anon");
}

/// It takes longer than the store's calls may. Only reading is claimed: what is written arrives after all.
pub(crate) async fn too_slow(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let ada = signed_in(&site).await;
    line.set(Weather::Slow(4 * TIMEOUT));
    for _ in 0..3 {
        fails_in_time(&ada, "/read").await;
        fine_without_a_store(&site).await;
    }
    line.set(Weather::Fine);
    still_signed_in(&ada).await;
}

/// A visitor with one hit.
pub(crate) async fn signed_in(site: &Site) -> Visitor {
    let begun = Instant::now();
    loop {
        let ada = site.ada().await;
        let reply = ada.get("/write").await;
        if reply.status == 200 {
            assert_eq!(reply.text, "1");
            return ada;
        }
        // A deadline made for faults is short for a machine that is only busy. Nobody knows what became of that write, so
        // somebody else is signed in.
        assert!(begun.elapsed() < SOON, "{reply:?}");
    }
}

/// A signal takes a moment to reach all threads of a server: a few answers may still come.
async fn wait_until_it_fails(ada: &Visitor) {
    for _ in 0..50 {
        if ada.get("/read").await.status == 503 {
            return;
        }
    }
    panic!("it does not fail");
}

pub(crate) async fn nothing_but_503(site: &Site, ada: &Visitor) {
    for path in ["/read", "/write"] {
        fails_in_time(ada, path).await;
    }
    // All at once, and more than there are connections in a pool.
    let mut crowd = JoinSet::new();
    for path in ["/read", "/write", "/rotate", "/logout", "/slow?ms=0", "/late?ms=0"].repeat(4) {
        let ada = ada.clone();
        crowd.spawn(async move { fails_in_time(&ada, path).await });
    }
    let stranger = site.stranger();
    crowd.spawn(async move { fails_in_time(&stranger, "/write").await });
    let (ada, stranger) = (ada.clone(), site.stranger());
    crowd.spawn(async move {
        served(&ada, &["/none", "/healthz"]).await;
        served(&stranger, &["/none", "/read"]).await;
    });
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
}

/// The store answers but takes no writes: whoever reads does not notice.
pub(crate) async fn only_reading_works(site: &Site, ada: &Visitor) {
    let mut crowd = JoinSet::new();
    for path in ["/write", "/rotate", "/logout", "/slow?ms=0", "/late?ms=0"].repeat(4) {
        let ada = ada.clone();
        crowd.spawn(async move { fails_in_time(&ada, path).await });
    }
    let stranger = site.stranger();
    crowd.spawn(async move { fails_in_time(&stranger, "/login").await });
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    for _ in 0..2 {
        let read = ada.get_soon("/read").await;
        assert_eq!((read.text.as_str(), read.set_cookies.len()), ("alice@example.com", 0));
    }
    assert_eq!(ada.hits().await, 1);
    served(ada, &["/none", "/healthz"]).await;
    fine_without_a_store(site).await;
}

/// What needs no store is as it always was.
pub(crate) async fn fine_without_a_store(site: &Site) {
    served(&site.stranger(), &["/none", "/healthz", "/read"]).await;
}

async fn served(visitor: &Visitor, paths: &[&str]) {
    for path in paths {
        let reply = visitor.get(path).await;
        assert_eq!((reply.status, reply.set_cookies.len()), (200, 0), "{path}");
        assert!(reply.took < SLACK, "{path} took {:?}", reply.took);
    }
}

pub(crate) async fn fails_in_time(visitor: &Visitor, path: &str) {
    let reply = visitor.get(path).await;
    assert_eq!((reply.status, reply.set_cookies.len()), (503, 0), "{path}: {reply:?}");
    in_time(&reply, path);
}

/// A visit makes up to two calls of the store, each with its own deadline.
pub(crate) fn in_time(reply: &Reply, path: &str) {
    assert!(reply.took < 2 * TIMEOUT + SLACK, "{path} took {:?}", reply.took);
}

/// The visitor of before, with all that was acknowledged and nothing else.
pub(crate) async fn still_signed_in(ada: &Visitor) {
    let back = ada.get_soon("/read").await;
    assert_eq!((back.text.as_str(), back.set_cookies.len()), ("alice@example.com", 0));
    assert_eq!(ada.hits().await, 1);
    let (begun, mut unknown) = (Instant::now(), 0);
    let next = loop {
        let next = ada.get("/write").await;
        assert!(next.set_cookies.is_empty(), "{next:?}");
        if next.status == 200 {
            break next;
        }
        // On a busy machine it may have been written and not acknowledged in time.
        unknown += 1;
        assert!(begun.elapsed() < SOON, "{next:?}");
    };
    let hits: u64 = next.text.parse().unwrap();
    assert!((2..=2 + unknown).contains(&hits), "{hits} hits after {unknown} that were not acknowledged");
}

pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);
/// What a busy machine may take for everything else. On an idle one it is a few milliseconds.
const SLACK: Duration = Duration::from_secs(10);
