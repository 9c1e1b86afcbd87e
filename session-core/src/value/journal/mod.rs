//! The changes of a request to its values, folded as they are added, to be replayed on a newer version of the values.
//!
//! Edits under different names commute, so the journal is a tree of names: a newer edit at a name replaces the older
//! edits at that name and below it. Only edits of arrays, whose indices shift with each removal, are kept as an ordered
//! list (see `fold`).

mod fold;

use std::collections::BTreeMap;
use std::fmt;

use super::bag::Bag;
use super::edit::{Act, Edit, names};
use super::json::change::Forgot;
use super::json::index::index_of;
use super::json::node::Node;
use super::path::Steps;

/// The edits of one request.
///
/// # What wins on replay
///
/// The last writer wins, path by path. Sums add to the current number, pushes append to the current array, and an update
/// runs its closure again on the current value, so none of these loses a concurrent change. A clear removes everything
/// that was there before it. If an edit does not fit the current value (a sum on a string, a push on an object, an update
/// of another type, a name in an array, a sum beyond 128 bits), the value that this request left at that path wins, since
/// it was acknowledged. A closure runs once more for each conflict, so it must not have side effects.
///
/// # How it grows
///
/// With the number of changed paths, not with the number of changes: a put after a put, a sum after a sum, a push after a
/// push, any edit of a value that this request put, and a put or removal after edits below it are merged. Two kinds are
/// kept in order because no shorter form has the same effect: updates of a value that this request did not put, and
/// removals from an array that it did not put. If there are more than 1,024 of them at one path, or if they take more
/// memory than the session itself may, only the result is kept: on replay, the top-level value that this request left wins
/// as a whole.
///
/// ```
/// use session_core::machine::{Bag, Values};
///
/// let mut mine = Values::default();
/// mine.increment("hits")?;
/// let journal = mine.take_journal();
///
/// let mut theirs = Bag::decode(br#"{"hits":41}"#.to_vec().into())?;
/// journal.replay(&mut theirs);
/// assert_eq!(theirs.encode(), br#"{"hits":42}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Journal {
    cleared: bool,
    names: BTreeMap<Box<str>, Track>,
}

/// What this request did at one name.
#[derive(Clone)]
enum Track {
    /// The value was replaced by this one.
    Set(Node),
    /// The value was removed. `made`: this request had created it before, together with its parents.
    Gone { made: bool },
    /// The result depends on the previous value: apply the list, in order, then the names below, in any order.
    Open { list: Vec<Edit>, below: BTreeMap<Box<str>, Track> },
}

impl Journal {
    /// Returns whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.cleared && self.names.is_empty()
    }

    /// Returns the number of edits after folding.
    ///
    /// ```
    /// # use session_core::machine::Values;
    /// let mut values = Values::default();
    /// for n in 0..1_000 {
    ///     values.put("n", n)?;
    /// }
    /// assert_eq!(values.take_journal().len(), 1);
    /// # Ok::<(), session_core::ValueError>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.cleared) + self.edits().len()
    }

    /// Replays all edits on `bag`. Cannot fail; see above for what wins.
    pub fn replay(&self, bag: &mut Bag) {
        if self.cleared {
            bag.clear();
        }
        for edit in self.edits() {
            bag.replay(&edit);
        }
    }

    /// Returns whether a replay runs closures of the application.
    pub(crate) fn runs_closures(&self) -> bool {
        self.names.values().any(Track::runs_closures)
    }

    /// Returns whether a push at this path need not record what it found, because it is merged into an edit that does.
    pub(crate) fn knows_array(&self, path: &[Box<str>]) -> bool {
        let Some((name, mut rest)) = path.split_first() else { return false };
        let mut here = self.names.get(name);
        while let Some(Track::Open { list, below }) = here {
            match rest.split_first() {
                Some((name, deeper)) if index_of(name).is_none() => (here, rest) = (below.get(name), deeper),
                _ => {
                    let last = list.last().filter(|last| below.is_empty() && last.path == rest);
                    return last.is_some_and(|last| matches!(last.act, Act::Push { .. }));
                }
            }
        }
        here.is_some()
    }

    /// Adds an edit that changed something. Returns its top-level name if there are now more than [`MOST_IN_ORDER`] edits
    /// that must stay in order: the caller then calls [`settle`](Self::settle) with the current value.
    #[must_use = "a journal that is never settled grows without bound"]
    pub(crate) fn record(&mut self, edit: Edit) -> Option<Box<str>> {
        let (name, rest) = edit.path.split_first()?;
        let in_order = self.names.entry(name.clone()).or_default().record(rest, edit.act);
        (in_order > MOST_IN_ORDER).then(|| name.clone())
    }

    /// Replaces the edits of a top-level value by its current value, which wins on replay.
    pub(crate) fn settle(&mut self, name: Box<str>, node: Option<Node>) {
        self.names.insert(name, node.map_or(Track::Gone { made: true }, Track::Set));
    }

    /// Returns the number of bytes that it keeps beside the values as they are now.
    pub(crate) fn size(&self) -> usize {
        self.names.iter().map(|(name, track)| name.len() + track.size()).sum()
    }

    /// Returns the name at which the edits take the most memory, of those that [`settle`](Self::settle) can shorten.
    pub(crate) fn longest(&self) -> Option<Box<str>> {
        let open = self.names.iter().filter(|(_, track)| matches!(track, Track::Open { .. }));
        open.max_by_key(|(_, track)| track.size()).map(|(name, _)| name.clone())
    }

    /// Releases the memory of what was replaced in the values that it keeps.
    pub(crate) fn compact(&mut self) {
        self.names.values_mut().for_each(Track::compact);
    }

    /// Records that all values were removed.
    pub(crate) fn record_clear(&mut self) {
        *self = Self { cleared: true, names: BTreeMap::new() };
    }

    /// Appends a journal of later changes.
    pub(crate) fn append(&mut self, later: Self) {
        if later.cleared {
            *self = later;
        } else {
            // A list that is too long now is settled at the next edit.
            later.edits().into_iter().for_each(|edit| _ = self.record(edit));
        }
    }

    /// Edits that have the same effect when applied in order.
    fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for (name, track) in &self.names {
            track.list(&mut vec![name.clone()], &mut edits);
        }
        edits
    }
}

impl Default for Track {
    fn default() -> Self {
        Self::Open { list: Vec::new(), below: BTreeMap::new() }
    }
}

impl Track {
    /// Adds an edit. Returns the length of the ordered list that it was added to.
    fn record(&mut self, rest: &[Box<str>], act: Act) -> usize {
        match self {
            Self::Set(node) => match act {
                Act::Forget if rest.is_empty() || node.forget(rest) == Forgot::Emptied => {
                    *self = Self::Gone { made: true }
                }
                Act::Forget => {}
                Act::Put(_) | Act::Add { .. } | Act::Push { .. } | Act::Object | Act::Update { .. } => {
                    act.perform(node.place(rest));
                }
            },
            Self::Gone { .. } => match act {
                Act::Forget => {}
                Act::Put(_) | Act::Add { .. } | Act::Push { .. } | Act::Object | Act::Update { .. } => {
                    let mut node = Node::null();
                    act.perform(node.place(rest));
                    *self = Self::Set(node);
                }
            },
            Self::Open { list, below } => match (rest.split_first(), act) {
                (None, Act::Put(node)) => *self = Self::Set(node),
                (None, Act::Forget) => *self = Self::Gone { made: self.made() },
                (Some((name, rest)), act) if index_of(name).is_none() => {
                    return below.entry(name.clone()).or_default().record(rest, act);
                }
                (_, act) => {
                    for (name, track) in std::mem::take(below) {
                        track.list(&mut vec![name], list);
                    }
                    fold::append(list, Edit { path: rest.to_vec(), act });
                    return list.len();
                }
            },
        }
        0
    }

    fn size(&self) -> usize {
        match self {
            Self::Set(_) | Self::Gone { .. } => 0,
            Self::Open { list, below } => {
                let list = list.iter().map(|edit| names(&edit.path) + edit.act.kept());
                let below = below.iter().map(|(name, track)| name.len() + track.size());
                list.chain(below).sum()
            }
        }
    }

    fn compact(&mut self) {
        match self {
            Self::Set(node) => node.compact(),
            Self::Gone { .. } => {}
            Self::Open { list, below } => {
                for edit in list {
                    match &mut edit.act {
                        Act::Put(node) => node.compact(),
                        Act::Push { items, .. } => items.iter_mut().for_each(Node::compact),
                        // What these keep was written in one piece.
                        Act::Forget | Act::Add { .. } | Act::Object | Act::Update { .. } => {}
                    }
                }
                below.values_mut().for_each(Self::compact);
            }
        }
    }

    fn runs_closures(&self) -> bool {
        match self {
            Self::Set(_) | Self::Gone { .. } => false,
            Self::Open { list, below } => {
                list.iter().any(|edit| matches!(edit.act, Act::Update { .. }))
                    || below.values().any(Self::runs_closures)
            }
        }
    }

    /// Returns whether this request created the value that is or was there.
    fn made(&self) -> bool {
        match self {
            Self::Set(_) => true,
            Self::Gone { made } => *made,
            Self::Open { list, below } => {
                list.iter().any(|edit| !matches!(edit.act, Act::Forget)) || below.values().any(Self::made)
            }
        }
    }

    /// Appends edits that have the same effect when applied in order; `path` is the path of this node.
    fn list(&self, path: &mut Steps, edits: &mut Vec<Edit>) {
        let put = |node: &Node| Edit { path: path.clone(), act: Act::Put(node.clone()) };
        match self {
            Self::Set(node) => edits.push(put(node)),
            Self::Gone { made } => {
                // A value that was created and removed also made its parents objects, and then left them empty.
                edits.extend(made.then(|| put(&Node::null())));
                edits.push(Edit { path: path.clone(), act: Act::Forget });
            }
            Self::Open { list, below } => {
                for edit in list {
                    let whole = path.iter().chain(&edit.path).cloned().collect();
                    edits.push(Edit { path: whole, act: edit.act.clone() });
                }
                for (name, track) in below {
                    path.push(name.clone());
                    track.list(path, edits);
                    path.pop();
                }
            }
        }
    }
}

/// Shows the number of edits, never a value.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Journal({} edits)", self.len())
    }
}

/// The maximum number of edits that are kept in order at one path.
const MOST_IN_ORDER: usize = 1_024;
