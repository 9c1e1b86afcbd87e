//! Writes that cannot follow: failed responses, failing stores, long waits, tombstones that are gone.

use std::time::Duration;

use session_testkit::{Fault, Verb, When};

use super::*;

#[tokio::test]
async fn a_failed_response_writes_nothing_under_the_new_id_either() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    finish(slow, 500).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_store_that_fails_on_the_way_is_an_error_and_never_gone() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    let session = slow.visit().session().await.unwrap();
    regenerate(&app, &mut browser).await;
    app.fault(Fault::nth(2).on(Verb::Replace));
    assert!(matches!(session.commit().await, Err(CommitError::Store(_))));
    session.commit().await.unwrap();
    finish(slow, 200).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(2), "tried again, once");
}

#[tokio::test]
async fn a_commit_that_follows_for_longer_than_the_policy_allows_is_contended() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    let mut gate = app.gates().hold(Verb::Replace, When::After);
    let closing = tokio::spawn(finish(slow, 200));
    gate.arrived().await;
    app.clock.advance(Duration::from_secs(2));
    gate.release();
    assert!(matches!(closing.await.unwrap().error, Some(CommitError::Contended)));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

/// The tombstone ends: the key is missing then, and nothing revives it.
#[tokio::test]
async fn a_write_that_comes_after_the_tombstone_was_removed_is_gone() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    let store = app.memory();
    let sweeper = store::SessionStore::sweeper(&store).unwrap();
    app.pass(61);
    while sweeper.sweep(app.clock.now(), 1_000).await.unwrap().more {}
    assert!(is_gone(&finish(slow, 200).await));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}
