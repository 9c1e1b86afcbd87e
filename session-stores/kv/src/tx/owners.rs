//! The index by owner of a store over transactions: lists, heads, and ending all sessions of an owner in batches.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Cursor, OwnerIndex, Page, Record, SessionHead, SessionStore as _, StoreError, StoreKey},
};

use super::store::TxStore;
use super::{Ending, TxEngine, tables};
use crate::codec::{Entry, Unreadable};

/// The index is changed in the transaction that changes the record. A page, or the ending of 250, is one transaction.
#[async_trait]
impl<E: TxEngine> OwnerIndex for TxStore<E> {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        let (owner, after, most) = (owner.to_owned(), from.and_then(Cursor::key), most.max(1));
        self.read(move |tx| {
            let keys = tables::by_owner(tx, &owner, after.as_ref(), most)?;
            let next = keys.last().filter(|_| keys.len() >= most).map(Cursor::after);
            let mut listed = Vec::new();
            for key in keys {
                if let Some(Ok(Entry::Record(record))) = tables::get(tx, &key)?
                    && record.owner.as_deref() == Some(&*owner)
                    && record.is_live(now)
                {
                    listed.push((key, record));
                }
            }
            Ok(Page::new(listed, next))
        })
        .await
    }

    async fn heads(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (owner, after, most) = (owner.to_owned(), from.and_then(Cursor::key), most.max(1));
        self.read(move |tx| {
            let keys = tables::by_owner(tx, &owner, after.as_ref(), most)?;
            let next = keys.last().filter(|_| keys.len() >= most).map(Cursor::after);
            let heads = keys.iter().map(|key| tables::head(tx, key, &owner));
            let heads = heads.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::new(heads.into_iter().filter(|head| head.deadline() > now).collect(), next))
        })
        .await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<usize, StoreError> {
        // A session that is rotated between two batches may be missed, so a long list is gone through until none is found.
        let (mut ended, mut failure) = (0, None);
        for _ in 0..MOST_PASSES {
            let (mut batches, mut found, mut after) = (0, 0, None);
            loop {
                let (batch, last) = self.end_some(owner, after, except, now, tombstone_until).await?;
                batches += 1;
                match batch {
                    Ok(number) => found += number,
                    Err(error) => failure = Some(error),
                }
                after = last;
                if after.is_none() {
                    break;
                }
            }
            ended += found;
            if batches == 1 || found == 0 {
                break;
            }
        }
        failure.map_or(Ok(ended), Err)
    }
}

impl<E: TxEngine> TxStore<E> {
    /// Ends a batch after this key; returns how many were live, and the last key if there may be more.
    async fn end_some(
        &self,
        owner: &str,
        after: Option<StoreKey>,
        except: Option<&StoreKey>,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<(Result<usize, StoreError>, Option<StoreKey>), StoreError> {
        let (name, owner, except) = (self.name(), owner.to_owned(), except.copied());
        self.write(move |tx| {
            let (mut ended, mut failure) = (0, None);
            let keys = tables::by_owner(tx, &owner, after.as_ref(), BATCH)?;
            let last = keys.last().copied().filter(|_| keys.len() >= BATCH);
            for key in keys {
                if Some(key) == except {
                    continue;
                }
                match tables::get(tx, &key)? {
                    Some(Ok(Entry::Record(record))) if record.owner.as_deref() == Some(&*owner) => {
                        ended += usize::from(record.is_live(now));
                        let tombstone = Entry::Tombstone { until: tombstone_until, successor: None };
                        tables::put(tx, &key, Some(&Entry::Record(record)), &tombstone)?;
                    }
                    // It could not be ended, and goes on.
                    Some(Err(Unreadable::Newer)) => failure = Some(Unreadable::Newer.in_store(name)),
                    // A row that a damaged record left.
                    Some(_) | None => tables::forget(tx, &owner, &key)?,
                }
            }
            Ok(Ending::Commit((failure.map_or(Ok(ended), Err), last)))
        })
        .await
    }
}

const BATCH: usize = 250;
const MOST_PASSES: usize = 16;
