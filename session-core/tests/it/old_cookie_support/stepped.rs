//! Several requests with one old cookie, each on a server of its own, which advance by one store operation at a time.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use session_core::store::{Loaded, Record, SessionStore, StoreError, StoreKey, Written, async_trait};
use session_core::{adapter::*, *};
use session_store_memory::MemoryStore;
use session_testkit::{Call, Hook, Hooked, ManualClock, Outcome};

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

/// Random numbers that begin anew with each world, so that a path makes the same world again.
#[derive(Clone, Debug)]
struct Drawn(u64, Arc<AtomicU64>);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), error::EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            let mut hash = DefaultHasher::new();
            (self.0, self.1.fetch_add(1, SeqCst)).hash(&mut hash);
            chunk.copy_from_slice(&hash.finish().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A server for each request, on the same stores. They are used for one world after the other: keys take long to prepare.
pub(crate) struct Servers {
    stores: [MemoryStore; 2],
    clock: ManualClock,
    history: Arc<Mutex<History>>,
    drawn: Vec<Drawn>,
    stepped: Vec<Sessions>,
    /// For whoever comes next.
    next: Sessions,
    jar: Jar,
    first: Option<(StoreKey, Record)>,
}

impl Servers {
    /// Sessions were kept in the first place, and are kept in the second one.
    pub(crate) fn new(from: Kept, to: Kept, requests: usize) -> Self {
        let memory = || MemoryStore::builder().shards(1).max_sessions(64).build();
        let (stores, clock) = ([memory(), memory()], ManualClock::default());
        let history = Arc::new(Mutex::new(History::default()));
        let step = |store: &MemoryStore| {
            let step = Step { stores: stores.clone(), history: history.clone() };
            Arc::new(Hooked::with(store.clone(), step)) as Arc<dyn SessionStore>
        };
        let plain = |store: &MemoryStore| Arc::new(store.clone()) as Arc<dyn SessionStore>;
        let mut drawn = Vec::new();
        let mut server = |[store, list]: [Arc<dyn SessionStore>; 2], is_current: bool| {
            drawn.push(Drawn(drawn.len() as u64, Arc::default()));
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
            let builder = Sessions::builder().key(key(1)).clock(clock.clone()).most_sessions(usize::MAX);
            let builder = builder.entropy(drawn[drawn.len() - 1].clone());
            let builder = match is_current {
                true => placed(builder, to).migrate_from_cookie(old, until()),
                false => placed(builder, from).cookie(Cookie::host("old")),
            };
            builder.build().unwrap()
        };
        let before = server(stores.each_ref().map(plain), false);
        let jar = at_once(request(before, Jar::default(), BEFORE, Act::Write)).jar;
        let index = stores[0].owners().unwrap();
        let first = at_once(index.list("ada", clock.now())).unwrap().pop();
        let next = server(stores.each_ref().map(plain), true);
        let stepped = (0..requests).map(|_| server(stores.each_ref().map(step), true)).collect();
        Self { stores, clock, history, drawn, stepped, next, jar, first }
    }

    /// Begins anew.
    fn reset(&self, requests: usize) {
        self.clock.set(ManualClock::default().now());
        self.drawn.iter().for_each(|drawn| drawn.1.store(0, SeqCst));
        *self.history.lock().unwrap() =
            History { steps: vec![String::new(); requests], ..History::default() };
        self.stores.iter().for_each(|store| sweep(store, Timestamp::from_millis(i64::MAX)));
        if let Some((key, record)) = &self.first {
            let created = at_once(self.stores[0].create(key, record, self.clock.now()));
            assert_eq!(created.unwrap(), Written::Applied);
        }
    }
}

/// Requests with the same old cookie, which have come so far.
pub(crate) struct World<'s> {
    servers: &'s Servers,
    visits: Vec<Option<Pin<Box<dyn Future<Output = Ack>>>>>,
    pub(crate) acts: Vec<Act>,
    pub(crate) acks: Vec<Option<Ack>>,
}

impl<'s> World<'s> {
    pub(crate) fn new(servers: &'s Servers, acts: &[Act]) -> Self {
        servers.reset(acts.len());
        let visits = acts.iter().zip(&servers.stepped).enumerate().map(|(who, (act, server))| {
            let visit: Pin<Box<dyn Future<Output = Ack>>> =
                Box::pin(request(server.clone(), servers.jar.clone(), who, *act));
            Some(visit)
        });
        let visits = visits.collect();
        let mut world = Self { servers, visits, acts: acts.to_vec(), acks: vec![None; acts.len()] };
        // Up to the first operation of each.
        (0..acts.len()).for_each(|who| world.step(who));
        world
    }

    /// The cookies that the requests came with.
    pub(crate) fn old(&self) -> &Jar {
        &self.servers.jar
    }

    pub(crate) fn open(&self) -> Vec<usize> {
        (0..self.visits.len()).filter(|who| self.visits[*who].is_some()).collect()
    }

    /// Lets a request perform one store operation.
    pub(crate) fn step(&mut self, who: usize) {
        self.servers.history.lock().unwrap().who = who;
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
        let history = self.servers.history.lock().unwrap();
        history.steps.hash(&mut hash);
        (self.open(), content(&self.servers.stores, &history.keys)).hash(&mut hash);
        hash.finish()
    }

    /// The requests whose writes the next one with these cookies finds, if it finds the session.
    pub(crate) fn found_by(&self, jar: &Jar) -> Option<Vec<usize>> {
        let cookies = jar.cookies();
        let guard = self.servers.next.visit(cookies.iter().collect(), &Dies);
        let session = at_once(guard.visit().session()).unwrap();
        let written = (0..10).filter(|who| session.exists(&*format!("k{who}"))).collect::<Vec<_>>();
        (!written.is_empty()).then_some(written)
    }

    /// The number of live sessions in the store.
    pub(crate) fn alive(&self) -> usize {
        at_once(self.servers.stores[0].owners().unwrap().count("ada", self.servers.clock.now())).unwrap()
    }

    /// Every tombstone's time is over.
    pub(crate) fn pass(&self, seconds: u64) {
        self.servers.clock.advance(std::time::Duration::from_secs(seconds));
        self.servers.stores.iter().for_each(|store| sweep(store, self.servers.clock.now()));
    }

    pub(crate) fn story(&self) -> String {
        let history = self.servers.history.lock().unwrap();
        let told = self.acts.iter().zip(&history.steps).zip(&self.acks);
        told.map(|((act, steps), ack)| format!("{act:?} ({ack:?}):\n{steps}")).collect()
    }
}

fn sweep(store: &MemoryStore, before: Timestamp) {
    let mut sweep = store.sweeper().unwrap().sweep(before, 1_000);
    // The memory store steps aside between shards.
    while sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
}

async fn request(server: Sessions, mut jar: Jar, who: usize, act: Act) -> Ack {
    let cookies = jar.cookies();
    let guard = server.visit(cookies.iter().collect(), &Dies);
    let session = guard.visit().session().await.unwrap();
    let found = !session.status().fresh();
    match act {
        Act::Read => {}
        Act::Write if who == BEFORE => {
            session.tag("ada").unwrap();
            session.put(&*format!("k{who}"), who).unwrap();
        }
        Act::Write => session.put(&*format!("k{who}"), who).unwrap(),
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
