//! Another process on the same data: the same test program, started again for one case.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use session_core::store::{Loaded, SessionStore, StoreKey, Written};

use super::Trial;
use super::trial::fine;
use crate::crowd::{count, counter, increments};
use crate::fixture::Open;

/// Another process that runs the same case, as this process sees it.
pub struct OtherProcess {
    test: &'static str,
    place: String,
    open: Open,
}

impl OtherProcess {
    pub(super) fn new(test: &'static str, place: &str, open: Open) -> Self {
        Self { test, place: place.to_owned(), open }
    }

    /// Returns, in the other process, the keys and the store that it was started with.
    async fn role(&self) -> Option<(Vec<StoreKey>, Arc<dyn SessionStore>)> {
        let told = std::env::var(TOLD).ok()?;
        let (keys, place) = told.split_once('\n').expect("keys and a place");
        let keys = keys.split(' ').map(|key| key.parse().expect("a key")).collect();
        Some((keys, (self.open)(place.to_owned()).await))
    }

    /// Runs the other process to its end.
    async fn run(&self, keys: &[StoreKey]) {
        let keys: Vec<_> = keys.iter().map(StoreKey::to_string).collect();
        // A test's name is its path without the crate.
        let name = self.test.split_once("::").map_or(self.test, |(_, name)| name);
        let this = std::env::current_exe().expect("a program knows its own file");
        let mut command = Command::new(this);
        command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(TOLD, format!("{}\n{}", keys.join(" "), self.place));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = Child(command.spawn().expect("this program can be started"));
        let status = loop {
            match child.0.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        assert_eq!(status.code(), Some(DONE), "the other process failed; its panic stands above");
    }
}

/// The other process is killed when its test ends.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        // An error means that the process has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a case. In the other process, exits with a status that reports the result, whatever the surrounding test
/// expects.
pub(super) fn end_with(run: impl FnOnce()) {
    if std::env::var_os(TOLD).is_none() {
        return run();
    }
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(()) => std::process::exit(DONE),
        Err(panic) => resume_unwind(panic),
    }
}

/// Each process sees what the other has written and destroyed.
pub async fn another_process_sees_every_write(t: Trial) {
    let Some(process) = t.other_process() else { return };
    if let Some((keys, store)) = process.role().await {
        let [written, ended, living] = keys[..] else { panic!("three keys") };
        let Loaded::Found(found) = fine("load", store.load(&written).await) else {
            panic!("the record of the first process is there")
        };
        assert_eq!(&*found.payload, b"first");
        let second = t.record("second");
        let replaced = store.replace(&written, found.etag, &second, t.now).await;
        assert_eq!(fine("replace", replaced), Written::Applied);
        assert!(matches!(fine("load", store.load(&ended).await), Loaded::Ended { .. }));
        fine("destroy", store.destroy(&living, t.until()).await);
        return;
    }
    let (written, _) = t.stored("first").await;
    let ((ended, _), (living, record)) = (t.stored("ended").await, t.stored("living").await);
    t.destroy(&ended).await;
    process.run(&[written, ended, living]).await;
    let Loaded::Found(found) = t.load(&written).await else { panic!("the session lives") };
    assert_eq!(&*found.payload, b"second", "the write of the other process");
    assert!(matches!(t.load(&living).await, Loaded::Ended { .. }), "the other process destroyed it");
    assert_eq!(t.replace(&living, record.etag, &t.record("late")).await, Written::Gone);
}

/// Compare-and-swap works between processes: two that increment one number lose no increment.
pub async fn of_two_processes_no_increment_is_lost(t: Trial) {
    const WRITERS: usize = 4;
    const EACH: usize = 10;
    let Some(process) = t.other_process() else { return };
    if let Some((keys, store)) = process.role().await {
        return increments(&store, &keys[0], WRITERS, EACH).await;
    }
    let key = counter(&t.store).await;
    let keys = [key];
    tokio::join!(process.run(&keys), increments(&t.store, &key, WRITERS, EACH));
    assert_eq!(count(&t.store, &key).await, 2 * WRITERS * EACH, "every acknowledged increment, once");
}

/// The keys of a case and the place of its data.
const TOLD: &str = "SESSION_CONFORMANCE_TOLD";
/// An exit status that neither a passing nor a failing test has.
const DONE: i32 = 42;
