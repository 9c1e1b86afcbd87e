//! The store client of an application server: a pool of connections, a deadline for each call, and a new connection after
//! each failure. A call that was sent is never repeated.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use session_core::Timestamp;
use session_core::store::{
    Cursor, Etag, Loaded, OwnerIndex, Page, Record, SessionStore, StoreError, StoreKey, Written, async_trait,
};
use tokio::io::ReadBuf;
use tokio::time::timeout;
use turmoil::net::TcpStream;

use crate::flaw::Flaw;
use crate::wire::{self, Reply, Request};

/// The host of the store server, and its port.
pub(crate) const STORE: &str = "store";
pub(crate) const STORE_PORT: u16 = 7000;

/// A store on another host.
#[derive(Debug)]
pub(crate) struct RemoteStore {
    flaw: Flaw,
    // A std mutex: nothing awaits while it is held.
    idle: Mutex<Vec<TcpStream>>,
}

impl RemoteStore {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, idle: Mutex::default() }
    }

    async fn call(&self, request: Request) -> Result<Reply, StoreError> {
        match timeout(DEADLINE, self.exchange(&request)).await {
            Ok(Ok(reply)) => Ok(reply),
            _ if self.flaw == Flaw::TakesFailuresForMissing && matches!(request, Request::Load { .. }) => {
                Ok(Reply::Missing)
            }
            Ok(Err(error)) => Err(StoreError::unavailable(NAME, error)),
            Err(_) => Err(StoreError::timeout(NAME)),
        }
    }

    async fn write(&self, request: Request) -> Result<Written, StoreError> {
        match self.call(request).await? {
            Reply::Applied => Ok(Written::Applied),
            Reply::Conflict(record) => Ok(Written::Conflict(record.into())),
            Reply::Moved { key, record } => {
                Ok(Written::Moved { key: wire::key(&key), record: record.into() })
            }
            Reply::Gone => Ok(Written::Gone),
            Reply::Taken => Ok(Written::Taken),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends the request and reads the reply. The connection is kept only after both.
    async fn exchange(&self, request: &Request) -> io::Result<Reply> {
        let mut stream = match self.take_idle() {
            Some(stream) => stream,
            None => TcpStream::connect((STORE, STORE_PORT)).await?,
        };
        wire::write(&mut stream, request).await?;
        let reply = wire::read(&mut stream).await?;
        self.lock().push(stream);
        Ok(reply)
    }

    /// Returns a connection that the server has not closed, as far as this host knows.
    fn take_idle(&self) -> Option<TcpStream> {
        let mut idle = self.lock();
        while let Some(mut stream) = idle.pop() {
            let mut byte = [0];
            let mut context = Context::from_waker(Waker::noop());
            if stream.poll_peek(&mut context, &mut ReadBuf::new(&mut byte)).is_pending() {
                return Some(stream);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unexpected(reply: &Reply) -> StoreError {
    StoreError::unavailable(NAME, io::Error::other(format!("the reply to another call: {reply:?}")))
}

#[async_trait]
impl SessionStore for RemoteStore {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        match self.call(Request::Load { key: key.to_string() }).await? {
            Reply::Missing => Ok(Loaded::Missing),
            Reply::Ended { until } => Ok(Loaded::Ended { until: Timestamp::from_millis(until) }),
            Reply::Found(record) => Ok(Loaded::Found(record.into())),
            other => Err(unexpected(&other)),
        }
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.write(Request::Create { key: key.to_string(), record: record.into(), now: now.as_millis() })
            .await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let (key, expected, now) = (key.to_string(), expected.get(), now.as_millis());
        self.write(Request::Replace { key, expected, record: record.into(), now }).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let (idle_deadline, now) = (idle_deadline.as_millis(), now.as_millis());
        self.write(Request::Touch { key: key.to_string(), idle_deadline, now }).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        self.write(Request::Destroy { key: key.to_string(), until: tombstone_until.as_millis() }).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.write(Request::Rotate {
            old: old.to_string(),
            expected: expected.get(),
            new: new.to_string(),
            record: record.into(),
            now: now.as_millis(),
            until: tombstone_until.as_millis(),
        })
        .await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }
}

#[async_trait]
impl OwnerIndex for RemoteStore {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let from = from.map(|cursor| cursor.as_str().to_owned());
        let request = Request::Page { owner: owner.to_owned(), from, most, now: now.as_millis() };
        match self.call(request).await? {
            Reply::Page { entries, next } => {
                let entries = entries.into_iter().map(|(key, record)| (wire::key(&key), record.into()));
                Ok(Page::new(entries.collect(), next.map(Cursor::new)))
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (now, until) = (now.as_millis(), tombstone_until.as_millis());
        let except = except.map(StoreKey::to_string);
        let request = Request::DestroyAll { owner: owner.to_owned(), except, now, until };
        match self.call(request).await? {
            Reply::Destroyed(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }
}

const NAME: &str = "simulated";
/// How long a call may take in simulated time.
const DEADLINE: Duration = Duration::from_millis(400);
