//! The record codec: every field round-trips, damage is detected, and the bytes of one key are not valid under another.

use session_core::{
    Timestamp,
    store::{Etag, Record, StoreKey},
};
use session_store_kv::codec::{self, Entry, Successor, Unreadable};

const KEY: StoreKey = StoreKey::from_bytes([0xab; 32]);
const OTHER: StoreKey = StoreKey::from_bytes([1; 32]);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn record(owner: Option<&str>, absolute: Option<i64>) -> Record {
    Record::new(Etag::new(u64::MAX - 1), at(-5), at(i64::MAX), b"{\"v\":1}\r\nEND\r\n".to_vec().into())
        .with_absolute_deadline(absolute.map(at))
        .with_owner(owner.map(Into::into))
}

/// One of each kind.
fn entries() -> Vec<Entry> {
    let successor = Successor { key: OTHER, etag: Etag::new(7) };
    vec![
        Entry::Record(record(Some("ada"), Some(i64::MIN))),
        Entry::Record(record(None, None)),
        Entry::Tombstone { until: at(9), successor: None },
        Entry::Tombstone { until: at(9), successor: Some(successor) },
        Entry::Pending { old: OTHER, record: record(Some("ada"), None) },
    ]
}

#[test]
fn every_field_comes_back_unchanged() {
    for owner in [None, Some(""), Some("ada"), Some("größe\n"), Some("\0")] {
        for absolute in [None, Some(i64::MIN), Some(-1), Some(0), Some(i64::MAX)] {
            let record = record(owner, absolute);
            for entry in
                [Entry::Record(record.clone()), Entry::Pending { old: OTHER, record: record.clone() }]
            {
                assert_eq!(Entry::decode(&KEY, &entry.encode(&KEY)), Ok(entry), "{owner:?} {absolute:?}");
            }
        }
    }
    for entry in entries() {
        assert_eq!(Entry::decode(&KEY, &entry.encode(&KEY)), Ok(entry));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    for entry in entries() {
        let whole = entry.encode(&KEY);
        for length in 0..whole.len() {
            assert!(Entry::decode(&KEY, &whole[..length]).is_err(), "{entry:?} cut at {length}");
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Entry::decode(&KEY, &bytes).is_err(), "{entry:?} bit {bit}");
        }
        let longer = [whole, vec![b'x']].concat();
        assert_eq!(Entry::decode(&KEY, &longer), Err(Unreadable::Damaged), "{entry:?}");
    }
}

#[test]
fn the_bytes_of_one_key_are_damaged_under_another() {
    for entry in entries() {
        assert_eq!(Entry::decode(&OTHER, &entry.encode(&KEY)), Err(Unreadable::Damaged), "{entry:?}");
    }
    // The parts of two records do not make a third.
    let (first, second) = (record(None, None), record(None, None).with_idle_deadline(at(5)));
    let mut mixed = codec::encode_record(&KEY, &first);
    mixed[20..32].copy_from_slice(&codec::encode_record(&OTHER, &second)[20..32]);
    assert_eq!(Entry::decode(&KEY, &mixed), Err(Unreadable::Damaged));
}

#[test]
fn twelve_bytes_move_the_idle_deadline() {
    let before = record(Some("ada"), None);
    let mut bytes = codec::encode_record(&KEY, &before);
    bytes[20..32].copy_from_slice(&codec::encode_idle_deadline(&KEY, at(77)));
    let after = before.with_idle_deadline(at(77));
    assert_eq!(Entry::decode(&KEY, &bytes), Ok(Entry::Record(after)));
}

#[test]
fn a_newer_format_is_told_from_damage() {
    for (bytes, what) in [
        (&b"S2 whatever that version keeps"[..], Unreadable::Newer),
        (b"S9", Unreadable::Newer),
        (b"S1", Unreadable::Damaged),
        (b"S1r0", Unreadable::Damaged),
        (b"S0r0", Unreadable::Damaged),
        (b"", Unreadable::Damaged),
        (b"{}", Unreadable::Damaged),
    ] {
        assert_eq!(Entry::decode(&KEY, bytes), Err(what), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn bytes_that_were_never_an_entry_do_not_panic() {
    let mut seed = 1_u64;
    for length in 0..300 {
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 56) as u8
            })
            .collect();
        for start in [&b""[..], b"S1r0", b"S1r3", b"S1t0", b"S1t1", b"S1p0"] {
            bytes.iter_mut().zip(start).for_each(|(byte, start)| *byte = *start);
            assert!(Entry::decode(&KEY, &bytes).is_err());
        }
    }
}

#[test]
fn moments_sort_as_their_bytes() {
    let moments = [i64::MIN, -1, 0, 1, 1_795_000_000_000, i64::MAX];
    let mut bytes = moments.map(|millis| codec::encode_moment(at(millis)));
    bytes.sort_unstable();
    assert_eq!(bytes.map(codec::decode_moment), moments.map(at));
}
