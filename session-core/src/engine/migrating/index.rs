//! The capabilities of both stores as one: the index by owner without doubles and gaps, and the sweeper.
//!
//! The old store is read first: a session that moves in the middle of a list is on a later page again, and on none twice
//! after the pages are put together by key, as [`OwnerIndex`] allows. The other way round it would be on none.

use async_trait::async_trait;

use super::copy::{is_copy, is_note, may_be_moving};
use super::pair::MigratingStore;
use super::settle::{Moment, Place};
use crate::engine::store::{OwnerIndex, PAGE, SessionStore, Sweep, Swept};
use crate::value::answer::{Loaded, StoreError};
use crate::value::head::{Cursor, Page, SessionHead};
use crate::value::id::StoreKey;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Which store a page is read from, and where it begins there.
pub(super) enum Part {
    Old(Option<Cursor>),
    New(Option<Cursor>),
}

impl Part {
    pub(super) fn at(from: Option<&Cursor>) -> Self {
        let place = from.map_or(OLD, Cursor::as_str);
        let inner = |place: &str| (!place.is_empty()).then(|| Cursor::new(place));
        match place.strip_prefix(NEW) {
            Some(place) => Self::New(inner(place)),
            None => Self::Old(inner(place.strip_prefix(OLD).unwrap_or_default())),
        }
    }
}

pub(super) fn cursor(part: &str, inner: &Cursor) -> Cursor {
    Cursor::new(format!("{part}{}", inner.as_str()))
}

pub(super) const OLD: &str = "from:";
pub(super) const NEW: &str = "to:";

impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> MigratingStore<T, F> {
    /// The session that a listed copy stands for, if it is alive and this owner's.
    async fn resolve(
        &self,
        owner: &str,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, StoreError> {
        let record = match self.find(key).await? {
            Place::New(Loaded::Found(record)) => record,
            Place::Copied(copy) => copy.session,
            Place::Old(record, _) => record,
            Place::New(_) | Place::Nowhere(_) => return Ok(None),
        };
        Ok((record.owner.as_deref() == Some(owner) && record.is_live(now)).then_some(record))
    }

    /// Ends the sessions whose copies are in the new store, and empties copies without a session.
    async fn destroy_copies(
        &self,
        index: &dyn OwnerIndex,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (mut ended, mut from) = (0, None);
        loop {
            let page = index.heads(owner, from.as_ref(), PAGE, now).await?;
            for head in page.entries.iter().filter(|head| may_be_moving(head)) {
                if except == Some(&head.key) {
                    continue;
                }
                if self.resolve(owner, &head.key, now).await?.is_some() {
                    self.destroy(&head.key, tombstone_until).await?;
                    ended += 1;
                } else {
                    let moment = Moment { now, notes_until: tombstone_until };
                    self.abandon(&head.key, head.etag, moment).await?;
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(ended);
            }
        }
    }
}

/// The entries of the old store's last page if there is room for some of the new store, or else the page to return.
fn with_room<E>(page: Page<E>, most: usize) -> Result<Vec<E>, Page<E>> {
    let next = match &page.next {
        Some(next) => cursor(OLD, next),
        None if page.entries.len() >= most => Cursor::new(NEW),
        None => return Ok(page.entries),
    };
    Err(Page::new(page.entries, Some(next)))
}

#[async_trait]
impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> OwnerIndex for MigratingStore<T, F> {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let (Some(old), Some(new)) = (self.from.owners(), self.to.owners()) else {
            return Ok(Page::last(Vec::new()));
        };
        let (mut entries, start) = match Part::at(from) {
            Part::New(start) => (Vec::new(), start),
            Part::Old(start) => match with_room(old.page(owner, start.as_ref(), most, now).await?, most) {
                Ok(entries) => (entries, None),
                Err(full) => return Ok(full),
            },
        };
        let page = new.page(owner, start.as_ref(), most - entries.len(), now).await?;
        for (key, record) in page.entries {
            let record = match is_copy(&record) || is_note(&record) {
                true => self.resolve(owner, &key, now).await?,
                false => Some(record),
            };
            let Some(record) = record else { continue };
            entries.retain(|(there, _)| *there != key);
            entries.push((key, record));
        }
        Ok(Page::new(entries, page.next.as_ref().map(|next| cursor(NEW, next))))
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (Some(old), Some(new)) = (self.from.owners(), self.to.owners()) else {
            return Ok(Page::last(Vec::new()));
        };
        let (mut entries, start) = match Part::at(from) {
            Part::New(start) => (Vec::new(), start),
            Part::Old(start) => match with_room(old.heads(owner, start.as_ref(), most, now).await?, most) {
                Ok(entries) => (entries, None),
                Err(full) => return Ok(full),
            },
        };
        let page = new.heads(owner, start.as_ref(), most - entries.len(), now).await?;
        for mut head in page.entries {
            if may_be_moving(&head) {
                let Some(record) = self.resolve(owner, &head.key, now).await? else { continue };
                head = SessionHead::of(head.key, &record);
            }
            entries.retain(|there| there.key != head.key);
            entries.push(head);
        }
        Ok(Page::new(entries, page.next.as_ref().map(|next| cursor(NEW, next))))
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        let (Some(old), Some(new)) = (self.from.owners(), self.to.owners()) else { return Ok(0) };
        // What has ended in the old store cannot move any more; what has moved already is found in the new one.
        let in_old = old.destroy_all(owner, except, now, tombstone_until).await?;
        let moving = self.destroy_copies(new, owner, except, now, tombstone_until).await?;
        let in_new = new.destroy_all(owner, except, now, tombstone_until).await?;
        Ok(in_old + moving + in_new)
    }
}

#[async_trait]
impl<T: SessionStore + ?Sized, F: SessionStore + ?Sized> Sweep for MigratingStore<T, F> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let mut swept = Swept { removed: 0, more: false };
        for sweeper in [self.from.sweeper(), self.to.sweeper()].into_iter().flatten() {
            let next = sweeper.sweep(before, most - swept.removed).await?;
            swept = Swept { removed: swept.removed + next.removed, more: swept.more || next.more };
        }
        Ok(swept)
    }
}
