//! The store server: a memory store behind a listener. What it has acknowledged survives a crash of its host, unless it
//! is one of the servers with a flaw, which the simulation has to find.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use session_core::Timestamp;
use session_core::store::{Cursor, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, Written};
use session_store_memory::MemoryStore;
use tokio::task::spawn_local;
use turmoil::net::{TcpListener, TcpStream};

use crate::flaw::Flaw;
use crate::history::History;
use crate::store_client::STORE_PORT;
use crate::wire::{self, Reply, Request, key};

/// What the store server keeps when its host crashes.
pub(crate) struct Disk {
    flaw: Flaw,
    store: RefCell<MemoryStore>,
    /// With [`Flaw::AcknowledgesTooEarly`]: every write, and how many of them are kept.
    log: RefCell<Vec<Request>>,
    kept: Cell<usize>,
}

/// A live session, as the store holds it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) count: u64,
    pub(crate) log: Vec<String>,
}

impl Disk {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, store: RefCell::new(empty()), log: RefCell::default(), kept: Cell::new(0) }
    }

    /// Returns the live sessions of this user.
    pub(crate) async fn sessions_of(&self, user: &str, now: Timestamp) -> Result<Vec<Live>, StoreError> {
        let store = self.store();
        let listed = store.list(user, now).await?;
        Ok(listed.into_iter().map(|(key, record)| live(key.to_string(), &record)).collect())
    }

    fn store(&self) -> MemoryStore {
        self.store.borrow().clone()
    }

    /// Starts from what was kept.
    async fn start(&self) -> Result<(), StoreError> {
        if self.flaw == Flaw::AcknowledgesTooEarly {
            self.log.borrow_mut().truncate(self.kept.get());
            self.store.replace(empty());
            let log = self.log.borrow().clone();
            for request in log {
                apply(&self.store(), request).await?;
            }
        }
        Ok(())
    }

    async fn call(&self, request: Request) -> Result<Reply, StoreError> {
        let store = self.store();
        if self.flaw == Flaw::AcknowledgesTooEarly {
            self.log.borrow_mut().push(request.clone());
        }
        let request = match (self.flaw, request) {
            (Flaw::IgnoresTheEtag, Request::Replace { key: at, record, now, expected }) => {
                let expected = match store.load(&key(&at)).await? {
                    Loaded::Found(there) => there.etag.get(),
                    Loaded::Missing | Loaded::Ended { .. } => expected,
                };
                Request::Replace { key: at, record, now, expected }
            }
            (Flaw::KeepsTheOldKey, Request::Rotate { new, record, now, .. }) => {
                Request::Create { key: new, record, now }
            }
            (_, request) => request,
        };
        let destroys = matches!(request, Request::Destroy { .. });
        let reply = apply(&store, request).await?;
        Ok(match (self.flaw, reply) {
            (Flaw::ForgetsTombstones, Reply::Ended { .. }) => Reply::Missing,
            (Flaw::ForgetsTombstones, Reply::Moved { .. }) if destroys => Reply::Applied,
            (Flaw::ForgetsTombstones, Reply::Moved { .. }) => Reply::Gone,
            (_, reply) => reply,
        })
    }
}

/// A store for the few sessions of a run.
fn empty() -> MemoryStore {
    MemoryStore::builder().max_sessions(1_000).max_bytes(usize::MAX).build()
}

/// The program of the store's host.
pub(crate) async fn serve(disk: Rc<Disk>, history: Rc<History>) -> turmoil::Result {
    disk.start().await?;
    if disk.flaw == Flaw::AcknowledgesTooEarly {
        let disk = disk.clone();
        spawn_local(async move {
            loop {
                tokio::time::sleep(LATER).await;
                disk.kept.set(disk.log.borrow().len());
            }
        });
    }
    let listener = TcpListener::bind(("0.0.0.0", STORE_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (disk, history) = (disk.clone(), history.clone());
        // A connection ends with an error when its client goes away.
        spawn_local(async move { connection(stream, &disk, &history).await });
    }
}

async fn connection(mut stream: TcpStream, disk: &Disk, history: &History) -> io::Result<()> {
    loop {
        let request: Request = wire::read(&mut stream).await?;
        let asked = short(&request);
        let reply = disk.call(request).await.map_err(io::Error::other)?;
        history.note(format_args!("store: {asked} -> {}", outcome(&reply)));
        wire::write(&mut stream, &reply).await?;
    }
}

async fn apply(store: &MemoryStore, request: Request) -> Result<Reply, StoreError> {
    let at = Timestamp::from_millis;
    let written = match request {
        Request::Load { key: of } => {
            return Ok(match store.load(&key(&of)).await? {
                Loaded::Missing => Reply::Missing,
                Loaded::Ended { until } => Reply::Ended { until: until.as_millis() },
                Loaded::Found(record) => Reply::Found((&record).into()),
            });
        }
        Request::Page { owner, from, most, now } => {
            let page = store.page(&owner, from.map(Cursor::new).as_ref(), most, at(now)).await?;
            let next = page.next.map(|cursor| cursor.as_str().to_owned());
            let entries = page.entries.iter().map(|(key, record)| (key.to_string(), record.into()));
            return Ok(Reply::Page { entries: entries.collect(), next });
        }
        Request::DestroyAll { owner, except, now, until } => {
            let except = except.map(|except| key(&except));
            let ended = store.destroy_all(&owner, except.as_ref(), at(now), at(until)).await?;
            return Ok(Reply::Destroyed(ended));
        }
        Request::Create { key: of, record, now } => store.create(&key(&of), &record.into(), at(now)).await?,
        Request::Replace { key: of, expected, record, now } => {
            store.replace(&key(&of), Etag::new(expected), &record.into(), at(now)).await?
        }
        Request::Touch { key: of, idle_deadline, now } => {
            store.touch(&key(&of), at(idle_deadline), at(now)).await?
        }
        Request::Destroy { key: of, until } => store.destroy(&key(&of), at(until)).await?,
        Request::Rotate { old, expected, new, record, now, until } => {
            let (old, new) = (key(&old), key(&new));
            store.rotate(&old, Etag::new(expected), &new, &record.into(), at(now), at(until)).await?
        }
    };
    Ok(match written {
        Written::Applied => Reply::Applied,
        Written::Conflict(record) => Reply::Conflict((&record).into()),
        Written::Moved { key, record } => Reply::Moved { key: key.to_string(), record: (&record).into() },
        Written::Gone => Reply::Gone,
        Written::Taken => Reply::Taken,
    })
}

/// Reads what the application keeps in its sessions.
fn live(key: String, record: &Record) -> Live {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Payload {
        data: Data,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Data {
        name: Option<String>,
        count: u64,
        log: Vec<String>,
    }
    let Payload { data } = serde_json::from_slice(&record.payload).expect("the core writes JSON");
    Live { key, name: data.name, count: data.count, log: data.log }
}

fn short(request: &Request) -> String {
    let cut = |key: &str| key[..6].to_owned();
    match request {
        Request::Load { key } => format!("load {}", cut(key)),
        Request::Create { key, .. } => format!("create {}", cut(key)),
        Request::Replace { key, expected, .. } => format!("replace {} over {expected:x}", cut(key)),
        Request::Touch { key, .. } => format!("touch {}", cut(key)),
        Request::Destroy { key, .. } => format!("destroy {}", cut(key)),
        Request::Rotate { old, new, expected, .. } => {
            format!("rotate {} over {expected:x} to {}", cut(old), cut(new))
        }
        Request::Page { owner, .. } => format!("page of {owner}"),
        Request::DestroyAll { owner, .. } => format!("destroy all of {owner}"),
    }
}

fn outcome(reply: &Reply) -> String {
    match reply {
        Reply::Missing => "missing".to_owned(),
        Reply::Ended { .. } => "ended".to_owned(),
        Reply::Found(_) => "found".to_owned(),
        Reply::Applied => "applied".to_owned(),
        Reply::Conflict(_) => "conflict".to_owned(),
        Reply::Moved { key, .. } => format!("moved to {}", &key[..6]),
        Reply::Gone => "gone".to_owned(),
        Reply::Taken => "taken".to_owned(),
        Reply::Page { entries, .. } => format!("{} sessions", entries.len()),
        Reply::Destroyed(count) => format!("{count} ended"),
    }
}

/// How late a store that acknowledges too early keeps its writes.
const LATER: Duration = Duration::from_millis(250);
