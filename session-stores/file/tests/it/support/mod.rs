//! Shared by the tests: records, keys, a store in its own directory, this program as a child process.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};
use session_store_file::{Durability, FileStore};
use tempfile::TempDir;

pub(crate) fn key(number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    // The first byte chooses directory and lock: spread the numbers over both.
    bytes[0] = (number.wrapping_mul(167) % 256) as u8;
    bytes[1..9].copy_from_slice(&number.to_be_bytes());
    StoreKey::from_bytes(bytes)
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

pub(crate) fn record(etag: u64, payload: &str) -> Record {
    Record::new(Etag::new(etag), at(0), at(100), payload.as_bytes().into())
}

pub(crate) fn owned(etag: u64, owner: &str) -> Record {
    record(etag, "{}").with_owner(Some(owner.into()))
}

/// A store that flushes nothing, in a directory that goes with the guard.
pub(crate) fn store() -> (FileStore, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (open(&dir.path().join("sessions")), dir)
}

pub(crate) fn open(path: &Path) -> FileStore {
    FileStore::builder(path).durability(Durability::Rename).timeout(PATIENT).open().unwrap()
}

/// A store with the defaults, but for a deadline that a busy machine keeps. What the deadline does is told where it is set.
pub(crate) fn flushing(path: &Path) -> FileStore {
    FileStore::builder(path).timeout(PATIENT).open().unwrap()
}

/// This test binary again, running one of its tests alone. `dir` is what the child is to work in.
pub(crate) fn child(test: &str, dir: &Path) -> Command {
    child_of(&std::env::current_exe().unwrap(), test, dir)
}

/// The name by which the test binary knows one of its tests, from the function itself: a test that was renamed or moved does
/// not compile here, where a wrong name would run nothing and succeed.
pub(crate) fn name_of<T>(_test: T) -> &'static str {
    let path = std::any::type_name::<T>();
    path.split_once("::").map_or(path, |(_, name)| name)
}

pub(crate) fn child_of(exe: &Path, test: &str, dir: &Path) -> Command {
    let mut command = Command::new(exe);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(CHILD, dir);
    command
}

/// Runs a child under another program that takes a command line, such as a shell with a limit; whether it succeeded.
pub(crate) fn under(mut outer: Command, child: &Command) -> bool {
    outer.arg(child.get_program()).args(child.get_args()).stdout(Stdio::null());
    for (name, value) in child.get_envs() {
        outer.env(name, value.unwrap());
    }
    outer.status().unwrap().success()
}

/// The directory this process is to work in, if it is a child.
pub(crate) fn child_dir() -> Option<std::path::PathBuf> {
    std::env::var_os(CHILD).map(Into::into)
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every path below `root`, relative to it.
pub(crate) fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            }
            found.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

pub(crate) const PATIENT: Duration = Duration::from_secs(60);
const CHILD: &str = "SESSION_STORE_FILE_TEST_CHILD";
