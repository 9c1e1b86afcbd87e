//! Many writers of one session: no acknowledged write is lost, and no ended session is revived.

use std::sync::Arc;

use session_core::store::{Loaded, SessionStore, Written};

use crate::support::{fresh_key, now, record, store, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_of_many_rotations_at_once_exactly_one_id_lives() {
    let store = store().await;
    for _ in 0..50 {
        let old = fresh_key();
        let stored = record("0");
        store.create(&old, &stored, now()).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, etag, new) = (Arc::clone(&store), stored.etag, fresh_key());
                tokio::spawn(async move {
                    (new, store.rotate(&old, etag, &new, &record("1"), now(), until()).await.unwrap())
                })
            })
            .collect();
        let mut live = 0;
        for task in tasks {
            let (new, answer) = task.await.unwrap();
            match answer {
                Written::Applied => live += 1,
                other => {
                    assert!(matches!(other, Written::Moved { .. }), "{other:?}");
                    assert_eq!(store.load(&new).await.unwrap(), Loaded::Missing);
                }
            }
        }
        assert_eq!(live, 1);
    }
}
