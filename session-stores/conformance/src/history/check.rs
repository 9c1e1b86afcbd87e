//! The verdict on a history: whether each of its sessions is linearizable, and if not the calls that show it.

use std::collections::{BTreeMap, HashMap};

use session_core::store::StoreKey;

use super::event::{Answer, Call, Event};
use super::versions::{Versions, Wrong};
use super::violation::{Rule, Violation};
use super::{bounds, deadlines};

/// The size of a history that was found linearizable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Sessions. Each is checked separately, since a history of several objects is linearizable if that of each object is.
    pub sessions: usize,
    /// Calls.
    pub calls: usize,
    /// Calls without an answer, or with an error.
    pub unknown: usize,
    /// Versions that were written and seen or acknowledged.
    pub versions: usize,
}

/// Checks that a history is linearizable. The order of the events does not matter.
///
/// # Errors
/// A [`Violation`] with the smallest part of the history that shows it.
///
/// ```
/// use session_conformance::history::{Answer, Call, Content, Event, Rule, check};
/// use session_core::store::StoreKey;
///
/// let key = StoreKey::from_bytes([1; 32]);
/// let written = Content { etag: 1, idle: 0, body: 0 };
/// let event = |invoked, call, answer| Event { client: 0, invoked, returned: Some(invoked + 5), call, answer };
/// let history = [
///     event(0, Call::Create { key, written }, Answer::Applied),
///     event(10, Call::Destroy { key }, Answer::Applied),
///     event(20, Call::Load { key }, Answer::Found(written)),
/// ];
/// assert!(check(&history[..2]).is_ok());
/// assert_eq!(check(&history).unwrap_err().rule, Rule::Order);
/// ```
pub fn check(events: &[Event]) -> Result<Checked, Violation> {
    let mut checked = Checked::default();
    for session in sessions(events) {
        match judge(&session) {
            Ok(versions) => checked.versions += versions,
            Err(wrong) => return Err(smallest(&session, wrong)),
        }
        checked.sessions += 1;
        checked.calls += session.len();
        checked.unknown += session.iter().filter(|event| event.answer == Answer::Unknown).count();
    }
    Ok(checked)
}

/// Checks one session, and returns the number of its versions.
fn judge(events: &[Event]) -> Result<usize, Wrong> {
    let versions = Versions::of(events)?;
    bounds::check(events, &versions)?;
    deadlines::check(events, &versions)?;
    Ok(versions.list.len())
}

/// Groups the events by session. Keys between which a session was or may have been rotated belong together.
fn sessions(events: &[Event]) -> Vec<Vec<Event>> {
    let mut parents: HashMap<StoreKey, StoreKey> = HashMap::new();
    for event in events {
        let key = event.call.key();
        let others = match (&event.call, event.answer) {
            (Call::Rotate { new, .. }, Answer::Moved { key, .. }) => [Some(*new), Some(key)],
            (Call::Rotate { new, .. }, _) => [Some(*new), None],
            (_, Answer::Moved { key, .. }) => [Some(key), None],
            _ => [None; 2],
        };
        for other in others.into_iter().flatten() {
            let (one, other) = (root(&parents, key), root(&parents, other));
            if one != other {
                parents.insert(other, one);
            }
        }
    }
    let mut sessions: BTreeMap<StoreKey, Vec<Event>> = BTreeMap::new();
    for event in events {
        sessions.entry(root(&parents, event.call.key())).or_default().push(event.clone());
    }
    let mut sessions: Vec<_> = sessions.into_values().collect();
    sessions.iter_mut().for_each(|session| session.sort_by_key(|event| event.invoked));
    sessions
}

fn root(parents: &HashMap<StoreKey, StoreKey>, mut key: StoreKey) -> StoreKey {
    while let Some(parent) = parents.get(&key) {
        key = *parent;
    }
    key
}

/// Removes events that are not needed for the same violation.
fn smallest(events: &[Event], (rule, mut shown): Wrong) -> Violation {
    shown.sort_unstable();
    shown.dedup();
    let mut shown: Vec<Event> = shown.into_iter().map(|at| events[at].clone()).collect();
    if !is_wrong(&shown, rule) {
        // Other events decided which writes are visible.
        shown = events.to_vec();
    }
    let mut at = 0;
    while at < shown.len() {
        let without: Vec<Event> = shown
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, event)| event.clone())
            .collect();
        if is_wrong(&without, rule) {
            shown = without;
            at = 0;
        } else {
            at += 1;
        }
    }
    Violation { rule, events: shown }
}

fn is_wrong(events: &[Event], rule: Rule) -> bool {
    judge(events).is_err_and(|(other, _)| other == rule)
}
