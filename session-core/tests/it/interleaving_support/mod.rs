//! A world of three requests on one session: the real machine on the real memory store, and beside it an
//! independent specification.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use session_core::{
    machine::{table::*, *},
    store::*,
    *,
};
use session_store_memory::MemoryStore;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// What one request does between its load and its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    PutA,
    PutB,
    Increment,
    Push,
    TakeFlash,
    Flash,
    Regenerate,
    Destroy,
}

pub(crate) const OPS: [Op; 8] =
    [Op::PutA, Op::PutB, Op::Increment, Op::Push, Op::TakeFlash, Op::Flash, Op::Regenerate, Op::Destroy];

/// What a visitor would find in the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) a: i64,
    pub(crate) b: Option<i64>,
    pub(crate) n: i64,
    pub(crate) list: Vec<i64>,
    pub(crate) flash: Vec<usize>,
}

/// What a response says about the cookie: the id is named by the request that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    Set(usize),
    Clear,
}

/// How a commit ended, for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Done,
    Gone,
    Failed,
}

// --- The specification: one session, changed by one request at a time, in the order of their commits. ---------------

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// The session under the id that every request came with.
    pub(crate) old: Option<Contents>,
    /// The session under the id that a request made.
    pub(crate) new: Option<(usize, Contents)>,
    /// The session has a user, so that who loaded it follows it to a new id.
    followed: bool,
    seen: [Option<Seen>; 4],
    version: u32,
}

#[derive(Clone, Debug)]
struct Seen {
    alive: bool,
    flash: Vec<usize>,
    version: u32,
}

/// A store that fails once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// The first or the second call of a commit.
    pub(crate) call: u32,
    pub(crate) after_effect: bool,
}

impl Spec {
    fn new(followed: bool) -> Self {
        let contents = Contents { a: -1, b: None, n: 10, list: vec![-1], flash: vec![9] };
        Self { old: Some(contents), new: None, followed, seen: [const { None }; 4], version: 0 }
    }

    pub(crate) fn load(&mut self, who: usize) {
        let flash = self.old.as_ref().map_or(Vec::new(), |contents| contents.flash.clone());
        self.seen[who] = Some(Seen { alive: self.old.is_some(), flash, version: self.version });
    }

    /// A request with this operation commits now.
    pub(crate) fn commit(&mut self, who: usize, op: Op, broken: Option<Break>) -> (Heard, Said) {
        let seen = self.seen[who].clone().expect("a request loads before it commits");
        if !seen.alive {
            // A straggler: nothing is written; a sign-out still clears its browser's cookie.
            return (Heard::Done, if op == Op::Destroy { Said::Clear } else { Said::Nothing });
        }
        if op == Op::TakeFlash && seen.flash.is_empty() {
            return (Heard::Done, Said::Nothing);
        }
        if let Some(broken) = broken {
            let is_behind = match (&self.old, &self.new) {
                (Some(_), _) => op != Op::Destroy && seen.version != self.version,
                // Where it is now is what the first call hears.
                (None, Some(_)) => self.followed,
                (None, None) => false,
            };
            let calls = if is_behind { 2 } else { 1 };
            if broken.call <= calls {
                // The call that has the effect is the last one.
                if broken.after_effect && broken.call == calls {
                    self.apply(who, op, &seen);
                }
                return (Heard::Failed, Said::Nothing);
            }
        }
        self.apply(who, op, &seen)
    }

    fn apply(&mut self, who: usize, op: Op, seen: &Seen) -> (Heard, Said) {
        if op == Op::Destroy {
            self.old = None;
            self.new.take_if(|_| self.followed);
            return (Heard::Done, Said::Clear);
        }
        let followed = self.new.as_mut().filter(|_| self.followed).map(|(_, contents)| contents);
        let Some(contents) = self.old.as_mut().or(followed) else { return (Heard::Gone, Said::Nothing) };
        self.version += 1;
        let value = who as i64;
        match op {
            Op::PutA => contents.a = value,
            Op::PutB => contents.b = Some(value),
            Op::Increment => contents.n += 1,
            Op::Push => contents.list.push(value),
            Op::TakeFlash => contents.flash.retain(|entry| !seen.flash.contains(entry)),
            Op::Flash => contents.flash.push(who),
            Op::Regenerate => {
                let contents = self.old.take().or_else(|| self.new.take().map(|(_, contents)| contents));
                self.new = contents.map(|contents| (who, contents));
                return (Heard::Done, Said::Set(who));
            }
            Op::Destroy => unreachable!("answered above"),
        }
        (Heard::Done, Said::Nothing)
    }
}

// --- The world: the real code. -----------------------------------------------------------------------------------------

#[derive(Clone)]
pub(crate) struct World {
    store: Rc<MemoryStore>,
    /// Every call that has changed the store, so that a fork can be made of it.
    history: Rc<Vec<StoreOp>>,
    visits: [Option<Rc<SessionState>>; 4],
    draws: [u8; 4],
    failed: [bool; 4],
    pub(crate) spec: Spec,
}

pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the memory store never waits"),
    }
}

/// The id that a request makes, if it makes one; the fifth is the one that all came with.
pub(crate) fn id(of: usize) -> SessionId {
    SessionId::from_bytes([of as u8 + 1; 32])
}

/// Hashed once: there are few, and millions of calls.
pub(crate) fn key(of: usize) -> StoreKey {
    static KEYS: LazyLock<[StoreKey; 5]> =
        LazyLock::new(|| std::array::from_fn(|which| id(which).store_key()));
    KEYS[of]
}

pub(crate) const CAME_WITH: usize = 4;

fn fresh(who: usize, draw: u8) -> Fresh {
    Fresh {
        id: Some(id(who)),
        etag: Etag::new(1_000 * (who as u64 + 1) + 10 * u64::from(draw)),
        nonce: [0; 24],
    }
}

pub(crate) fn perform(store: &MemoryStore, op: &StoreOp) -> Result<Written, StoreError> {
    now(async {
        match op {
            StoreOp::Create { key, record, now } => store.create(key, record, *now).await,
            StoreOp::Replace { key, expected, record, now } => {
                store.replace(key, *expected, record, *now).await
            }
            StoreOp::Touch { key, idle_deadline, now } => store.touch(key, *idle_deadline, *now).await,
            StoreOp::Destroy { key, tombstone_until } => store.destroy(key, *tombstone_until).await,
            StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
                store.rotate(old, *expected, new, record, *now, *tombstone_until).await
            }
            StoreOp::Revoke { .. } | StoreOp::Prolong { .. } => panic!("sessions are in a store"),
        }
    })
}

impl World {
    /// One session with something in it, of a user or of nobody.
    pub(crate) fn new(owner: Option<&str>) -> Self {
        let payload = br#"{"v":1,"data":{"a":-1,"n":10,"list":[-1]},"flash":[{"id":7,"in":"messages","key":["m9"],"value":9}]}"#;
        let record =
            Record::new(Etag::new(1), NOW, NOW.plus(Policy::default().age), payload.as_slice().into())
                .with_owner(owner.map(Into::into));
        let history = vec![StoreOp::Create { key: key(CAME_WITH), record, now: NOW }];
        Self {
            store: Rc::new(copy_of(&history)),
            history: Rc::new(history),
            visits: [const { None }; 4],
            draws: [0; 4],
            failed: [false; 4],
            spec: Spec::new(owner.is_some()),
        }
    }

    pub(crate) fn load(&mut self, who: usize) {
        let loaded = now(self.store.load(&key(CAME_WITH))).expect("the memory store does not fail");
        let state = SessionState::open(Arrival::with_id(id(CAME_WITH)), Ok(loaded), Access::ReadOnly, NOW);
        self.visits[who] = Some(Rc::new(state.expect("the record is of this version")));
        self.spec.load(who);
    }

    pub(crate) fn act(&mut self, who: usize, op: Op) {
        let state = Rc::make_mut(self.visits[who].as_mut().expect("a request loads before it acts"));
        let value = who as i64;
        match op {
            Op::PutA => state.data_mut().put("a", value).expect("fits"),
            Op::PutB => state.data_mut().put("b", value).expect("fits"),
            Op::Increment => drop(state.data_mut().increment("n").expect("a number")),
            Op::Push => state.data_mut().push("list", value).expect("a list"),
            Op::TakeFlash => state.take_flash(),
            Op::Flash => state.flash(FlashBag::Messages, format!("m{who}"), value).expect("fits"),
            Op::Regenerate => state.regenerate(|| Ok::<_, Infallible>(String::new())).expect("cannot fail"),
            Op::Destroy => state.destroy(),
        }
    }

    /// Commits, and checks that what came of it is what the specification says.
    pub(crate) fn commit(&mut self, who: usize, op: Op, broken: Option<Break>) {
        let heard = self.try_commit(who, broken);
        let expected = self.spec.commit(who, op, broken);
        self.failed[who] = heard.0 == Heard::Failed;
        assert_eq!(heard, expected, "request {who}: {op:?}, {broken:?}");
        if self.spec.old.is_none() {
            assert!(!self.is_live(CAME_WITH), "a dead key lives: request {who}, {op:?}, {broken:?}");
        }
    }

    pub(crate) fn try_commit(&mut self, who: usize, mut broken: Option<Break>) -> (Heard, Said) {
        let policy = Policy::default();
        let visit = self.visits[who].take().expect("a request loads before it commits");
        let state = Rc::unwrap_or_clone(visit);
        let draws = &mut self.draws[who];
        let mut draw = || {
            *draws += 1;
            Ok::<_, Infallible>(fresh(who, *draws))
        };
        let mut commit =
            Commit::begin(state, &policy, Trigger::Response, NOW, &mut draw).expect("small, and randomness");
        while let Some(op) = commit.step() {
            let fails = broken.as_mut().is_some_and(|broken| {
                broken.call = broken.call.saturating_sub(1);
                broken.call == 0
            });
            let skipped = fails && broken.is_some_and(|broken| !broken.after_effect);
            let mut answer = Err(StoreError::timeout("memory"));
            if !skipped {
                if Rc::strong_count(&self.store) > 1 {
                    self.store = Rc::new(copy_of(&self.history));
                }
                let answered = perform(&self.store, op);
                if matches!(answered, Ok(Written::Applied)) {
                    Rc::make_mut(&mut self.history).push(op.clone());
                }
                if !fails {
                    answer = answered;
                }
            }
            if fails {
                broken = None;
            }
            commit.answer(answer, || NOW, &mut draw);
        }
        let (state, outcome) = commit.finish();
        let heard = match outcome.result {
            Ok(()) => Heard::Done,
            Err(CommitError::Gone) => Heard::Gone,
            // A new id that is in use is the same one whenever it is drawn here: who tries again may give up.
            Err(CommitError::Store(_) | CommitError::Contended) => Heard::Failed,
            Err(other) => panic!("{other}"),
        };
        let said = match state.cookie() {
            CookieOrder::Keep => Said::Nothing,
            CookieOrder::Clear { .. } => Said::Clear,
            CookieOrder::SetId { id: set, .. } => {
                Said::Set((0..4).find(|who| id(*who) == *set).expect("an id that was drawn here"))
            }
            CookieOrder::SetRecord { .. } | CookieOrder::SetTouch { .. } => panic!("sessions are in a store"),
        };
        self.visits[who] = Some(Rc::new(state));
        (heard, said)
    }

    /// This request's last commit failed.
    pub(crate) fn has_failed(&self, who: usize) -> bool {
        self.failed[who]
    }

    pub(crate) fn is_live(&self, which: usize) -> bool {
        matches!(now(self.store.load(&key(which))), Ok(Loaded::Found(record)) if record.is_live(NOW))
    }

    /// Everything that is stored is what the specification says, and at most one id is alive.
    pub(crate) fn check_store(&self, known: &mut Known) {
        let expected = self.spec.old.as_ref().map(|contents| (CAME_WITH, contents));
        let expected = expected.or(self.spec.new.as_ref().map(|(who, contents)| (*who, contents)));
        for which in 0..=CAME_WITH {
            let found = known.contents(&self.store, which);
            let wanted = expected.filter(|(live, _)| *live == which).map(|(_, contents)| contents);
            assert_eq!(found.as_deref(), wanted, "under the id of {which}");
        }
    }
}

fn copy_of(history: &[StoreOp]) -> MemoryStore {
    let store = MemoryStore::builder().shards(1).build();
    for op in history {
        let again = perform(&store, op);
        assert!(matches!(again, Ok(Written::Applied)), "what applied once applies again");
    }
    store
}

/// Records that were read before: the same bytes say the same.
#[derive(Default)]
pub(crate) struct Known {
    read: HashMap<Vec<u8>, Rc<Contents>>,
}

impl Known {
    fn contents(&mut self, store: &MemoryStore, which: usize) -> Option<Rc<Contents>> {
        match now(store.load(&key(which))).expect("the memory store does not fail") {
            Loaded::Found(record) => {
                if let Some(contents) = self.read.get(&*record.payload) {
                    return Some(contents.clone());
                }
                let (bytes, contents) = (record.payload.to_vec(), Rc::new(read(which, record)));
                self.read.insert(bytes, contents.clone());
                Some(contents)
            }
            Loaded::Missing | Loaded::Ended { .. } => None,
        }
    }
}

/// As the next visit would find it.
fn read(which: usize, record: Record) -> Contents {
    let state =
        SessionState::open(Arrival::with_id(id(which)), Ok(Loaded::Found(record)), Access::ReadOnly, NOW);
    let state = state.expect("the record is of this version");
    let number = |key: &str| state.data().get::<i64>(key).expect("a number");
    Contents {
        a: number("a").expect("is never removed"),
        b: number("b"),
        n: number("n").expect("is never removed"),
        list: state.data().get("list").expect("a list").expect("is never removed"),
        flash: state
            .flashed(FlashBag::Messages)
            .iter()
            .map(|(_, value)| value.parse().expect("a number"))
            .collect(),
    }
}
