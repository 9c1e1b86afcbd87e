//! The pending calls and the stored entries: one state of the model, which advances by one turn at a time.

use std::hash::{DefaultHasher, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Record, SessionStore, StoreKey, Written},
};
use session_store_kv::CasStore;

use super::engine::{State, Stepped};
use super::hash_of;
use crate::spec::{Call, Event, Heard};

/// All the calls, and what is stored.
pub(super) struct World {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) threads: Vec<Thread>,
}

/// A call under way.
pub(super) struct Thread {
    running: Pin<Box<dyn Future<Output = Heard>>>,
    log: Arc<Mutex<DefaultHasher>>,
    pub(super) event: Option<Event>,
}

impl World {
    pub(super) fn new(begin: &State, calls: &[Call]) -> Self {
        let state = Arc::new(Mutex::new(begin.clone()));
        let threads = calls.iter().map(|call| {
            let engine = Stepped { state: Arc::clone(&state), log: Arc::default() };
            let log = Arc::clone(&engine.log);
            Thread { running: Box::pin(perform(store_over(engine), *call)), log, event: None }
        });
        Self { threads: threads.collect(), state }
    }

    /// Gives one call its turn.
    pub(super) fn step(&mut self, at: usize, calls: &[Call]) {
        let answered = self.threads.iter().enumerate().filter(|(_, thread)| thread.is_answered());
        let after = answered.fold(0, |bits, (at, _)| bits | 1 << at);
        let thread = &mut self.threads[at];
        // The first poll of a call brings it to its first primitive.
        let turns = if thread.event.is_none() { 2 } else { 1 };
        let event = thread.event.get_or_insert(Event { call: calls[at], heard: None, after });
        for _ in 0..turns {
            if let Poll::Ready(heard) = thread.running.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                event.heard = Some(heard);
                break;
            }
        }
    }

    pub(super) fn events(&self) -> Vec<Option<Event>> {
        self.threads.iter().map(|thread| thread.event).collect()
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let threads: Vec<_> =
            self.threads.iter().map(|thread| (thread.event, thread.log.lock().unwrap().finish())).collect();
        hash_of(&(&*self.state.lock().unwrap(), threads))
    }
}

impl Thread {
    pub(super) fn is_answered(&self) -> bool {
        self.event.is_some_and(|event| event.heard.is_some())
    }
}

async fn perform(store: CasStore<Stepped>, call: Call) -> Heard {
    let until = NOW.plus(Duration::from_secs(60));
    match call {
        Call::Create { key: at, etag } => store.create(&key(at), &record(etag), NOW).await.unwrap().into(),
        Call::Replace { key: at, expected, etag } => {
            store.replace(&key(at), Etag::new(expected), &record(etag), NOW).await.unwrap().into()
        }
        Call::Touch { key: at } => {
            let later = record(0).idle_deadline.plus(Duration::from_secs(60));
            store.touch(&key(at), later, NOW).await.unwrap().into()
        }
        Call::Destroy { key: at } => match store.destroy(&key(at), until).await.unwrap() {
            Written::Applied => Heard::Done,
            moved => moved.into(),
        },
        Call::Rotate { old, expected, new, etag } => {
            let (old, new, expected, record) = (key(old), key(new), Etag::new(expected), record(etag));
            store.rotate(&old, expected, &new, &record, NOW, until).await.unwrap().into()
        }
        Call::Load { key: at } => store.load(&key(at)).await.unwrap().into(),
        Call::Sweep => {
            store.sweeper().unwrap().sweep(until, 100).await.unwrap();
            Heard::Done
        }
    }
}

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn record(etag: u64) -> Record {
    Record::new(Etag::new(etag), NOW, NOW.plus(Duration::from_secs(7_200)), Vec::new().into())
}

fn store_over(engine: Stepped) -> CasStore<Stepped> {
    CasStore::new(engine).timeout(Duration::from_secs(24 * 60 * 60))
}

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
