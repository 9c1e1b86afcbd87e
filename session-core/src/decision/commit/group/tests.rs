//! Grouped commits against the same commits one after the other: every choice of three from nine kinds, for every state of
//! the store that may be known and every change to the session since it was loaded.
#![allow(clippy::vec_box, clippy::unwrap_used, reason = "they come in boxes; a panic is the report")]

use std::convert::Infallible;
use std::time::Duration;

use super::*;
use crate::decision::decide::{Fate, Trigger};
use crate::decision::state::{Access, Arrival, SessionState};
use crate::value::answer::Loaded;
use crate::value::content::Content;
use crate::value::flash::FlashBag;
use crate::value::id::{Etag, SessionId, StoreKey};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Add,
    Push,
    Put,
    Clear,
    Flash,
    Shows,
    Fills,
    SignsOff,
    Lengthens,
}

const KINDS: [Kind; 9] = [
    Kind::Add,
    Kind::Push,
    Kind::Put,
    Kind::Clear,
    Kind::Flash,
    Kind::Shows,
    Kind::Fills,
    Kind::SignsOff,
    Kind::Lengthens,
];

/// What has happened to the session since all have loaded it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Since {
    Nothing,
    OneHasWritten,
    ItHasEnded,
    ItHasMoved,
}

/// A store with one session.
#[derive(Clone, Debug)]
struct Server {
    key: StoreKey,
    record: Option<Record>,
    calls: u32,
    /// What is written by another process before the second call.
    between: Option<Record>,
}

impl Server {
    fn perform(&mut self, op: &StoreOp) -> Result<Written, StoreError> {
        let StoreOp::Replace { key, expected, record, .. } = op else { panic!("{op:?}") };
        self.calls += 1;
        if self.calls == 2
            && let Some(theirs) = self.between.take()
        {
            self.record = Some(theirs);
        }
        let Some(current) = &mut self.record else { return Ok(Written::Gone) };
        if *key != self.key {
            return Ok(Written::Moved { key: self.key, record: current.clone() });
        }
        if current.etag != *expected {
            return Ok(Written::Conflict(current.clone()));
        }
        *current = record.clone();
        Ok(Written::Applied)
    }
}

fn id(of: u8) -> SessionId {
    SessionId::from_bytes([of; 32])
}

fn record(etag: u64, n: u32) -> Record {
    let payload = format!(
        r#"{{"v":1,"data":{{"a":0,"n":{n},"list":[0]}},"flash":[{{"id":7,"in":"messages","key":["m"],"value":9}}]}}"#
    );
    Record::new(Etag::new(etag), NOW, NOW.plus(Policy::default().age), payload.into_bytes().into())
        .with_owner(Some("ada".into()))
}

/// Small enough for one that fills, not for two.
fn policy() -> Policy {
    Policy { max_record: 900, ..Policy::default() }
}

fn visit(nth: usize, kind: Kind) -> SessionState {
    let found = Ok(Loaded::Found(record(1, 10)));
    let mut state = SessionState::open(Arrival::with_id(id(1)), found, Access::ReadOnly, NOW).unwrap();
    match kind {
        Kind::Add => _ = state.data_mut().increment("n").unwrap(),
        Kind::Push => state.data_mut().push("list", nth).unwrap(),
        Kind::Put => state.data_mut().put("a", nth + 1).unwrap(),
        Kind::Clear => state.clear(),
        Kind::Flash => state.flash(FlashBag::Messages, format!("m{nth}"), nth).unwrap(),
        Kind::Shows => state.take_flash(),
        Kind::Fills => state.data_mut().push("full", "x".repeat(450)).unwrap(),
        Kind::SignsOff => state.set_owner(None),
        Kind::Lengthens => state.set_age(Duration::from_secs(60 * (nth as u64 + 1)), &policy(), NOW).unwrap(),
    }
    state
}

fn draw() -> impl FnMut() -> Result<Fresh, Infallible> {
    let mut last = 100;
    move || {
        last += 1;
        Ok(Fresh { id: None, etag: Etag::new(last), nonce: [0; 24] })
    }
}

fn begin(
    states: &mut [SessionState],
    draw: &mut impl FnMut() -> Result<Fresh, Infallible>,
) -> Vec<Box<Writing>> {
    let begin = |state: &mut SessionState| {
        Writing::begin(state, &policy(), Trigger::Response, NOW, &mut *draw).unwrap()
    };
    states.iter_mut().map(begin).collect()
}

fn alone(writing: &mut Writing, server: &mut Server, draw: &mut impl FnMut() -> Result<Fresh, Infallible>) {
    while let Some(op) = writing.step() {
        let answer = server.perform(op);
        writing.answer(answer, &policy(), || NOW, &mut *draw);
    }
}

fn together(
    writings: Vec<Box<Writing>>,
    latest: Option<Record>,
    server: &mut Server,
    mut draw: &mut impl FnMut() -> Result<Fresh, Infallible>,
) -> Vec<Box<Writing>> {
    assert!(writings.iter().all(|writing| writing.joins()));
    let mut group = Group::of(writings, latest);
    group.chain(&policy(), NOW, &mut draw);
    while let Some(op) = group.step() {
        let answer = server.perform(op);
        group.answer(answer, &policy(), NOW, &mut draw);
    }
    let (mut writings, latest) = group.finish();
    if server.key == id(1).store_key() && server.record.is_some() && server.between.is_none() {
        assert_eq!(latest, server.record, "what stands in the store is handed on");
    }
    writings.iter_mut().for_each(|writing| alone(writing, server, draw));
    writings
}

/// All that can be seen of a record, without the versions.
fn shown(record: Option<&Record>) -> Option<String> {
    let record = record?;
    let content = Content::decode(&record.payload, record.owner.clone()).unwrap();
    let reads =
        SessionState::open(Arrival::with_id(id(1)), Ok(Loaded::Found(record.clone())), Access::ReadOnly, NOW);
    let flashed = reads.unwrap().flashed(FlashBag::Messages);
    let flashed: Vec<_> = flashed.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let (data, system) = (content.data.bag().encode(), content.system.bag().encode());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let ends = (record.created, record.idle_deadline, record.absolute_deadline);
    Some(format!("{} {} {flashed:?} {:?} {ends:?}", text(&data), text(&system), record.owner))
}

/// What became of each visit, and of the session.
fn settled(
    states: &mut [SessionState],
    writings: Vec<Box<Writing>>,
    server: &Server,
) -> (Vec<String>, Option<String>) {
    let visits = states.iter_mut().zip(writings).map(|(state, writing)| {
        let result = writing.finish(state, &policy()).result;
        let (data, key) = (state.data().bag().encode(), state.key());
        let shown = shown(state.record());
        assert!(state.is_changed() == matches!(result, Err(CommitError::TooLarge { .. })));
        assert_eq!(state.fate(), Fate::Keep);
        format!("{result:?} {data:?} {:?} {key:?} {shown:?}", state.cookie())
    });
    (visits.collect(), shown(server.record.as_ref()))
}

fn server(since: Since) -> Server {
    let (mut key, mut found) = (id(1).store_key(), Some(record(1, 10)));
    match since {
        Since::Nothing => {}
        Since::OneHasWritten => found = Some(record(2, 20)),
        Since::ItHasEnded => found = None,
        Since::ItHasMoved => (key, found) = (id(2).store_key(), Some(record(3, 30))),
    }
    Server { key, record: found, calls: 0, between: None }
}

fn every(check: impl Fn([Kind; 3])) {
    for first in KINDS {
        for second in KINDS {
            KINDS.iter().for_each(|third| check([first, second, *third]));
        }
    }
}

#[test]
fn a_group_writes_what_its_commits_would_write_one_by_one() {
    for since in [Since::Nothing, Since::OneHasWritten, Since::ItHasEnded, Since::ItHasMoved] {
        let known = [None, Some(record(2, 20))];
        for known in &known[..if since == Since::Nothing { 2 } else { 1 }] {
            every(|kinds| {
                if since == Since::ItHasMoved && kinds.contains(&Kind::SignsOff) {
                    // A member that follows the session before its user signs off keeps it, which sequential commits may not.
                    return;
                }
                let states = || [0, 1, 2].map(|nth| visit(nth, kinds[nth]));
                let (mut one_by_one, mut at_once) = (states(), states());
                let (mut here, mut there) = (server(since), server(since));
                let mut drawn = draw();
                let mut writings = begin(&mut one_by_one, &mut drawn);
                writings.iter_mut().for_each(|writing| alone(writing, &mut here, &mut drawn));
                let expected = settled(&mut one_by_one, writings, &here);
                let mut drawn = draw();
                let writings = begin(&mut at_once, &mut drawn);
                let writings = together(writings, known.clone(), &mut there, &mut drawn);
                assert_eq!(
                    settled(&mut at_once, writings, &there),
                    expected,
                    "{kinds:?} {since:?} {known:?}"
                );
                let most = match since {
                    Since::Nothing | Since::OneHasWritten => 2,
                    Since::ItHasEnded => 1,
                    // Each follows by itself.
                    Since::ItHasMoved => 1 + 2 * 3,
                };
                assert!(there.calls <= most, "{kinds:?} {since:?} {known:?}: {} calls", there.calls);
            });
        }
    }
}

#[test]
fn what_another_process_writes_between_two_calls_is_kept() {
    every(|kinds| {
        let mut states = [0, 1, 2].map(|nth| visit(nth, kinds[nth]));
        let mut at = server(Since::OneHasWritten);
        at.between = Some(record(5, 50));
        let mut drawn = draw();
        let writings = begin(&mut states, &mut drawn);
        let writings = together(writings, None, &mut at, &mut drawn);
        let after = settled(&mut states, writings, &at);
        let mut states = [0, 1, 2].map(|nth| visit(nth, kinds[nth]));
        let mut there = server(Since::OneHasWritten);
        there.record = Some(record(5, 50));
        let mut drawn = draw();
        let mut writings = begin(&mut states, &mut drawn);
        writings.iter_mut().for_each(|writing| alone(writing, &mut there, &mut drawn));
        assert_eq!(after, settled(&mut states, writings, &there), "{kinds:?}");
        assert_eq!(at.calls, 3);
    });
}

#[test]
fn a_call_that_fails_fails_for_each_and_their_changes_are_kept() {
    every(|kinds| {
        let mut states = [0, 1, 2].map(|nth| visit(nth, kinds[nth]));
        let mut drawn = draw();
        let mut group = Group::of(begin(&mut states, &mut drawn), None);
        group.chain(&policy(), NOW, &mut drawn);
        assert!(group.step().is_some());
        group.answer(Err(StoreError::timeout("test")), &policy(), NOW, &mut drawn);
        assert!(group.step().is_none());
        for (state, writing) in states.iter_mut().zip(group.finish().0) {
            let result = writing.finish(state, &policy()).result;
            assert!(matches!(result, Err(CommitError::Store(_))) && state.is_changed(), "{kinds:?}");
        }
    });
}

#[test]
fn those_that_the_store_finds_too_large_together_are_tried_one_by_one() {
    for limit in [200, 330, 640] {
        every(|kinds| {
            let mut states = [0, 1, 2].map(|nth| visit(nth, kinds[nth]));
            let (mut at, mut drawn) = (server(Since::Nothing), draw());
            let mut group = Group::of(begin(&mut states, &mut drawn), None);
            group.chain(&policy(), NOW, &mut drawn);
            while let Some(op) = group.step() {
                let StoreOp::Replace { record, .. } = op else { panic!("{op:?}") };
                let answer = match StoreError::check_size("test", record, limit) {
                    Ok(()) => at.perform(op),
                    Err(error) => Err(error),
                };
                group.answer(answer, &policy(), NOW, &mut drawn);
            }
            let mut adds = 0;
            for ((state, writing), kind) in states.iter_mut().zip(group.finish().0).zip(kinds) {
                match writing.finish(state, &policy()).result {
                    Ok(()) => adds += u32::from(kind == Kind::Add),
                    Err(CommitError::TooLarge { .. }) => assert!(state.is_changed()),
                    Err(other) => panic!("{kinds:?}: {other}"),
                }
            }
            let written = at.record.unwrap();
            assert!(written.size() <= limit || written == record(1, 10), "{kinds:?}");
            if !kinds.contains(&Kind::Clear) {
                let content = Content::decode(&written.payload, None).unwrap();
                assert_eq!(content.data.get::<u32>("n").unwrap(), Some(10 + adds), "{kinds:?} {limit}");
            }
        });
    }
}

#[test]
fn who_has_waited_too_long_is_left_out() {
    let mut states = [0, 1, 2].map(|nth| visit(nth, Kind::Add));
    let mut drawn = draw();
    let later = NOW.plus(policy().contention);
    let mut writings = begin(&mut states[..1], &mut drawn);
    for state in &mut states[1..] {
        let begun = Writing::begin(state, &policy(), Trigger::Response, later, &mut drawn);
        writings.push(begun.unwrap());
    }
    let (mut group, mut at) = (Group::of(writings, None), server(Since::Nothing));
    group.chain(&policy(), later, &mut drawn);
    while let Some(op) = group.step() {
        let answer = at.perform(op);
        group.answer(answer, &policy(), later, &mut drawn);
    }
    let ends = states.iter_mut().zip(group.finish().0);
    let ends: Vec<_> = ends.map(|(state, writing)| writing.finish(state, &policy()).result.is_ok()).collect();
    assert_eq!((ends, at.calls), (vec![false, true, true], 1));
}
