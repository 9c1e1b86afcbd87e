//! Makes histories: several tasks that call a store at random, from a seed.

use std::collections::BTreeSet;
use std::time::Duration;

use session_core::{
    Timestamp,
    adapter::{Clock as _, SystemClock},
    store::{Etag, Loaded, Record, SessionStore as _, StoreKey, Written},
};
use tokio::task::JoinSet;

use super::event::Call;
use super::record::Recorder;

/// The parameters of a history. The seed determines the calls of each task; the order of the tasks depends on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by hand, from the defaults")]
pub struct Plan {
    /// Determines the keys of the sessions and, together with its client number, the calls of each task.
    pub seed: u64,
    /// The number of sessions, which all tasks use one after the other; at least one.
    pub sessions: usize,
    /// The number of concurrent tasks.
    pub tasks: usize,
    /// The number of calls of each task.
    pub calls: usize,
    /// How far the clock of this process is ahead.
    pub skew: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 0, sessions: 1, tasks: 4, calls: 10, skew: Duration::ZERO }
    }
}

impl Plan {
    /// Runs the tasks, each on one of the handles. Errors of the store are part of the history.
    ///
    /// # Panics
    /// If there is no handle, or a task panics.
    pub async fn run(self, handles: &[Recorder]) {
        let mut tasks = JoinSet::new();
        for number in 0..self.tasks {
            let handle = &handles[number % handles.len()];
            let client = handle.client() + u32::try_from(number).expect("a few tasks");
            tasks.spawn(Task::new(self, handle.as_client(client), client).run());
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("a task of the plan does not panic");
        }
    }

    /// Loads every session of this plan, under each key that the history names, until the store answers.
    pub async fn look(self, store: &Recorder) {
        let mut keys: BTreeSet<StoreKey> = (0..self.sessions).map(|session| self.key(session)).collect();
        for event in store.events() {
            keys.insert(event.call.key());
            if let Call::Rotate { new, .. } = event.call {
                keys.insert(new);
            }
        }
        look_at(store, keys).await;
    }

    /// The key under which a session is created.
    fn key(&self, session: usize) -> StoreKey {
        Random::new(self.seed, 0x5e55_1011, session as u64).key()
    }
}

/// Loads each key, and each once more while the store fails.
pub(super) async fn look_at(store: &Recorder, keys: impl IntoIterator<Item = StoreKey>) {
    for key in keys {
        while store.load(&key).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

struct Task {
    plan: Plan,
    store: Recorder,
    random: Random,
    known: Vec<Known>,
}

/// What a task knows of a session: its key, and its version if it knows one.
#[derive(Clone, Copy)]
struct Known {
    key: StoreKey,
    etag: Option<Etag>,
}

impl Task {
    fn new(plan: Plan, store: Recorder, client: u32) -> Self {
        let known = (0..plan.sessions).map(|session| Known { key: plan.key(session), etag: None }).collect();
        Self { plan, store, random: Random::new(plan.seed, 1, u64::from(client)), known }
    }

    async fn run(mut self) {
        let Plan { sessions, calls, .. } = self.plan;
        for number in 0..calls {
            // A few sessions at a time, the same for all tasks.
            let session = number * sessions / calls + self.random.below(AT_ONCE) as usize;
            self.call(session.min(sessions - 1)).await;
            if self.random.below(4) == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Makes one call. After a failure or refusal the task keeps what it knew, so that stale and late calls are made as well.
    async fn call(&mut self, session: usize) {
        let Known { key, etag } = self.known[session];
        let now = SystemClock.now().plus(self.plan.skew);
        let until = now.plus(HOUR * 10);
        let chance = self.random.below(100);
        let Some(expected) = etag else {
            return match chance {
                0..30 => {
                    let record = self.record(session, now);
                    let created = self.store.create(&self.plan.key(session), &record, now).await;
                    self.heard(session, key, record.etag, created.ok());
                }
                30..32 => drop(self.store.destroy(&key, until).await),
                32..36 => drop(self.store.touch(&key, self.random.deadline(now), now).await),
                36..40 => {
                    let (guess, record) = (Etag::new(self.random.next()), self.record(session, now));
                    drop(self.store.replace(&key, guess, &record, now).await);
                }
                _ => self.load(session, key).await,
            };
        };
        match chance {
            0..25 => self.load(session, key).await,
            25..65 => {
                let record = self.record(session, now);
                let written = self.store.replace(&key, expected, &record, now).await;
                self.heard(session, key, record.etag, written.ok());
            }
            65..78 => drop(self.store.touch(&key, self.random.deadline(now), now).await),
            78..92 => {
                let (record, new) = (self.record(session, now), self.random.key());
                let written = self.store.rotate(&key, expected, &new, &record, now, until).await;
                self.heard(session, new, record.etag, written.ok());
            }
            92..97 => {
                let record = self.record(session, now);
                drop(self.store.create(&self.plan.key(session), &record, now).await);
            }
            _ => {
                let ended = self.store.destroy(&key, until).await.ok();
                if let Some(Written::Moved { key, record }) = ended {
                    self.known[session] = Known { key, etag: Some(record.etag) };
                }
            }
        }
    }

    async fn load(&mut self, session: usize, key: StoreKey) {
        if let Ok(Loaded::Found(record)) = self.store.load(&key).await {
            self.known[session] = Known { key, etag: Some(record.etag) };
        }
    }

    fn heard(&mut self, session: usize, key: StoreKey, etag: Etag, written: Option<Written>) {
        let known = &mut self.known[session];
        match written {
            Some(Written::Applied) => *known = Known { key, etag: Some(etag) },
            Some(Written::Conflict(record)) => known.etag = Some(record.etag),
            Some(Written::Moved { key, record }) => *known = Known { key, etag: Some(record.etag) },
            Some(Written::Gone | Written::Taken) | None => {}
        }
    }

    /// Every second session has an owner. The payload is a repeated number, so that a mixture of two payloads is detected.
    fn record(&mut self, session: usize, now: Timestamp) -> Record {
        let etag = self.random.next();
        let payload = format!("{{\"etag\":\"{etag:020}\"}}").repeat(1 + (etag % 30) as usize);
        let idle = now.plus(HOUR * 2 + Duration::from_millis(self.random.below(HOUR_MILLIS)));
        let owner = (session % 2 == 1).then(|| format!("owner-{:016x}", self.plan.seed).into());
        Record::new(Etag::new(etag), now, idle, payload.into_bytes().into()).with_owner(owner)
    }
}

/// The generator SplitMix64: a sequence for each seed.
struct Random(u64);

impl Random {
    fn new(seed: u64, kind: u64, number: u64) -> Self {
        let mut random = Self(seed);
        for part in [kind, number] {
            random.0 = random.next() ^ part;
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn key(&mut self) -> StoreKey {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        StoreKey::from_bytes(bytes)
    }

    /// Between two and five hours from now: sometimes later than the deadline of the record, sometimes not.
    fn deadline(&mut self, now: Timestamp) -> Timestamp {
        now.plus(HOUR * 2 + Duration::from_millis(self.below(3 * HOUR_MILLIS)))
    }
}

/// How many sessions a task works on at a time.
const AT_ONCE: u64 = 3;
const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MILLIS: u64 = 3_600_000;
