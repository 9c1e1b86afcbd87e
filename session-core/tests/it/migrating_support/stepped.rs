//! A store whose operations wait for the next poll and are recorded in a history.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use session_core::Timestamp;
use session_core::store::{
    Cursor, Etag, Loaded, OwnerIndex, Page, Record, SessionHead, SessionStore, StoreError, StoreKey, Sweep,
    Swept, Written, async_trait,
};
use session_store_memory::MemoryStore;

/// The events so far, without random numbers: each etag is named after the step that wrote it.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(super) who: usize,
    pub(super) steps: Vec<String>,
    pub(super) names: HashMap<u64, String>,
}

impl History {
    fn name(&mut self, etag: Etag) {
        let (who, step) = (self.who, self.steps[self.who].len());
        self.names.entry(etag.get()).or_insert_with(|| format!("{who}.{step}"));
    }

    fn record(&self, record: &Record) -> String {
        // A copy holds an etag between its mark and its data.
        let payload = match record.payload.strip_prefix(b"\0session copy 1\0") {
            Some(rest) => format!("copy {:?}", &rest[8..]),
            None => format!("{:?}", &*record.payload),
        };
        let etag = self.names.get(&record.etag.get()).map_or("?", String::as_str);
        format!("{etag} {} {payload}", record.idle_deadline.as_millis())
    }

    fn written(&mut self, store: &str, written: &Result<Written, StoreError>) {
        let text = match written {
            Ok(Written::Conflict(record)) => format!("conflict {}", self.record(record)),
            Ok(Written::Moved { key, record }) => format!("moved {key} {}", self.record(record)),
            other => format!("{other:?}"),
        };
        self.told(store, &text);
    }

    fn loaded(&mut self, store: &str, loaded: &Result<Loaded, StoreError>) {
        let text = self.text_of(loaded);
        self.told(store, &text);
    }

    pub(super) fn text_of(&self, loaded: &Result<Loaded, StoreError>) -> String {
        match loaded {
            Ok(Loaded::Found(record)) => self.record(record),
            other => format!("{other:?}"),
        }
    }

    fn told(&mut self, store: &str, text: &str) {
        let who = self.who;
        writeln!(self.steps[who], "{store} {text}").unwrap();
    }
}

/// A store of which every operation waits for the next poll.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    pub(super) label: &'static str,
    pub(super) inner: MemoryStore,
    pub(super) history: Arc<Mutex<History>>,
}

impl Stepped {
    async fn step(&self, writes: Option<&Record>) {
        let mut asked = false;
        poll_fn(|_| match std::mem::replace(&mut asked, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        if let Some(record) = writes {
            self.history.lock().unwrap().name(record.etag);
        }
    }

    fn wrote(&self, written: Result<Written, StoreError>) -> Result<Written, StoreError> {
        self.history.lock().unwrap().written(self.label, &written);
        written
    }

    fn index(&self) -> &dyn OwnerIndex {
        self.inner.owners().unwrap()
    }
}

#[async_trait]
impl SessionStore for Stepped {
    fn name(&self) -> &'static str {
        self.label
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.step(None).await;
        let loaded = self.inner.load(key).await;
        self.history.lock().unwrap().loaded(self.label, &loaded);
        loaded
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.step(Some(record)).await;
        self.wrote(self.inner.create(key, record, now).await)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        self.step(Some(record)).await;
        self.wrote(self.inner.replace(key, expected, record, now).await)
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        self.step(None).await;
        self.wrote(self.inner.touch(key, idle, now).await)
    }

    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        self.step(None).await;
        self.wrote(self.inner.destroy(key, until).await)
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        self.step(Some(record)).await;
        self.wrote(self.inner.rotate(old, expected, new, record, now, until).await)
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }

    fn sweeper(&self) -> Option<&dyn Sweep> {
        Some(self)
    }
}

#[async_trait]
impl OwnerIndex for Stepped {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        self.step(None).await;
        self.index().page(owner, from, most, now).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        self.step(None).await;
        let page = self.index().heads(owner, from, most, now).await?;
        let mut history = self.history.lock().unwrap();
        let keys: Vec<_> = page.entries.iter().map(|head| (head.key, head.created)).collect();
        history.told(self.label, &format!("{keys:?}"));
        Ok(page)
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        self.step(None).await;
        let ended = self.index().destroy_all(owner, except, now, until).await?;
        self.history.lock().unwrap().told(self.label, &format!("{ended}"));
        Ok(ended)
    }
}

#[async_trait]
impl Sweep for Stepped {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        self.step(None).await;
        // The memory store steps aside between shards.
        let sweeper = self.inner.sweeper().unwrap();
        let mut sweep = sweeper.sweep(before, most);
        let swept = loop {
            if let Poll::Ready(swept) = sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break swept?;
            }
        };
        self.history.lock().unwrap().told(self.label, &format!("{swept:?}"));
        Ok(swept)
    }
}
