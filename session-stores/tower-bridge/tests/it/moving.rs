//! Sessions move out of the application's previous store and keep their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::store::async_trait;
use session_store_memory::MemoryStore;
use session_tower_bridge::TowerSessionsBridge;
use time::OffsetDateTime;

use super::theirs::session::{Id, Record};
use super::theirs::session_store::{Error, Result};
use super::theirs::{Session, SessionStore};

/// The old store, which can fail.
#[derive(Clone, Debug, Default)]
struct Old {
    records: Arc<Mutex<HashMap<i128, Record>>>,
    failing: Arc<Mutex<bool>>,
}

impl Old {
    fn answer<T>(&self, answer: impl FnOnce(&mut HashMap<i128, Record>) -> T) -> Result<T> {
        if *self.failing.lock().unwrap() {
            return Err(Error::Backend("out of order".to_owned()));
        }
        Ok(answer(&mut self.records.lock().unwrap()))
    }

    fn len(&self) -> usize {
        self.records.lock().unwrap().len()
    }
}

#[async_trait]
impl SessionStore for Old {
    async fn save(&self, record: &Record) -> Result<()> {
        self.answer(|records| drop(records.insert(record.id.0, record.clone())))
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let loaded = self.answer(|records| records.get(&id.0).cloned());
        // Other requests run between a read here and what follows from it.
        std::future::ready(()).await;
        loaded
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.answer(|records| drop(records.remove(&id.0)))
    }
}

async fn with_a_session() -> (Old, TowerSessionsBridge, Record) {
    let old = Old::default();
    let data = [("user".to_owned(), "ada".into())].into();
    let record =
        Record { id: Id::default(), data, expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(60) };
    old.save(&record).await.unwrap();
    let bridge = super::moving_from(TowerSessionsBridge::new(MemoryStore::new()), old.clone());
    (old, bridge, record)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_the_old_store_moves_when_it_is_used_and_keeps_its_id() {
    let (old, bridge, record) = with_a_session().await;
    let writers = (0..16).map(|number| {
        let (bridge, id) = (bridge.clone(), record.id);
        tokio::spawn(async move {
            let session = Session::new(Some(id), Arc::new(bridge), None);
            session.insert(&format!("key-{number}"), number).await.unwrap();
            session.save().await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let moved = bridge.load(&record.id).await.unwrap().unwrap();
    assert_eq!(moved.data.len(), 17, "{moved:?}");
    assert_eq!(old.len(), 0);
}

#[tokio::test]
async fn a_logout_ends_a_session_that_is_still_in_the_old_store() {
    let (old, bridge, record) = with_a_session().await;
    bridge.delete(&record.id).await.unwrap();
    assert_eq!(old.len(), 0);
    assert_eq!(bridge.load(&record.id).await.unwrap(), None);
    assert!(bridge.save(&record).await.is_err());
}

#[tokio::test]
async fn a_session_that_ended_here_does_not_come_back_from_the_old_store() {
    let (old, bridge, record) = with_a_session().await;
    let session = Session::new(Some(record.id), Arc::new(bridge.clone()), None);
    session.cycle_id().await.unwrap();
    session.save().await.unwrap();
    // A process that was stopped half-way has left a copy.
    old.save(&record).await.unwrap();
    assert_eq!(bridge.load(&record.id).await.unwrap(), None);
    bridge.delete(&record.id).await.unwrap();
    assert_eq!(old.len(), 0);
}

#[tokio::test]
async fn a_failing_old_store_is_an_error_and_never_no_session() {
    let (old, bridge, record) = with_a_session().await;
    *old.failing.lock().unwrap() = true;
    assert!(matches!(bridge.load(&record.id).await, Err(Error::Backend(_))));
    assert!(bridge.delete(&record.id).await.is_err());
    *old.failing.lock().unwrap() = false;
    assert_eq!(bridge.load(&record.id).await.unwrap(), Some(record));
}
