//! A server that comes back: how long its visitors wait for their first answer. `--no-capture` shows the times, and
//! `SESSION_TEST_ALL_ROUNDS=1` measures five outages in a row.

use std::time::{Duration, Instant};

use session_conformance::proxy::Weather;
use session_test_servers::{Kind, start};
use tokio::task::JoinSet;

use super::down::{fails_in_time, signed_in};
use super::line::{Line, until_it_serves};
use super::site::{SOON, Site, Visitor};

/// The server is killed and started again, again and again, under visitors who never stop asking.
pub(crate) async fn restarted(kind: Kind) {
    let server = start(kind).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    for _ in 0..outages() {
        let ada = signed_in(&site).await;
        server.kill9();
        let visitors = Visitors::refused(&ada).await;
        tokio::task::block_in_place(|| server.restart()).unwrap();
        until_it_serves(&server).await;
        visitors.are_served(&ada, kind).await;
    }
}

/// The line to the server goes dead and lives again: nothing says so to either end.
pub(crate) async fn silent(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    for _ in 0..outages() {
        let ada = signed_in(&site).await;
        line.set(Weather::BlackHole);
        let visitors = Visitors::refused(&ada).await;
        line.set(Weather::Fine);
        visitors.are_served(&ada, kind).await;
    }
}

/// Visitors that repeat their request until it is answered.
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

    /// The server is back now. New visitors are served, and so are those that were waiting.
    async fn are_served(mut self, newcomer: &Visitor, kind: Kind) {
        let back = Instant::now();
        newcomer.get_soon("/read").await;
        let newcomer = back.elapsed();
        let mut waited = Vec::new();
        while let Some(served) = self.0.join_next().await {
            waited.push(served.unwrap().saturating_duration_since(back));
        }
        waited.sort();
        let (first, last) = (waited[0], waited[waited.len() - 1]);
        println!(
            "{kind}: who asks now waits {newcomer:.0?}, those who have been asking {first:.0?} to {last:.0?}"
        );
        assert!(last < SOON, "{last:?}");
    }
}

fn outages() -> usize {
    if std::env::var_os("SESSION_TEST_ALL_ROUNDS").is_some() { 5 } else { 2 }
}

/// As it is by itself.
const TIMEOUT: Duration = Duration::from_secs(2);
