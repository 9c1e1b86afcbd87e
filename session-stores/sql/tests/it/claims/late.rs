//! A write that was answered with a timeout is not applied later, when the lock that it waited for is released.

use std::time::Duration;

use session_core::store::{Loaded, StoreErrorKind, Written};
use tokio::task::JoinSet;

use super::{Ground, LATER, NOW, Served, created, key, record};

/// Somebody holds the row (or the file) for longer than a deadline. Writes of every kind wait for it, some of them first
/// for a connection; all time out, then it is let go. A write behind them all finds the record as it was.
pub(crate) async fn a_write_that_timed_out_is_not_carried_out_later<G: Ground>() {
    let ground = G::new().await;
    let first = record("{}");
    let at = created(&ground.store(), &first).await;
    let held = ground.hold(&at).await;

    let store = ground.open(|config| config.deadline(DEADLINE).max_connections(3));
    let moved = LATER.plus(Duration::from_secs(3_600));
    let new_keys: [_; 2] = std::array::from_fn(|_| key());
    let mut writes = JoinSet::new();
    for number in 0..8 {
        let (store, etag) = (store.clone(), first.etag);
        writes.spawn(async move {
            match number % 4 {
                0 => store.destroy(&at, LATER).await.map(drop),
                1 => store.touch(&at, moved, NOW).await.map(drop),
                2 => store.replace(&at, etag, &record("{\"late\":true}"), NOW).await.map(drop),
                _ => {
                    let new = new_keys[number / 4];
                    store.rotate(&at, etag, &new, &record("{\"late\":true}"), NOW, LATER).await.map(drop)
                }
            }
        });
    }
    for answer in writes.join_all().await {
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Timeout);
    }

    drop(held);
    let store = ground.store();
    assert_eq!(store.touch(&at, LATER, NOW).await.unwrap(), Written::Applied, "it has been let go");
    assert_eq!(store.load(&at).await.unwrap(), Loaded::Found(first.clone()));
    for new in new_keys {
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Missing);
    }
    let next = record("{}");
    assert_eq!(store.replace(&at, first.etag, &next, NOW).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&at).await.unwrap(), Loaded::Found(next));
}

/// The only connection is busy for half of the deadline, with a write that waits for another row. The next write then
/// waits for a row that is released just after the deadline, which is too late.
pub(crate) async fn a_write_that_waited_for_a_connection_first_is_not_carried_out_later<S: Served>() {
    let ground = S::new().await;
    let first = record("{}");
    let busy = created(&ground.store(), &first).await;
    let at = created(&ground.store(), &first).await;
    let (held_shortly, held) = (ground.hold(&busy).await, ground.hold(&at).await);

    let store = ground.open(|config| config.deadline(DEADLINE).max_connections(1));
    let (occupies, waits) = (store.clone(), store);
    let occupying = tokio::spawn(async move { occupies.destroy(&busy, LATER).await });
    tokio::time::sleep(DEADLINE / 10).await;
    let waiting = tokio::spawn(async move { waits.destroy(&at, LATER).await });
    tokio::time::sleep(DEADLINE / 2).await;
    drop(held_shortly);
    // Whatever became of it: what matters is when it let go of the connection.
    drop(occupying.await.unwrap());
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), StoreErrorKind::Timeout);

    drop(held);
    let store = ground.store();
    assert_eq!(store.touch(&at, LATER, NOW).await.unwrap(), Written::Applied, "it has been let go");
    assert_eq!(store.load(&at).await.unwrap(), Loaded::Found(first));
}

const DEADLINE: Duration = Duration::from_secs(5);
