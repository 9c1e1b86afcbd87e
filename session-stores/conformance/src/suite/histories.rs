//! Histories: many short ones of concurrent tasks, each of which must be linearizable.

use std::sync::Arc;

use session_core::store::SessionStore;

use super::Trial;
use crate::history::{Call, Plan, Recorder, check};

/// The answers to concurrent calls through one handle can be explained by one order of the calls.
pub async fn histories_of_one_handle_are_linearizable(t: Trial) {
    for seed in 0..HISTORIES {
        one(&[Arc::clone(&t.store)], seed, |_| true).await;
    }
}

/// The same through two handles. Where a handle may read what it has cached ([`Fixture::seen_within`]), loads may be out of
/// date, and the writes alone are linearizable.
///
/// [`Fixture::seen_within`]: crate::Fixture::seen_within
pub async fn histories_of_two_handles_are_linearizable(t: Trial) {
    let Some(other) = t.reopen().await else { return };
    let all = t.reads_are_current();
    for seed in HISTORIES..2 * HISTORIES {
        let handles = [Arc::clone(&t.store), Arc::clone(&other)];
        one(&handles, seed, |call| all || !matches!(call, Call::Load { .. })).await;
    }
}

/// Makes a history with this seed and checks the answers of these calls.
async fn one(handles: &[Arc<dyn SessionStore>], seed: u64, counts: impl Fn(&Call) -> bool) {
    let first = Recorder::new(Arc::clone(&handles[0]));
    let recorders: Vec<_> = handles.iter().map(|handle| first.over(Arc::clone(handle))).collect();
    // Fixtures may share a database: the keys come from the seed and must not repeat.
    let fresh = super::trial::fresh_etag().get();
    let plan = Plan { seed: fresh ^ seed, ..Plan::default() };
    plan.run(&recorders).await;
    plan.look(&first).await;
    let events: Vec<_> = first.events().into_iter().filter(|event| counts(&event.call)).collect();
    if let Err(violation) = check(&events) {
        panic!("{violation}with {plan:?}");
    }
}

const HISTORIES: u64 = 24;
