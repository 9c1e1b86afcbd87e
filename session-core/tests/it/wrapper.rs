//! A store around a store: the calls that it sees, and the capabilities that it keeps.

use std::sync::Mutex;

use session_core::Timestamp;
use session_core::machine::SessionId;
use session_core::store::{
    Etag, Loaded, Record, SessionStore, StoreAnswer, StoreCall, StoreError, StoreErrorKind, StoreKey,
    StoreWrapper, Verb,
};
use session_store_memory::MemoryStore;

/// Notes every call, and refuses one method.
#[derive(Debug)]
struct Watched<S: ?Sized> {
    seen: Mutex<Vec<Verb>>,
    refused: Option<Verb>,
    inner: Box<S>,
}

impl<S: SessionStore + ?Sized> StoreWrapper for Watched<S> {
    type Inner = S;

    fn inner(&self) -> &S {
        &self.inner
    }

    async fn around<T: StoreAnswer>(
        &self,
        call: StoreCall<'_>,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.seen.lock().unwrap().push(call.verb);
        if self.refused == Some(call.verb) {
            return Err(StoreError::new(StoreErrorKind::Refused, "watched"));
        }
        work.await
    }
}

fn watched<S: SessionStore + ?Sized>(inner: Box<S>, refused: Option<Verb>) -> Watched<S> {
    Watched { seen: Mutex::default(), refused, inner }
}

fn key(byte: u8) -> StoreKey {
    SessionId::from_bytes([byte; 32]).store_key()
}

fn record(etag: u64) -> Record {
    Record::new(Etag::new(etag), at(0), at(1_000), b"{}"[..].into()).with_owner(Some("ada".into()))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[tokio::test]
async fn every_call_of_a_wrapped_store_goes_through_its_wrapper() {
    let store = watched(Box::new(MemoryStore::new()), None);
    store.create(&key(1), &record(1), at(1)).await.unwrap();
    assert!(matches!(store.load(&key(1)).await, Ok(Loaded::Found(_))));
    store.replace(&key(1), Etag::new(1), &record(2), at(2)).await.unwrap();
    store.touch(&key(1), at(2_000), at(2)).await.unwrap();
    store.rotate(&key(1), Etag::new(2), &key(2), &record(3), at(3), at(9)).await.unwrap();
    store.destroy(&key(3), at(9)).await.unwrap();
    let owners = store.owners().unwrap();
    assert_eq!(owners.page("ada", None, 9, at(4)).await.unwrap().entries.len(), 1);
    assert_eq!(owners.heads("ada", None, 9, at(4)).await.unwrap().entries.len(), 1);
    assert_eq!(owners.list("ada", at(4)).await.unwrap().len(), 1);
    assert_eq!(owners.count("ada", at(4)).await.unwrap(), 1);
    assert_eq!(store.census().unwrap().survey(None, 9, at(4)).await.unwrap().entries.len(), 1);
    assert_eq!(owners.destroy_all("ada", None, at(4), at(9)).await.unwrap(), 1);
    store.sweeper().unwrap().sweep(at(5_000), 9).await.unwrap();
    let names: Vec<_> = store.seen.lock().unwrap().iter().map(|verb| verb.name()).collect();
    assert_eq!(
        names.join(" "),
        "create load replace touch rotate destroy page heads list count survey destroy_all sweep"
    );
}

#[test]
fn a_wrapped_store_has_the_name_the_limit_and_the_capabilities_of_the_store_inside() {
    let shared: Box<dyn SessionStore> = Box::new(MemoryStore::new());
    let store = watched(shared, None);
    assert_eq!((store.name(), store.max_record()), ("memory", store.inner.max_record()));
    assert!(store.owners().is_some() && store.sweeper().is_some() && store.census().is_some());
}

#[tokio::test]
async fn a_call_that_a_wrapper_refuses_does_not_reach_the_store() {
    let store = watched(Box::new(MemoryStore::new()), Some(Verb::Create));
    let error = store.create(&key(1), &record(1), at(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(store.load(&key(1)).await.unwrap(), Loaded::Missing);
}
