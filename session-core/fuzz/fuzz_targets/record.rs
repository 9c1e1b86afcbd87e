//! A payload from a store is opened, changed, committed and opened again: refused as a whole, or nothing is lost.
#![no_main]

use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use session_core::machine::table::Trigger;
use session_core::machine::{Access, Arrival, Commit, FlashBag, Fresh, SessionId, SessionState, StoreOp};
use session_core::store::{Etag, Loaded, Record, Written};
use session_core::{Policy, Timestamp};

fuzz_target!(|data: &[u8]| {
    let (now, policy) = (Timestamp::from_millis(1_000), Policy::default());
    let record = Record::new(Etag::new(1), now, Timestamp::from_millis(7_201_000), data.into());
    let Some(mut state) = open(&record) else { return };
    let before = state.data().all();
    let mut changed = before.iter().map(|(name, json)| (name.to_owned(), json)).collect::<Vec<_>>();
    changed.retain(|(name, _)| name != "fuzz");
    if state.data_mut().put("fuzz", "found").is_err() {
        return;
    }
    state.flash(FlashBag::Messages, "notice", "seen").expect("a name can be flashed");
    let draw = || Ok::<_, Infallible>(Fresh::from_bytes(&[7; 64]));
    let Ok(mut commit) = Commit::begin(state, &policy, Trigger::Response, now, draw) else { return };
    let mut stored = None;
    while let Some(operation) = commit.step() {
        match operation {
            StoreOp::Replace { record, .. } => stored = Some(record.clone()),
            // What is no session of ours is refused, and a new one begins.
            StoreOp::Create { .. } => return,
            other => panic!("a changed session is replaced, not {other:?}"),
        }
        commit.answer(Ok(Written::Applied), || now, draw);
    }
    let (_, outcome) = commit.finish();
    assert!(outcome.result.is_ok());
    let again = open(&stored.expect("it was written")).expect("what was written can be opened");
    assert_eq!(again.data().get::<String>("fuzz").ok().flatten().as_deref(), Some("found"));
    let mut after: Vec<_> = again.data().all().iter().map(|(name, json)| (name.to_owned(), json)).collect();
    after.retain(|(name, _)| name != "fuzz");
    assert_eq!(after, changed, "no value is lost or changed by another one's write");
});

fn open(record: &Record) -> Option<SessionState> {
    let arrival = Arrival::with_id(SessionId::from_bytes([7; 32]));
    let loaded = Ok(Loaded::Found(record.clone()));
    SessionState::open(arrival, loaded, Access::Full, Timestamp::from_millis(1_000)).ok()
}
