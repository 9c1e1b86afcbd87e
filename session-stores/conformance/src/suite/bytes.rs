//! Records come back byte for byte, whatever is in them.

use std::sync::Arc;

use session_core::store::{Record, StoreKey, Written};

use super::Trial;

async fn round_trip(t: &Trial, record: Record) {
    let key = t.store_new(&record).await;
    t.expect_record(&key, &record).await;
    // Stored by the other two verbs as well: by a replace and by a rotate.
    let (second_key, first) = t.stored("first").await;
    assert_eq!(t.replace(&second_key, first.etag, &record).await, Written::Applied);
    t.expect_record(&second_key, &record).await;
    let moved = record.clone().with_etag(super::trial::fresh_etag());
    let new = t.key();
    assert_eq!(t.rotate(&second_key, record.etag, &new, &moved).await, Written::Applied);
    t.expect_record(&new, &moved).await;
}

/// An empty payload.
pub async fn an_empty_payload_comes_back(t: Trial) {
    round_trip(&t, t.record("")).await;
}

/// Every byte value, in order.
pub async fn every_byte_value_comes_back(t: Trial) {
    round_trip(&t, t.record((0..=255).collect::<Vec<u8>>())).await;
}

/// Bytes that are not UTF-8.
pub async fn invalid_utf_8_comes_back(t: Trial) {
    round_trip(&t, t.record(b"\xc3\x28 \xff\xfe \xed\xa0\x80 \xf8\x88\x80\x80\x80")).await;
}

/// Zero bytes: at the front, at the end, and alone.
pub async fn zero_bytes_come_back(t: Trial) {
    for payload in [&b"\0"[..], b"\0front", b"end\0", &[0; 1_000]] {
        round_trip(&t, t.record(payload)).await;
    }
}

/// Line ends, quotes, backslashes and statement ends.
pub async fn text_that_looks_like_syntax_comes_back(t: Trial) {
    for payload in
        ["\r\n\r\n", "'; DROP TABLE sessions; --", "\\x00\\\\", "{\"a\":[1,2,{\"b\":null}]}", "%s%n$1?"]
    {
        round_trip(&t, t.record(payload)).await;
    }
}

/// Sizes around the usual boundaries of buffers and column types.
pub async fn payloads_of_boundary_sizes_come_back(t: Trial) {
    let most = t.store.max_record();
    for size in [1, 127, 128, 255, 256, 4_095, 4_096, 8_191, 16_384, 32_767, 32_768] {
        if size <= most {
            let (key, record) = t.stored(pattern(size)).await;
            t.expect_record(&key, &record).await;
        }
    }
}

/// Owners are names that the application chooses, in any script and with any character.
pub async fn owners_of_any_text_come_back(t: Trial) {
    let long = "x".repeat(1_000.min(t.store.max_record() / 2));
    let texts = [
        "ü–漢字–🦀",
        "a'b\"c`d",
        "tenant:7:user:9",
        "two\nlines\r\n",
        "back\\slash %_*?{}",
        " padded ",
        &long,
    ];
    for text in texts {
        // The number keeps cases that share a database apart.
        let owner: Arc<str> = format!("{text}{}", t.owner()).into();
        round_trip(&t, t.owned(&owner)).await;
    }
}

/// A record without an owner differs from one with an empty owner, also after a replace has removed the owner.
pub async fn an_owner_can_be_given_and_taken_away(t: Trial) {
    let (key, plain) = t.stored("{}").await;
    let owned = t.owned(&t.owner());
    assert_eq!(t.replace(&key, plain.etag, &owned).await, Written::Applied);
    t.expect_record(&key, &owned).await;
    let plain = t.record("{}");
    assert_eq!(t.replace(&key, owned.etag, &plain).await, Written::Applied);
    t.expect_record(&key, &plain).await;
}

/// The record of a conflict is complete, like that of a load.
pub async fn the_record_of_a_conflict_comes_back_whole(t: Trial) {
    let owner = t.owner();
    let record = t.record((0..=255).rev().collect::<Vec<u8>>()).with_owner(Some(owner));
    let key = t.store_new(&record).await;
    let late = t.record("late");
    let replaced = t.replace(&key, late.etag, &late).await;
    assert_eq!(replaced, Written::Conflict(record.clone()));
    let rotated = t.rotate(&key, late.etag, &t.key(), &late).await;
    assert_eq!(rotated, Written::Conflict(record));
}

/// Incompressible bytes without repetition.
pub(super) fn pattern(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| byte()).collect()
}

/// ST-8: a key is 32 bytes. A database that compares keys as text may confuse keys that differ in the case of letters, or
/// in blanks or zero bytes at the end.
pub async fn st_8_keys_that_text_would_confuse_are_told_apart(t: Trial) {
    let letters = t.key().as_bytes().map(|byte| b'A' + byte % 26);
    let ending = |end: u8| {
        let mut bytes = letters;
        bytes[31] = end;
        StoreKey::from_bytes(bytes)
    };
    let upper = StoreKey::from_bytes(letters);
    let lower = StoreKey::from_bytes(letters.map(|byte| byte.to_ascii_lowercase()));
    let keys = [upper, lower, ending(b' '), ending(0), ending(0xff)];
    let mut records = Vec::new();
    for key in &keys {
        let record = t.record("own");
        assert_eq!(t.create(key, &record).await, Written::Applied, "nobody is there");
        records.push(record);
    }
    for (key, record) in keys.iter().zip(&records) {
        t.expect_record(key, record).await;
    }
    t.destroy(&upper).await;
    for (key, record) in keys.iter().zip(&records).skip(1) {
        t.expect_record(key, record).await;
    }
}
