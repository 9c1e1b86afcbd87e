//! The laws beyond the decision table (whose laws are in `decide.rs`): over every answer of a store, and arbitrary bytes.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::convert::Infallible;

use proptest::prelude::*;
use session_core::{
    machine::{cookie::*, table::*, *},
    store::*,
    *,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn id() -> SessionId {
    SessionId::from_bytes([9; 32])
}

fn record(etag: u64, payload: &[u8]) -> Record {
    Record::new(Etag::new(etag), NOW, NOW.plus(Policy::default().age), payload.into())
        .with_absolute_deadline(Some(NOW.plus(std::time::Duration::from_secs(86_400))))
}

const PAYLOAD: &[u8] = br#"{"v":1,"data":{"n":1},"system":{"csrf":"t"}}"#;

/// Every way to open a session.
fn openings() -> Vec<SessionState> {
    let open = |arrival, loaded| SessionState::open(arrival, loaded, Access::Full, NOW).unwrap();
    let mut withheld = Arrival::without_cookie();
    withheld.withheld = true;
    vec![
        open(Arrival::without_cookie(), Ok(Loaded::Missing)),
        open(Arrival::with_id(id()), Ok(Loaded::Missing)),
        open(Arrival::with_id(id()), Ok(Loaded::Ended { until: NOW.plus(Policy::default().tombstone) })),
        open(Arrival::with_id(id()), Ok(Loaded::Found(record(1, PAYLOAD)))),
        open(Arrival::with_record(id(), record(1, PAYLOAD)), Ok(Loaded::Missing)),
        open(withheld, Ok(Loaded::Missing)),
        open(Arrival::with_id(id()), Err(StoreError::new(StoreErrorKind::Corrupt, "test"))),
        SessionState::unread(Arrival::with_id(id())),
        SessionState::unread(Arrival::with_record(id(), record(1, PAYLOAD))),
    ]
}

/// Every order, with and without a change before it.
fn orders() -> Vec<fn(&mut SessionState)> {
    vec![
        |_| {},
        |state| state.data_mut().put("n", 2).unwrap(),
        |state| state.data_mut().clear(),
        |state| state.regenerate(|| Ok::<_, Infallible>("u".to_owned())).unwrap(),
        |state| {
            state.data_mut().put("n", 2).unwrap();
            state.regenerate(|| Ok::<_, Infallible>("u".to_owned())).unwrap();
        },
        SessionState::invalidate,
        |state| {
            state.invalidate();
            state.data_mut().put("n", 2).unwrap();
        },
        SessionState::destroy,
        |state| {
            state.data_mut().put("n", 2).unwrap();
            state.destroy();
        },
        |state| state.set_owner(Some("ada")),
        |state| state.flash(FlashBag::Messages, "m", 0).unwrap(),
    ]
}

#[test]
fn a_change_of_user_orders_a_new_id_from_every_origin_and_the_same_user_none() {
    for mut state in openings() {
        let before = state.fate();
        state.set_owner(None);
        assert_eq!(state.fate(), before, "nobody as before: {state:?}");
        state.set_owner(Some("ada"));
        assert_eq!(state.fate(), Fate::Renew, "somebody: {state:?}");
    }
    for arrival in [
        Arrival::with_id(id()),
        Arrival::with_record(id(), record(1, PAYLOAD).with_owner(Some("ada".into()))),
    ] {
        let loaded = match arrival.claim {
            Some(Claim::Id(_)) => Loaded::Found(record(1, PAYLOAD).with_owner(Some("ada".into()))),
            _ => Loaded::Missing,
        };
        let mut state = SessionState::open(arrival, Ok(loaded), Access::Full, NOW).unwrap();
        state.set_owner(Some("ada"));
        assert_eq!((state.fate(), state.is_changed()), (Fate::Keep, false), "the same user");
        state.set_owner(None);
        assert_eq!((state.fate(), state.is_changed()), (Fate::Keep, true), "nobody");
        state.set_owner(Some("eve"));
        assert_eq!(state.fate(), Fate::Renew, "another");
    }
}

fn answers() -> Vec<Result<Written, StoreError>> {
    let failed = |kind| Err(StoreError::new(kind, "test"));
    vec![
        Ok(Written::Applied),
        Ok(Written::Gone),
        Ok(Written::Taken),
        Ok(Written::Conflict(record(2, PAYLOAD))),
        Ok(Written::Conflict(record(2, b"not json"))),
        Ok(Written::Conflict(record(2, b"{\"v\":2}"))),
        failed(StoreErrorKind::Unavailable),
        failed(StoreErrorKind::Timeout),
        failed(StoreErrorKind::TooLarge { size: 2, limit: 1 }),
    ]
}

fn drawn(count: &mut u8) -> Result<Fresh, Infallible> {
    *count += 1;
    Ok(Fresh::from_bytes(&[*count; 64]))
}

const TRIGGERS: [Trigger; 5] = [
    Trigger::Response,
    Trigger::FailedResponse,
    Trigger::Abandoned,
    Trigger::Commit,
    Trigger::DetachedCommit,
];

/// Runs every opening × order × policy × trigger × every two answers of a store (the last one goes on to be given).
fn over_everything(
    law: impl Fn(&SessionState, &Result<(), CommitError>, &[StoreOp], Option<&Written>),
) -> usize {
    let mut runs = 0;
    for (eager, trigger) in [false, true].into_iter().flat_map(|eager| TRIGGERS.map(|it| (eager, it))) {
        let mut policy = Policy::default();
        (policy.eager, policy.revocable) = (eager, true);
        for opening in openings() {
            for order in orders() {
                for first in answers() {
                    for second in answers() {
                        let (mut state, mut count) = (opening.clone(), 0);
                        order(&mut state);
                        let commit = Commit::begin(state, &policy, trigger, NOW, || drawn(&mut count));
                        let mut commit = match commit {
                            Ok(commit) => commit,
                            Err(refused) => {
                                law(&refused.state, &Err(refused.error), &[], None);
                                runs += 1;
                                continue;
                            }
                        };
                        let (mut ops, mut last) = (Vec::new(), None);
                        while let Some(op) = commit.step() {
                            // A replay for ever ends by the clock.
                            let late = NOW.plus(std::time::Duration::from_millis(300 * ops.len() as u64));
                            ops.push(op.clone());
                            let answer = if ops.len() == 1 { first.clone() } else { second.clone() };
                            last = answer.as_ref().ok().cloned();
                            commit.answer(answer, || late, || drawn(&mut count));
                        }
                        let (state, outcome) = commit.finish();
                        law(&state, &outcome.result, &ops, last.as_ref());
                        runs += 1;
                    }
                }
            }
        }
    }
    runs
}

#[test]
fn i1_no_cookie_is_set_or_cleared_unless_the_last_operation_applied() {
    let runs = over_everything(|state, result, ops, last| {
        if !matches!(state.cookie(), CookieOrder::Keep) {
            assert!(result.is_ok(), "{result:?}");
            assert!(ops.is_empty() || last == Some(&Written::Applied), "{ops:?}");
        }
    });
    assert_eq!(runs, 2 * 5 * 9 * 11 * 81);
}

#[test]
fn i3_nothing_but_create_and_rotate_names_a_new_key() {
    over_everything(|_, _, ops, _| {
        for op in ops {
            match op {
                StoreOp::Create { key, .. } | StoreOp::Rotate { new: key, .. } => {
                    assert_ne!(*key, id().store_key())
                }
                StoreOp::Replace { key, .. }
                | StoreOp::Touch { key, .. }
                | StoreOp::Destroy { key, .. }
                | StoreOp::Revoke { key, .. }
                | StoreOp::Prolong { key, .. } => {
                    assert_eq!(*key, id().store_key());
                }
            }
        }
    });
}

#[test]
fn i4_the_cookie_of_a_new_id_follows_the_rotation_that_killed_the_old_one() {
    over_everything(|state, _, ops, _| {
        if let (CookieOrder::SetId { id: set, .. }, Some(StoreOp::Rotate { old, new, .. })) =
            (state.cookie(), ops.last())
        {
            assert_eq!((set.store_key(), *old), (*new, id().store_key()));
        }
    });
}

#[test]
fn i4_what_stood_in_the_list_of_revocations_is_not_carried_on_under_a_new_id() {
    over_everything(|state, result, ops, _| {
        if matches!(ops.last(), Some(StoreOp::Prolong { .. })) {
            let ended = matches!(state.cookie(), CookieOrder::Clear { .. }) && result.is_ok();
            assert!(ended || matches!(state.cookie(), CookieOrder::Keep), "{result:?}");
        }
    });
}

#[test]
fn i6_the_cookie_is_cleared_only_by_a_destroy() {
    over_everything(|state, result, ops, _| {
        if matches!(state.cookie(), CookieOrder::Clear { .. }) {
            assert!(result.is_ok() && state.is_destroyed());
            assert!(ops.iter().all(|op| {
                matches!(op, StoreOp::Destroy { .. } | StoreOp::Revoke { .. } | StoreOp::Prolong { .. })
            }));
        }
    });
}

#[test]
fn i11_an_id_that_stands_for_no_record_is_never_set_again() {
    over_everything(|state, _, ops, _| {
        if let (CookieOrder::SetId { id: set, .. }, Some(StoreOp::Create { .. })) =
            (state.cookie(), ops.last())
        {
            assert_ne!(*set, id());
        }
    });
}

#[test]
fn i12_the_absolute_deadline_never_moves() {
    let end = record(1, PAYLOAD).absolute_deadline;
    over_everything(|_, _, ops, _| {
        for op in ops {
            if let StoreOp::Replace { record, .. } | StoreOp::Rotate { record, .. } = op {
                // An invalidated session is another one: it begins, and ends, anew; here at the same moment.
                assert_eq!(record.absolute_deadline, end);
            }
        }
    });
}

#[test]
fn after_gone_nothing_of_this_visit_is_written() {
    over_everything(|state, result, _, _| {
        if matches!(result, Err(CommitError::Gone)) {
            assert!(state.is_destroyed() && state.data().is_empty());
            let policy = Policy::default();
            let again = Commit::begin(state.clone(), &policy, Trigger::Response, NOW, || drawn(&mut 0));
            assert!(again.unwrap().step().is_none());
        }
    });
}

#[test]
fn a_load_that_failed_is_never_no_session() {
    for kind in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout, StoreErrorKind::Refused] {
        let failed = Err(StoreError::new(kind, "test"));
        assert!(SessionState::open(Arrival::with_id(id()), failed, Access::Full, NOW).is_err(), "{kind:?}");
    }
    let newer = Ok(Loaded::Found(record(1, b"{\"v\":2}")));
    assert!(SessionState::open(Arrival::with_id(id()), newer, Access::Full, NOW).is_err());
}

#[test]
fn a_clock_that_stands_still_does_not_make_patience_endless() {
    let found = Ok(Loaded::Found(record(1, PAYLOAD)));
    let mut state = SessionState::open(Arrival::with_id(id()), found, Access::Full, NOW).unwrap();
    state.data_mut().put("n", 2).unwrap();
    let policy = Policy::default();
    let mut commit = Commit::begin(state, &policy, Trigger::Response, NOW, || drawn(&mut 0)).unwrap();
    let mut asked = 0;
    while commit.step().is_some() {
        asked += 1;
        assert!(asked < 100_000, "for ever");
        commit.answer(Ok(Written::Conflict(record(2, PAYLOAD))), || NOW, || drawn(&mut 0));
    }
    assert!(matches!(commit.finish().1.result, Err(CommitError::Contended)));
}

#[test]
fn a_message_is_shown_once_by_a_visit_that_writes_and_left_by_one_that_reads() {
    let payload = br#"{"v":1,"flash":[{"id":1,"in":"messages","key":["status"],"value":"Saved"}]}"#;
    let found = || Ok(Loaded::Found(record(1, payload)));
    let open = |access| SessionState::open(Arrival::with_id(id()), found(), access, NOW).unwrap();
    let (reads, writes) = (open(Access::ReadOnly), open(Access::Full));
    assert!(reads.flashed(FlashBag::Messages).has("status") && !reads.is_changed());
    assert!(writes.flashed(FlashBag::Messages).has("status") && writes.is_changed());
    let mut upgraded = reads;
    upgraded.take_flash();
    assert!(upgraded.is_changed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn i10_any_bytes_as_a_payload_give_an_answer(bytes: Vec<u8>) {
        let found = Ok(Loaded::Found(record(1, &bytes)));
        let _ = SessionState::open(Arrival::with_id(id()), found, Access::Full, NOW);
    }

    #[test]
    fn i10_anything_that_looks_like_a_payload_gives_an_answer(
        data in "[\\[\\]{}\":,a-c0-9 ]{0,40}",
        key in prop::collection::vec("[a\\[\\].0-9]{0,3}", 0..4),
        bag in prop::sample::select(vec!["messages", "input", "errors", "other"]),
        value in "(\\[\"x\"\\]|1|null|\\{\\}|\\[1\\]|\"s\")",
    ) {
        let entry = serde_json::json!({ "in": bag, "key": key, "value": "V" }).to_string().replace("\"V\"", &value);
        let flash = format!("{{\"v\":1,\"flash\":[{entry},{entry}],\"system\":{{\"age\":\"x\",\"csrf\":7}}}}");
        for payload in [format!("{{\"v\":1,\"data\":{{{data}}}}}"), format!("{{\"v\":1,\"data\":{data}}}"), flash] {
            let found = Ok(Loaded::Found(record(1, payload.as_bytes())));
            if let Ok(state) = SessionState::open(Arrival::with_id(id()), found, Access::Full, NOW) {
                let policy = Policy::default();
                let commit = Commit::begin(state, &policy, Trigger::Response, NOW, || drawn(&mut 0));
                prop_assert!(commit.is_ok());
            }
        }
    }

    #[test]
    fn i10_any_bytes_as_cookies_give_an_answer(bytes: Vec<u8>, value in "[A-Za-z0-9_-]{0,300}") {
        let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|place| place as u8 * 7)).unwrap();
        let ring = KeyRing::new([key]).unwrap();
        let binding = Binding::cookie("sid", "Path=/", "session");
        let ours = format!("sid={value}").into_bytes();
        let headers = [bytes.as_slice(), ours.as_slice()];
        prop_assert!(select::<IdToken>(&ring, &binding, "sid", headers, NOW).token.is_none());
        prop_assert!(select::<RecordToken>(&ring, &binding, "sid", headers, NOW).token.is_none());
    }
}
