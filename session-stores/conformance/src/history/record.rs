//! Records a history: a wrapper around a store, which may also write to a file that survives the process.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreError, StoreErrorKind, StoreKey, Written, async_trait},
};

use super::clock::now;
use super::event::{Answer, Call, Content, Event};

/// A store that records each call of the six verbs. Clones record into the same history.
///
/// It has neither an owner index nor a sweeper, because their effects would be missing from the history.
///
/// ```
/// # use std::sync::Arc;
/// use session_conformance::history::{Answer, Recorder};
/// use session_core::{machine::SessionId, store::SessionStore as _};
///
/// # #[tokio::main] async fn main() {
/// let store = Recorder::new(Arc::new(session_store_memory::MemoryStore::new()));
/// store.load(&SessionId::from_bytes([7; 32]).store_key()).await.unwrap();
/// assert_eq!(store.events()[0].answer, Answer::Missing);
/// # }
/// ```
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn SessionStore>,
    client: u32,
    journal: Arc<Mutex<Journal>>,
}

#[derive(Default)]
struct Journal {
    events: Vec<Event>,
    file: Option<File>,
}

impl Recorder {
    /// Records into memory.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, client: 0, journal: Arc::default() }
    }

    /// Records into memory and into a new file, for [`read`]. A call is in the file before it is made.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn to_file(store: Arc<dyn SessionStore>, file: &Path) -> io::Result<Self> {
        let journal = Journal { events: Vec::new(), file: Some(File::create(file)?) };
        Ok(Self { store, client: 0, journal: Arc::new(Mutex::new(journal)) })
    }

    /// Returns a handle whose calls are recorded as another client's.
    #[must_use]
    pub fn as_client(&self, client: u32) -> Self {
        Self { client, ..self.clone() }
    }

    /// Wraps another handle of the same store, which records into the same history.
    #[must_use]
    pub fn over(&self, store: Arc<dyn SessionStore>) -> Self {
        Self { store, ..self.clone() }
    }

    /// Returns the history so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.journal().events.clone()
    }

    pub(super) fn client(&self) -> u32 {
        self.client
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the beginning of a call. If its future is dropped, it stays without an answer.
    fn begin(&self, call: Call) -> usize {
        let mut journal = self.journal();
        let answer = Answer::Unknown;
        let event = Event { client: self.client, invoked: now(), returned: None, call, answer };
        journal.events.push(event);
        let number = journal.events.len() - 1;
        journal.save(number);
        number
    }

    fn end(&self, number: usize, answer: Answer) {
        let returned = Some(now());
        let mut journal = self.journal();
        let event = &mut journal.events[number];
        (event.returned, event.answer) = (returned, answer);
        journal.save(number);
    }

    async fn write(
        &self,
        call: Call,
        work: impl Future<Output = Result<Written, StoreError>> + Send,
    ) -> Result<Written, StoreError> {
        let number = self.begin(call);
        let written = work.await;
        self.end(number, answer(&written));
        written
    }
}

impl Journal {
    fn save(&mut self, number: usize) {
        let Some(file) = &mut self.file else { return };
        let mut line = serde_json::to_vec(&(number, &self.events[number])).expect("an event is JSON");
        line.push(b'\n');
        // A single write, so that a killed process leaves whole lines.
        file.write_all(&line).expect("the history can be written");
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for Recorder {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn max_record(&self) -> usize {
        self.store.max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let number = self.begin(Call::Load { key: *key });
        let loaded = self.store.load(key).await;
        let answer = match &loaded {
            Ok(Loaded::Missing) => Answer::Missing,
            Ok(Loaded::Ended { .. }) => Answer::Ended,
            Ok(Loaded::Found(record)) => Answer::Found(Content::of(record)),
            Err(error) => failed(error),
        };
        self.end(number, answer);
        loaded
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        let call = Call::Create { key: *key, written: Content::of(record) };
        self.write(call, self.store.create(key, record, now)).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let call = Call::Replace { key: *key, expected: expected.get(), written: Content::of(record) };
        self.write(call, self.store.replace(key, expected, record, now)).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let call = Call::Touch { key: *key, idle: idle_deadline.as_millis() };
        self.write(call, self.store.touch(key, idle_deadline, now)).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        self.write(Call::Destroy { key: *key }, self.store.destroy(key, tombstone_until)).await
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
        let written = Content::of(record);
        let call = Call::Rotate { key: *old, expected: expected.get(), new: *new, written };
        self.write(call, self.store.rotate(old, expected, new, record, now, tombstone_until)).await
    }
}

fn answer(written: &Result<Written, StoreError>) -> Answer {
    match written {
        Ok(Written::Applied) => Answer::Applied,
        Ok(Written::Conflict(record)) => Answer::Conflict(Content::of(record)),
        Ok(Written::Moved { key, record }) => Answer::Moved { key: *key, content: Content::of(record) },
        Ok(Written::Gone) => Answer::Gone,
        Ok(Written::Taken) => Answer::Taken,
        Err(error) => failed(error),
    }
}

fn failed(error: &StoreError) -> Answer {
    match error.kind() {
        StoreErrorKind::Corrupt | StoreErrorKind::Newer => Answer::Damaged,
        _ => Answer::Unknown,
    }
}

/// Reads a history from the file of a [`Recorder`], whose process may be gone.
///
/// # Errors
/// If the file cannot be read or has another format. An unfinished last line is ignored.
pub fn read(file: &Path) -> io::Result<Vec<Event>> {
    let text = std::fs::read_to_string(file)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut events: Vec<Event> = Vec::new();
    for line in whole.lines() {
        let (number, event): (usize, Event) = serde_json::from_str(line).map_err(io::Error::other)?;
        match events.get_mut(number) {
            Some(there) => *there = event,
            None => events.push(event),
        }
    }
    Ok(events)
}
