//! The functions that the macro calls: each test has its own runtime, and other processes where the claim needs them.

use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::counting::{count, counter};
use super::{Crowd, Place, a_destroyed_session_stays_dead, increments, no_increment_is_lost};
use crate::Fixture;
use crate::fixture::IntoStore;

/// Runs [`a_destroyed_session_stays_dead`] on a fixture's store, on its own runtime.
pub fn run_logout<F: Future<Output = Fixture>>(fixture: impl FnOnce() -> F, crowd: Crowd) {
    block_on(async {
        let fixture = fixture().await;
        a_destroyed_session_stays_dead(Arc::clone(&fixture.store), crowd).await;
    });
}

/// Runs [`no_increment_is_lost`] in the same way.
pub fn run_counting<F: Future<Output = Fixture>>(fixture: impl FnOnce() -> F, writers: usize, each: usize) {
    block_on(async {
        let fixture = fixture().await;
        no_increment_is_lost(Arc::clone(&fixture.store), writers, each).await;
    });
}

/// Runs it from four processes: this one creates the session, then starts this program four times with the calling test
/// (its `path`, as `module_path!` gives it, and its name), and each of these adds a quarter of the increments.
pub fn run_four_processes<P, F, O, S, How>(
    place: impl FnOnce() -> P,
    open: O,
    test: &str,
    writers: usize,
    each: usize,
) where
    P: Future<Output = Place>,
    O: Fn(String) -> F,
    F: Future<Output = S>,
    S: IntoStore<How>,
{
    let store = async |place: &str| open(place.to_owned()).await.into_store();
    block_on(async {
        if let Ok(told) = std::env::var(SHARE) {
            let (key, place) = told.split_once(' ').expect("the parent told a key and a place");
            let key = key.parse().expect("the parent told a key");
            return increments(&store(place).await, &key, writers / PROCESSES, each).await;
        }
        let place = place().await;
        let store = store(place.as_str()).await;
        let key = counter(&store).await;
        let mut children: Vec<_> =
            (0..PROCESSES).map(|_| Process::start(test, &format!("{key} {}", place.as_str()))).collect();
        for child in &mut children {
            child.wait().await;
        }
        assert_eq!(count(&store, &key).await, writers / PROCESSES * PROCESSES * each, "each, and once");
    });
}

/// A child process that is killed on drop.
struct Process(Child);

impl Process {
    fn start(test: &str, share: &str) -> Self {
        // A test's name is its path without the crate.
        let name = test.split_once("::").map_or(test, |(_, name)| name);
        let this = std::env::current_exe().expect("a program knows itself");
        let mut command = Command::new(this);
        command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(SHARE, share).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().expect("this program can be started"))
    }

    async fn wait(&mut self) {
        let status = loop {
            match self.0.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        assert!(status.success(), "a process lost its way: {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has exited.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn block_on(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().expect("a runtime can be made").block_on(test);
}

const PROCESSES: usize = 4;
/// The key of the session and the place of the data, for a child.
const SHARE: &str = "SESSION_TESTKIT_SHARE";
