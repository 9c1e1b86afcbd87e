//! What lists of a user's sessions read: heads without data, a page at a time.

use std::collections::BTreeMap;

use session_core::{
    Timestamp,
    store::{Etag, OwnerIndex, Record, SessionHead, SessionStore, StoreKey, Written},
};
use session_store_kv::{CasStore, TxStore};

use crate::map::{CasMap, Index, TxMap};

const NOW: Timestamp = Timestamp::from_millis(1_000);
const DATA: usize = 4_000;

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn record(number: u8, owner: &str, deadline: i64) -> Record {
    Record::new(Etag::new(number.into()), NOW, Timestamp::from_millis(deadline), vec![b'x'; DATA].into())
        .with_owner(Some(owner.into()))
}

/// Nine sessions of ada: one that was rotated, one that was destroyed, one that expires first; and one of bob.
async fn fill(store: &dyn SessionStore) {
    for number in 1..=9 {
        let deadline = if number == 3 { 2_000 } else { 9_000 };
        let created = store.create(&key(number), &record(number, "ada", deadline), NOW).await;
        assert_eq!(created.unwrap(), Written::Applied);
    }
    store.create(&key(20), &record(20, "bob", 9_000), NOW).await.unwrap();
    let moved = record(12, "ada", 9_000);
    let until = Timestamp::from_millis(60_000);
    store.rotate(&key(5), Etag::new(5), &key(12), &moved, NOW, until).await.unwrap();
    store.destroy(&key(7), until).await.unwrap();
}

async fn heads(index: &dyn OwnerIndex, now: Timestamp) -> BTreeMap<StoreKey, SessionHead> {
    let (mut heads, mut from) = (BTreeMap::new(), None);
    loop {
        let page = index.heads("ada", from.as_ref(), 2, now).await.unwrap();
        assert!(page.entries.len() <= 3, "a page, and where a session has moved to");
        heads.extend(page.entries.into_iter().map(|head| (head.key, head)));
        from = page.next;
        if from.is_none() {
            return heads;
        }
    }
}

async fn at_12(store: &dyn SessionStore, read: impl Fn() -> usize) {
    fill(store).await;
    let index = store.owners().unwrap();
    for (now, number) in [(NOW, 8), (Timestamp::from_millis(2_000), 7), (Timestamp::from_millis(9_000), 0)] {
        let listed = index.list("ada", now).await.unwrap();
        let expected: BTreeMap<_, _> =
            listed.iter().map(|(key, record)| (*key, SessionHead::of(*key, record))).collect();
        assert_eq!(expected.len(), number);
        read();
        assert_eq!(heads(index, now).await, expected);
        assert_eq!(index.count("ada", now).await.unwrap(), number);
        assert!(read() < DATA, "the data of no session");
    }
}

#[tokio::test]
async fn at_12_heads_in_a_set_are_read_without_the_data() {
    let engine = CasMap::new(Index::Set);
    at_12(&CasStore::new(engine.clone()), || engine.take_read()).await;
}

#[tokio::test]
async fn at_12_heads_in_an_entry_are_read_without_the_data() {
    let engine = CasMap::new(Index::Primitives);
    at_12(&CasStore::new(engine.clone()), || engine.take_read()).await;
}

#[tokio::test]
async fn at_12_heads_in_a_transaction_are_read_without_the_data() {
    let engine = TxMap::default();
    at_12(&TxStore::new(engine.clone()), || engine.take_read()).await;
}

#[tokio::test]
async fn at_12_the_head_of_damaged_or_foreign_bytes_is_of_nobody() {
    let engine = CasMap::new(Index::Set);
    let store = CasStore::new(engine.clone());
    fill(&store).await;
    let index = store.owners().unwrap();
    engine.spoil(&key(1).to_string(), |bytes| bytes[21] ^= 1);
    engine.spoil(&key(2).to_string(), Vec::clear);
    engine.spoil(&key(4).to_string(), |bytes| bytes[49] ^= 1);
    let keys: Vec<_> = heads(index, NOW).await.into_keys().collect();
    assert_eq!(keys, [3, 6, 8, 9, 12].map(key));
}
