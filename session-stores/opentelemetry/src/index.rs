//! The capabilities of an instrumented store: its owner index, its sweeper and its census.

use async_trait::async_trait;
use session_core::Timestamp;
use session_core::store::{
    Census, Cursor, OwnerIndex, Page, Record, SessionHead, SessionStore, StoreError, StoreKey, Sweep, Swept,
};

use crate::call::Subject;
use crate::store::InstrumentedStore;

#[async_trait]
impl<S: SessionStore + ?Sized> OwnerIndex for InstrumentedStore<S> {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(Page::last(Vec::new())) };
        let subject = Subject::new("session.page");
        self.calls.measure(subject, done, index.page(owner, from, most, now)).await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(Page::last(Vec::new())) };
        let subject = Subject::new("session.heads");
        self.calls.measure(subject, done, index.heads(owner, from, most, now)).await
    }

    async fn list(&self, owner: &str, now: Timestamp) -> Result<Vec<(StoreKey, Record)>, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(Vec::new()) };
        self.calls.measure(Subject::new("session.list"), done, index.list(owner, now)).await
    }

    async fn count(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(0) };
        self.calls.measure(Subject::new("session.count"), done, index.count(owner, now)).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let Some(index) = self.inner.owners() else { return Ok(0) };
        let call = index.destroy_all(owner, except, now, tombstone_until);
        self.calls.measure(Subject::new("session.destroy_all"), done, call).await
    }
}

#[async_trait]
impl<S: SessionStore + ?Sized> Sweep for InstrumentedStore<S> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let Some(sweeper) = self.inner.sweeper() else { return Ok(Swept { removed: 0, more: false }) };
        self.calls.measure(Subject::new("session.sweep"), done, sweeper.sweep(before, most)).await
    }
}

#[async_trait]
impl<S: SessionStore + ?Sized> Census for InstrumentedStore<S> {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let Some(census) = self.inner.census() else { return Ok(Page::last(Vec::new())) };
        self.calls.measure(Subject::new("session.survey"), done, census.survey(from, most, now)).await
    }
}

/// What has no outcome beyond its result.
fn done<T>(_: &T) -> Option<&'static str> {
    None
}
