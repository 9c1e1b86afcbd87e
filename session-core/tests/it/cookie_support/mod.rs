//! Shared by the cookie tests: keys, tokens, and a function that seals.
#![allow(dead_code, reason = "each test file uses a part")]

use session_core::{
    machine::{cookie::*, *},
    store::*,
    *,
};

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn key(seed: u8) -> SecretKey {
    let bytes: [u8; 32] = std::array::from_fn(|place| (place as u8).wrapping_mul(37) ^ seed);
    SecretKey::from_bytes(&bytes).expect("no test key is weak")
}

pub(crate) fn ring(seeds: &[u8]) -> KeyRing {
    KeyRing::new(seeds.iter().map(|seed| key(*seed))).expect("the test keys differ")
}

pub(crate) fn binding() -> Binding {
    Binding::cookie("sid", "Path=/", "session")
}

pub(crate) fn id_token(issued: i64, seed: u8) -> IdToken {
    IdToken {
        issued_at: at(issued),
        absolute_deadline: Some(at(issued + 86_400_000)),
        id: SessionId::from_bytes([seed; 32]),
    }
}

pub(crate) fn record_token(issued: i64, payload: &[u8]) -> RecordToken {
    RecordToken {
        issued_at: at(issued),
        id: SessionId::from_bytes([3; 32]),
        record: Record::new(
            Etag::new(0x0102_0304_0506_0708),
            at(issued - 10_000),
            at(issued + 7_200_000),
            payload.into(),
        )
        .with_absolute_deadline(Some(at(issued + 86_400_000)))
        .with_owner(Some("user-1".into())),
    }
}

/// A nonce that differs with the text, so that tests seal under many.
pub(crate) fn nonce(text: &[u8]) -> [u8; 24] {
    let sum = text.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    std::array::from_fn(|place| (sum >> (place % 8 * 8)) as u8 ^ place as u8)
}

pub(crate) fn sealed_id(ring: &KeyRing, token: &IdToken) -> String {
    let text = token.encode();
    ring.seal(&binding(), SealKind::Id, &nonce(&text[..]), &text[..]).into_string()
}

pub(crate) fn sealed_record(ring: &KeyRing, token: &RecordToken) -> String {
    let text = token.encode();
    ring.seal(&binding(), SealKind::Record, &nonce(&text), &text).into_string()
}

pub(crate) fn reason(result: Result<Opened, Rejected>) -> RejectReason {
    result.expect_err("it was to be refused").reason()
}
