//! The places and modes of files, and the protection against links: incident rows 21 and 22.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::support::{at, child, child_dir, key, mode, name_of, open, owned, record, store, tree, under};
use session_core::store::{Loaded, OwnerIndex, SessionStore, StoreErrorKind, Sweep};
use session_store_file::FileStore;

/// Whether a name is one of those that may stand below the root.
fn is_known(name: &str) -> bool {
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
    let words: Vec<&str> = name.split('/').collect();
    match words[..] {
        ["FORMAT" | "locks" | "owners"] | ["locks", "sweep"] => true,
        [fan] | ["locks" | "owners", fan] => hex(fan, 2),
        ["owners", fan, owner] => hex(owner, 64) && owner.starts_with(fan),
        ["owners", fan, owner, key] => hex(owner, 64) && owner.starts_with(fan) && hex(key, 64),
        [fan, key] => hex(key, 64) && key.starts_with(fan),
        _ => false,
    }
}

#[tokio::test]
async fn st_7_peers_26_only_hashes_are_names_whatever_the_owner_is_called() {
    let (store, dir) = store();
    for (number, owner) in ["../../etc/passwd", "/etc/passwd", "", ".", "a/b", "\0", "ü"].iter().enumerate()
    {
        let number = number as u64;
        store.create(&key(number), &owned(number, owner), at(0)).await.unwrap();
        assert_eq!(store.count(owner, at(0)).await.unwrap(), 1);
    }
    store.sweep(at(1), 10).await.unwrap();
    let strange: Vec<_> =
        tree(&dir.path().join("sessions")).into_iter().filter(|name| !is_known(name)).collect();
    assert_eq!(strange, Vec::<String>::new());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is written beside the root");
}

#[test]
fn st_7_directories_are_0700_and_files_0600_whatever_the_umask() {
    let dir = tempfile::tempdir().unwrap();
    for umask in ["000", "022", "0177"] {
        let root = dir.path().join(umask);
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask $0; exec \"$@\"", umask]);
        assert!(under(shell, &child(name_of(st_7_in_a_child_some_sessions_are_written), &root)));
        assert_eq!(mode(&root), 0o700, "umask {umask}");
        let names = tree(&root);
        assert!(names.len() > 6, "{names:?}");
        for name in names {
            let path = root.join(&name);
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "umask {umask}: {name}");
        }
    }
}

#[tokio::test]
async fn st_7_in_a_child_some_sessions_are_written() {
    let Some(root) = child_dir() else { return };
    let store = open(&root);
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    store.create(&key(2), &owned(2, "ada"), at(0)).await.unwrap();
    store.touch(&key(1), at(200), at(0)).await.unwrap();
    store.destroy(&key(2), at(60)).await.unwrap();
    store.sweep(at(1), 1).await.unwrap();
}

#[tokio::test]
async fn st_7_a_link_in_place_of_a_directory_is_refused() {
    let (store, dir) = store();
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let root = dir.path().join("sessions");
    let fan = format!("{:02x}", key(1).as_bytes()[0]);
    symlink(&elsewhere, root.join(fan)).unwrap();
    let made = store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap_err();
    assert_eq!(made.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Refused);

    symlink(&elsewhere, root.join("owners")).unwrap();
    let made = store.create(&key(2), &owned(2, "ada"), at(0)).await.unwrap_err();
    assert_eq!(made.kind(), StoreErrorKind::Refused);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "nothing is written through the link");
}

#[tokio::test]
async fn st_7_a_link_in_place_of_a_session_is_refused() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    let name = key(1).to_string();
    let path = dir.path().join("sessions").join(&name[..2]).join(&name);
    let aside = dir.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    symlink(&aside, &path).unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Refused);
    assert_eq!(store.destroy(&key(1), at(60)).await.unwrap_err().kind(), StoreErrorKind::Refused);
    assert!(fs::read(&aside).unwrap().starts_with(b"S1r"), "the link's target is untouched");
}

#[tokio::test]
async fn st_7_a_link_in_place_of_a_lock_is_refused() {
    let (store, dir) = store();
    let locks = dir.path().join("sessions/locks");
    fs::create_dir(&locks).unwrap();
    symlink(dir.path().join("aside"), locks.join(format!("{:02x}", key(1).as_bytes()[0]))).unwrap();
    let made = store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap_err();
    assert_eq!(made.kind(), StoreErrorKind::Refused);
    assert!(!dir.path().join("aside").exists());
}

#[tokio::test]
async fn a_pipe_in_place_of_a_session_does_not_hold_a_reader() {
    let (store, dir) = store();
    let name = key(1).to_string();
    let fan = dir.path().join("sessions").join(&name[..2]);
    fs::create_dir(&fan).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, fan.join(&name), rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Refused);
}

#[test]
fn a_root_that_others_may_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(FileStore::open(dir.path()).unwrap_err().kind(), StoreErrorKind::Refused);
}

#[test]
fn a_directory_of_other_things_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "").unwrap();
    assert_eq!(FileStore::open(dir.path()).unwrap_err().kind(), StoreErrorKind::Refused);
}

#[test]
fn a_root_of_a_newer_version_is_left_alone() {
    let (_, dir) = store();
    fs::write(dir.path().join("sessions/FORMAT"), "session-file 2 whatever").unwrap();
    let error = FileStore::open(dir.path().join("sessions")).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
}

#[tokio::test]
async fn a_session_written_by_one_store_is_found_by_another() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    let again = FileStore::open(dir.path().join("sessions")).unwrap();
    assert_eq!(again.load(&key(1)).await.unwrap(), Loaded::Found(owned(1, "ada")));
}
