//! A world of two stores and several visits, each of which advances by one store operation at a time.

mod stepped;

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_core::Timestamp;
use session_core::store::{
    Etag, Loaded, MigratingStore, OwnerIndex, Record, SessionStore, StoreKey, Sweep, Written,
};
use session_store_memory::MemoryStore;

use self::stepped::{History, Stepped};

/// What a visit does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Write,
    Touch,
    Rotate,
    SignOut,
    EndAll,
    Read,
    /// What `sessions-admin migrate --all` does.
    Move,
    /// Every tombstone's life is over, and that of every note that only points the way.
    Sweep,
}

impl Act {
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::SignOut | Self::EndAll)
    }
}

/// Which process the visit comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Moving,
    Standby,
}

/// What the visitor was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ack {
    Done,
    /// There is no such session any more.
    Gone,
}

type Store = Arc<MigratingStore<Stepped, Stepped>>;

/// Two stores, and visits that have come so far.
pub(crate) struct World {
    to: MemoryStore,
    from: MemoryStore,
    /// Looks at both without waiting.
    observer: MigratingStore<MemoryStore, MemoryStore>,
    history: Arc<Mutex<History>>,
    visits: Vec<Option<Pin<Box<dyn Future<Output = Ack>>>>>,
    acts: Vec<Act>,
    nodes: Vec<Node>,
    pub(crate) acks: Vec<Option<Ack>>,
}

impl World {
    pub(crate) fn new(visits: &[(Act, Node)]) -> Self {
        let memory = || MemoryStore::builder().shards(1).max_sessions(64).build();
        let (to, from) = (memory(), memory());
        let mut history = History { steps: vec![String::new(); visits.len()], ..History::default() };
        history.names.insert(FIRST.get(), "first".to_owned());
        let history = Arc::new(Mutex::new(history));
        let first =
            Record::new(FIRST, NOW, NOW.plus(HOUR), b"".as_slice().into()).with_owner(Some(ADA.into()));
        assert_eq!(at_once(from.create(&KEY, &first, NOW)).unwrap(), Written::Applied);
        let stepped = |label, inner: &MemoryStore| {
            Arc::new(Stepped { label, inner: inner.clone(), history: history.clone() })
        };
        let store = || MigratingStore::shared(stepped("to", &to), stepped("from", &from));
        let visits_now = visits.iter().enumerate().map(|(who, (act, node))| {
            let store = match node {
                Node::Moving => store(),
                Node::Standby => store().standby(),
            };
            let visit: Pin<Box<dyn Future<Output = Ack>>> = Box::pin(visit(Arc::new(store), who, *act));
            Some(visit)
        });
        let mut world = Self {
            visits: visits_now.collect(),
            observer: MigratingStore::new(to.clone(), from.clone()),
            to,
            from,
            history,
            acts: visits.iter().map(|(act, _)| *act).collect(),
            nodes: visits.iter().map(|(_, node)| *node).collect(),
            acks: vec![None; visits.len()],
        };
        // Up to the first operation of each.
        (0..visits.len()).for_each(|who| world.step(who));
        world
    }

    pub(crate) fn open(&self) -> Vec<usize> {
        (0..self.visits.len()).filter(|who| self.visits[*who].is_some()).collect()
    }

    /// Lets a visit perform one store operation.
    pub(crate) fn step(&mut self, who: usize) {
        self.history.lock().unwrap().who = who;
        let Some(visit) = &mut self.visits[who] else { return };
        if let Poll::Ready(ack) = visit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.visits[who] = None;
            self.acks[who] = Some(ack);
        }
    }

    /// The process of this visit dies.
    pub(crate) fn die(&mut self, who: usize) {
        self.visits[who] = None;
    }

    /// Everything that the future depends on.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let history = self.history.lock().unwrap();
        history.steps.hash(&mut hash);
        self.acks.hash(&mut hash);
        self.open().hash(&mut hash);
        for store in [&self.to, &self.from] {
            for key in all_keys() {
                history.text_of(&at_once(store.load(&key))).hash(&mut hash);
            }
        }
        hash.finish()
    }

    /// The sessions that are alive: their keys and records.
    pub(crate) fn alive(&self) -> Vec<(StoreKey, Record)> {
        let found =
            all_keys().into_iter().filter_map(|key| match at_once(self.observer.load(&key)).unwrap() {
                Loaded::Found(record) if record.is_live(NOW) => Some((key, record)),
                _ => None,
            });
        found.collect()
    }

    /// What must hold at every moment.
    pub(crate) fn check(&self, was_dead: bool) {
        let alive = self.alive();
        let ended = self.ended();
        let may_end = self.acts.iter().any(|act| act.ends());
        assert!(alive.len() <= 1, "the session lives twice: {alive:?}\n{}", self.story());
        assert!(
            !(ended || was_dead) || alive.is_empty(),
            "a dead session lives: {alive:?}\n{}",
            self.story()
        );
        assert!(may_end || alive.len() == 1, "the session is lost\n{}", self.story());
        let index = self.observer.owners().unwrap();
        let mut listed: Vec<_> = at_once(index.page(ADA, None, 10, NOW)).unwrap().entries;
        listed.sort_by_key(|(key, _)| *key);
        assert!(listed == alive, "the index lists {listed:?}, alive is {alive:?}\n{}", self.story());
        assert_eq!(at_once(index.count(ADA, NOW)).unwrap(), alive.len(), "{}", self.story());
        let Some((_, record)) = alive.first() else { return };
        // A write brings a deadline of its own.
        let touches_last = !self.acts.iter().any(|act| matches!(act, Act::Write | Act::Rotate));
        for (who, act) in self.acts.iter().enumerate() {
            if self.acks[who] == Some(Ack::Done) && *act == Act::Write {
                assert!(
                    record.payload.contains(&line(who)),
                    "the write of {who} is lost: {record:?}\n{}",
                    self.story()
                );
            }
            if self.acks[who] == Some(Ack::Done) && *act == Act::Touch && self.nodes[who] == Node::Moving {
                assert!(
                    !touches_last || record.idle_deadline >= touched(who),
                    "the touch of {who} is lost\n{}",
                    self.story()
                );
            }
        }
        // A request with an id that a rotation has replaced finds no session.
        let may_be_gone = may_end || self.acts.contains(&Act::Rotate);
        for (who, ack) in self.acks.iter().enumerate() {
            assert!(*ack != Some(Ack::Gone) || may_be_gone, "{who} finds no session\n{}", self.story());
        }
    }

    /// What must hold when everybody has left: whoever comes next finds the same, now and after all tombstones.
    pub(crate) fn check_end(&self) {
        let was_dead = self.alive().is_empty();
        self.check(was_dead);
        at_once_or_later(self.observer.sweep(SWEPT, 1_000)).unwrap();
        self.check(was_dead);
        for key in all_keys() {
            at_once(self.observer.move_session(&key, NOW)).unwrap();
        }
        self.check(was_dead);
        if let Some((key, _)) = self.alive().first() {
            assert!(matches!(at_once(self.to.load(key)).unwrap(), Loaded::Found(_)), "it has moved");
            assert_eq!(at_once(self.observer.destroy(key, NOW)).unwrap(), Written::Applied);
            assert!(self.alive().is_empty());
        }
        at_once_or_later(self.observer.sweep(SWEPT, 1_000)).unwrap();
        assert!(self.alive().is_empty(), "nothing comes back after the tombstones\n{}", self.story());
    }

    fn ended(&self) -> bool {
        (0..self.acts.len()).any(|who| self.acts[who].ends() && self.acks[who] == Some(Ack::Done))
    }

    fn story(&self) -> String {
        let history = self.history.lock().unwrap();
        let visits = self.acts.iter().zip(&history.steps).zip(&self.acks);
        let told = visits.map(|((act, steps), ack)| format!("{act:?} ({ack:?}):\n{steps}"));
        let stores = [("to", &self.to), ("from", &self.from)].map(|(name, store)| {
            let held = all_keys().map(|key| history.text_of(&at_once(store.load(&key))));
            format!("{name} holds {held:?}")
        });
        format!("{}\n{}", told.collect::<Vec<_>>().join("\n"), stores.join("\n"))
    }
}

/// One visit, as the engine would make it.
async fn visit(store: Store, who: usize, act: Act) -> Ack {
    match act {
        Act::Read => return gone_unless(live(&store).await.is_some()),
        Act::Move => return gone_unless(store.move_session(&KEY, NOW).await.unwrap()),
        Act::Sweep => {
            store.sweep(SWEPT, 1_000).await.unwrap();
            return Ack::Done;
        }
        Act::EndAll => {
            store.destroy_all(ADA, None, NOW, TOMBSTONE).await.unwrap();
            return Ack::Done;
        }
        Act::SignOut => {
            let mut key = KEY;
            while let Written::Moved { key: to, .. } = store.destroy(&key, TOMBSTONE).await.unwrap() {
                key = to;
            }
            return Ack::Done;
        }
        Act::Write | Act::Touch | Act::Rotate => {}
    }
    let Some(mut current) = live(&store).await else { return Ack::Gone };
    let (mut key, new) = (KEY, StoreKey::from_bytes([10 + u8::try_from(who).unwrap(); 32]));
    for attempt in 0.. {
        // The same in every run, and never twice.
        let etag = Etag::new(1_000 * (who as u64 + 1) + attempt);
        let next = current.clone().with_etag(etag);
        let written = match act {
            Act::Touch => store.touch(&key, touched(who), NOW).await,
            Act::Rotate => store.rotate(&key, current.etag, &new, &next, NOW, TOMBSTONE).await,
            _ => {
                let payload = [&*current.payload, &[line(who)]].concat();
                store.replace(&key, current.etag, &next.with_payload(payload.into()), NOW).await
            }
        };
        match written.unwrap() {
            Written::Applied => return Ack::Done,
            Written::Conflict(newer) => current = newer,
            Written::Moved { key: to, record } => (key, current) = (to, record),
            Written::Gone if act == Act::Touch => return Ack::Done,
            Written::Gone => return Ack::Gone,
            Written::Taken => panic!("nobody else has this key"),
        }
    }
    unreachable!()
}

async fn live(store: &Store) -> Option<Record> {
    match store.load(&KEY).await.unwrap() {
        Loaded::Found(record) if record.is_live(NOW) => Some(record),
        _ => None,
    }
}

fn gone_unless(found: bool) -> Ack {
    if found { Ack::Done } else { Ack::Gone }
}

fn line(who: usize) -> u8 {
    b'a' + u8::try_from(who).unwrap()
}

fn touched(who: usize) -> Timestamp {
    NOW.plus(HOUR * (u32::try_from(who).unwrap() + 2))
}

fn all_keys() -> [StoreKey; 4] {
    [1, 10, 11, 12].map(|byte| StoreKey::from_bytes([byte; 32]))
}

fn at_once<O>(future: impl Future<Output = O>) -> O {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory waits for nothing"),
    }
}

fn at_once_or_later<O>(future: impl Future<Output = O>) -> O {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

const ADA: &str = "ada";
const KEY: StoreKey = StoreKey::from_bytes([1; 32]);
const FIRST: Etag = Etag::new(1);
const HOUR: Duration = Duration::from_secs(3_600);
const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
const TOMBSTONE: Timestamp = Timestamp::from_millis(1_000_060_000);
/// After every tombstone and every brief note, and before the session expires.
const SWEPT: Timestamp = Timestamp::from_millis(1_001_200_000);
