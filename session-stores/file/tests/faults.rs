//! A full disk, a read-only one, missing permissions, no descriptors: a typed error, and the old record is intact.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use session_core::{
    Timestamp,
    store::{Etag, Loaded, SessionStore, StoreErrorKind, Written},
};
use support::{at, child, child_dir, child_of, flushing, key, record, tree, under};

/// A small file system of its own; only root can have one.
struct Mount(PathBuf);

impl Mount {
    fn new(dir: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "session-store-file-test"])
            .arg(dir)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(dir.to_owned()))
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes until the disk says no, and looks at everything that was acknowledged.
async fn fill(root: &Path) {
    let store = flushing(root);
    let large = "x".repeat(9_000);
    let mut acknowledged = 0;
    let error = loop {
        match store.create(&key(acknowledged), &record(acknowledged, &large), at(0)).await {
            Ok(written) => assert_eq!(written, Written::Applied),
            Err(error) => break error,
        }
        acknowledged += 1;
        assert!(acknowledged < 1_000, "the disk never filled");
    };
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(acknowledged > 0);
    let second = record(7_000, &"y".repeat(9_000));
    let replaced = store.replace(&key(0), Etag::new(0), &second, at(0)).await;
    assert_eq!(replaced.unwrap_err().kind(), StoreErrorKind::Refused);
    let rotated = store.rotate(&key(0), Etag::new(0), &key(5_000), &second, at(0), at(60)).await;
    assert_eq!(rotated.unwrap_err().kind(), StoreErrorKind::Refused);
    for number in 0..acknowledged {
        assert_eq!(store.load(&key(number)).await.unwrap(), Loaded::Found(record(number, &large)));
    }
    assert_eq!(store.load(&key(acknowledged)).await.unwrap(), Loaded::Missing);
    assert_eq!(store.load(&key(5_000)).await.unwrap(), Loaded::Missing);
    assert!(tree(root).iter().all(|name| !name.contains(".tmp.")), "a failed write leaves nothing behind");
}

#[tokio::test]
async fn st_7_a_full_disk_is_refused_and_the_old_records_are_intact() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(dir.path(), "size=256k,mode=0700") else {
        // Without the right to mount: the same by a limit on the size of any one file.
        let limited = limited("ulimit -f 4", "in_a_child_a_large_record_is_refused", &dir.path().join("s"));
        assert!(limited, "the child failed");
        return;
    };
    fill(&dir.path().join("sessions")).await;
}

#[test]
fn st_7_a_limit_on_file_size_is_refused_and_the_old_record_is_intact() {
    let dir = tempfile::tempdir().unwrap();
    assert!(limited(
        "trap '' XFSZ; ulimit -f 4",
        "in_a_child_a_large_record_is_refused",
        &dir.path().join("s")
    ));
}

#[tokio::test]
async fn in_a_child_a_large_record_is_refused() {
    let Some(root) = child_dir() else { return };
    let store = flushing(&root);
    let small = record(1, "small");
    store.create(&key(1), &small, at(0)).await.unwrap();
    let large = record(2, &"x".repeat(30_000));
    let error = store.replace(&key(1), Etag::new(1), &large, at(0)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(small));
}

#[tokio::test]
async fn st_7_a_read_only_disk_still_answers_reads() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(dir.path(), "size=1m,mode=0700") else { return };
    let root = dir.path().join("sessions");
    let first = record(1, "{}");
    flushing(&root).create(&key(1), &first, at(0)).await.unwrap();
    mount.remount("remount,ro");
    let store = flushing(&root);
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(first));
    assert_eq!(store.destroy(&key(1), at(60)).await.unwrap_err().kind(), StoreErrorKind::Refused);
    let made = store.create(&key(2), &record(2, "{}"), at(0)).await.unwrap_err();
    assert_eq!(made.kind(), StoreErrorKind::Refused);
}

#[test]
fn st_7_missing_permission_is_refused_and_never_no_session() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let root = dir.path().join("sessions");
    let store = flushing(&root);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.create(&key(1), &record(1, "{}"), at(0))).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();

    // Root may read everything, so somebody else looks: a copy of this test, where they can reach it.
    let exe = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    // The store's own files are 0600; the marker is opened up so that the verbs themselves are what is refused.
    fs::set_permissions(root.join("FORMAT"), fs::Permissions::from_mode(0o644)).unwrap();
    if fs::metadata(&root).unwrap().uid() == 0 {
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let test = "in_a_child_without_permission_everything_is_refused";
        assert!(under(nobody, &child_of(&exe, test, &root)));
    }
}

#[tokio::test]
async fn in_a_child_without_permission_everything_is_refused() {
    let Some(root) = child_dir() else { return };
    let store = flushing(&root);
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Refused);
    let replaced = store.replace(&key(1), Etag::new(1), &record(2, "{}"), at(0)).await.unwrap_err();
    assert_eq!(replaced.kind(), StoreErrorKind::Refused);
    let made = store.create(&key(2), &record(2, "{}"), at(0)).await.unwrap_err();
    assert_eq!(made.kind(), StoreErrorKind::Refused);
}

#[test]
fn too_many_open_files_is_unavailable_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let test = "in_a_child_without_descriptors_everything_is_unavailable";
    assert!(limited("ulimit -n 64", test, &dir.path().join("s")));
}

#[tokio::test]
async fn in_a_child_without_descriptors_everything_is_unavailable() {
    let Some(root) = child_dir() else { return };
    let store = flushing(&root);
    let first = record(1, "{}");
    store.create(&key(1), &first, at(0)).await.unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = fs::File::open("/dev/null") {
        taken.push(file);
    }
    // With none left, then with one more for each step of the way.
    for _ in 0..6 {
        let replaced = store.replace(&key(1), Etag::new(1), &record(2, "{}"), at(0)).await;
        match replaced {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
            Ok(written) => {
                assert_eq!(written, Written::Applied);
                break;
            }
        }
        let free = taken.pop();
        drop(free);
        match store.load(&key(1)).await {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
            Ok(loaded) => assert_eq!(loaded, Loaded::Found(first.clone())),
        }
    }
    taken.clear();
    assert!(matches!(store.load(&key(1)).await.unwrap(), Loaded::Found(_)));
    assert!(tree(&root).iter().all(|name| !name.contains(".tmp.")));
}

#[tokio::test]
async fn bytes_that_are_not_records_are_errors_and_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sessions");
    let store = flushing(&root);
    let never = Timestamp::from_millis(i64::MAX);
    store.create(&key(1), &record(1, "{}"), never).await.unwrap();
    let name = key(1).to_string();
    let path = root.join(&name[..2]).join(&name);
    for bytes in [&b""[..], b"\0", b"session-file 1 ", &[b'\n'; 70], &[0xff; 4_096]] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    // A file of a terabyte, all hole: it is refused by its size, before anything is allocated.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

/// Runs one test of this binary as a child under a limit of the shell's.
fn limited(limit: &str, test: &str, dir: &Path) -> bool {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{limit}; exec \"$@\"")).arg("sh");
    under(shell, &child(test, dir))
}
