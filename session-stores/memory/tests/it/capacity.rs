//! Capacity, eviction and release of memory.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written},
};
use session_store_memory::MemoryStore;

const START: Timestamp = Timestamp::from_millis(1_893_484_800_000);

fn key(number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    StoreKey::from_bytes(bytes)
}

fn record(number: u64, owner: Option<&str>) -> Record {
    Record::new(
        Etag::new(number),
        START,
        START.plus(Duration::from_secs(7_200 + number)),
        vec![b'x'; 300].into(),
    )
    .with_owner(owner.map(Arc::from))
}

async fn create(store: &MemoryStore, number: u64, owner: Option<&str>) {
    let written = store.create(&key(number), &record(number, owner), START).await;
    assert_eq!(written.unwrap(), Written::Applied);
}

async fn is_there(store: &MemoryStore, number: u64) -> bool {
    matches!(store.load(&key(number)).await.unwrap(), Loaded::Found(_))
}

#[tokio::test]
async fn st_12_a_flood_of_anonymous_sessions_ends_no_owned_one() {
    for shards in [1, 8] {
        let store = MemoryStore::builder().max_sessions(100).shards(shards).build();
        for number in 0..60 {
            create(&store, number, Some("ada")).await;
        }
        for number in 1_000..3_000 {
            create(&store, number, None).await;
            assert!(store.stats().sessions() <= 100);
        }
        for number in 0..60 {
            assert!(is_there(&store, number).await, "the owned session {number} is still there");
        }
        let stats = store.stats();
        assert_eq!((stats.evicted_anonymous, stats.evicted_owned), (2_000 - 40, 0));
    }
}

#[tokio::test]
async fn st_12_owned_sessions_go_when_nothing_lesser_is_left() {
    let store = MemoryStore::builder().max_sessions(10).build();
    for number in 0..25 {
        create(&store, number, Some("ada")).await;
    }
    assert_eq!((store.stats().owned, store.stats().evicted_owned), (10, 15));
    assert!(is_there(&store, 24).await, "the session just written is never the victim");
    let index = store.owners().unwrap();
    assert_eq!(index.count("ada", START).await.unwrap(), 10, "the index forgets whom the store let go");
}

#[tokio::test]
async fn tombstones_go_before_anybody_alive() {
    let store = MemoryStore::builder().max_sessions(10).build();
    for number in 0..10 {
        create(&store, number, None).await;
    }
    let until = START.plus(Duration::from_secs(60));
    for number in 0..3 {
        store.destroy(&key(number), until).await.unwrap();
    }
    for number in 10..13 {
        create(&store, number, None).await;
    }
    let stats = store.stats();
    assert_eq!((stats.anonymous, stats.tombstones), (10, 0));
    assert_eq!((stats.evicted_tombstones, stats.evicted_anonymous), (3, 0));
}

#[tokio::test]
async fn the_expired_go_before_anybody_alive() {
    let store = MemoryStore::builder().max_sessions(10).shards(1).build();
    for number in 0..10 {
        create(&store, number, Some("ada")).await;
    }
    // Number 0 lapses first; then somebody anonymous comes.
    let now = record(0, None).idle_deadline;
    assert_eq!(store.create(&key(99), &record(99, None), now).await.unwrap(), Written::Applied);
    assert!(!is_there(&store, 0).await);
    assert_eq!((store.stats().owned, store.stats().evicted_owned, store.stats().expired), (9, 0, 1));
}

#[tokio::test]
async fn bytes_are_bounded_too() {
    let store = MemoryStore::builder().max_bytes(100_000).build();
    for number in 0..1_000 {
        create(&store, number, None).await;
        assert!(store.stats().bytes <= 100_000);
    }
    assert!(store.stats().anonymous > 200, "{:?}", store.stats());
    let large = record(1_000_000, None).with_payload(vec![b'x'; 60_000].into());
    assert_eq!(store.replace(&key(999), Etag::new(999), &large, START).await.unwrap(), Written::Applied);
    assert!(store.stats().bytes <= 100_000, "a session that grows makes room as well");
    assert!(is_there(&store, 999).await);
}

#[tokio::test]
async fn one_session_is_kept_however_large() {
    let store = MemoryStore::builder().max_bytes(1).max_sessions(0).build();
    create(&store, 1, None).await;
    assert!(is_there(&store, 1).await);
    create(&store, 2, None).await;
    assert!(!is_there(&store, 1).await && is_there(&store, 2).await);
}

#[tokio::test]
async fn a_rotation_in_a_full_store_keeps_the_session() {
    let store = MemoryStore::builder().max_sessions(1).build();
    create(&store, 1, Some("ada")).await;
    let until = START.plus(Duration::from_secs(60));
    let moved = record(2, Some("ada"));
    let written = store.rotate(&key(1), Etag::new(1), &key(2), &moved, START, until).await;
    assert_eq!(written.unwrap(), Written::Applied);
    assert!(!is_there(&store, 1).await && is_there(&store, 2).await);
}

#[tokio::test]
async fn writes_give_the_expired_back_by_and_by() {
    let store = MemoryStore::builder().shards(4).build();
    for number in 0..2_000 {
        create(&store, number, None).await;
    }
    let later = START.plus(Duration::from_secs(20_000));
    for number in 10_000..12_500 {
        let fresh = record(number, None).with_idle_deadline(later.plus(Duration::from_secs(60)));
        store.create(&key(number), &fresh, later).await.unwrap();
    }
    let stats = store.stats();
    assert_eq!(
        (stats.anonymous, stats.expired),
        (2_500, 2_000),
        "two a write, and all of the old ones are gone"
    );
}

#[tokio::test]
async fn an_expired_session_waits_a_minute_for_a_slow_request() {
    let store = MemoryStore::builder().shards(1).build();
    create(&store, 0, None).await;
    let expired = record(0, None).idle_deadline;
    for (number, seconds) in [(1, 0), (2, 30), (3, 59), (4, 60), (5, 60), (6, 60)] {
        assert!(seconds == 60 || is_there(&store, 0).await);
        let now = expired.plus(Duration::from_secs(seconds));
        let fresh = record(number, None).with_idle_deadline(now.plus(Duration::from_secs(600)));
        store.create(&key(number), &fresh, now).await.unwrap();
    }
    assert!(!is_there(&store, 0).await);
}

#[tokio::test]
async fn a_sweep_of_everything_empties_the_store() {
    let store = MemoryStore::builder().shards(3).build();
    for number in 0..5_000 {
        create(&store, number, (number % 3 == 0).then_some("ada")).await;
        if number % 5 == 0 {
            store.destroy(&key(number), START).await.unwrap();
        }
    }
    let swept = store.sweep(START.plus(Duration::from_secs(100_000)), usize::MAX).await.unwrap();
    assert_eq!((swept.removed, swept.more), (5_000, false));
    let stats = store.stats();
    assert_eq!((stats.sessions(), stats.tombstones, stats.bytes), (0, 0, 0));
    assert_eq!(store.owners().unwrap().count("ada", START).await.unwrap(), 0);
}

#[tokio::test]
async fn at_16_a_default_store_is_bounded_in_bytes() {
    for store in [MemoryStore::new(), MemoryStore::default(), MemoryStore::builder().max_sessions(9).build()]
    {
        assert!(store.max_bytes() <= 1 << 30, "{}", store.max_bytes());
        assert!(store.max_bytes() > 1 << 20, "{}", store.max_bytes());
    }
    assert_eq!(MemoryStore::builder().max_bytes(usize::MAX).build().max_bytes(), usize::MAX);
}

#[tokio::test]
async fn at_16_a_flood_of_bytes_evicts_the_anonymous_first() {
    let store = MemoryStore::builder().max_bytes(4 << 20).shards(8).build();
    for number in 0..100 {
        create(&store, number, Some("ada")).await;
    }
    for number in 1_000..1_200 {
        let large = record(number, None).with_payload(vec![b'x'; 64 * 1024].into());
        assert_eq!(store.create(&key(number), &large, START).await.unwrap(), Written::Applied);
        assert!(store.stats().bytes <= 4 << 20, "{:?}", store.stats());
    }
    let stats = store.stats();
    assert_eq!((stats.owned, stats.evicted_owned), (100, 0));
    assert!(stats.evicted_anonymous > 100, "{stats:?}");
}

#[tokio::test]
async fn at_16_the_owner_index_counts_towards_the_bytes() {
    let store = MemoryStore::builder().max_bytes(1 << 20).build();
    let mut name = "u".repeat(10_000);
    for number in 0..500 {
        name.replace_range(..4, &format!("{number:04}"));
        create(&store, number, Some(&name)).await;
    }
    // Each name is kept twice: in the entry, and in the index.
    assert!(store.stats().owned <= 52, "{:?}", store.stats());
    let swept = store.sweep(START.plus(Duration::from_secs(100_000)), usize::MAX).await.unwrap();
    assert!(swept.removed > 40);
    assert_eq!(store.stats().bytes, 0);
}

/// Runs a call and counts how often it yields.
fn yields<T>(call: impl Future<Output = Result<T, StoreError>>) -> (usize, T) {
    let (mut call, mut context) = (pin!(call), Context::from_waker(Waker::noop()));
    let mut yields = 0;
    loop {
        match call.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return (yields, answer.unwrap()),
            Poll::Pending => yields += 1,
        }
    }
}

#[tokio::test]
async fn at_12_counting_and_ending_very_many_sessions_of_a_user_lets_others_run() {
    for shards in [1, 8] {
        let store = MemoryStore::builder().shards(shards).build();
        for number in 0..1_000 {
            create(&store, number, Some("ada")).await;
        }
        let (count, counted) = yields(store.count("ada", START));
        let (end, ended) = yields(store.destroy_all("ada", Some(&key(7)), START, START));
        assert_eq!((counted, ended), (1_000, 999));
        assert!((8..=16).contains(&count) && (8..=16).contains(&end), "{shards} shards: {count}, {end}");
        assert_eq!(yields(store.count("ada", START)), (0, 1), "a few sessions are counted at once");
    }
}
