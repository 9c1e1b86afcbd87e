//! The six verbs, the owner index and the sweeper, one claim at a time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;

use crate::support::{at, key, owned, record, store, tree};
use session_core::store::{
    Etag, Loaded, OwnerIndex, Record, SessionStore, StoreErrorKind, StoreKey, Sweep, Swept, Written,
};
use session_store_file::FileStore;
use session_store_kv::codec;

fn path_of(dir: &tempfile::TempDir, key: &StoreKey) -> std::path::PathBuf {
    let name = key.to_string();
    dir.path().join("sessions").join(&name[..2]).join(name)
}

async fn alive(store: &FileStore, key: &StoreKey) -> bool {
    matches!(store.load(key).await.unwrap(), Loaded::Found(_))
}

#[tokio::test]
async fn a_created_session_is_found_and_its_key_is_taken() {
    let (store, _dir) = store();
    let first = record(1, "{\"v\":1}");
    assert_eq!(store.create(&key(1), &first, at(0)).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(first.clone()));
    assert_eq!(store.create(&key(1), &record(2, "{}"), at(0)).await.unwrap(), Written::Taken);
    assert_eq!(store.create(&key(1), &first, at(0)).await.unwrap(), Written::Applied);
    store.destroy(&key(1), at(60)).await.unwrap();
    assert_eq!(store.create(&key(1), &first, at(0)).await.unwrap(), Written::Taken);
}

#[tokio::test]
async fn a_replace_wins_only_over_the_etag_it_saw() {
    let (store, _dir) = store();
    store.create(&key(1), &record(1, "one"), at(0)).await.unwrap();
    let second = record(2, "two");
    assert_eq!(store.replace(&key(1), Etag::new(1), &second, at(1)).await.unwrap(), Written::Applied);
    assert_eq!(store.replace(&key(1), Etag::new(1), &second, at(1)).await.unwrap(), Written::Applied);
    let lost = store.replace(&key(1), Etag::new(1), &record(3, "three"), at(1)).await.unwrap();
    assert_eq!(lost, Written::Conflict(second));
}

#[tokio::test]
async fn st_2_nothing_but_create_and_rotate_brings_a_key_into_being() {
    let (store, dir) = store();
    let fresh = record(2, "{}");
    assert_eq!(store.replace(&key(1), Etag::new(1), &fresh, at(0)).await.unwrap(), Written::Gone);
    assert_eq!(store.touch(&key(1), at(50), at(0)).await.unwrap(), Written::Gone);
    store.destroy(&key(1), at(60)).await.unwrap();
    let rotated = store.rotate(&key(1), Etag::new(1), &key(2), &fresh, at(0), at(60)).await.unwrap();
    assert_eq!(rotated, Written::Gone);
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Missing);
    assert!(!path_of(&dir, &key(1)).exists() && !path_of(&dir, &key(2)).exists());
}

#[tokio::test]
async fn peers_26_a_touch_does_not_revive_an_expired_session() {
    let (store, _dir) = store();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    assert_eq!(store.touch(&key(1), at(500), at(100)).await.unwrap(), Written::Gone);
    assert_eq!(store.replace(&key(1), Etag::new(1), &record(2, "{}"), at(100)).await.unwrap(), Written::Gone);
}

#[tokio::test]
async fn a_touch_moves_the_deadline_later_and_nothing_else() {
    let (store, _dir) = store();
    let first = owned(1, "ada");
    store.create(&key(1), &first, at(0)).await.unwrap();
    assert_eq!(store.touch(&key(1), at(200), at(1)).await.unwrap(), Written::Applied);
    assert_eq!(store.touch(&key(1), at(150), at(1)).await.unwrap(), Written::Applied);
    let touched = first.with_idle_deadline(at(200));
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Found(touched));
}

#[tokio::test]
async fn an_earlier_tombstone_stays_as_it_is() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "a secret thing"), at(0)).await.unwrap();
    store.destroy(&key(1), at(60)).await.unwrap();
    store.destroy(&key(1), at(90)).await.unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Ended { until: at(60) });
    let left = fs::read(path_of(&dir, &key(1))).unwrap();
    assert!(!String::from_utf8_lossy(&left).contains("secret"));
}

#[tokio::test]
async fn a_rotated_session_lives_under_the_new_key_alone() {
    let (store, _dir) = store();
    store.create(&key(1), &record(1, "one"), at(0)).await.unwrap();
    let next = record(2, "two");
    for _retry in 0..2 {
        let rotated = store.rotate(&key(1), Etag::new(1), &key(2), &next, at(1), at(60)).await.unwrap();
        assert_eq!(rotated, Written::Applied);
    }
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Ended { until: at(60) });
    assert_eq!(store.load(&key(2)).await.unwrap(), Loaded::Found(next.clone()));
    let again =
        store.rotate(&key(2), Etag::new(2), &key(1), &record(3, "three"), at(1), at(60)).await.unwrap();
    assert_eq!(again, Written::Taken);
    let behind =
        store.rotate(&key(2), Etag::new(1), &key(3), &record(3, "three"), at(1), at(60)).await.unwrap();
    assert_eq!(behind, Written::Conflict(next));
}

/// What a kill between the first and the second rename of a rotation leaves under the new key.
fn leave_pending(dir: &tempfile::TempDir, old: &StoreKey, new: &StoreKey, record: &Record) {
    let path = path_of(dir, new);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, codec::encode_pending(new, old, record)).unwrap();
}

#[tokio::test]
async fn a_rotation_killed_before_its_tombstone_never_happened() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    leave_pending(&dir, &key(1), &key(2), &owned(2, "ada"));

    assert!(alive(&store, &key(1)).await);
    assert_eq!(store.load(&key(2)).await.unwrap(), Loaded::Missing);
    assert_eq!(store.touch(&key(2), at(500), at(1)).await.unwrap(), Written::Gone);
    let listed = store.list("ada", at(1)).await.unwrap();
    assert_eq!(listed.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [key(1)]);

    // The same call again goes on from there.
    let again = store.rotate(&key(1), Etag::new(1), &key(2), &owned(2, "ada"), at(1), at(60)).await.unwrap();
    assert_eq!(again, Written::Applied);
    assert!(alive(&store, &key(2)).await && !alive(&store, &key(1)).await);
}

#[tokio::test]
async fn a_rotation_killed_after_its_tombstone_is_finished_by_a_reader() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    store.rotate(&key(1), Etag::new(1), &key(2), &owned(2, "ada"), at(1), at(60)).await.unwrap();
    leave_pending(&dir, &key(1), &key(2), &owned(2, "ada"));
    assert_eq!(store.load(&key(2)).await.unwrap(), Loaded::Found(owned(2, "ada")));
    // From now on it does not depend on the tombstone.
    fs::remove_file(path_of(&dir, &key(1))).unwrap();
    assert_eq!(store.load(&key(2)).await.unwrap(), Loaded::Found(owned(2, "ada")));
}

#[tokio::test]
async fn the_sweeper_removes_a_rotation_that_never_happened() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "{}").with_idle_deadline(at(900)), at(0)).await.unwrap();
    leave_pending(&dir, &key(1), &key(2), &record(2, "{}"));
    // Its writer may still be at work until the session would have ended.
    store.sweep(at(99), 10).await.unwrap();
    assert!(path_of(&dir, &key(2)).exists());
    store.sweep(at(100), 10).await.unwrap();
    assert!(!path_of(&dir, &key(2)).exists());
    assert!(alive(&store, &key(1)).await);
}

#[tokio::test]
async fn a_rotated_session_outlives_the_tombstone_it_came_from() {
    let (store, _dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    store.rotate(&key(1), Etag::new(1), &key(2), &owned(2, "ada"), at(1), at(60)).await.unwrap();
    store.rotate(&key(2), Etag::new(2), &key(3), &owned(3, "ada"), at(1), at(60)).await.unwrap();
    assert_eq!(store.sweep(at(61), 10).await.unwrap(), Swept { removed: 2, more: false });
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Missing);
    assert_eq!(store.load(&key(3)).await.unwrap(), Loaded::Found(owned(3, "ada")));
    assert_eq!(store.count("ada", at(61)).await.unwrap(), 1);
}

#[tokio::test]
async fn st_9_a_record_over_the_limit_is_refused_with_both_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::builder(dir.path()).max_record(4).open().unwrap();
    let error = store.create(&key(1), &record(1, "12345"), at(0)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::TooLarge { size: 5, limit: 4 });
}

#[tokio::test]
async fn st_5_a_damaged_record_is_corrupt_and_can_be_destroyed() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    let path = path_of(&dir, &key(1));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    let touched = store.touch(&key(1), at(500), at(0)).await.unwrap_err();
    assert_eq!(touched.kind(), StoreErrorKind::Corrupt);
    assert_eq!(store.create(&key(1), &record(2, "{}"), at(0)).await.unwrap(), Written::Taken);
    assert_eq!(store.list("ada", at(0)).await.unwrap(), []);
    store.destroy(&key(1), at(60)).await.unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Ended { until: at(60) });
}

#[tokio::test]
async fn st_5_a_record_of_a_newer_version_is_left_alone() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    let path = path_of(&dir, &key(1));
    let newer = b"S2 something this version cannot know";
    fs::write(&path, newer).unwrap();
    let kind = |result: Result<Written, session_core::store::StoreError>| result.unwrap_err().kind();
    assert_eq!(store.load(&key(1)).await.unwrap_err().kind(), StoreErrorKind::Newer);
    let fresh = record(2, "{}");
    assert_eq!(kind(store.replace(&key(1), Etag::new(1), &fresh, at(0)).await), StoreErrorKind::Newer);
    assert_eq!(kind(store.touch(&key(1), at(500), at(0)).await), StoreErrorKind::Newer);
    let rotated = store.rotate(&key(1), Etag::new(1), &key(2), &fresh, at(0), at(60)).await;
    assert_eq!(kind(rotated), StoreErrorKind::Newer);
    assert_eq!(store.destroy(&key(1), at(60)).await.unwrap_err().kind(), StoreErrorKind::Newer);
    let all = store.destroy_all("ada", None, at(0), at(60)).await;
    assert_eq!(all.unwrap_err().kind(), StoreErrorKind::Newer);
    assert_eq!(store.create(&key(1), &fresh, at(0)).await.unwrap(), Written::Taken);
    store.sweep(at(i64::MAX / 1_000), 10).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), newer);
}

#[tokio::test]
async fn st_5_a_damaged_file_is_swept_after_a_day() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    fs::write(path_of(&dir, &key(1)), "junk").unwrap();
    let modified = fs::metadata(path_of(&dir, &key(1))).unwrap().modified().unwrap();
    let written = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let day = i64::try_from(written).unwrap() + 24 * 3_600;
    assert_eq!(store.sweep(at(day - 2), 10).await.unwrap(), Swept { removed: 0, more: false });
    assert_eq!(store.sweep(at(day + 2), 10).await.unwrap(), Swept { removed: 1, more: false });
}

#[tokio::test]
async fn an_owner_s_live_sessions_are_listed_and_ended() {
    let (store, _dir) = store();
    for number in 1..=4 {
        store.create(&key(number), &owned(number, "ada"), at(0)).await.unwrap();
    }
    store.create(&key(5), &owned(5, "bob"), at(0)).await.unwrap();
    store.replace(&key(4), Etag::new(4), &owned(40, "bob"), at(0)).await.unwrap();
    store.rotate(&key(3), Etag::new(3), &key(33), &owned(30, "ada"), at(0), at(60)).await.unwrap();
    let mut listed: Vec<_> =
        store.list("ada", at(1)).await.unwrap().into_iter().map(|(_, record)| record.etag.get()).collect();
    listed.sort_unstable();
    assert_eq!(listed, [1, 2, 30]);
    assert_eq!(store.list("ada", at(100)).await.unwrap(), []);
    assert_eq!(store.destroy_all("ada", Some(&key(2)), at(1), at(60)).await.unwrap(), 2);
    assert_eq!(store.count("ada", at(1)).await.unwrap(), 1);
    assert_eq!(store.count("bob", at(1)).await.unwrap(), 2);
    assert_eq!(store.load(&key(33)).await.unwrap(), Loaded::Ended { until: at(60) });
    assert!(alive(&store, &key(2)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_rotates_does_not_escape_from_destroy_all() {
    let (store, _dir) = store();
    for round in 0..40_u64 {
        let first = 1_000 * round;
        let owner = format!("owner {round}");
        store.create(&key(first), &owned(first, &owner), at(0)).await.unwrap();
        let rotating = {
            let (store, owner) = (store.clone(), owner.clone());
            tokio::spawn(async move {
                for step in first..first + 20 {
                    let next = owned(step + 1, &owner);
                    let etag = Etag::new(step);
                    let done = store.rotate(&key(step), etag, &key(step + 1), &next, at(1), at(60)).await;
                    if done.unwrap() != Written::Applied {
                        break;
                    }
                }
            })
        };
        let ended = store.destroy_all(&owner, None, at(1), at(60)).await.unwrap();
        rotating.await.unwrap();
        assert_eq!(ended, 1, "round {round}");
        assert_eq!(store.count(&owner, at(1)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn st_6_st_11_a_sweep_removes_the_dead_in_bounded_batches() {
    let (store, dir) = store();
    for number in 0..5 {
        store.create(&key(number), &owned(number, "ada"), at(0)).await.unwrap();
    }
    let lasting = owned(9, "ada").with_idle_deadline(at(900));
    store.create(&key(9), &lasting, at(0)).await.unwrap();
    store.create(&key(10), &lasting, at(0)).await.unwrap();
    store.destroy(&key(10), at(60)).await.unwrap();
    let mut batches = Vec::new();
    loop {
        let swept = store.sweep(at(100), 4).await.unwrap();
        batches.push(swept.removed);
        if !swept.more {
            break;
        }
    }
    assert_eq!(batches, [4, 2]);
    let left: Vec<_> = tree(&dir.path().join("sessions"))
        .into_iter()
        .filter(|name| name.len() > 60 && !name.starts_with("locks"))
        .collect();
    assert!(left.iter().any(|name| name.ends_with(&key(9).to_string())), "{left:?}");
    assert_eq!(left.len(), 3, "the record, its owner's directory and its mark: {left:?}");
}

#[tokio::test]
async fn st_11_at_most_one_sweeper_works() {
    let (store, dir) = store();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    let lock = fs::File::create(dir.path().join("sessions/locks/sweep")).unwrap();
    lock.lock().unwrap();
    assert_eq!(store.sweep(at(500), 10).await.unwrap(), Swept { removed: 0, more: false });
    lock.unlock().unwrap();
    assert_eq!(store.sweep(at(500), 10).await.unwrap(), Swept { removed: 1, more: false });
}

#[tokio::test]
async fn st_11_what_dead_writers_left_is_swept() {
    let (store, dir) = store();
    store.create(&key(1), &owned(1, "ada"), at(0)).await.unwrap();
    let temp = path_of(&dir, &key(1)).with_extension("tmp.0123456789abcdef");
    fs::write(&temp, "half a rec").unwrap();
    let session = path_of(&dir, &key(1));
    fs::remove_file(&session).unwrap();
    // A mark is kept until the end of the day on which its session would have lapsed.
    store.sweep(at(2 * 24 * 3_600), 10).await.unwrap();
    let left = tree(&dir.path().join("sessions"));
    assert!(left.iter().all(|name| !name.contains(&key(1).to_string())), "{left:?}");
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_a_timeout_and_changes_nothing() {
    let (store, dir) = store();
    let short = std::time::Duration::from_millis(50);
    let hasty = FileStore::builder(dir.path().join("sessions")).timeout(short).open().unwrap();
    store.create(&key(1), &record(1, "{}"), at(0)).await.unwrap();
    let name = format!("sessions/locks/{:02x}", key(1).as_bytes()[0]);
    let held = fs::File::open(dir.path().join(name)).unwrap();
    held.lock().unwrap();
    let error = hasty.destroy(&key(1), at(60)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert!(alive(&store, &key(1)).await, "readers do not wait for writers");
    held.unlock().unwrap();
    assert!(alive(&store, &key(1)).await);
    store.destroy(&key(1), at(60)).await.unwrap();
}

#[tokio::test]
async fn st_11_a_sweep_that_runs_out_of_time_comes_to_its_end() {
    let (patient, dir) = store();
    for number in 0..300 {
        patient.create(&key(number), &record(number, "{}"), at(0)).await.unwrap();
    }
    let hasty = FileStore::builder(dir.path().join("sessions")).timeout(std::time::Duration::from_millis(20));
    let hasty = hasty.open().unwrap();
    // First there is nothing to remove, then everything. A busy machine may make single calls late.
    for (now, left) in [(at(1), 300), (at(500), 0)] {
        let mut calls = 0;
        while hasty.sweep(now, 1_000).await.map_or(true, |swept| swept.more) {
            calls += 1;
            assert!(calls < 2_000, "it goes round and round");
        }
        while patient.sweep(now, 1_000).await.unwrap().more {}
        let names = tree(&dir.path().join("sessions"));
        let sessions = names.iter().filter(|name| name.len() == 67).count();
        assert_eq!(sessions, left);
    }
}
