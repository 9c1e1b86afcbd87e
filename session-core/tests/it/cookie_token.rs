//! Claims about the content of a seal: it round-trips, and all other bytes are refused.

use crate::cookie_support::*;
use proptest::prelude::*;
use session_core::{
    machine::{cookie::*, *},
    store::*,
};

#[test]
fn an_id_token_is_its_times_and_its_id() {
    let token = id_token(0x0102_0304_0506, 9);
    let bytes = token.encode();
    assert_eq!(bytes[..6], [1, 2, 3, 4, 5, 6]);
    assert_eq!(bytes[12..], [9; 32]);
    assert_eq!(IdToken::decode(&bytes[..]), Some(token));
}

#[test]
fn no_absolute_deadline_stays_none_and_one_in_the_past_stays_past() {
    for deadline in [None, Some(at(1)), Some(at(0)), Some(at(-5)), Some(at(i64::MIN))] {
        let token = IdToken { absolute_deadline: deadline, ..id_token(1_000, 1) };
        let back = IdToken::decode(&token.encode()[..]).unwrap();
        assert_eq!(back.absolute_deadline.is_some(), deadline.is_some());
        assert_eq!(back.is_live(at(1_000)), deadline.is_none());
    }
}

#[test]
fn times_beyond_the_format_become_its_ends_and_never_wrap() {
    for (time, written) in [(i64::MIN, 0), (-1, 0), (i64::MAX, (1 << 48) - 1), (1 << 48, (1 << 48) - 1)] {
        let token = IdToken { issued_at: at(time), ..id_token(1_000, 1) };
        assert_eq!(IdToken::decode(&token.encode()[..]).unwrap().issued_at, at(written));
    }
}

#[test]
fn an_id_token_of_any_other_length_is_refused() {
    let bytes = [1; 100];
    for len in 0..100 {
        assert_eq!(IdToken::decode(&bytes[..len]).is_some(), len == 44, "{len}");
    }
}

#[test]
fn pa_9_a_record_token_cut_anywhere_in_its_head_or_owner_is_refused() {
    let bytes = record_token(100_000, b"").encode();
    for len in 0..bytes.len() {
        assert_eq!(RecordToken::decode(&bytes[..len]), None, "{len}");
    }
}

#[test]
fn pa_9_an_owner_longer_than_the_rest_is_refused_before_anything_is_allocated() {
    let mut bytes = record_token(100_000, b"").encode();
    for claimed in [8, 9, 1 << 20, u32::MAX - 1, u32::MAX] {
        bytes[64..68].copy_from_slice(&u32::to_be_bytes(claimed));
        assert_eq!(RecordToken::decode(&bytes), None, "{claimed}");
    }
}

#[test]
fn an_owner_that_is_not_utf_8_is_refused() {
    let mut bytes = record_token(100_000, b"").encode();
    bytes[68] = 0xff;
    assert_eq!(RecordToken::decode(&bytes), None);
}

#[test]
fn an_empty_owner_is_not_no_owner() {
    for owner in [None, Some("".into())] {
        let mut token = record_token(100_000, b"{}");
        token.record.owner = owner;
        assert_eq!(RecordToken::decode(&token.encode()), Some(token));
    }
}

#[test]
fn cr_10_a_payload_is_bytes_to_this_codec_and_never_interpreted() {
    for payload in [&b""[..], b"\xff\0not json", b"{\"__proto__\":[[[[[[[["] {
        let token = record_token(100_000, payload);
        assert_eq!(&RecordToken::decode(&token.encode()).unwrap().record.payload[..], payload);
    }
}

fn in_range() -> std::ops::Range<i64> {
    1..1 << 48
}

proptest! {
    #[test]
    fn every_record_token_comes_back(
        times in (in_range(), in_range(), in_range(), prop::option::of(in_range())),
        etag: u64,
        id: [u8; 32],
        owner in prop::option::of(".{0,40}"),
        payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let token = RecordToken {
            issued_at: at(times.0),
            id: SessionId::from_bytes(id),
            record: Record::new(Etag::new(etag), at(times.1), at(times.2), payload.into()).with_absolute_deadline(times.3.map(at)).with_owner(owner.map(Into::into)),
        };
        prop_assert_eq!(RecordToken::decode(&token.encode()), Some(token));
    }

    #[test]
    fn i_10_any_bytes_are_a_token_or_are_not_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = IdToken::decode(&bytes);
        if let Some(token) = RecordToken::decode(&bytes) {
            prop_assert!(token.record.size() <= bytes.len(), "no more comes out than went in");
            let again = token.encode();
            prop_assert_eq!(RecordToken::decode(&again), Some(token));
        }
    }

    #[test]
    fn pa_9_any_claimed_length_is_checked(claimed: u32, rest in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = vec![1; 64];
        bytes.extend(claimed.to_be_bytes());
        bytes.extend(&rest);
        let decoded = RecordToken::decode(&bytes);
        if usize::try_from(claimed).unwrap() > rest.len() + 1 {
            prop_assert_eq!(decoded, None);
        }
    }
}
