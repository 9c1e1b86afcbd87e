//! The file: which users and processes can open it, and its content after a crash.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use session_core::Timestamp;
use session_core::store::{Etag, Loaded, Record, SessionStore, StoreKey, Written};
use session_store_redb::{OpenError, RedbStore};

use crate::support::memory_dir;

fn record(etag: u64) -> Record {
    Record::new(
        Etag::new(etag),
        Timestamp::from_millis(0),
        Timestamp::from_millis(3_600_000),
        format!("{{\"n\":{etag}}}").into_bytes().into(),
    )
}

fn key(number: u64) -> StoreKey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    StoreKey::from_bytes(bytes)
}

#[test]
fn a_new_file_is_private_and_opens_once() {
    let dir = memory_dir();
    let path = dir.path().join("s.redb");
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(RedbStore::open(&path), Err(OpenError::InUse)));
    drop(store);
    assert!(RedbStore::open(&path).is_ok(), "the lock ends with the store");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(OpenError::Exposed)), "others may read the sessions");
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let dir = memory_dir();
    let path = dir.path().join("s.redb");
    let letter = "a letter to the bank, long enough to hold any header ".repeat(10_000);
    std::fs::write(&path, &letter).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(OpenError::File(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
    assert!(matches!(RedbStore::open(dir.path().join("no/such/s.redb")), Err(OpenError::File(_))));
}

/// Not a claim of its own: the process that the test below kills. Run by the runner it has nothing to do.
#[tokio::test]
async fn in_a_child_sessions_are_written_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = RedbStore::open(path).unwrap();
    for number in 0.. {
        let now = Timestamp::from_millis(0);
        assert_eq!(store.create(&key(number), &record(number), now).await.unwrap(), Written::Applied);
        writeln!(std::io::stdout(), "\n{ACK}{number}").unwrap();
    }
}

#[tokio::test]
async fn a_killed_process_loses_no_acknowledged_write_and_leaves_no_lock() {
    let dir = memory_dir();
    for round in 0..20_usize {
        let path = dir.path().join(format!("{round}.redb"));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["file::in_a_child_sessions_are_written_until_it_is_killed", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let acknowledged = |line: String| line.strip_prefix(ACK).map(|number| number.parse::<u64>().unwrap());
        let mut last = lines.by_ref().filter_map(acknowledged).nth(3 * round + 1).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.filter_map(acknowledged).last().unwrap_or(last);

        let store = RedbStore::open(&path).unwrap();
        for number in 0..=last {
            assert_eq!(store.load(&key(number)).await.unwrap(), Loaded::Found(record(number)));
        }
        // At most the write that was under way, whole or not at all.
        let next = store.load(&key(last + 1)).await.unwrap();
        assert!(matches!(&next, Loaded::Missing) || next == Loaded::Found(record(last + 1)), "{next:?}");
        assert_eq!(store.load(&key(last + 2)).await.unwrap(), Loaded::Missing);
        store.destroy(&key(0), Timestamp::from_millis(60_000)).await.unwrap();
    }
}

const CHILD: &str = "SESSION_REDB_CHILD";
const ACK: &str = "acknowledged ";
