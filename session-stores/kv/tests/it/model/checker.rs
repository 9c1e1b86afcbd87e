//! The checker: follows every interleaving, and judges every state that it reaches.

use std::collections::HashSet;

use super::engine::State;
use super::hash_of;
use super::world::World;
use crate::spec::{Call, Event, Heard, Store, There, explains};

/// Follows every interleaving of these calls on a session with etag 1 under key 0.
pub(super) fn check(calls: &[Call]) -> Seen {
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

/// What a run of the checker saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) states: HashSet<u64>,
    /// The answers with which all calls ended.
    pub(super) endings: HashSet<Vec<Heard>>,
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

/// The calls that had begun, and what a reader finds after all of them are killed.
type Case = (Vec<Event>, Vec<(u8, Heard)>);

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

/// As many keys as the calls name.
const KEYS: u8 = 3;
