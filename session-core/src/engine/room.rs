//! How many sessions a user may have: the heads of all, and the end of the oldest when there are too many.

use std::collections::HashSet;
use std::sync::Arc;

use super::common::Engine;
use super::event::Event;
use super::store::{OwnerIndex, PAGE, SessionStore};
use crate::decision::moved::is_same_session;
use crate::value::answer::{StoreError, Written};
use crate::value::head::SessionHead;
use crate::value::id::StoreKey;
use crate::value::record::{Payload, Record};

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

/// Ends a session that was found under this key, under whatever key it is by now.
pub(crate) async fn end(
    engine: &Engine,
    store: &dyn SessionStore,
    user: &str,
    found: &SessionHead,
) -> Result<(), StoreError> {
    let until = engine.policy.tombstone_until(engine.clock.now());
    let mut key = found.key;
    let found = Record::new(found.etag, found.created, found.idle_deadline, Payload::default())
        .with_owner(Some(user.into()));
    while let Written::Moved { key: to, record } = store.destroy(&key, until).await? {
        if !is_same_session(&found, &record) {
            break;
        }
        key = to;
    }
    engine.tell(&Event::Destroyed(key.handle()));
    Ok(())
}

/// Ends the oldest of these sessions until `most` are left.
pub(crate) async fn end_oldest(
    engine: &Engine,
    store: &dyn SessionStore,
    user: &str,
    mut heads: Vec<SessionHead>,
    most: usize,
) -> Result<(), StoreError> {
    let too_many = heads.len().saturating_sub(most);
    heads.sort_by_key(|head| (head.created, head.key));
    for head in &heads[..too_many] {
        end(engine, store, user, head).await?;
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
        end_oldest(engine, store, user, others, most.max(1) - 1).await
    };
    if let Err(error) = kept.await {
        let error: StoreError = error;
        engine.tell(&Event::of_store(&error));
    }
}
