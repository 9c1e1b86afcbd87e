//! All sessions of both stores, and those that are left to be moved.

use async_trait::async_trait;

use super::copy::may_be_moving;
use super::index::{NEW, OLD, Part, cursor};
use super::pair::MigratingStore;
use super::settle::Place;
use crate::engine::store::{Census, SessionStore};
use crate::value::answer::{Loaded, StoreError};
use crate::value::head::{Cursor, Page, SessionHead};
use crate::value::record::Record;
use crate::value::time::Timestamp;

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> MigratingStore<T, F> {
    /// Returns a page of the heads of the sessions that are still in the old store, as [`Census::survey`] does; `None` if
    /// the old store has no census.
    ///
    /// # Errors
    /// As the old store does.
    pub async fn left(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Option<Page<SessionHead>>, StoreError> {
        let Some(old) = self.from.census() else { return Ok(None) };
        let mut page = old.survey(from, most, now).await?;
        let mut sessions = Vec::with_capacity(page.entries.len());
        for head in page.entries.drain(..) {
            if !may_be_moving(&head) || matches!(self.find(&head.key).await?, Place::Old(..)) {
                sessions.push(head);
            }
        }
        Ok(Some(Page::new(sessions, page.next)))
    }

    /// The session that something in the new store stands for.
    async fn stands_for(&self, head: SessionHead, now: Timestamp) -> Result<Option<SessionHead>, StoreError> {
        if !may_be_moving(&head) {
            return Ok(Some(head));
        }
        let live = |record: Record| record.is_live(now).then(|| SessionHead::of(head.key, &record));
        Ok(match self.find(&head.key).await? {
            Place::New(Loaded::Found(record)) => live(record),
            Place::Copied(copy) => live(copy.session),
            // Listed where it is.
            Place::Old(..) | Place::New(_) | Place::Nowhere(_) => None,
        })
    }
}

/// The old store comes first, for the same reason as in an index.
#[async_trait]
impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> Census for MigratingStore<T, F> {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let Some(new) = self.to.census() else { return Ok(Page::last(Vec::new())) };
        let start = match Part::at(from) {
            Part::New(start) => start,
            Part::Old(start) => {
                let left = self.left(start.as_ref(), most, now).await?;
                let (sessions, next) = left.map_or((Vec::new(), None), |page| (page.entries, page.next));
                let next = next.map_or_else(|| Cursor::new(NEW), |next| cursor(OLD, &next));
                return Ok(Page::new(sessions, Some(next)));
            }
        };
        let page = new.survey(start.as_ref(), most, now).await?;
        let mut sessions = Vec::with_capacity(page.entries.len());
        for head in page.entries {
            sessions.extend(self.stands_for(head, now).await?);
        }
        Ok(Page::new(sessions, page.next.as_ref().map(|next| cursor(NEW, next))))
    }
}
