//! The sweep of a store over an engine with transactions.

use async_trait::async_trait;
use session_core::{
    Timestamp,
    store::{StoreError, Sweep, Swept},
};

use super::{Ending, TxEngine, TxStore, tables};

/// Removes one batch of what is due, in one transaction.
#[async_trait]
impl<E: TxEngine> Sweep for TxStore<E> {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        if most == 0 {
            return Ok(Swept { removed: 0, more: false });
        }
        self.write(move |tx| {
            let due = tables::due(tx, before, most)?;
            let more = due.len() >= most;
            if due.is_empty() {
                return Ok(Ending::Abandon(Swept { removed: 0, more }));
            }
            let mut removed = 0;
            for (row, key) in due {
                match tables::get(tx, &key)? {
                    Some(Ok(entry)) if tables::end(&entry) <= before => {
                        tables::remove(tx, &key, &entry)?;
                        removed += 1;
                    }
                    // The row is one that a damaged record left.
                    _ => {}
                }
                tx.remove(&row)?;
            }
            Ok(Ending::Commit(Swept { removed, more }))
        })
        .await
    }
}
