//! Histories written by hand.

use session_conformance::history::{Answer, Call, Content, Event, Rule, check};
use session_core::store::StoreKey;

fn key(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn content(etag: u64) -> Content {
    Content { etag, idle: 100, body: etag }
}

/// A call between two times.
fn at(invoked: u64, returned: u64, call: Call, answer: Answer) -> Event {
    Event { client: 0, invoked, returned: Some(returned), call, answer }
}

/// A call without an answer.
fn lost(invoked: u64, call: Call) -> Event {
    Event { client: 1, invoked, returned: None, call, answer: Answer::Unknown }
}

fn create(etag: u64) -> Call {
    Call::Create { key: key(1), written: content(etag) }
}

fn replace(expected: u64, etag: u64) -> Call {
    Call::Replace { key: key(1), expected, written: content(etag) }
}

fn rotate(expected: u64, etag: u64) -> Call {
    Call::Rotate { key: key(1), expected, new: key(2), written: content(etag) }
}

const LOAD: Call = Call::Load { key: StoreKey::from_bytes([1; 32]) };
const LOAD_NEW: Call = Call::Load { key: StoreKey::from_bytes([2; 32]) };
const DESTROY: Call = Call::Destroy { key: StoreKey::from_bytes([1; 32]) };

fn touch(idle: i64) -> Call {
    Call::Touch { key: key(1), idle }
}

fn found(etag: u64) -> Answer {
    Answer::Found(content(etag))
}

fn until(etag: u64, idle: i64) -> Answer {
    Answer::Found(Content { idle, ..content(etag) })
}

fn moved(etag: u64) -> Answer {
    Answer::Moved { key: key(2), content: content(etag) }
}

/// Every order of the list is accepted.
fn accepts(events: &[Event]) {
    for turn in 0..events.len() {
        let mut turned = events.to_vec();
        turned.rotate_left(turn);
        check(&turned).unwrap_or_else(|violation| panic!("{violation}"));
    }
}

/// Every order of the list is rejected, with a minimal set of events.
#[track_caller]
fn rejects(rule: Rule, events: &[Event]) {
    for turn in 0..events.len() {
        let mut turned = events.to_vec();
        turned.rotate_left(turn);
        let violation = check(&turned).unwrap_err();
        assert_eq!(violation.rule, rule, "{violation}");
        assert_eq!(check(&violation.events).unwrap_err().rule, rule, "{violation}");
        for spared in 0..violation.events.len() {
            let mut fewer = violation.events.clone();
            let event = fewer.remove(spared);
            let is_wrong = check(&fewer).is_err_and(|other| other.rule == rule);
            assert!(!is_wrong, "{event:?} can be spared in {violation}");
        }
    }
}

#[test]
fn a_life_in_order_is_accepted() {
    accepts(&[
        at(0, 1, LOAD, Answer::Missing),
        at(2, 3, create(1), Answer::Applied),
        at(4, 5, LOAD, found(1)),
        at(6, 7, replace(1, 2), Answer::Applied),
        at(8, 9, replace(1, 3), Answer::Conflict(content(2))),
        at(10, 11, touch(200), Answer::Applied),
        at(12, 13, LOAD, until(2, 200)),
        at(14, 15, rotate(2, 4), Answer::Applied),
        at(16, 17, LOAD, Answer::Ended),
        at(18, 19, replace(2, 5), moved(4)),
        at(20, 21, DESTROY, moved(4)),
        at(22, 23, Call::Destroy { key: key(2) }, Answer::Applied),
        at(24, 25, LOAD_NEW, Answer::Ended),
        at(26, 27, replace(2, 6), Answer::Gone),
        at(28, 29, touch(300), Answer::Gone),
        at(30, 31, create(7), Answer::Taken),
        at(32, 33, DESTROY, Answer::Applied),
    ]);
}

#[test]
fn a_read_during_a_write_may_show_either_version() {
    for seen in [1, 2] {
        accepts(&[
            at(0, 1, create(1), Answer::Applied),
            at(10, 30, replace(1, 2), Answer::Applied),
            at(15, 20, LOAD, found(seen)),
        ]);
    }
}

#[test]
fn two_reads_during_a_write_do_not_go_back() {
    rejects(
        Rule::Order,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(10, 90, replace(1, 2), Answer::Applied),
            at(20, 30, LOAD, found(2)),
            at(40, 50, LOAD, found(1)),
        ],
    );
}

#[test]
fn a_read_of_an_older_version_is_rejected() {
    rejects(
        Rule::Order,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 3, replace(1, 2), Answer::Applied),
            at(4, 5, replace(2, 3), Answer::Applied),
            at(6, 7, LOAD, found(1)),
            at(8, 9, LOAD, found(3)),
        ],
    );
}

#[test]
fn a_read_before_the_write_was_made_is_rejected() {
    rejects(
        Rule::Order,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 3, LOAD, found(2)),
            at(4, 5, replace(1, 2), Answer::Applied),
        ],
    );
}

#[test]
fn two_writes_over_one_version_are_rejected() {
    rejects(
        Rule::LostUpdate,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 9, replace(1, 2), Answer::Applied),
            at(3, 8, replace(1, 3), Answer::Applied),
        ],
    );
}

#[test]
fn an_acknowledged_write_that_is_lost_is_rejected() {
    rejects(
        Rule::Order,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 3, replace(1, 2), Answer::Applied),
            at(4, 5, LOAD, found(1)),
        ],
    );
    rejects(Rule::Order, &[at(0, 1, create(1), Answer::Applied), at(4, 5, LOAD, Answer::Missing)]);
}

#[test]
fn a_revival_is_rejected() {
    let dead = [at(0, 1, create(1), Answer::Applied), at(2, 3, DESTROY, Answer::Applied)];
    let after = |event: Event| [dead.to_vec(), vec![event]].concat();
    rejects(Rule::Order, &after(at(4, 5, LOAD, found(1))));
    rejects(Rule::Order, &after(at(4, 5, replace(1, 2), Answer::Applied)));
    rejects(Rule::Order, &after(at(4, 5, touch(300), Answer::Applied)));
    rejects(Rule::Order, &after(at(4, 5, rotate(1, 2), Answer::Applied)));
    rejects(Rule::Order, &after(at(4, 5, LOAD, Answer::Missing)));
    rejects(Rule::CreatedTwice, &after(at(4, 5, create(2), Answer::Applied)));
    accepts(&after(at(2, 5, replace(1, 2), Answer::Applied)));
}

#[test]
fn a_rotated_key_stays_dead() {
    let moved_on = [at(0, 1, create(1), Answer::Applied), at(2, 3, rotate(1, 2), Answer::Applied)];
    let after = |event: Event| [moved_on.to_vec(), vec![event]].concat();
    rejects(Rule::Order, &after(at(4, 5, LOAD, found(1))));
    rejects(Rule::LostUpdate, &after(at(4, 5, replace(1, 3), Answer::Applied)));
    rejects(Rule::WrongKey, &after(at(4, 5, replace(2, 3), Answer::Applied)));
    rejects(Rule::WrongKey, &after(at(4, 5, LOAD, found(2))));
    rejects(Rule::EndedByNobody, &after(at(4, 5, LOAD_NEW, Answer::Ended)));
    rejects(Rule::Order, &after(at(4, 5, LOAD_NEW, Answer::Missing)));
    // The answer has the current key of the session; without it, the session would have ended.
    rejects(Rule::EndedByNobody, &after(at(4, 5, replace(1, 3), Answer::Gone)));
    rejects(Rule::EndedByNobody, &after(at(4, 5, DESTROY, Answer::Applied)));
}

#[test]
fn a_call_without_an_answer_may_have_taken_effect_or_not() {
    for seen in [1, 2] {
        accepts(&[
            at(0, 1, create(1), Answer::Applied),
            lost(2, replace(1, 2)),
            at(50, 51, LOAD, found(seen)),
        ]);
    }
    // Also late, between two reads.
    accepts(&[
        at(0, 1, create(1), Answer::Applied),
        lost(2, replace(1, 2)),
        at(50, 51, LOAD, found(1)),
        at(60, 61, LOAD, found(2)),
    ]);
}

#[test]
fn a_call_without_an_answer_takes_effect_once_and_not_before_it_is_made() {
    let begun = at(0, 1, create(1), Answer::Applied);
    rejects(
        Rule::Order,
        &[begun.clone(), lost(2, replace(1, 2)), at(50, 51, LOAD, found(2)), at(60, 61, LOAD, found(1))],
    );
    rejects(Rule::Order, &[begun.clone(), at(2, 3, LOAD, found(2)), lost(4, replace(1, 2))]);
    rejects(
        Rule::LostUpdate,
        &[
            begun,
            lost(2, replace(1, 2)),
            at(3, 4, replace(1, 3), Answer::Applied),
            at(50, 51, LOAD, found(2)),
        ],
    );
}

#[test]
fn a_destroy_or_a_rotation_without_an_answer_explains_an_end() {
    let begun = at(0, 1, create(1), Answer::Applied);
    for ending in [DESTROY, rotate(1, 2)] {
        accepts(&[begun.clone(), lost(2, ending.clone()), at(4, 5, LOAD, Answer::Ended)]);
        rejects(Rule::Order, &[begun.clone(), at(4, 5, LOAD, Answer::Ended), lost(6, ending)]);
    }
    rejects(Rule::EndedByNobody, &[begun.clone(), at(4, 5, LOAD, Answer::Ended)]);
    // The rotation can be known from the other key alone.
    accepts(&[
        begun,
        lost(2, rotate(1, 2)),
        at(4, 5, Call::Destroy { key: key(2) }, Answer::Applied),
        at(6, 7, LOAD, Answer::Ended),
        at(8, 9, LOAD_NEW, Answer::Ended),
    ]);
}

#[test]
fn a_create_without_an_answer_is_known_from_what_it_left() {
    accepts(&[lost(0, create(1)), at(4, 5, LOAD, Answer::Missing)]);
    accepts(&[lost(0, create(1)), lost(1, create(2)), at(4, 5, LOAD, found(2))]);
    accepts(&[lost(0, create(1)), at(2, 3, DESTROY, Answer::Applied), at(4, 5, LOAD, Answer::Ended)]);
    rejects(Rule::EndedByNobody, &[at(2, 3, DESTROY, Answer::Applied), at(4, 5, LOAD, Answer::Ended)]);
}

#[test]
fn a_refused_write_is_not_seen() {
    rejects(
        Rule::RefusedWriteVisible,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 3, replace(9, 2), Answer::Conflict(content(1))),
            at(4, 5, LOAD, found(2)),
        ],
    );
    rejects(
        Rule::RefusedWriteVisible,
        &[
            at(0, 1, create(1), Answer::Applied),
            at(2, 3, replace(9, 2), Answer::Gone),
            at(4, 5, replace(2, 3), Answer::Applied),
        ],
    );
}

#[test]
fn a_record_that_no_call_wrote_is_a_violation() {
    let begun = at(0, 1, create(1), Answer::Applied);
    rejects(Rule::Phantom, &[begun.clone(), at(2, 3, LOAD, found(7))]);
    let torn = Answer::Found(Content { body: 7, ..content(1) });
    rejects(Rule::Torn, &[begun.clone(), at(2, 3, LOAD, torn)]);
    rejects(Rule::Damaged, &[begun, at(2, 3, LOAD, Answer::Damaged)]);
    rejects(Rule::Phantom, &[at(2, 3, replace(5, 6), Answer::Applied)]);
}

#[test]
fn answers_that_fit_no_state_are_rejected() {
    let begun = at(0, 1, create(1), Answer::Applied);
    rejects(Rule::Impossible, &[begun.clone(), at(2, 3, replace(1, 2), Answer::Conflict(content(1)))]);
    rejects(Rule::Impossible, &[at(0, 1, create(1), Answer::Taken)]);
    rejects(Rule::Impossible, &[at(0, 1, touch(200), Answer::Applied)]);
    rejects(Rule::Impossible, &[begun, at(2, 3, LOAD, Answer::Gone)]);
}

#[test]
fn a_touch_that_was_acknowledged_is_read() {
    let begun = [at(0, 1, create(1), Answer::Applied), at(2, 3, touch(200), Answer::Applied)];
    let after = |answer: Answer| [begun.to_vec(), vec![at(4, 5, LOAD, answer)]].concat();
    accepts(&after(until(1, 200)));
    rejects(Rule::Deadline, &after(until(1, 100)));
    rejects(Rule::Deadline, &after(until(1, 150)));
    rejects(Rule::Deadline, &after(until(1, 50)));
    // A write carries its own deadline.
    accepts(
        &[begun.to_vec(), vec![at(4, 5, replace(1, 2), Answer::Applied), at(6, 7, LOAD, found(2))]].concat(),
    );
    // A touch that is concurrent with a write may have been first.
    accepts(&[
        at(0, 1, create(1), Answer::Applied),
        at(2, 9, touch(200), Answer::Applied),
        at(3, 8, replace(1, 2), Answer::Applied),
        at(10, 11, LOAD, found(2)),
    ]);
    rejects(
        Rule::Deadline,
        &[
            at(0, 1, create(1), Answer::Applied),
            lost(2, touch(200)),
            at(4, 5, LOAD, until(1, 200)),
            at(6, 7, LOAD, until(1, 100)),
        ],
    );
}

#[test]
fn sessions_are_judged_apart() {
    let other = |call, answer| at(0, 1, call, answer);
    let checked = check(&[
        at(0, 1, create(1), Answer::Applied),
        other(Call::Create { key: key(5), written: content(2) }, Answer::Applied),
        at(2, 3, LOAD, found(1)),
        at(2, 3, Call::Load { key: key(5) }, found(2)),
        lost(4, Call::Destroy { key: key(5) }),
    ])
    .unwrap();
    assert_eq!((checked.sessions, checked.calls, checked.unknown, checked.versions), (2, 5, 1, 2));
}

#[test]
fn a_violation_is_shown_as_a_table() {
    let history = [
        at(1_000, 3_000, create(1), Answer::Applied),
        at(4_000, 5_000, DESTROY, Answer::Applied),
        at(5_100, 5_200, touch(7), Answer::Gone),
        at(6_000, 9_000, LOAD, found(1)),
    ];
    let lines = [
        "not linearizable: an answer is older than what an earlier call had shown or acknowledged",
        "  client 0                      0..2 µs  create k0 e0 -> applied",
        "  client 0                      3..4 µs  destroy k0 -> applied",
        "  client 0                      5..8 µs  load k0 -> found e0 until 100",
    ];
    let shown = check(&history).unwrap_err().to_string();
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
}
