//! The guarantees of replaying a journal, for any edits on any initial values.

// Helpers of a test file are tests as well, which clippy cannot see.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use session_core::machine::{Bag, Journal, Values};

#[derive(Debug, Clone)]
enum Op {
    Put(String, Value),
    Push(String, Value),
    Add(String, i32),
    Half(String),
    Forget(String),
    Pull(String),
    Merge(Value),
    Replace(Value),
    Clear,
    Double(String),
    Remember(String, Value),
}

fn perform(values: &mut Values, op: &Op) {
    // What does not fit is refused and changes nothing, which is as good a history as any.
    let _ = match op {
        Op::Put(key, value) => values.put(key, value),
        Op::Push(key, value) => values.push(key, value),
        Op::Add(key, by) => values.increment_by(key, *by).map(drop),
        Op::Half(key) => values.increment_by(key, 0.5).map(drop),
        Op::Forget(key) => {
            values.forget(key);
            Ok(())
        }
        Op::Pull(key) => values.pull::<Value>(key).map(drop),
        Op::Merge(object) => values.merge(object),
        Op::Replace(object) => values.replace(object),
        Op::Clear => {
            values.clear();
            Ok(())
        }
        Op::Double(key) => values.update(key, |n: Option<f64>| n.unwrap_or(1.0) * 2.0).map(drop),
        Op::Remember(key, value) => values.remember(key, || value.clone()).map(drop),
    };
}

fn bag(value: &Value) -> Bag {
    Bag::decode(value.to_string().into_bytes().into()).unwrap()
}

fn value(bag: &Bag) -> Value {
    serde_json::from_slice(&bag.encode()).unwrap()
}

/// Runs it, and takes the journal once at the end and, in a second run, after every step.
fn run(start: &Value, ops: &[Op]) -> (Values, Journal, Vec<Journal>) {
    let mut whole = Values::new(bag(start));
    let mut stepwise = Values::new(bag(start));
    let mut steps = Vec::new();
    for op in ops {
        perform(&mut whole, op);
        perform(&mut stepwise, op);
        steps.push(stepwise.take_journal());
    }
    let journal = whole.take_journal();
    (whole, journal, steps)
}

fn replayed(start: &Value, journals: &[Journal]) -> Value {
    let mut bag = bag(start);
    journals.iter().for_each(|journal| journal.replay(&mut bag));
    value(&bag)
}

fn key() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "c", "0", "1", "2"]);
    prop::collection::vec(segment, 1..4).prop_map(|segments| segments.join("."))
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-3..4).prop_map(Value::from),
        Just(json!(0.5)),
        Just(json!("text")),
        Just(json!([])),
        Just(json!({})),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec!["a", "b", "c", "0", "1", "a.b"]).prop_map(str::to_owned);
    prop::collection::vec((name, inner), 0..4).prop_map(|fields| fields.into_iter().collect())
}

fn start() -> impl Strategy<Value = Value> {
    fields(tree()).prop_map(Value::Object)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (key(), tree()).prop_map(|(key, value)| Op::Put(key, value)),
        3 => (key(), leaf()).prop_map(|(key, value)| Op::Push(key, value)),
        3 => (key(), -3..4).prop_map(|(key, by)| Op::Add(key, by)),
        1 => key().prop_map(Op::Half),
        4 => key().prop_map(Op::Forget),
        1 => key().prop_map(Op::Pull),
        2 => start().prop_map(Op::Merge),
        1 => start().prop_map(Op::Replace),
        1 => Just(Op::Clear),
        2 => key().prop_map(Op::Double),
        1 => (key(), leaf()).prop_map(|(key, value)| Op::Remember(key, value)),
    ]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_journal_does_what_its_edits_do_one_after_the_other(
        base in start(), other in start(), ops in ops(),
    ) {
        let (_, folded, steps) = run(&base, &ops);
        prop_assert_eq!(replayed(&other, &[folded]), replayed(&other, &steps));
    }

    #[test]
    fn a_journal_replayed_on_its_own_start_ends_where_the_request_ended(base in start(), ops in ops()) {
        let (values, folded, _) = run(&base, &ops);
        prop_assert_eq!(replayed(&base, &[folded]), value(values.bag()));
    }

    #[test]
    fn two_requests_in_either_order_end_as_if_one_came_after_the_other(
        base in start(), one in ops(), two in ops(),
    ) {
        let (first, first_journal, first_steps) = run(&base, &one);
        let (second, second_journal, second_steps) = run(&base, &two);
        for (winner, mut loser, journal, earlier, later) in [
            (&first, second.clone(), &second_journal, &first_steps, &second_steps),
            (&second, first.clone(), &first_journal, &second_steps, &first_steps),
        ] {
            loser.rebase(winner.bag().clone(), journal);
            let in_turn: Vec<Journal> = earlier.iter().chain(later).cloned().collect();
            prop_assert_eq!(value(loser.bag()), replayed(&base, &in_turn));
        }
    }

    #[test]
    fn a_journal_put_back_does_what_it_did_before(
        base in start(), other in start(), one in ops(), two in ops(),
    ) {
        let mut values = Values::new(bag(&base));
        one.iter().for_each(|op| perform(&mut values, op));
        let older = values.take_journal();
        two.iter().for_each(|op| perform(&mut values, op));
        let in_turn = replayed(&other, &[older.clone(), values.journal().clone()]);
        values.put_back(older);
        prop_assert_eq!(replayed(&other, &[values.take_journal()]), in_turn);
    }

    #[test]
    fn a_journal_is_empty_exactly_when_nothing_changed(base in start(), ops in ops()) {
        let mut values = Values::new(bag(&base));
        for op in &ops {
            let before = value(values.bag());
            perform(&mut values, op);
            let changed = !values.take_journal().is_empty();
            prop_assert_eq!(changed, before != value(values.bag()), "{:?}", op);
        }
    }

    #[test]
    fn encoding_and_decoding_changes_nothing(base in start(), ops in ops()) {
        let (values, _, _) = run(&base, &ops);
        let again = Bag::decode(values.bag().encode().into()).unwrap();
        prop_assert_eq!(value(&again), value(values.bag()));
    }

    #[test]
    fn arbitrary_bytes_decode_or_not_but_return(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Bag::decode(bytes.into());
    }

    #[test]
    fn almost_json_decodes_or_not_but_returns(text in "[{}\\[\\],:\"\\\\u0-9a-eE+.trufalsn -]{0,60}", key in key()) {
        if let Ok(bag) = Bag::decode(format!("{{\"a\":{text}}}").into_bytes().into()) {
            let mut values = Values::new(bag);
            let _ = values.get::<Value>(&key);
            let _ = (values.put(&key, 1), values.push(&key, 1), values.increment(&key));
            values.forget(&key);
            let _ = serde_json::to_string(&values.all());
            prop_assert!(Bag::decode(values.bag().encode().into()).is_ok());
        }
    }
}

/// A removal takes the parents that it leaves empty. On replay it takes an empty parent that another request left only
/// if this request had put something there before: as if it had run on the newer values.
#[test]
fn a_removal_takes_an_empty_parent_only_where_this_request_had_put_something() {
    let forget = |key: &str| Op::Forget(key.into());
    let put = |key: &str| Op::Put(key.into(), json!(1));
    let kept = json!({ "x": {} });
    let gone = json!({});
    let cases = [
        // Nothing was put.
        (json!({ "x": { "a": 1 } }), vec![forget("x.a")], &kept),
        (json!({ "x": { "a": { "b": 1, "c": 2 } } }), vec![forget("x.a.b"), forget("x.a")], &kept),
        (json!({ "x": { "a": [1, 2, 3] } }), vec![forget("x.a.0"), forget("x.a")], &kept),
        (
            json!({ "x": { "a": [1, [2, 3]] } }),
            vec![forget("x.a.1.0"), forget("x.a.0"), forget("x.a")],
            &kept,
        ),
        // Something was, at the path or below it, and may have been removed before.
        (json!({}), vec![put("x.a"), forget("x.a")], &gone),
        (json!({}), vec![Op::Add("x.a".into(), 1), forget("x.a")], &gone),
        (json!({}), vec![Op::Push("x.a".into(), json!(1)), forget("x.a")], &gone),
        (json!({}), vec![Op::Double("x.a".into()), forget("x.a")], &gone),
        (json!({ "x": { "a": { "c": 1 } } }), vec![put("x.a.b"), forget("x.a")], &gone),
        (json!({ "x": { "a": { "c": 1 } } }), vec![put("x.a.b"), forget("x.a.b"), forget("x.a")], &gone),
        (json!({ "x": { "a": { "c": 1 } } }), vec![Op::Add("x.a.b".into(), 1), forget("x.a")], &gone),
        (
            json!({ "x": { "a": { "c": 1, "d": [0, 1] } } }),
            vec![Op::Push("x.a.b".into(), json!(1)), forget("x.a.d.0"), forget("x.a")],
            &gone,
        ),
    ];
    for (base, ops, expected) in cases {
        let (_, journal, _) = run(&base, &ops);
        assert_eq!(&replayed(&kept, &[journal]), expected, "{ops:?} of {base}, replayed");
        let (directly, _, _) = run(&kept, &ops);
        assert_eq!(&value(directly.bag()), expected, "{ops:?}, as if it had run on the newer values");
    }
}

/// An object that a merge asks for is made although what stood below was removed.
#[test]
fn a_merge_makes_its_objects_again_after_a_removal() {
    let merge = |value: Value| Op::Merge(value);
    for ops in [
        vec![Op::Forget("a.b".into()), merge(json!({ "a": {} }))],
        vec![Op::Put("a".into(), json!(1)), merge(json!({ "a": { "b": 2 } }))],
        vec![Op::Forget("a".into()), merge(json!({ "a": { "c": {} } }))],
    ] {
        let (directly, journal, steps) = run(&json!({ "a": { "b": 1 } }), &ops);
        for newer in [json!({}), json!({ "a": 1 }), json!({ "a": { "b": 1 } })] {
            let expected = replayed(&newer, &steps);
            assert_eq!(replayed(&newer, std::slice::from_ref(&journal)), expected, "{ops:?} on {newer}");
        }
        assert_eq!(replayed(&json!({ "a": { "b": 1 } }), &[journal]), value(directly.bag()));
    }
}

/// The journal grows with the paths that are changed, not with the number of merges.
#[test]
fn merges_of_the_same_paths_do_not_grow_the_journal() {
    let mut values = Values::new(bag(&json!({ "a": 1 })));
    for number in 0..100 {
        values.merge(json!({ "a": { "b": { "c": number }, "d": number } })).unwrap();
    }
    assert!(values.take_journal().len() <= 5);
}
