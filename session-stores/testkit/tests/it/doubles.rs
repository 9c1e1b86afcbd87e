//! The effects of each test double on the calls of a store.

use session_core::{
    Timestamp,
    adapter::Entropy,
    store::{Etag, Loaded, Record, SessionStore, StoreErrorKind, StoreKey, Written},
};
use session_store_memory::MemoryStore;
use session_testkit::{Fault, FaultyStore, GateStore, OpLog, Outcome, ScriptedEntropy, Verb, When};

const NOW: Timestamp = Timestamp::from_millis(1_893_484_800_000);
const LATER: Timestamp = Timestamp::from_millis(1_893_484_900_000);
const KEY: StoreKey = StoreKey::from_bytes([1; 32]);
const NEW: StoreKey = StoreKey::from_bytes([2; 32]);

fn record(etag: u64) -> Record {
    Record::new(Etag::new(etag), NOW, LATER, b"{}".to_vec().into()).with_owner(Some("ada".into()))
}

#[tokio::test]
async fn a_log_tells_every_call_with_its_keys_and_outcome() {
    let store = OpLog::new(MemoryStore::new());
    store.load(&KEY).await.unwrap();
    store.create(&KEY, &record(1), NOW).await.unwrap();
    store.replace(&KEY, Etag::new(9), &record(2), NOW).await.unwrap();
    store.touch(&NEW, LATER, NOW).await.unwrap();
    store.rotate(&KEY, Etag::new(1), &NEW, &record(3), NOW, LATER).await.unwrap();
    store.destroy(&NEW, LATER).await.unwrap();
    store.owners().unwrap().count("ada", NOW).await.unwrap();
    store.sweeper().unwrap().sweep(NOW, 1).await.unwrap();
    let told: Vec<_> = store.ops().iter().map(|op| (op.verb, op.outcome.unwrap())).collect();
    let expected = vec![
        (Verb::Load, Outcome::Missing),
        (Verb::Create, Outcome::Applied),
        (Verb::Replace, Outcome::Conflict),
        (Verb::Touch, Outcome::Gone),
        (Verb::Rotate, Outcome::Applied),
        (Verb::Destroy, Outcome::Applied),
        (Verb::Count, Outcome::Done),
        (Verb::Sweep, Outcome::Done),
    ];
    assert_eq!(told, expected);
    let rotation = store.take()[4];
    assert_eq!((rotation.key, rotation.new_key), (Some(KEY), Some(NEW)));
    assert_eq!(store.count_all(), 0);
}

#[tokio::test]
async fn a_log_also_tells_of_a_call_that_was_dropped() {
    let gated = GateStore::new(MemoryStore::new());
    let gate = gated.hold(Verb::Load, When::Before);
    let store = OpLog::new(gated);
    assert!(futures_util::future::poll_immediate(store.load(&KEY)).await.is_none());
    assert_eq!((store.ops()[0].verb, store.ops()[0].outcome), (Verb::Load, None));
    drop(gate);
}

#[tokio::test]
async fn a_fault_before_the_effect_leaves_nothing_and_one_after_it_leaves_all() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Fault::nth(1).kind(StoreErrorKind::Refused));
    let error = store.create(&KEY, &record(1), NOW).await.unwrap_err();
    assert_eq!((error.kind(), error.store()), (StoreErrorKind::Refused, "memory"));
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Missing);
    store.heal();
    store.fail(Fault::nth(1).after().kind(StoreErrorKind::Timeout));
    let error = store.create(&KEY, &record(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record(1)));
}

#[tokio::test]
async fn a_fault_on_a_verb_counts_that_verb_only() {
    let store = FaultyStore::new(MemoryStore::new());
    store.fail(Fault::nth(2).on(Verb::Touch));
    for fails in [false, true, false] {
        store.load(&KEY).await.unwrap();
        assert_eq!(store.touch(&KEY, LATER, NOW).await.is_err(), fails);
    }
    store.fail(Fault::every());
    assert!(store.load(&KEY).await.is_err() && store.destroy(&KEY, LATER).await.is_err());
    assert!(store.owners().unwrap().list("ada", NOW).await.is_err(), "the capabilities fail as well");
    store.heal();
    store.load(&KEY).await.unwrap();
}

#[tokio::test]
async fn a_gate_after_the_effect_holds_the_answer() {
    let store = GateStore::new(MemoryStore::new());
    let mut gate = store.hold(Verb::Create, When::After);
    let create = tokio::spawn({
        let store = store.clone();
        async move { store.create(&KEY, &record(1), NOW).await }
    });
    let call = gate.arrived().await;
    assert_eq!((call.verb, call.key), (Verb::Create, Some(KEY)));
    assert!(!create.is_finished());
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record(1)), "it has happened already");
    gate.release();
    assert_eq!(create.await.unwrap().unwrap(), Written::Applied);
}

#[tokio::test]
async fn a_gate_that_is_dropped_holds_nobody() {
    let store = GateStore::new(MemoryStore::new());
    drop(store.hold(Verb::Load, When::Before));
    assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Missing);
}

#[test]
fn scripted_entropy_never_repeats_and_two_seeds_do_not_meet() {
    let mut seen = std::collections::HashSet::new();
    for entropy in [ScriptedEntropy::new(), ScriptedEntropy::seeded(1), ScriptedEntropy::seeded(u32::MAX)] {
        for _ in 0..1_000 {
            let mut bytes = [0; 32];
            entropy.fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
        assert_eq!(entropy.bytes_given(), 32_000);
    }
}
