//! All sessions of a store over an engine with transactions, in the order of their keys.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{Census, Cursor, Page, SessionHead, StoreError},
};

use super::{TxEngine, TxStore, tables};
use crate::codec::Entry;

/// A page is one transaction.
#[async_trait]
impl<E: TxEngine> Census for TxStore<E> {
    async fn survey(
        &self,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<SessionHead>, StoreError> {
        let (after, most) = (from.and_then(Cursor::key), most.max(1));
        self.read(move |tx| {
            let keys = tables::sessions(tx, after.as_ref(), most)?;
            let next = keys.last().filter(|_| keys.len() >= most).map(Cursor::after);
            let mut heads = Vec::new();
            for key in keys {
                if let Some(Ok(Entry::Record(record))) = tables::get(tx, &key)?
                    && record.is_live(now)
                {
                    heads.push(SessionHead::of(key, &record));
                }
            }
            Ok(Page::new(heads, next))
        })
        .await
    }
}
