//! Measures what a million sessions of 300 bytes cost in memory, and what is left once they have expired.
//!
//! `cargo run --release -p session-store-memory --example footprint [sessions]`, on Linux: it reads `/proc/self/statm`.

use session_core::{
    Timestamp,
    machine::SessionId,
    store::{Etag, Record, SessionStore, StoreError, StoreKey, Sweep},
};
use session_store_memory::MemoryStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StoreError> {
    let sessions: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let store = MemoryStore::builder().max_sessions(usize::try_from(sessions).unwrap_or(usize::MAX)).build();
    let start = Timestamp::from_millis(1_893_484_800_000);
    println!("{sessions} sessions of {PAYLOAD} bytes");
    let before = resident();
    let began = std::time::Instant::now();
    for number in 0..sessions {
        let record = Record::new(
            Etag::new(number),
            start,
            start.plus(std::time::Duration::from_secs(7_200)),
            vec![b'x'; PAYLOAD].into(),
        )
        .with_absolute_deadline(Some(start.plus(std::time::Duration::from_secs(86_400))));
        store.create(&key(number), &record, start).await?;
    }
    let full = resident();
    let each = (full - before) as f64 / sessions as f64;
    println!("stored in {:.1?}", began.elapsed());
    println!("{each:.1} bytes each: the payload and {:.1} more", each - PAYLOAD as f64);
    println!("the store's own estimate: {:.1} each", store.stats().bytes as f64 / sessions as f64);

    let began = std::time::Instant::now();
    let swept = store.sweep(start.plus(std::time::Duration::from_secs(7_200)), usize::MAX).await?;
    println!("{} expired, given back in {:.1?}", swept.removed, began.elapsed());
    println!("{:.1} MB before, {:.1} MB full, {:.1} MB after", mb(before), mb(full), mb(resident()));
    Ok(())
}

fn key(number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    SessionId::from_bytes(bytes).store_key()
}

/// Bytes of this process that are in memory; 0 where there is no `/proc`.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4_096
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

const PAYLOAD: usize = 300;
