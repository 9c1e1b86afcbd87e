//! A line cut after every byte (after a sample of them for DynamoDB): acknowledged writes are kept, and ended sessions stay ended.

use std::time::Duration;

use session_conformance::proxy::Weather;
use session_test_servers::Kind;

use super::line::Line;
use super::site::Site;

/// Which way the bytes go of which the last ones are lost.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// From the site to the server.
    Request,
    /// From the server to the site.
    Reply,
}

impl Way {
    fn cut(self, after: u64) -> Weather {
        match self {
            Self::Request => Weather::CutRequest(after),
            Self::Reply => Weather::CutReply(after),
        }
    }
}

/// The places at which to cut, until a number of visits has sent nothing that far.
struct Places {
    next: u64,
    step: u64,
    cuts: u64,
    uncut: u64,
}

impl Places {
    fn of(kind: Kind) -> Self {
        let step = match kind {
            Kind::Redis | Kind::RedisCluster | Kind::Postgres | Kind::MariaDb | Kind::Memcached => 1,
            // Some thousand bytes of HTTP a visit, and the driver takes its time after each cut: a sample, over a prime
            // so that it is not the same part of every line.
            Kind::DynamoDb => 97,
            // The same of HTTP with JSON in it.
            Kind::Etcd => 97,
        };
        Self { next: 0, step, cuts: 0, uncut: 0 }
    }

    fn next(&mut self) -> Option<u64> {
        let place = self.next;
        self.next += self.step;
        (self.uncut < ENOUGH).then_some(place)
    }

    /// Whether the line was cut at the last place.
    fn visited(&mut self, line: &Line) {
        let cut = line.was_cut();
        line.set(Weather::Fine);
        self.cuts += u64::from(cut);
        self.uncut = if cut { 0 } else { self.uncut + 1 };
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        println!("{} cuts", self.cuts);
        assert!(self.cuts >= FEWEST || std::thread::panicking(), "{} cuts only", self.cuts);
    }
}

/// The line breaks after so many bytes of a visit that writes.
pub(crate) async fn no_acknowledged_write(kind: Kind, way: Way) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let ada = site.ada().await;
    let (mut hits, mut places) = (0, Places::of(kind));
    while let Some(after) = places.next() {
        line.set(way.cut(after));
        let reply = ada.get("/write").await;
        places.visited(&line);
        assert!(reply.set_cookies.is_empty(), "{reply:?}");
        let now = ada.hits().await;
        match reply.status {
            200 => assert_eq!(now, hits + 1, "acknowledged, cut after {after} bytes"),
            503 => assert!((hits..=hits + 1).contains(&now), "{now} after {hits}, cut after {after} bytes"),
            other => panic!("answered with {other}: {reply:?}"),
        }
        hits = now;
    }
    assert_eq!(ada.get_soon("/read").await.text, "alice@example.com");
}

/// The line breaks after so many bytes of a sign-out; whoever asks again is signed out.
pub(crate) async fn no_logout(kind: Kind, way: Way) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let mut places = Places::of(kind);
    while let Some(after) = places.next() {
        let ada = site.ada().await;
        line.set(way.cut(after));
        let reply = ada.get("/logout").await;
        places.visited(&line);
        assert!(matches!(reply.status, 200 | 503), "{reply:?}");
        if reply.status == 503 {
            assert!(reply.set_cookies.is_empty(), "{reply:?}");
            ada.get_soon("/logout").await;
        }
        // A write with the old cookie does not bring it back, whether its own line is cut or not.
        line.set(way.cut(after));
        ada.get("/write").await;
        line.set(Weather::Fine);
        assert_eq!(ada.get_soon("/read").await.text, "anon", "cut after {after} bytes");
    }
}

/// So many visits in a row that are shorter than where they were to be cut.
const ENOUGH: u64 = 16;
const FEWEST: u64 = 8;
const TIMEOUT: Duration = Duration::from_secs(30);
