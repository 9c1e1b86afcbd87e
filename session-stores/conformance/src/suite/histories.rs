//! Histories: many short ones, made by tasks at once, each of which must be linearizable.

use std::sync::Arc;

use session_core::store::SessionStore;

use super::Trial;
use crate::history::{Plan, Recorder, check};

/// What several tasks are answered through one handle can be explained by one order of their calls.
pub async fn histories_of_one_handle_are_linearizable(t: Trial) {
    for seed in 0..HISTORIES {
        one(&[Arc::clone(&t.store)], seed).await;
    }
}

/// The same through two handles.
pub async fn histories_of_two_handles_are_linearizable(t: Trial) {
    let Some(other) = t.reopen().await else { return };
    for seed in HISTORIES..2 * HISTORIES {
        one(&[Arc::clone(&t.store), Arc::clone(&other)], seed).await;
    }
}

/// Makes a history with this seed and checks it.
async fn one(handles: &[Arc<dyn SessionStore>], seed: u64) {
    let first = Recorder::new(Arc::clone(&handles[0]));
    let recorders: Vec<_> = handles.iter().map(|handle| first.over(Arc::clone(handle))).collect();
    // Fixtures may share a database: the keys come from the seed and must not repeat.
    let fresh = super::trial::fresh_etag().get();
    let plan = Plan { seed: fresh ^ seed, ..Plan::default() };
    plan.run(&recorders).await;
    plan.look(&first).await;
    if let Err(violation) = check(&first.events()) {
        panic!("{violation}with {plan:?}");
    }
}

const HISTORIES: u64 = 24;
