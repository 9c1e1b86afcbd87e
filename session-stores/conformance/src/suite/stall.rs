//! A store whose server does not answer: every call ends at the store's deadline.

use std::future::Future;
use std::time::Duration;

use session_core::store::{StoreError, StoreErrorKind};

use super::Trial;

/// Returns whether the call ended with an error. Fails if it takes longer than a busy machine explains.
async fn fails_in_time<T>(
    verb: &str,
    deadline: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> bool {
    let Ok(ended) = tokio::time::timeout(deadline + PATIENCE, call).await else {
        panic!("{verb} does not end: the store's deadline is {deadline:?}, and {PATIENCE:?} more have passed")
    };
    let Err(error) = ended else { return false };
    let kind = error.kind();
    let fits = matches!(kind, StoreErrorKind::Timeout | StoreErrorKind::Unavailable);
    assert!(fits, "{verb}: a store that stalls is `Timeout` or `Unavailable`, not {kind:?}");
    true
}

/// Every call ends, so that a request which waits for it is answered. A verb that does not need the stalled server may
/// succeed, but at least one must fail: otherwise the fixture does not stall.
pub async fn a_stalled_store_ends_every_call_at_its_deadline(t: Trial) {
    let Some((stalled, deadline)) = t.stalled().await else { return };
    let store = &stalled.store;
    let (key, new, record) = (t.key(), t.key(), t.owned(&t.owner()));
    let (now, until, etag) = (t.now, t.until(), record.etag);
    let mut failed = [
        fails_in_time("create", deadline, store.create(&key, &record, now)).await,
        fails_in_time("load", deadline, store.load(&key)).await,
        fails_in_time("replace", deadline, store.replace(&key, etag, &record, now)).await,
        fails_in_time("touch", deadline, store.touch(&key, until, now)).await,
        fails_in_time("rotate", deadline, store.rotate(&key, etag, &new, &record, now, until)).await,
        fails_in_time("destroy", deadline, store.destroy(&key, until)).await,
    ]
    .contains(&true);
    if let Some(index) = store.owners() {
        failed |= fails_in_time("list", deadline, index.list("ada", now)).await;
        failed |= fails_in_time("count", deadline, index.count("ada", now)).await;
        failed |= fails_in_time("destroy_all", deadline, index.destroy_all("ada", None, now, until)).await;
    }
    if let Some(sweeper) = store.sweeper() {
        failed |= fails_in_time("sweep", deadline, sweeper.sweep(now, 1)).await;
    }
    assert!(failed, "every call succeeded: the store that the fixture's `stalled` opens does not stall");
}

/// How much later than its deadline a call may end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
