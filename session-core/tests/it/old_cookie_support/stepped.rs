//! Several requests with one old cookie, each on a server of its own, which advance by one store operation at a time.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use session_core::store::{Loaded, SessionStore, StoreError, StoreKey, async_trait};
use session_core::{adapter::*, *};
use session_store_memory::MemoryStore;
use session_testkit::{Call, Hook, Hooked, ManualClock, Outcome, ScriptedEntropy};

use super::{Jar, Kept, until};
use crate::driver_support::{finish, key};

/// What a request does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Read,
    Write,
    Renew,
    SignOut,
}

impl Act {
    /// Whether the old id is dead once this is acknowledged.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Renew | Self::SignOut)
    }
}

/// What a request's visitor was told.
#[derive(Clone, Debug)]
pub(crate) struct Ack {
    /// The request found the session.
    pub(crate) found: bool,
    /// Its change was acknowledged.
    pub(crate) done: bool,
    /// The jar after the response.
    pub(crate) jar: Jar,
}

/// What happened to each request, and every key that was asked for.
#[derive(Debug, Default)]
struct History {
    who: usize,
    steps: Vec<String>,
    keys: BTreeSet<StoreKey>,
}

/// Makes every operation wait for the next poll.
#[derive(Debug)]
struct Step {
    stores: [MemoryStore; 2],
    history: Arc<Mutex<History>>,
}

#[async_trait]
impl Hook for Step {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        let mut asked = false;
        poll_fn(|_| match std::mem::replace(&mut asked, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        self.history.lock().unwrap().keys.extend(call.key.into_iter().chain(call.new_key));
        Ok(())
    }

    async fn after(&self, call: &Call, outcome: Outcome) -> Result<(), StoreError> {
        let mut history = self.history.lock().unwrap();
        // What it was told is in the stores, which nobody has written since.
        let stores = content(&self.stores, &history.keys);
        let step = format!(
            "{:?} {} {outcome:?} {stores:x}\n",
            call.verb,
            call.key.map_or(String::new(), |key| key.to_string())
        );
        let who = history.who;
        history.steps[who].push_str(&step);
        Ok(())
    }
}

fn content(stores: &[MemoryStore; 2], keys: &BTreeSet<StoreKey>) -> u64 {
    let mut hash = DefaultHasher::new();
    for (store, key) in stores.iter().flat_map(|store| keys.iter().map(move |key| (store, key))) {
        match at_once(store.load(key)).unwrap() {
            Loaded::Missing => {}
            Loaded::Found(record) => {
                (key.as_bytes(), format!("{record:?}"), &*record.payload).hash(&mut hash)
            }
            other => (key.as_bytes(), format!("{other:?}")).hash(&mut hash),
        }
    }
    hash.finish()
}

/// A process that is gone finishes nothing.
#[derive(Debug)]
struct Dies;

impl Spawn for Dies {
    fn spawn(&self, _: BoxFuture<()>) {}
}

/// Requests with the same old cookie, which have come so far.
pub(crate) struct World {
    stores: [MemoryStore; 2],
    clock: ManualClock,
    to: (Kept, Kept),
    pub(crate) jar: Jar,
    history: Arc<Mutex<History>>,
    visits: Vec<Option<Pin<Box<dyn Future<Output = Ack>>>>>,
    pub(crate) acts: Vec<Act>,
    pub(crate) acks: Vec<Option<Ack>>,
}

impl World {
    /// Sessions were kept in the first place, and are kept in the second one.
    pub(crate) fn new(from: Kept, to: Kept, acts: &[Act]) -> Self {
        let memory = || MemoryStore::builder().shards(1).max_sessions(64).build();
        let (stores, clock) = ([memory(), memory()], ManualClock::default());
        let history =
            Arc::new(Mutex::new(History { steps: vec![String::new(); acts.len()], ..History::default() }));
        let mut world = Self {
            stores,
            clock,
            to: (from, to),
            jar: Jar::default(),
            history,
            visits: Vec::new(),
            acts: acts.to_vec(),
            acks: vec![None; acts.len()],
        };
        let before = world.server(
            world.stores.clone().map(|store| Arc::new(store) as Arc<dyn SessionStore>),
            99,
            false,
        );
        world.jar = at_once(request(before, Jar::default(), BEFORE, Act::Write)).jar;
        let visits = acts.iter().enumerate().map(|(who, act)| {
            let stores = world.stores.each_ref().map(|store| {
                let step = Step { stores: world.stores.clone(), history: world.history.clone() };
                Arc::new(Hooked::with(store.clone(), step)) as Arc<dyn SessionStore>
            });
            let server = world.server(stores, who as u32, true);
            let visit: Pin<Box<dyn Future<Output = Ack>>> =
                Box::pin(request(server, world.jar.clone(), who, *act));
            Some(visit)
        });
        world.visits = visits.collect();
        // Up to the first operation of each.
        (0..acts.len()).for_each(|who| world.step(who));
        world
    }

    /// A server with the current configuration, or with the earlier one.
    fn server(&self, [store, list]: [Arc<dyn SessionStore>; 2], seed: u32, is_current: bool) -> Sessions {
        let builder = Sessions::builder()
            .key(key(1))
            .clock(self.clock.clone())
            .entropy(ScriptedEntropy::seeded(seed + 1))
            .most_sessions(usize::MAX);
        let (from, to) = self.to;
        let placed = |builder: SessionsBuilder, kept| match kept {
            Kept::Store => builder.shared_store(store.clone()),
            Kept::Cookie => builder.in_cookie(),
            Kept::Listed => builder.in_cookie().shared_revocations(list.clone()),
        };
        let old = OldCookie::new(Cookie::host("old"));
        let old = match from {
            Kept::Store if to == Kept::Store => old,
            Kept::Store => old.shared_store(store.clone()),
            Kept::Cookie => old.in_cookie(),
            Kept::Listed => old.shared_revocations(list.clone()),
        };
        let builder = match is_current {
            true => placed(builder, to).migrate_from_cookie(old, until()),
            false => placed(builder, from).cookie(Cookie::host("old")),
        };
        builder.build().unwrap()
    }

    pub(crate) fn open(&self) -> Vec<usize> {
        (0..self.visits.len()).filter(|who| self.visits[*who].is_some()).collect()
    }

    /// Lets a request perform one store operation.
    pub(crate) fn step(&mut self, who: usize) {
        self.history.lock().unwrap().who = who;
        let Some(visit) = &mut self.visits[who] else { return };
        if let Poll::Ready(ack) = visit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.visits[who] = None;
            self.acks[who] = Some(ack);
        }
    }

    /// The process of this request dies.
    pub(crate) fn die(&mut self, who: usize) {
        self.visits[who] = None;
    }

    /// Everything that the future depends on.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        let history = self.history.lock().unwrap();
        history.steps.hash(&mut hash);
        (self.open(), content(&self.stores, &history.keys)).hash(&mut hash);
        hash.finish()
    }

    /// The requests whose writes the next one with these cookies finds, if it finds the session.
    pub(crate) fn found_by(&self, jar: &Jar) -> Option<Vec<usize>> {
        let server =
            self.server(self.stores.clone().map(|store| Arc::new(store) as Arc<dyn SessionStore>), 77, true);
        let cookies = jar.cookies();
        let guard = server.visit(cookies.iter().collect(), &Dies);
        let session = at_once(guard.visit().session()).unwrap();
        let written = (0..10).filter(|who| session.exists(&*format!("k{who}")).unwrap()).collect::<Vec<_>>();
        (!written.is_empty()).then_some(written)
    }

    /// The number of live sessions in the store.
    pub(crate) fn alive(&self) -> usize {
        at_once(self.stores[0].owners().unwrap().count("ada", self.clock.now())).unwrap()
    }

    /// Every tombstone's time is over.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
        for store in &self.stores {
            let mut sweep = store.sweeper().unwrap().sweep(self.clock.now(), 1_000);
            while sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
        }
    }

    pub(crate) fn story(&self) -> String {
        let history = self.history.lock().unwrap();
        let told = self.acts.iter().zip(&history.steps).zip(&self.acks);
        told.map(|((act, steps), ack)| format!("{act:?} ({ack:?}):\n{steps}")).collect()
    }
}

async fn request(server: Sessions, mut jar: Jar, who: usize, act: Act) -> Ack {
    let cookies = jar.cookies();
    let guard = server.visit(cookies.iter().collect(), &Dies);
    let session = guard.visit().session().await.unwrap();
    let found = !session.status().fresh();
    match act {
        Act::Read => {}
        Act::Write => {
            session.tag("ada").unwrap();
            session.put(&*format!("k{who}"), who).unwrap();
        }
        Act::Renew => session.regenerate().unwrap(),
        Act::SignOut => session.destroy().unwrap(),
    }
    let report = finish(guard, 200).await;
    jar.hear(&report);
    Ack { found, done: report.error.is_none() && found, jar }
}

/// The request that made the session.
pub(crate) const BEFORE: usize = 9;

pub(crate) fn at_once<O>(future: impl Future<Output = O>) -> O {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory waits for nothing"),
    }
}
