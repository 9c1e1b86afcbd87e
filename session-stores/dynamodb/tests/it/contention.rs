//! Many concurrent writers of one session: no acknowledged write is lost, and no destroyed session is revived.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use crate::common::*;
use session_conformance::Fixture;
use session_conformance::crowd::{self, Crowd, Place};
use session_store_dynamodb::DynamoDbStore;
use session_test_servers::{Kind, shared};

/// URL and prefix.
async fn place() -> Place {
    let server = shared(Kind::DynamoDb);
    let bench = Bench::at(server.url(), Wire::default()).await;
    Place::at(format!("{} {}", server.url(), bench.prefix)).with_guard(server)
}

async fn open(place: String) -> DynamoDbStore {
    let (url, prefix) = place.split_once(' ').expect("a URL and a prefix");
    // A crowd waits in line; what it proves is not the deadline.
    let store = DynamoDbStore::from_url(url).expect("a URL").prefix(prefix).deadline(HOUR);
    store.build().expect("the settings are right")
}

async fn fixture() -> Fixture {
    let place = place().await;
    Fixture::new(open(place.as_str().to_owned()).await).with_guard(place)
}

#[test]
fn peers_1_crowd_of_64_writers_of_50_increments_ends_at_3200() {
    crowd::run_counting(fixture, 64, 50);
}

#[test]
fn peers_1_crowd_of_64_writers_in_four_processes_ends_at_3200() {
    const NAME: &str =
        concat!(module_path!(), "::peers_1_crowd_of_64_writers_in_four_processes_ends_at_3200");
    crowd::run_four_processes(place, open, NAME, 64, 50);
}

/// As many of the thousand as a minute leaves time for: the emulator and a debug build of the SDK take some milliseconds
/// for each of a round's three hundred requests. `SESSION_TEST_ALL_ROUNDS=1` plays them all.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn peers_2_crowd_of_160_slow_writers_does_not_revive_a_destroyed_session() {
    let place = place().await;
    let store = open(place.as_str().to_owned()).await;
    let all = std::env::var_os("SESSION_TEST_ALL_ROUNDS").is_some();
    let within = (!all).then_some(Duration::from_secs(40));
    let crowd = Crowd { at_once: 2, within, ..Crowd::default() };
    let died = crowd::a_destroyed_session_stays_dead(Arc::new(store), crowd).await;
    println!("{died} of {died} stayed dead");
}
