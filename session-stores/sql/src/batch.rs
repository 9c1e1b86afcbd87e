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
            let is_late = |submitted: &Submitted| self.batches.writer.is_late(submitted.begun);
            let (late, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_late);
            // Alone, each is answered at once. In the transaction, one would fail the writes of all.
            self.batches.one_by_one(late).await;
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
mod tests;
