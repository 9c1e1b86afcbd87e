//! A server that comes back: how long its visitors wait for their first answer. With `--no-capture` it says so.

use std::time::{Duration, Instant};

use session_test_servers::{Kind, start};
use session_testkit::proxy::Weather;
use tokio::task::JoinSet;

use crate::down::{fails_in_time, signed_in};
use crate::line::{Line, until_it_serves};
use crate::site::{SOON, Site, Visitor};

/// The server is killed and started again, five times, under visitors who never stop asking.
pub(crate) async fn five_times(kind: Kind) {
    let server = start(kind).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    for _ in 0..OUTAGES {
        let ada = signed_in(&site).await;
        server.kill9();
        let visitors = Visitors::refused(&ada).await;
        tokio::task::block_in_place(|| server.restart()).unwrap();
        until_it_serves(&server).await;
        visitors.are_served_since(Instant::now(), kind).await;
    }
}

/// The line to the server goes dead and lives again, as often: nothing says so to either end.
pub(crate) async fn five_times_silent(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    for _ in 0..OUTAGES {
        let ada = signed_in(&site).await;
        line.set(Weather::BlackHole);
        let visitors = Visitors::refused(&ada).await;
        line.set(Weather::Fine);
        visitors.are_served_since(Instant::now(), kind).await;
    }
}

/// Who asks again and again until there is an answer.
struct Visitors(JoinSet<Instant>);

impl Visitors {
    /// Each of them has been refused more than once.
    async fn refused(ada: &Visitor) -> Self {
        let mut refused = JoinSet::new();
        for _ in 0..4 {
            let ada = ada.clone();
            refused.spawn(async move {
                fails_in_time(&ada, "/read").await;
                fails_in_time(&ada, "/read").await;
                ada
            });
        }
        let mut served = JoinSet::new();
        while let Some(ada) = refused.join_next().await {
            let ada = ada.unwrap();
            served.spawn(async move {
                ada.get_soon("/read").await;
                Instant::now()
            });
        }
        Self(served)
    }

    async fn are_served_since(mut self, back: Instant, kind: Kind) {
        let mut waited = Vec::new();
        while let Some(served) = self.0.join_next().await {
            waited.push(served.unwrap().saturating_duration_since(back));
        }
        waited.sort();
        let (first, last) = (waited[0], waited[waited.len() - 1]);
        println!("{kind}: the first is served after {first:.0?}, the last after {last:.0?}");
        assert!(last < SOON, "{last:?}");
    }
}

const OUTAGES: usize = 5;
/// As it is by itself.
const TIMEOUT: Duration = Duration::from_secs(2);
