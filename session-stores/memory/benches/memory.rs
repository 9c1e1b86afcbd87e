//! What one verb costs in a store of a hundred thousand sessions, without its `async`'s executor.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use session_core::{
    Timestamp,
    machine::SessionId,
    store::{Etag, Record, SessionStore, StoreKey},
};
use session_store_memory::MemoryStore;

/// The memory store never waits, so one poll is the whole call.
fn now<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("no verb of the memory store waits"),
    }
}

fn key(number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    SessionId::from_bytes(bytes).store_key()
}

fn record(etag: u64, owner: Option<&str>) -> Record {
    Record::new(
        Etag::new(etag),
        Timestamp::from_millis(0),
        Timestamp::from_millis(7_200_000),
        vec![b'x'; 300].into(),
    )
    .with_absolute_deadline(Some(Timestamp::from_millis(86_400_000)))
    .with_owner(owner.map(Into::into))
}

fn verbs(criterion: &mut Criterion) {
    let start = Timestamp::from_millis(0);
    let keys: Vec<_> = (0..SESSIONS).map(key).collect();
    let store = MemoryStore::new();
    for key in &keys {
        now(store.create(key, &record(1, None), start)).expect("the memory store does not fail");
    }
    let mut turn = 0;
    let mut next = || {
        turn = (turn + 7_919) % keys.len();
        &keys[turn]
    };
    criterion.bench_function("load", |bench| bench.iter(|| black_box(now(store.load(next())))));
    let missing = key(u64::MAX);
    criterion.bench_function("load of nothing", |bench| bench.iter(|| black_box(now(store.load(&missing)))));
    let same = record(1, None);
    criterion.bench_function("replace in conflict", |bench| {
        bench.iter(|| black_box(now(store.replace(next(), Etag::new(7), &record(2, None), start))));
    });
    let mut later = 7_200_000;
    criterion.bench_function("touch", |bench| {
        bench.iter(|| {
            later += 1;
            black_box(now(store.touch(next(), Timestamp::from_millis(later), start)))
        });
    });
    let (one, mut etag) = (keys[0], 1);
    criterion.bench_function("replace", |bench| {
        bench.iter(|| {
            let next = same.clone().with_etag(Etag::new(etag + 1));
            let written = now(store.replace(&one, Etag::new(etag), &next, start));
            etag += 1;
            black_box(written)
        });
    });
    let full = MemoryStore::builder().max_sessions(10_000).build();
    let mut number = 0;
    criterion.bench_function("create in a full store", |bench| {
        bench.iter_batched(
            || {
                number += 1;
                key(number)
            },
            |key| black_box(now(full.create(&key, &same, start))),
            BatchSize::SmallInput,
        );
    });
}

const SESSIONS: u64 = 100_000;

criterion_group!(benches, verbs);
criterion_main!(benches);
