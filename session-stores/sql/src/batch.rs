//! Writes that wait for the single writer of a SQLite file share one transaction, and one flush to the disk.
//!
//! Each runtime has a queue, served by a task while there is something in it. The task takes all writes that have arrived
//! during the previous transaction. A single write runs as a transaction of its own, as it would without a queue, so
//! nobody waits for a batch to fill.
//!
//! The deadline of a write includes its time in the queue, and no statement of a write is sent when it is almost over,
//! so that a write that was answered with a timeout is not applied later.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use session_core::store::{StoreError, StoreErrorKind, Written};
use tokio::runtime::{Handle, Id};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::call::Caller;
use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::statements::Statements;
use crate::talk::Talk;
use crate::write::Write;

/// The queues of a store.
pub(crate) struct Batches<DB: Dialect> {
    writer: Caller<DB>,
    statements: Arc<Statements>,
    /// A runtime has a queue while a task serves it.
    queues: Mutex<HashMap<Id, Vec<Submitted>>>,
}

/// A write, and the caller who has waited for its answer since `begun`. The caller has given up if the channel is closed.
struct Submitted {
    write: Write,
    begun: Instant,
    reply: oneshot::Sender<Result<Written, StoreError>>,
}

/// The answer of a write; `None` if its caller had given up before it ran.
type Answer = Option<Result<Written, StoreError>>;

impl<DB: Dialect> Batches<DB> {
    pub(crate) fn new(writer: Caller<DB>, statements: Arc<Statements>) -> Arc<Self> {
        Arc::new(Self { writer, statements, queues: Mutex::default() })
    }

    /// Runs a write, alone or in a transaction with others, within the deadline.
    pub(crate) async fn submit(self: &Arc<Self>, write: Write) -> Result<Written, StoreError> {
        let (reply, answer) = oneshot::channel();
        let begun = Instant::now();
        let submitted = Submitted { write, begun, reply };
        let runtime = Handle::current();
        match lock(&self.queues).entry(runtime.id()) {
            Entry::Occupied(mut queue) => queue.get_mut().push(submitted),
            Entry::Vacant(queue) => {
                queue.insert(vec![submitted]);
                runtime.spawn(Server::new(self, runtime.id()).serve());
            }
        }
        let answer = async {
            // Without an answer, the runtime was shut down, or the driver panicked.
            answer.await.unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::Unavailable, DB::STORE)))
        };
        self.writer.bound(begun, answer).await
    }

    /// Runs all of them in one transaction. If it fails before the commit, each runs in a transaction of its own, so that
    /// each caller gets the answer of its own write.
    async fn together(&self, batch: Vec<Submitted>) {
        let answers = match self.transaction(&batch).await {
            Ok(answers) => answers,
            Err(_) => return self.one_by_one(batch).await,
        };
        for (submitted, answer) in batch.into_iter().zip(answers) {
            if let Some(answer) = answer {
                // A caller who has given up needs no answer.
                drop(submitted.reply.send(answer));
            }
        }
    }

    /// The outer error means that nothing was written.
    async fn transaction(&self, batch: &[Submitted]) -> Result<Vec<Answer>, Failure> {
        // Dropped without `settle`, the lease closes the connection, which rolls the transaction back.
        let begun = batch.iter().map(|submitted| submitted.begun).min().unwrap_or_else(Instant::now);
        let mut lease = self.writer.lease(begun).await?;
        if let Err(error) = lease.connection().script(&BEGIN).await {
            return lease.settle(Err(error.into()));
        }
        let mut answers = Vec::with_capacity(batch.len());
        for submitted in batch {
            if submitted.reply.is_closed() {
                answers.push(None);
                continue;
            }
            answers.push(Some(match submitted.write.run::<DB>(lease.connection(), &self.statements).await {
                Ok(written) => Ok(written),
                // The row is unusable; the statement has left it as it was.
                Err(Failure::Found(kind)) => Err(StoreError::new(kind, DB::STORE)),
                Err(failure) => return Err(failure),
            }));
        }
        // A write whose caller has got a timeout, or may get one before the commit has ended, is not applied.
        let gave_up =
            |(submitted, answer): (&Submitted, &Option<_>)| answer.is_some() && submitted.reply.is_closed();
        if self.writer.is_late(begun) || batch.iter().zip(&answers).any(gave_up) {
            return Err(Failure::Again);
        }
        match lease.connection().script(&COMMIT).await {
            Ok(_) => {
                lease.settle(Ok(()))?;
                Ok(answers)
            }
            Err(error) => {
                let error = Failure::from(error).into_store_error::<DB>();
                Ok(batch.iter().map(|_| Some(Err(error.clone()))).collect())
            }
        }
    }

    async fn one_by_one(&self, batch: Vec<Submitted>) {
        for submitted in batch {
            self.alone(submitted).await;
        }
    }

    /// Runs a write by itself, until its caller gives up.
    async fn alone(&self, Submitted { write, begun, mut reply }: Submitted) {
        let answer = tokio::select! {
            biased;
            () = reply.closed() => return,
            answer = write.alone(&self.writer, &self.statements, begun) => answer,
        };
        drop(reply.send(answer));
    }
}

/// Serves the queue of one runtime, and removes it when it is empty, or when the runtime shuts down.
struct Server<DB: Dialect> {
    batches: Arc<Batches<DB>>,
    runtime: Id,
    /// Whether it has removed its queue. A queue that is there afterwards has another server.
    is_done: bool,
}

impl<DB: Dialect> Server<DB> {
    fn new(batches: &Arc<Batches<DB>>, runtime: Id) -> Self {
        Self { batches: Arc::clone(batches), runtime, is_done: false }
    }

    async fn serve(mut self) {
        while let Some(mut batch) = self.next() {
            batch.retain(|submitted| !submitted.reply.is_closed());
            if batch.len() > 1 {
                self.batches.together(batch).await;
            } else {
                self.batches.one_by_one(batch).await;
            }
        }
    }

    /// Takes what is in the queue, and removes the queue if that is nothing.
    fn next(&mut self) -> Option<Vec<Submitted>> {
        let mut queues = lock(&self.batches.queues);
        let queue = queues.get_mut(&self.runtime)?;
        if queue.is_empty() {
            queues.remove(&self.runtime);
            self.is_done = true;
            return None;
        }
        let most = queue.len().min(MOST_WRITES);
        Some(queue.drain(..most).collect())
    }
}

impl<DB: Dialect> Drop for Server<DB> {
    fn drop(&mut self) {
        if !self.is_done {
            lock(&self.batches.queues).remove(&self.runtime);
        }
    }
}

/// Never held across an `.await`.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the writer's lock at once, instead of failing at the first statement that writes.
static BEGIN: LazyLock<Arc<str>> = LazyLock::new(|| "BEGIN IMMEDIATE".into());
static COMMIT: LazyLock<Arc<str>> = LazyLock::new(|| "COMMIT".into());

/// The most writes of one transaction, so that none waits much longer than its own flush takes.
const MOST_WRITES: usize = 128;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test's panic is its report")]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Context, Waker};

    use session_core::Timestamp;
    use session_core::store::{Etag, Loaded, Record, SessionStore as _, StoreKey};
    use sqlx::sqlite::SqlitePoolOptions;
    use tempfile::TempDir;
    use tokio::task::JoinSet;

    use super::*;
    use crate::{SqlConfig, SqliteStore};

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    /// A store in a file, and the number of its commits.
    async fn store() -> (TempDir, Arc<SqliteStore>, Arc<AtomicUsize>) {
        let folder = tempfile::tempdir().unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&commits);
        let pool = SqlitePoolOptions::new().max_connections(1).after_connect(move |connection, _| {
            let counter = Arc::clone(&counter);
            Box::pin(async move {
                connection.lock_handle().await?.set_commit_hook(move || {
                    counter.fetch_add(1, SeqCst);
                    true
                });
                Ok(())
            })
        });
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("sessions.db").display());
        let pool = pool.connect(&url).await.unwrap();
        let store = Arc::new(SqliteStore::from_pool(pool, &SqlConfig::new()).batched());
        store.migrate().await.unwrap();
        commits.store(0, SeqCst);
        (folder, store, commits)
    }

    fn key(number: u8) -> StoreKey {
        StoreKey::from_bytes([number; 32])
    }

    fn record(owner: &str) -> Record {
        record_with(Etag::new(7), owner)
    }

    fn record_with(etag: Etag, owner: &str) -> Record {
        let payload = br#"{"cart":[]}"#.to_vec().into();
        let deadline = Timestamp::from_millis(7_200_000);
        Record::new(etag, NOW, deadline, payload).with_owner(Some(owner.into()))
    }

    async fn create(store: Arc<SqliteStore>, number: u8, owner: &str) -> Result<Written, StoreError> {
        store.create(&key(number), &record(owner), NOW).await
    }

    #[tokio::test(flavor = "current_thread")]
    async fn writes_that_arrive_together_share_a_transaction() {
        let (_folder, store, commits) = store().await;
        let mut writes = JoinSet::new();
        for number in 0..50 {
            writes.spawn(create(Arc::clone(&store), number, "ada"));
        }
        while let Some(written) = writes.join_next().await {
            assert_eq!(written.unwrap().unwrap(), Written::Applied);
        }
        assert!(commits.load(SeqCst) <= 2, "{} transactions for 50 writes", commits.load(SeqCst));
        for number in 0..50 {
            assert_eq!(store.load(&key(number)).await.unwrap(), Loaded::Found(record("ada")));
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn writes_of_one_session_in_a_transaction_are_answered_in_order() {
        let (_folder, store, _) = store().await;
        let (key, ada, other) = (key(1), record("ada"), record_with(Etag::new(8), "ada"));
        let (first, second) = tokio::join!(store.create(&key, &ada, NOW), store.create(&key, &other, NOW),);
        assert_eq!((first.unwrap(), second.unwrap()), (Written::Applied, Written::Taken));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_write_that_fails_harms_no_other_in_its_transaction() {
        let (_folder, store, _) = store().await;
        // The whole transaction is rolled back by the database.
        let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON sessions WHEN new.owner = 'eve'
            BEGIN SELECT RAISE(ROLLBACK, 'refused'); END";
        let begun = Instant::now();
        store.writer.lease(begun).await.unwrap().connection().script(&Arc::from(trigger)).await.unwrap();
        let mut writes = JoinSet::new();
        for number in 0..20 {
            let owner = if number == 7 { "eve" } else { "ada" };
            let store = Arc::clone(&store);
            writes.spawn(async move { (number, create(store, number, owner).await) });
        }
        while let Some(write) = writes.join_next().await {
            let (number, written) = write.unwrap();
            match number {
                7 => assert_eq!(written.unwrap_err().kind(), StoreErrorKind::Refused),
                _ => assert_eq!(written.unwrap(), Written::Applied, "{number}"),
            }
        }
        assert_eq!(store.load(&key(7)).await.unwrap(), Loaded::Missing);
        for number in (0..20).filter(|number| *number != 7) {
            assert_eq!(store.load(&key(number)).await.unwrap(), Loaded::Found(record("ada")), "{number}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_write_whose_caller_has_given_up_is_not_applied() {
        let (_folder, store, _) = store().await;
        let (abandoned, given_up) = (key(1), record("ada"));
        {
            let mut write = pin!(store.create(&abandoned, &given_up, NOW));
            assert!(write.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(create(Arc::clone(&store), 2, "ada").await.unwrap(), Written::Applied);
        assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Missing);
        assert!(
            lock(&store.batches.as_ref().unwrap().queues).is_empty(),
            "the queue ends with its last write"
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_that_is_done_leaves_the_queue_of_its_successor_alone() {
        let (_folder, store, _) = store().await;
        let batches = store.batches.as_ref().unwrap();
        let runtime = Handle::current().id();
        lock(&batches.queues).insert(runtime, Vec::new());
        let mut server = Server::new(batches, runtime);
        assert!(server.next().is_none());
        // A write arrives between the last look into the queue and the end of the task.
        let (reply, _answer) = oneshot::channel();
        let write = Write::Destroy { key: key(1), until: NOW };
        let submitted = Submitted { write, begun: Instant::now(), reply };
        lock(&batches.queues).insert(runtime, vec![submitted]);
        drop(server);
        assert_eq!(lock(&batches.queues)[&runtime].len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_write_that_has_waited_in_the_queue_until_its_deadline_is_not_applied() {
        let (_folder, store, commits) = store().await;
        let batches = store.batches.as_ref().unwrap();
        let long_ago = Instant::now() - batches.writer.deadline() * 9 / 10;
        for others in [0_u8, 1, 5] {
            let begun = (0..=others).map(|number| if number == others { long_ago } else { Instant::now() });
            let (batch, answers): (Vec<_>, Vec<_>) = begun
                .enumerate()
                .map(|(number, begun)| {
                    let (reply, answer) = oneshot::channel();
                    let number = others * 10 + u8::try_from(number).unwrap();
                    let write = Write::Create { key: key(number), record: record("ada") };
                    (Submitted { write, begun, reply }, (number, answer))
                })
                .unzip();
            if batch.len() > 1 {
                batches.together(batch).await;
            } else {
                batches.one_by_one(batch).await;
            }
            for (number, answer) in answers {
                let (answer, found) = (answer.await.unwrap(), store.load(&key(number)).await.unwrap());
                if number % 10 == others {
                    assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Timeout);
                    assert_eq!(found, Loaded::Missing);
                } else {
                    assert_eq!((answer.unwrap(), found), (Written::Applied, Loaded::Found(record("ada"))));
                }
            }
        }
        assert_eq!(commits.load(SeqCst), 6, "one for each write that was in time");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn every_write_of_many_tasks_is_answered() {
        let (_folder, store, _) = store().await;
        let mut writers = JoinSet::new();
        for task in 0..8_u8 {
            let store = Arc::clone(&store);
            writers.spawn(async move {
                for number in 0..25 {
                    let written = create(Arc::clone(&store), task * 25 + number, "ada").await;
                    assert_eq!(written.unwrap(), Written::Applied, "{task} {number}");
                }
            });
        }
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
    }
}
