//! Every interleaving of calls on one session, with a crash at every step, against the sequential specification.
//!
//! The store runs over an engine in memory whose every primitive waits for its turn. The checker gives the turns: it
//! follows each possible order, and at each state it reaches it asks two things. If every call that is still under way
//! were killed here, does some order of the calls explain all answers so far and what a reader then finds? And is what
//! the reader finds there to stay? So a crash at every step, of any of the callers, is among the cases.
//!
//! States that were reached before are not followed again: the store's behaviour depends on what is stored and on what
//! each call has heard from the engine so far, and on nothing else.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_core::{
    Timestamp,
    store::{Etag, Record, SessionStore, StoreError, StoreKey, Written, async_trait},
};
use session_store_kv::{CasEngine, CasStore, Due, Swapped};

use crate::spec::{Call, Event, Heard, Store, There, explains};

/// An engine whose primitives each wait for one turn.
#[derive(Clone, Debug, Default)]
struct Stepped {
    state: Arc<Mutex<State>>,
    /// What the call that owns this handle has heard so far.
    log: Arc<Mutex<DefaultHasher>>,
}

#[derive(Clone, Debug, Default, Hash)]
struct State {
    entries: BTreeMap<String, (Vec<u8>, u64)>,
    /// How often each key was written: its next version.
    writes: BTreeMap<String, u64>,
}

impl State {
    fn write(&mut self, key: &str, bytes: &[u8]) -> u64 {
        let version = self.writes.entry(key.to_owned()).or_default();
        *version += 1;
        self.entries.insert(key.to_owned(), (bytes.to_vec(), *version));
        *version
    }
}

impl Stepped {
    /// Waits for a turn, takes it, and remembers what came of it.
    async fn turn<T: Hash>(&self, take: impl FnOnce(&mut State) -> T) -> T {
        let mut has_waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut has_waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let heard = take(&mut self.state.lock().unwrap());
        heard.hash(&mut *self.log.lock().unwrap());
        heard
    }
}

#[async_trait]
impl CasEngine for Stepped {
    type Version = u64;

    fn name(&self) -> &'static str {
        "stepped"
    }

    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        Ok(self.turn(|state| state.entries.get(key).cloned()).await)
    }

    async fn add(&self, key: &str, bytes: &[u8], _: Timestamp) -> Result<Option<u64>, StoreError> {
        Ok(self.turn(|state| (!state.entries.contains_key(key)).then(|| state.write(key, bytes))).await)
    }

    async fn swap(
        &self,
        key: &str,
        version: &u64,
        bytes: &[u8],
        _: Timestamp,
    ) -> Result<Swapped, StoreError> {
        let is_done = self.turn(|state| {
            let is_it = state.entries.get(key).is_some_and(|(_, there)| there == version);
            if is_it {
                state.write(key, bytes);
            }
            is_it
        });
        Ok(if is_done.await { Swapped::Done } else { Swapped::Changed })
    }

    async fn remove(&self, key: &str, version: &u64) -> Result<Swapped, StoreError> {
        let is_done = self.turn(|state| {
            let is_it = state.entries.get(key).is_some_and(|(_, there)| there == version);
            if is_it {
                state.entries.remove(key);
            }
            is_it
        });
        Ok(if is_done.await { Swapped::Done } else { Swapped::Changed })
    }

    fn due(&self) -> Option<&dyn Due> {
        Some(self)
    }
}

#[async_trait]
impl Due for Stepped {
    async fn due(&self, _: Timestamp, _: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.turn(|state| state.entries.keys().cloned().collect()).await)
    }
}

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn record(etag: u64) -> Record {
    Record::new(Etag::new(etag), NOW, NOW.plus(Duration::from_secs(7_200)), Vec::new().into())
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

/// A call under way.
struct Thread {
    running: Pin<Box<dyn Future<Output = Heard>>>,
    log: Arc<Mutex<DefaultHasher>>,
    event: Option<Event>,
}

/// All the calls, and what is stored.
struct World {
    state: Arc<Mutex<State>>,
    threads: Vec<Thread>,
}

impl World {
    fn new(begin: &State, calls: &[Call]) -> Self {
        let state = Arc::new(Mutex::new(begin.clone()));
        let threads = calls.iter().map(|call| {
            let engine = Stepped { state: Arc::clone(&state), log: Arc::default() };
            let log = Arc::clone(&engine.log);
            Thread { running: Box::pin(perform(store_over(engine), *call)), log, event: None }
        });
        Self { threads: threads.collect(), state }
    }

    /// Gives one call its turn.
    fn step(&mut self, at: usize, calls: &[Call]) {
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

    fn events(&self) -> Vec<Option<Event>> {
        self.threads.iter().map(|thread| thread.event).collect()
    }

    fn fingerprint(&self) -> u64 {
        let threads: Vec<_> =
            self.threads.iter().map(|thread| (thread.event, thread.log.lock().unwrap().finish())).collect();
        hash_of(&(&*self.state.lock().unwrap(), threads))
    }
}

impl Thread {
    fn is_answered(&self) -> bool {
        self.event.is_some_and(|event| event.heard.is_some())
    }
}

/// The calls that had begun, and what a reader finds after all of them are killed.
type Case = (Vec<Event>, Vec<(u8, Heard)>);

/// What a run of the checker saw.
#[derive(Debug, Default)]
struct Seen {
    states: HashSet<u64>,
    /// The answers with which all calls ended.
    endings: HashSet<Vec<Heard>>,
}

struct Checker<'c> {
    runtime: tokio::runtime::Runtime,
    begin: State,
    spec: Store,
    calls: &'c [Call],
    seen: Seen,
    /// What has been judged: what was stored, and what each call had heard.
    judged: HashSet<u64>,
    explained: HashSet<Case>,
}

/// Follows every interleaving of these calls on a session with etag 1 under key 0.
fn check(calls: &[Call]) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut checker = Checker {
        begin: State::default(),
        spec: Store::from([(0, There::Live(1))]),
        calls,
        seen: Seen::default(),
        judged: HashSet::new(),
        explained: HashSet::new(),
        runtime,
    };
    let create = [Call::Create { key: 0, etag: 1 }];
    assert_eq!(checker.finish(&State::default(), create[0]).0, Heard::Applied);
    checker.begin = checker.finish(&State::default(), create[0]).1;
    let world = World::new(&checker.begin, calls);
    checker.follow(&mut Vec::new(), world);
    checker.seen
}

impl Checker<'_> {
    /// Judges the state that these turns have led to, and follows every turn that may come next.
    fn follow(&mut self, order: &mut Vec<usize>, mut world: World) {
        if !self.seen.states.insert(world.fingerprint()) {
            return;
        }
        let state = world.state.lock().unwrap().clone();
        self.judge(&state, &world.events(), order);
        let mut next = (0..self.calls.len()).filter(|at| !world.threads[*at].is_answered());
        let Some(first) = next.next() else {
            let is_pending = |bytes: &[u8]| bytes.starts_with(b"S1p");
            let left = state.entries.iter().find(|(_, (bytes, _))| is_pending(bytes));
            assert!(left.is_none(), "a refused rotation takes back what it put there: {order:?}");
            let answers = world.events().into_iter().flatten().filter_map(|event| event.heard);
            self.seen.endings.insert(answers.collect());
            return;
        };
        for at in next.collect::<Vec<_>>() {
            order.push(at);
            let mut again = World::new(&self.begin, self.calls);
            order.iter().for_each(|at| self.step(&mut again, *at));
            self.follow(order, again);
            order.pop();
        }
        // This world itself goes on with the first; the others began anew.
        order.push(first);
        self.step(&mut world, first);
        self.follow(order, world);
        order.pop();
    }

    fn step(&self, world: &mut World, at: usize) {
        let _inside = self.runtime.enter();
        world.step(at, self.calls);
    }

    /// Kills every call that is under way, and looks at what is left.
    fn judge(&mut self, state: &State, events: &[Option<Event>], order: &[usize]) {
        if !self.judged.insert(hash_of(&(&state.entries, events))) {
            return;
        }
        let (mut state, mut seen) = (state.clone(), Vec::new());
        for round in 0..2 {
            for key in 0..KEYS {
                let (heard, after) = self.finish(&state, Call::Load { key });
                state = after;
                if round == 0 {
                    seen.push((key, heard));
                } else {
                    assert_eq!(
                        seen[usize::from(key)],
                        (key, heard),
                        "a second look finds the same: {order:?}"
                    );
                }
            }
        }
        // Calls that have not begun are none; the bits of the others are counted anew.
        let begun: Vec<usize> = (0..events.len()).filter(|at| events[*at].is_some()).collect();
        let history: Vec<Event> = events
            .iter()
            .flatten()
            .map(|event| {
                let bits = begun.iter().enumerate().filter(|(_, old)| event.after >> **old & 1 == 1);
                Event { after: bits.fold(0, |bits, (new, _)| bits | 1 << new), ..*event }
            })
            .collect();
        let case = (history, seen);
        if !self.explained.contains(&case) {
            assert!(
                explains(&self.spec, &case.0, &case.1),
                "no order of the calls explains this\nturns: {order:?}\ncalls: {:#?}\nseen: {:?}",
                case.0,
                case.1,
            );
            self.explained.insert(case);
        }
    }

    /// Runs one call alone, to its end.
    fn finish(&self, state: &State, call: Call) -> (Heard, State) {
        let _inside = self.runtime.enter();
        let calls = [call];
        let mut world = World::new(state, &calls);
        while !world.threads[0].is_answered() {
            world.step(0, &calls);
        }
        let state = world.state.lock().unwrap().clone();
        (world.threads[0].event.unwrap().heard.unwrap(), state)
    }
}

fn hash_of(it: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}

fn store_over(engine: Stepped) -> CasStore<Stepped> {
    CasStore::new(engine).timeout(Duration::from_secs(24 * 60 * 60))
}

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const KEYS: u8 = 3;

const FIRST: Call = Call::Rotate { old: 0, expected: 1, new: 1, etag: 11 };
const SECOND: Call = Call::Rotate { old: 0, expected: 1, new: 2, etag: 12 };
const WRITE: Call = Call::Replace { key: 0, expected: 1, etag: 2 };

#[test]
fn two_rotations_a_write_and_a_destroy_leave_one_session_or_none() {
    let seen = check(&[FIRST, SECOND, WRITE, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    let applied = |at: usize| seen.endings.iter().any(|heard| heard[at] == Heard::Applied);
    assert!(applied(0) && applied(1) && applied(2), "each of them wins somewhere");
    assert!(seen.endings.iter().all(|heard| heard[0] != Heard::Applied || heard[1] != Heard::Applied));
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Conflict(2)));
}

#[test]
fn a_write_and_a_destroy_under_the_old_key_hear_where_the_session_is() {
    let late = Call::Replace { key: 0, expected: 1, etag: 3 };
    let next = Call::Replace { key: 1, expected: 11, etag: 2 };
    let seen = check(&[FIRST, late, next, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    for heard in [Heard::Moved(1, 11), Heard::Moved(1, 2)] {
        assert!(seen.endings.iter().any(|all| all[1] == heard), "a write hears {heard:?}");
        assert!(seen.endings.iter().any(|all| all[3] == heard), "a destroy hears {heard:?}");
    }
    assert!(seen.endings.iter().any(|all| all[1] == Heard::Applied));
}

#[test]
fn a_write_follows_a_chain_of_rotations_or_finds_its_end() {
    let next = Call::Rotate { old: 1, expected: 11, new: 2, etag: 12 };
    let seen = check(&[FIRST, next, WRITE, Call::Destroy { key: 2 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    for heard in [Heard::Moved(1, 11), Heard::Moved(2, 12), Heard::Gone] {
        assert!(seen.endings.iter().any(|all| all[2] == heard), "a write hears {heard:?}");
    }
}

#[test]
fn a_repeated_rotation_races_with_itself_a_write_and_a_destroy() {
    let seen = check(&[FIRST, FIRST, WRITE, Call::Destroy { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[..2] == [Heard::Applied, Heard::Applied]));
}

#[test]
fn readers_see_a_rotation_as_one_step() {
    let seen = check(&[FIRST, Call::Load { key: 1 }, Call::Load { key: 0 }, Call::Destroy { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Found(11) && heard[2] == Heard::Ended));
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Missing && heard[2] == Heard::Found(1)));
}

#[test]
fn a_chain_of_rotations_with_a_write_on_the_way() {
    let next = Call::Rotate { old: 1, expected: 11, new: 2, etag: 12 };
    let write = Call::Replace { key: 1, expected: 11, etag: 2 };
    let seen = check(&[FIRST, next, write]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[..2] == [Heard::Applied, Heard::Applied]));
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Conflict(2)));
}

#[test]
fn a_touch_revives_nothing() {
    let touch = Call::Touch { key: 0 };
    let seen = check(&[FIRST, touch, Call::Destroy { key: 0 }, Call::Touch { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Gone));
    assert!(seen.endings.iter().any(|heard| heard[3] == Heard::Applied));
}

#[test]
fn a_rotation_to_a_key_that_is_created_meanwhile() {
    let seen = check(&[FIRST, Call::Create { key: 1, etag: 3 }, SECOND, Call::Load { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Taken));
}

#[test]
fn a_sweep_of_ended_tombstones_among_rotations_and_readers() {
    let seen = check(&[FIRST, Call::Sweep, Call::Load { key: 1 }, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Applied && heard[2] == Heard::Found(11)));
}
