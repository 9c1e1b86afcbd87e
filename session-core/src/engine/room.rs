//! How many sessions a user may have: the heads of all, and the end of the oldest when there are too many.

use std::collections::HashSet;
use std::sync::Arc;

use super::common::Engine;
use super::event::Event;
use super::store::{OwnerIndex, PAGE, SessionStore};
use crate::value::answer::StoreError;
use crate::value::head::SessionHead;
use crate::value::id::StoreKey;

/// Reads the heads of all sessions of a user, each once, page by page.
pub(crate) async fn heads(
    engine: &Engine,
    index: &dyn OwnerIndex,
    user: &str,
) -> Result<Vec<SessionHead>, StoreError> {
    let (now, mut seen) = (engine.clock.now(), HashSet::new());
    let (mut heads, mut from) = (Vec::new(), None);
    loop {
        let page = index.heads(user, from.as_ref(), PAGE, now).await?;
        heads.extend(page.entries.into_iter().filter(|head| seen.insert(head.key)));
        from = page.next;
        if from.is_none() {
            return Ok(heads);
        }
    }
}

/// Ends the oldest of these sessions until `most` are left.
pub(crate) async fn end_oldest(
    engine: &Engine,
    store: &dyn SessionStore,
    mut heads: Vec<SessionHead>,
    most: usize,
) -> Result<(), StoreError> {
    let too_many = heads.len().saturating_sub(most);
    heads.sort_by_key(|head| (head.created, head.key));
    for head in &heads[..too_many] {
        let until = engine.policy.tombstone_until(engine.clock.now());
        store.destroy(&head.key, until).await?;
        engine.tell(&Event::Destroyed(head.key.handle()));
    }
    Ok(())
}

/// Keeps a user who has just signed in within the limit of the policy. A failure leaves too many sessions, and the next
/// sign-in tries again.
pub(crate) async fn keep(engine: &Engine, user: &Arc<str>, own: &StoreKey) {
    let most = engine.policy.most_sessions;
    let Some(store) = engine.store.as_deref().filter(|_| most < usize::MAX) else { return };
    let Some(index) = store.owners() else { return };
    let kept = async {
        if index.count(user, engine.clock.now()).await? <= most {
            return Ok(());
        }
        let mut others = heads(engine, index, user).await?;
        others.retain(|head| head.key != *own);
        end_oldest(engine, store, others, most.max(1) - 1).await
    };
    if let Err(error) = kept.await {
        let error: StoreError = error;
        engine.tell(&Event::StoreError(error.store()));
    }
}
