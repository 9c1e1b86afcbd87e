//! Damaged records, and records of a newer version of the format.

use session_core::store::{Loaded, StoreError, StoreErrorKind, StoreKey, Written};

use super::Trial;
use super::trial::{HOUR, fine, skip};
use crate::DamageKind;

/// Damages the record, unless the fixture declares that it cannot be damaged.
async fn spoil(t: &Trial, key: &StoreKey, kind: DamageKind) -> bool {
    match t.damage() {
        Some(damage) if damage.kinds().contains(&kind) => {
            damage.damage(key, kind).await;
            true
        }
        Some(_) => {
            skip(&t.store, &format!("its `Damage::kinds` has no {kind:?}"));
            false
        }
        None => false,
    }
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.expect_err("a record that cannot be read is an error").kind()
}

async fn is_reported_as_corrupt(t: Trial, kind: DamageKind) {
    let (key, _) = t.stored("a record of some length, so that there is something to spoil").await;
    let (near, untouched) = t.stored("a neighbour").await;
    if spoil(&t, &key, kind).await {
        assert_eq!(kind_of(t.store.load(&key).await), StoreErrorKind::Corrupt);
        t.expect_record(&near, &untouched).await;
    }
}

/// A truncated record is `Corrupt`, not a shorter session.
pub async fn a_truncated_record_is_corrupt(t: Trial) {
    is_reported_as_corrupt(t, DamageKind::Truncate).await;
}

/// A record with a flipped bit is `Corrupt`, not another session.
pub async fn a_record_with_a_flipped_bit_is_corrupt(t: Trial) {
    is_reported_as_corrupt(t, DamageKind::FlipBit).await;
}

/// Arbitrary bytes are `Corrupt`, and cause no panic.
pub async fn garbage_is_corrupt(t: Trial) {
    is_reported_as_corrupt(t, DamageKind::Garbage).await;
}

/// A record of a newer version is distinguished from a corrupt one.
pub async fn a_record_of_a_newer_format_is_newer(t: Trial) {
    let (key, _) = t.stored("from the future").await;
    if spoil(&t, &key, DamageKind::NewerFormat).await {
        assert_eq!(kind_of(t.store.load(&key).await), StoreErrorKind::Newer);
    }
}

/// During a rolling deployment, the older version does not change newer records, except by a destroy.
pub async fn a_record_of_a_newer_format_is_left_alone(t: Trial) {
    let (key, record) = t.stored("from the future").await;
    if !spoil(&t, &key, DamageKind::NewerFormat).await {
        return;
    }
    let still_newer = || async { assert_eq!(kind_of(t.store.load(&key).await), StoreErrorKind::Newer) };
    let next = t.record("from the past");
    assert_eq!(kind_of(t.store.replace(&key, record.etag, &next, t.now).await), StoreErrorKind::Newer);
    still_newer().await;
    let new = t.key();
    let rotated = t.store.rotate(&key, record.etag, &new, &next, t.now, t.until()).await;
    assert_eq!(kind_of(rotated), StoreErrorKind::Newer);
    still_newer().await;
    t.expect_missing(&new).await;
    match t.store.create(&key, &next, t.now).await {
        Ok(Written::Taken) => {}
        other => assert_eq!(kind_of(other), StoreErrorKind::Newer),
    }
    still_newer().await;
    match t.store.touch(&key, t.now.plus(HOUR * 3), t.now).await {
        Ok(Written::Gone) => {}
        other => assert_eq!(kind_of(other), StoreErrorKind::Newer),
    }
    still_newer().await;
}

/// A destroy of a newer record either destroys it or fails.
pub async fn a_destroy_of_a_newer_record_keeps_its_word(t: Trial) {
    let (key, _) = t.stored("from the future").await;
    if !spoil(&t, &key, DamageKind::NewerFormat).await {
        return;
    }
    match t.store.destroy(&key, t.until()).await {
        Ok(_) => assert!(!matches!(fine("load", t.store.load(&key).await), Loaded::Found(_))),
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Newer);
            assert_eq!(kind_of(t.store.load(&key).await), StoreErrorKind::Newer);
        }
    }
}

/// A corrupt record can be destroyed.
pub async fn a_corrupt_record_can_be_destroyed(t: Trial) {
    for kind in [DamageKind::Truncate, DamageKind::FlipBit, DamageKind::Garbage] {
        let (key, _) = t.stored("a record of some length, so that there is something to spoil").await;
        if spoil(&t, &key, kind).await {
            t.destroy(&key).await;
            let loaded = t.load(&key).await;
            assert!(!matches!(loaded, Loaded::Found(_)), "{kind:?}: it is destroyed; found {loaded:?}");
        }
    }
}

/// A destroyed corrupt record leaves a tombstone like any other, so that a writer that read the record before it was
/// damaged is answered with `Gone`.
pub async fn a_destroyed_corrupt_record_leaves_a_tombstone(t: Trial) {
    for kind in [DamageKind::Truncate, DamageKind::FlipBit, DamageKind::Garbage] {
        let (key, record) = t.stored("a record of some length, so that there is something to spoil").await;
        if spoil(&t, &key, kind).await {
            t.destroy(&key).await;
            t.expect_tombstone(&key).await;
            assert_eq!(
                t.create(&key, &record).await,
                Written::Taken,
                "{kind:?}: the tombstone takes the key"
            );
            assert_eq!(t.replace(&key, record.etag, &t.record("late")).await, Written::Gone, "{kind:?}");
        }
    }
}

/// A write to a corrupt record fails or replaces it entirely.
pub async fn a_write_to_a_corrupt_record_fails_or_heals_it(t: Trial) {
    for kind in [DamageKind::Truncate, DamageKind::FlipBit, DamageKind::Garbage] {
        let (key, record) = t.stored("a record of some length, so that there is something to spoil").await;
        if !spoil(&t, &key, kind).await {
            continue;
        }
        let next = t.record("next");
        match t.store.replace(&key, record.etag, &next, t.now).await {
            Ok(Written::Applied) => t.expect_record(&key, &next).await,
            Ok(Written::Gone) => {}
            other => assert_eq!(kind_of(other), StoreErrorKind::Corrupt, "{kind:?}"),
        }
    }
}
