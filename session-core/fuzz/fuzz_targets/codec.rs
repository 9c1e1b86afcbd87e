//! The bytes of stores: what was encoded decodes to the same, and nothing decodes once a bit is changed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use session_core::Timestamp;
use session_core::store::{Etag, Record, StoreKey};
use session_store_kv::codec::{Entry, Successor};

fuzz_target!(|data: &[u8]| {
    let key = StoreKey::from_bytes([7; 32]);
    if let Ok(entry) = Entry::decode(&key, data) {
        assert_eq!(Entry::decode(&key, &entry.encode(&key)).as_ref(), Ok(&entry));
    }
    let Some((head, payload)) = data.split_first_chunk::<27>() else { return };
    let number = |at: usize| i64::from_be_bytes(std::array::from_fn(|byte| head[at + byte]));
    let (one, two, three) = (number(0), number(8), number(16));
    let [kind, bit, owned] = [head[24], head[25], head[26]];
    let at = Timestamp::from_millis;
    let (owner, payload) = payload.split_at(usize::from(owned).min(payload.len()));
    let owner = (owned > 0).then(|| String::from_utf8_lossy(owner).into());
    let record = Record::new(Etag::new(one.cast_unsigned()), at(two), at(three), payload.into())
        .with_absolute_deadline((kind & 8 > 0).then_some(at(one)))
        .with_owner(owner);
    let other = StoreKey::from_bytes([kind; 32]);
    let entry = match kind % 4 {
        0 => Entry::Tombstone { until: at(one), successor: None },
        1 => Entry::Tombstone {
            until: at(one),
            successor: Some(Successor { key: other, etag: Etag::new(two.cast_unsigned()) }),
        },
        2 => Entry::Pending { old: other, record },
        _ => Entry::Record(record),
    };
    let mut bytes = entry.encode(&key);
    assert_eq!(Entry::decode(&key, &bytes).as_ref(), Ok(&entry));
    let place = usize::from(bit) * 131 % (bytes.len() * 8);
    bytes[place / 8] ^= 1 << (place % 8);
    assert_ne!(Entry::decode(&key, &bytes).as_ref(), Ok(&entry), "a changed bit is noticed");
    let wrong = StoreKey::from_bytes([8; 32]);
    bytes[place / 8] ^= 1 << (place % 8);
    assert!(Entry::decode(&wrong, &bytes).is_err(), "an entry belongs to its key");
});
