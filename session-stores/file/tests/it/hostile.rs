//! Directories that other users own or may write, planted links, and a missing root: each is an error that changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use session_core::store::{
    Etag, Loaded, OwnerIndex, SessionStore, StoreError, StoreErrorKind, Sweep, Written,
};
use session_store_file::FileStore;

use crate::support::{at, key, mode, open, owned, record, store};

const STRANGER: u32 = 65_534;

/// Whether this process may give directories to other users; the claims about owners need it.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("not run: only root can give a directory to another user");
    }
    root
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    match result {
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Refused, "{what}: {error:?}"),
        Ok(answer) => panic!("{what}: {answer:?}"),
    }
}

/// The directories that one owned session lies in, below the root.
fn directories(root: &Path, number: u64, owner: &str) -> Vec<PathBuf> {
    let owners = fs::read_dir(root.join("owners")).unwrap().map(|entry| entry.unwrap().path());
    let of_owner: Vec<PathBuf> = owners
        .flat_map(|fan| {
            let inner = fs::read_dir(&fan).unwrap().map(|entry| entry.unwrap().path());
            inner.chain([fan]).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(of_owner.len(), 2, "one owner: {owner}");
    let fan = root.join(&key(number).to_string()[..2]);
    [vec![fan, root.join("owners"), root.join("locks")], of_owner].concat()
}

async fn filled() -> (FileStore, tempfile::TempDir, PathBuf) {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    let root = dir.path().join("sessions");
    (store, dir, root)
}

/// A session of the same owner, in the same directories as `key(1)`, is not written.
async fn no_verb_uses(store: &FileStore, dir: &Path, what: &str) {
    let write = store.create(&key(257), &owned(2, "ada"), at(0)).await;
    refused(write, &format!("{what}: {}", dir.display()));
}

#[test]
fn at_10_a_root_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, bits) in [("a", 0o700), ("b", 0o755), ("c", 0o777)] {
        let path = dir.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        chown(&path, Some(STRANGER), None).unwrap();
        refused(FileStore::open(&path), name);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "nothing is written into it");
        assert_eq!(mode(&path), bits, "and nothing is changed about it");
    }
    // One that was ours and has been used.
    let path = dir.path().join("used");
    drop(open(&path));
    chown(&path, Some(STRANGER), None).unwrap();
    refused(FileStore::open(&path), "used");
}

#[test]
fn at_10_a_root_that_its_group_or_others_may_write_is_refused() {
    for bits in [0o770, 0o720, 0o777, 0o702, 0o1777, 0o2770] {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(bits)).unwrap();
        refused(FileStore::open(dir.path()), &format!("{bits:o}"));
    }
}

#[tokio::test]
async fn at_10_a_directory_below_the_root_that_another_user_owns_is_refused() {
    if !is_root() {
        return;
    }
    let (_, _dir, root) = filled().await;
    for path in directories(&root, 1, "ada") {
        chown(&path, Some(STRANGER), None).unwrap();
        let store = open(&root);
        no_verb_uses(&store, &path, "of another user").await;
        if path.starts_with(root.join(&key(1).to_string()[..2])) {
            refused(store.load(&key(1)).await, "a read");
        }
        if path.starts_with(root.join("owners")) {
            refused(store.count("ada", at(0)).await, "a count");
        }
        chown(&path, Some(0), None).unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(owned(1, "ada")));
    }
}

#[tokio::test]
async fn at_10_a_directory_below_the_root_that_others_may_write_is_refused() {
    let (store, _dir, root) = filled().await;
    for path in directories(&root, 1, "ada") {
        for bits in [0o770, 0o707, 0o722, 0o1777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            no_verb_uses(&store, &path, &format!("{bits:o}")).await;
            assert_eq!(mode(&path), bits, "it is left as it is, for a person to look at");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(owned(1, "ada")));
}

#[tokio::test]
async fn at_10_a_sweep_of_a_directory_that_others_may_write_is_an_error() {
    let (store, _dir, root) = filled().await;
    fs::set_permissions(root.join("locks"), fs::Permissions::from_mode(0o777)).unwrap();
    refused(store.sweep(at(1_000), 10).await, "locks");
    fs::set_permissions(root.join("locks"), fs::Permissions::from_mode(0o700)).unwrap();
    let fan = root.join(&key(1).to_string()[..2]);
    fs::set_permissions(&fan, fs::Permissions::from_mode(0o777)).unwrap();
    refused(store.sweep(at(1_000), 10).await, "the records");
    assert_eq!(fs::read_dir(fan).unwrap().count(), 1);
}

#[tokio::test]
async fn at_10_a_planted_link_is_not_followed_and_its_target_keeps_its_mode() {
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let target = outside.path().join("file");
    fs::write(&target, "precious").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
    let name = key(1).to_string();
    let owner_fan = |root: &Path| fs::read_dir(root.join("owners")).unwrap().next().unwrap().unwrap().path();
    let owner_dir = |root: &Path| fs::read_dir(owner_fan(root)).unwrap().next().unwrap().unwrap().path();
    let places: [(&str, &Place<'_>); 7] = [
        ("fan-out", &|root| root.join(&name[..2])),
        ("record", &|root| root.join(&name[..2]).join(&name)),
        ("locks", &|root| root.join("locks")),
        ("lock", &|root| root.join("locks").join(&name[..2])),
        ("owners", &|root| root.join("owners")),
        ("owner", &|root| owner_dir(root)),
        ("mark", &|root| owner_dir(root).join(&name)),
    ];
    for (what, place) in places {
        for link_to in [outside.path(), target.as_path(), Path::new("/nowhere/at/all")] {
            let (store, _dir, root) = filled().await;
            let place = place(&root);
            if place.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) }.unwrap();
            symlink(link_to, &place).unwrap();
            // It needs every one of the places, but for the record and the mark of another session.
            let write = match what {
                "record" => store.replace(&key(1), Etag::new(1), &owned(2, "ada"), at(0)).await,
                _ => store.create(&key(257), &owned(2, "ada"), at(0)).await,
            };
            let _ = store.destroy_all("ada", None, at(0), at(60)).await;
            let _ = store.sweep(at(100_000), 100).await;
            if what != "mark" {
                refused(write, what);
            }
            assert_eq!(fs::read_to_string(&target).unwrap(), "precious", "{what}");
            assert_eq!((mode(&target), mode(outside.path())), (0o644, 0o755), "{what}");
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "{what}");
        }
    }
}

#[tokio::test]
async fn at_10_a_hard_link_in_place_of_a_lock_or_a_mark_is_refused() {
    let outside = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
    let target = outside.path().join("file");
    fs::write(&target, "precious").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
    let before = fs::metadata(&target).unwrap().modified().unwrap();
    let (store, _dir, root) = filled().await;
    let lock = root.join("locks").join(&key(1).to_string()[..2]);
    fs::remove_file(&lock).unwrap();
    fs::hard_link(&target, &lock).unwrap();
    refused(store.replace(&key(1), Etag::new(1), &owned(2, "ada"), at(0)).await, "lock");
    fs::remove_file(&lock).unwrap();
    let owners = fs::read_dir(root.join("owners")).unwrap().next().unwrap().unwrap().path();
    let marks = fs::read_dir(owners).unwrap().next().unwrap().unwrap().path();
    fs::hard_link(&target, marks.join(key(2).to_string())).unwrap();
    refused(store.create(&key(2), &owned(2, "ada"), at(0)).await, "mark");
    assert_eq!((fs::read_to_string(&target).unwrap().as_str(), mode(&target)), ("precious", 0o644));
    assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), before);
}

#[test]
fn at_10_a_link_in_place_of_a_new_root_makes_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    symlink(&nowhere, dir.path().join("dangling")).unwrap();
    refused(FileStore::open(dir.path().join("dangling")), "dangling");
    assert!(!nowhere.exists());
    let other = dir.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(other.join("notes.txt"), "").unwrap();
    symlink(&other, dir.path().join("link")).unwrap();
    refused(FileStore::open(dir.path().join("link")), "link");
    assert_eq!(mode(&other), 0o755);
}

type Place<'a> = dyn Fn(&Path) -> PathBuf + 'a;
type Loss = fn(&Path);

/// What may happen to a root while the store runs.
fn losses() -> [(&'static str, Loss); 5] {
    [
        ("removed", |root| fs::remove_dir_all(root).unwrap()),
        ("removed, a file in its place", |root| {
            fs::remove_dir_all(root).unwrap();
            fs::write(root, "").unwrap();
        }),
        ("moved away", |root| fs::rename(root, root.with_extension("aside")).unwrap()),
        ("moved away, a file in its place", |root| {
            fs::rename(root, root.with_extension("aside")).unwrap();
            fs::write(root, "").unwrap();
        }),
        ("replaced by an empty directory", |root| {
            fs::remove_dir_all(root).unwrap();
            fs::create_dir(root).unwrap();
        }),
    ]
}

#[tokio::test]
async fn at_10_a_root_that_is_gone_is_an_error_and_not_no_session() {
    for (what, lose) in losses() {
        let (store, _dir, root) = filled().await;
        lose(&root);
        refused(store.load(&key(1)).await, what);
        refused(store.load(&key(2)).await, what);
        refused(store.create(&key(2), &record(2, "{}"), at(0)).await, what);
        refused(store.replace(&key(1), Etag::new(1), &owned(2, "ada"), at(0)).await, what);
        refused(store.touch(&key(1), at(200), at(0)).await, what);
        refused(store.destroy(&key(1), at(60)).await, what);
        refused(store.rotate(&key(1), Etag::new(1), &key(3), &owned(3, "ada"), at(0), at(60)).await, what);
        refused(store.count("ada", at(0)).await, what);
        refused(store.destroy_all("ada", None, at(0), at(60)).await, what);
        refused(store.sweep(at(1_000), 10).await, what);
    }
}

#[tokio::test]
async fn at_10_a_root_that_comes_back_is_served_again() {
    let (store, _dir, root) = filled().await;
    let aside = root.with_extension("aside");
    fs::rename(&root, &aside).unwrap();
    refused(store.load(&key(1)).await, "moved away");
    fs::rename(&aside, &root).unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(owned(1, "ada")));
    assert_eq!(store.create(&key(2), &record(2, "{}"), at(0)).await.unwrap(), Written::Applied);
}

#[test]
fn at_10_a_file_in_place_of_a_root_is_refused_when_opened() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sessions"), "").unwrap();
    refused(FileStore::open(dir.path().join("sessions")), "a file");
    refused(FileStore::open(dir.path().join("sessions/below")), "below a file");
}
