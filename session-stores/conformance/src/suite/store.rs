//! The store as a whole: its name, its `Debug` output, its keys.

use session_core::{
    machine::SessionId,
    store::{Loaded, StoreErrorKind, Written},
};

use super::Trial;

/// The name for errors and events is short, lower case and constant.
pub async fn its_name_is_a_short_word(t: Trial) {
    let name = t.store.name();
    assert!(!name.is_empty() && name.len() <= 32, "the name is short: {name:?}");
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    assert!(name.bytes().all(plain), "the name is lower case: {name:?}");
    assert_eq!(t.store.name(), name);
}

/// A key that was never used is missing.
pub async fn a_key_nobody_used_is_missing(t: Trial) {
    t.expect_missing(&t.key()).await;
}

/// `Debug` of the store shows no payload, no owner and no id.
pub async fn its_debug_shows_nothing_of_a_session(t: Trial) {
    let secret = "swordfish-4711";
    let id = SessionId::from_bytes([0x5a; 32]);
    let record = t.record(secret).with_owner(Some(secret.into()));
    let key = t.store_new(&record).await;
    t.load(&key).await;
    let shown = format!("{:?} {:#?}", t.store, t.store);
    assert!(!shown.contains(secret), "neither owner nor payload is shown");
    let bytes = format!("{:?}", secret.as_bytes());
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "not as numbers either");
    assert!(!shown.contains(&format!("{:?}", id.expose_secret())));
}

/// An error has the name of the store and its kind, and nothing of the session.
pub async fn its_errors_name_it_and_hide_the_session(t: Trial) {
    let secret = "swordfish-4711";
    let large = t.record(secret.repeat(t.store.max_record() / secret.len() + 1));
    let error = t.store.create(&t.key(), &large, t.now).await.expect_err("it is too large");
    assert_eq!(error.store(), t.store.name());
    assert!(matches!(error.kind(), StoreErrorKind::TooLarge { .. }), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(t.store.name()) && !shown.contains(secret), "{shown}");
}

/// Keys that differ in one bit, at either end, belong to different sessions.
pub async fn keys_that_differ_in_one_bit_are_two_sessions(t: Trial) {
    let (key, record) = t.stored("mine").await;
    for (byte, bit) in [(0, 0), (0, 7), (15, 3), (16, 3), (31, 0), (31, 7)] {
        let mut bytes = *key.as_bytes();
        bytes[byte] ^= 1 << bit;
        let other = session_core::store::StoreKey::from_bytes(bytes);
        t.expect_missing(&other).await;
        let theirs = t.record("theirs");
        assert_eq!(t.create(&other, &theirs).await, Written::Applied);
        t.expect_record(&other, &theirs).await;
    }
    t.expect_record(&key, &record).await;
}

/// Keys of any bytes: zeros, ones, newlines, quotes, text like a path or a wildcard.
pub async fn keys_of_any_bytes_work(t: Trial) {
    for pattern in [&[0x00][..], &[0xff], b"\n", b"'", b"\"", b"../", b"*?", b"{}:"] {
        let mut bytes = *t.key().as_bytes();
        // The front stays random, so that cases may share a database.
        for (byte, wanted) in bytes[16..].iter_mut().zip(pattern.iter().cycle()) {
            *byte = *wanted;
        }
        let key = session_core::store::StoreKey::from_bytes(bytes);
        let record = t.record(pattern);
        assert_eq!(t.create(&key, &record).await, Written::Applied);
        t.expect_record(&key, &record).await;
        t.destroy(&key).await;
        assert!(matches!(t.load(&key).await, Loaded::Ended { .. }));
    }
}

/// Five hundred sessions, each with its own bytes.
pub async fn many_sessions_do_not_mix(t: Trial) {
    let mut sessions = Vec::new();
    for number in 0..500_u32 {
        sessions.push(t.stored(format!("session {number}")).await);
    }
    for (key, record) in &sessions {
        t.expect_record(key, record).await;
    }
    for (key, _) in sessions.iter().step_by(2) {
        t.destroy(key).await;
    }
    for (number, (key, record)) in sessions.iter().enumerate() {
        if number % 2 == 0 {
            t.expect_tombstone(key).await;
        } else {
            t.expect_record(key, record).await;
        }
    }
}
