//! The owner index: live sessions by user, in step with the six verbs.

use std::collections::BTreeSet;

use session_core::{
    Timestamp,
    store::{OwnerIndex, StoreKey, Written},
};

use super::Trial;
use super::trial::{HOUR, SECOND, assert_same, fine};

macro_rules! index {
    ($t:ident) => {
        match $t.owners() {
            Some(index) => index,
            None => return,
        }
    };
}

async fn keys(index: &dyn OwnerIndex, owner: &str, now: Timestamp) -> BTreeSet<StoreKey> {
    let listed = fine("list", index.list(owner, now).await);
    let count = fine("count", index.count(owner, now).await);
    assert_eq!(listed.len(), count, "`count` is as long as `list`");
    let keys: BTreeSet<_> = listed.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys.len(), count, "nobody is listed twice");
    keys
}

/// Lists all sessions of an owner with their records, and no others.
pub async fn list_gives_all_sessions_of_an_owner(t: Trial) {
    let index = index!(t);
    let (ada, bob) = (t.owner(), t.owner());
    let mut stored = Vec::new();
    for _ in 0..5 {
        let record = t.owned(&ada);
        stored.push((t.store_new(&record).await, record));
    }
    let theirs = t.store_new(&t.owned(&bob)).await;
    t.stored("nobody's").await;
    let listed = fine("list", index.list(&ada, t.now).await);
    assert_eq!(listed.len(), 5);
    for (key, record) in &stored {
        let (_, found) = listed.iter().find(|(listed, _)| listed == key).expect("each is listed");
        assert_same(found, record);
    }
    assert_eq!(keys(index, &bob, t.now).await, BTreeSet::from([theirs]));
}

/// The list of an owner without sessions is empty.
pub async fn an_unknown_owner_has_no_sessions(t: Trial) {
    let index = index!(t);
    assert!(keys(index, &t.owner(), t.now).await.is_empty());
    let ended = index.destroy_all(&t.owner(), None, t.now, t.until()).await;
    assert_eq!(fine("destroy_all", ended), 0);
}

/// Owners are compared byte for byte: no prefixes, patterns, case folding or trimming.
pub async fn owners_are_compared_exactly(t: Trial) {
    let index = index!(t);
    let base = format!("Ab{}", t.owner());
    let likes = [
        base.clone(),
        base.to_lowercase(),
        format!("{base} "),
        format!(" {base}"),
        format!("{base}x"),
        format!("{base}:1"),
        format!("{base}%"),
        format!("{base}*"),
        format!("{base}\n"),
        base.replace('b', "_"),
        format!("{base}é"),
        format!("{base}e\u{301}"),
    ];
    let mut stored = Vec::new();
    for owner in &likes {
        stored.push((owner, t.store_new(&t.owned(&owner.as_str().into())).await));
    }
    for (owner, key) in &stored {
        assert_eq!(keys(index, owner, t.now).await, BTreeSet::from([*key]), "{owner:?}");
    }
    let ended = index.destroy_all(&base, None, t.now, t.until()).await;
    assert_eq!(fine("destroy_all", ended), 1);
    for (owner, key) in &stored[1..] {
        assert_eq!(keys(index, owner, t.now).await, BTreeSet::from([*key]), "{owner:?} is somebody else");
    }
}

/// Neither expired nor destroyed sessions are listed.
pub async fn the_dead_are_never_listed(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let alive = t.store_new(&t.owned(&owner)).await;
    let soon = t.owned(&owner).with_idle_deadline(t.now.plus(HOUR));
    let soon = t.store_new(&soon).await;
    let capped = t.owned(&owner).with_absolute_deadline(Some(t.now.plus(HOUR)));
    let capped = t.store_new(&capped).await;
    let destroyed = t.store_new(&t.owned(&owner)).await;
    t.destroy(&destroyed).await;
    assert_eq!(keys(index, &owner, t.now).await, BTreeSet::from([alive, soon, capped]));
    assert_eq!(keys(index, &owner, t.now.plus(HOUR)).await, BTreeSet::from([alive]));
    assert!(keys(index, &owner, t.now.plus(HOUR * 48)).await.is_empty());
}

/// The index follows a rotation.
pub async fn the_index_follows_a_rotation(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let record = t.owned(&owner);
    let old = t.store_new(&record).await;
    let (new, moved) = (t.key(), t.owned(&owner));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    assert_eq!(keys(index, &owner, t.now).await, BTreeSet::from([new]));
}

/// A sign-in: an anonymous session is rotated into an owned one.
pub async fn a_rotation_can_give_a_session_its_owner(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let (old, record) = t.stored("anonymous").await;
    let new = t.key();
    assert_eq!(t.rotate(&old, record.etag, &new, &t.owned(&owner)).await, Written::Applied);
    assert_eq!(keys(index, &owner, t.now).await, BTreeSet::from([new]));
}

/// A replace that changes the owner moves the session in the index.
pub async fn the_index_follows_a_change_of_owner(t: Trial) {
    let index = index!(t);
    let (ada, bob) = (t.owner(), t.owner());
    let first = t.owned(&ada);
    let key = t.store_new(&first).await;
    let second = t.owned(&bob);
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    assert!(keys(index, &ada, t.now).await.is_empty());
    assert_eq!(keys(index, &bob, t.now).await, BTreeSet::from([key]));
    assert_eq!(t.replace(&key, second.etag, &t.record("signed out")).await, Written::Applied);
    assert!(keys(index, &bob, t.now).await.is_empty());
}

/// A call that changes nothing in the store changes nothing in the index.
pub async fn a_refused_write_leaves_the_index_alone(t: Trial) {
    let index = index!(t);
    let (ada, bob) = (t.owner(), t.owner());
    let record = t.owned(&ada);
    let key = t.store_new(&record).await;
    let taken = t.store_new(&t.record("nobody's")).await;
    let theirs = t.owned(&bob);
    assert_eq!(t.create(&key, &theirs).await, Written::Taken);
    assert!(matches!(t.replace(&key, theirs.etag, &theirs).await, Written::Conflict(_)));
    assert_eq!(t.replace(&t.key(), theirs.etag, &theirs).await, Written::Gone);
    assert_eq!(t.rotate(&key, record.etag, &taken, &theirs).await, Written::Taken);
    assert_eq!(t.rotate(&t.key(), record.etag, &t.key(), &theirs).await, Written::Gone);
    assert!(keys(index, &bob, t.now).await.is_empty());
    assert_eq!(keys(index, &ada, t.now).await, BTreeSet::from([key]));
}

/// A touched session is listed past its first deadline, with its current deadline.
pub async fn a_touched_session_stays_listed(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let record = t.owned(&owner);
    let key = t.store_new(&record).await;
    let later = record.idle_deadline.plus(HOUR);
    assert_eq!(t.touch(&key, later).await, Written::Applied);
    let listed = fine("list", index.list(&owner, record.idle_deadline.plus(SECOND)).await);
    assert_eq!(listed, vec![(key, record.with_idle_deadline(later))]);
}

/// Signing out everywhere ends every session of this owner, and only of this one.
pub async fn destroy_all_ends_every_session_of_an_owner(t: Trial) {
    let index = index!(t);
    let (ada, bob) = (t.owner(), t.owner());
    let mut hers = Vec::new();
    for _ in 0..7 {
        hers.push(t.store_new(&t.owned(&ada)).await);
    }
    let theirs = t.owned(&bob);
    let other = t.store_new(&theirs).await;
    assert_eq!(fine("destroy_all", index.destroy_all(&ada, None, t.now, t.until()).await), 7);
    for key in &hers {
        t.expect_tombstone(key).await;
        assert_eq!(t.touch(key, t.now.plus(HOUR * 3)).await, Written::Gone);
    }
    assert!(keys(index, &ada, t.now).await.is_empty());
    t.expect_record(&other, &theirs).await;
    assert_eq!(fine("destroy_all", index.destroy_all(&ada, None, t.now, t.until()).await), 0);
}

/// Ends all sessions of the owner except the given one.
pub async fn destroy_all_spares_the_excepted_session(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let mine = t.owned(&owner);
    let key = t.store_new(&mine).await;
    let others = [t.store_new(&t.owned(&owner)).await, t.store_new(&t.owned(&owner)).await];
    assert_eq!(fine("destroy_all", index.destroy_all(&owner, Some(&key), t.now, t.until()).await), 2);
    t.expect_record(&key, &mine).await;
    for other in &others {
        t.expect_tombstone(other).await;
    }
    assert_eq!(keys(index, &owner, t.now).await, BTreeSet::from([key]));
}

/// If the exception is not a session of the owner, all sessions are ended.
pub async fn destroy_all_with_a_foreign_exception_spares_nobody(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let key = t.store_new(&t.owned(&owner)).await;
    let foreign = t.key();
    assert_eq!(fine("destroy_all", index.destroy_all(&owner, Some(&foreign), t.now, t.until()).await), 1);
    t.expect_tombstone(&key).await;
    t.expect_missing(&foreign).await;
}

/// Only live sessions are counted as ended.
pub async fn destroy_all_counts_the_living(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    t.store_new(&t.owned(&owner)).await;
    let dead = t.owned(&owner).with_idle_deadline(t.now.minus(HOUR));
    assert_eq!(t.create(&t.key(), &dead).await, Written::Applied);
    assert_eq!(fine("destroy_all", index.destroy_all(&owner, None, t.now, t.until()).await), 1);
    assert!(keys(index, &owner, t.now).await.is_empty());
}

/// An owner with sixty sessions: every page of the list is complete.
pub async fn an_owner_of_many_sessions_is_listed_whole(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let mut stored = BTreeSet::new();
    for _ in 0..60 {
        stored.insert(t.store_new(&t.owned(&owner)).await);
    }
    assert_eq!(keys(index, &owner, t.now).await, stored);
    assert_eq!(fine("destroy_all", index.destroy_all(&owner, None, t.now, t.until()).await), 60);
    assert!(keys(index, &owner, t.now).await.is_empty());
}

/// A sign-in that races with signing out everywhere is ended or listed afterwards; it is never live and unlisted.
pub async fn a_create_racing_with_destroy_all_is_never_missed(t: Trial) {
    index!(t);
    for _ in 0..t.rounds() {
        let owner = t.owner();
        t.store_new(&t.owned(&owner)).await;
        let sessions: Vec<_> = (0..4).map(|_| (t.key(), t.owned(&owner))).collect();
        let now = t.now;
        let creations: Vec<_> = sessions
            .iter()
            .cloned()
            .map(|(key, record)| t.spawn(move |store| async move { store.create(&key, &record, now).await }))
            .collect();
        let (name, until) = (owner.clone(), t.until());
        let end = t.spawn(move |store| async move {
            let index = store.owners().expect("it was there before");
            index.destroy_all(&name, None, now, until).await
        });
        for creation in creations {
            assert_eq!(fine("create", creation.await.unwrap()), Written::Applied);
        }
        let ended = fine("destroy_all", end.await.unwrap());
        let listed = keys(index!(t), &owner, t.now).await;
        for (key, _) in &sessions {
            let alive = matches!(t.load(key).await, session_core::store::Loaded::Found(_));
            assert_eq!(alive, listed.contains(key), "a session is ended or listed, never missed");
        }
        assert_eq!(ended + listed.len(), 5, "each is counted as ended or listed");
    }
}

/// A rotation that races with signing out everywhere leaves at most one live session, and that one listed.
pub async fn a_rotation_racing_with_destroy_all_is_never_missed(t: Trial) {
    index!(t);
    for _ in 0..t.rounds() {
        let owner = t.owner();
        let (record, moved) = (t.owned(&owner), t.owned(&owner));
        let (old, new) = (t.store_new(&record).await, t.key());
        let (now, until) = (t.now, t.until());
        let rotation =
            t.spawn(
                move |store| async move { store.rotate(&old, record.etag, &new, &moved, now, until).await },
            );
        let name = owner.clone();
        let end = t.spawn(move |store| async move {
            let index = store.owners().expect("it was there before");
            index.destroy_all(&name, None, now, until).await
        });
        let rotated = fine("rotate", rotation.await.unwrap());
        fine("destroy_all", end.await.unwrap());
        assert!(matches!(rotated, Written::Applied | Written::Gone), "{rotated:?}");
        let listed = keys(index!(t), &owner, t.now).await;
        assert!(!matches!(t.load(&old).await, session_core::store::Loaded::Found(_)), "the old key is dead");
        let alive = matches!(t.load(&new).await, session_core::store::Loaded::Found(_));
        assert_eq!(alive, listed.contains(&new), "the moved session is ended or listed, never missed");
    }
}

/// Expects the index to have this many entries for the owner, at the latest after the sweep: the first pass removes
/// tombstones, the second the entries that they kept. Returns false if the fixture cannot count entries.
async fn holds(t: &Trial, owner: &str, entries: usize, when: &str) -> bool {
    let Some(mut counted) = t.owner_entries(owner).await else { return false };
    if let Some(sweeper) = t.store.sweeper() {
        for _ in 0..2 {
            if counted > entries {
                super::sweep::sweep_all(sweeper, t.until()).await;
                counted = t.owner_entries(owner).await.unwrap_or_default();
            }
        }
    }
    assert_eq!(counted, entries, "entries of the owner index {when}");
    true
}

/// Entries of destroyed sessions are removed; otherwise the index would grow without bound.
pub async fn the_owner_entry_of_a_destroyed_session_is_removed(t: Trial) {
    index!(t);
    let owner = t.owner();
    let (one, other) = (t.store_new(&t.owned(&owner)).await, t.store_new(&t.owned(&owner)).await);
    if holds(&t, &owner, 2, "of two sessions").await {
        t.destroy(&one).await;
        holds(&t, &owner, 1, "after one was destroyed").await;
        t.destroy(&other).await;
        holds(&t, &owner, 0, "after both were destroyed").await;
    }
}

/// A rotation replaces the entry: after many rotations, a user's session has one.
pub async fn the_owner_entry_of_a_rotated_key_is_removed(t: Trial) {
    index!(t);
    let owner = t.owner();
    let mut record = t.owned(&owner);
    let mut key = t.store_new(&record).await;
    for _ in 0..3 {
        let (new, moved) = (t.key(), t.owned(&owner));
        assert_eq!(t.rotate(&key, record.etag, &new, &moved).await, Written::Applied);
        if !holds(&t, &owner, 1, "after a rotation").await {
            return;
        }
        (key, record) = (new, moved);
    }
}

/// A replace or a rotation that changes the owner removes the entry of the former one.
pub async fn the_owner_entry_of_a_former_owner_is_removed(t: Trial) {
    index!(t);
    let (ada, bob) = (t.owner(), t.owner());
    let (first, second) = (t.owned(&ada), t.owned(&bob));
    let key = t.store_new(&first).await;
    assert_eq!(t.replace(&key, first.etag, &second).await, Written::Applied);
    if holds(&t, &ada, 0, "of the former owner after a replace").await {
        let (new, third) = (t.key(), t.owned(&ada));
        assert_eq!(t.rotate(&key, second.etag, &new, &third).await, Written::Applied);
        holds(&t, &bob, 0, "of the former owner after a rotation").await;
    }
}

/// Signing out everywhere removes the entries of the sessions that it ended.
pub async fn the_owner_entries_of_an_ended_user_are_removed(t: Trial) {
    let index = index!(t);
    let owner = t.owner();
    let mut kept = t.key();
    for _ in 0..4 {
        kept = t.store_new(&t.owned(&owner)).await;
    }
    assert_eq!(fine("destroy_all", index.destroy_all(&owner, Some(&kept), t.now, t.until()).await), 3);
    if holds(&t, &owner, 1, "with one session spared").await {
        assert_eq!(fine("destroy_all", index.destroy_all(&owner, None, t.now, t.until()).await), 1);
        holds(&t, &owner, 0, "with no session left").await;
    }
}
