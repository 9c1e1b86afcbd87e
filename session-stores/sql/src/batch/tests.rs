//! Writes that share a transaction: what they cost, and what becomes of those that fail or are too late.
#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

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
    assert!(lock(&store.batches.as_ref().unwrap().queues).is_empty(), "the queue ends with its last write");
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

#[tokio::test(flavor = "current_thread")]
async fn a_write_that_is_too_late_does_not_keep_others_from_sharing_a_transaction() {
    let (_folder, store, commits) = store().await;
    let batches = store.batches.as_ref().unwrap();
    let long_ago = Instant::now() - batches.writer.deadline() * 9 / 10;
    let (queue, answers): (Vec<_>, Vec<_>) = (0..20)
        .map(|number| {
            let (reply, answer) = oneshot::channel();
            let write = Write::Create { key: key(number), record: record("ada") };
            let begun = if number == 0 { long_ago } else { Instant::now() };
            (Submitted { write, begun, reply }, answer)
        })
        .unzip();
    let runtime = Handle::current().id();
    lock(&batches.queues).insert(runtime, queue);
    Server::new(batches, runtime).serve().await;
    for (number, answer) in answers.into_iter().enumerate() {
        match (number, answer.await.unwrap()) {
            (0, answer) => assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Timeout),
            (_, answer) => assert_eq!(answer.unwrap(), Written::Applied),
        }
    }
    assert_eq!(commits.load(SeqCst), 1);
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
