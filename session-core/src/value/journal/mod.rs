//! The changes of a request to its values, folded as they are added, to be replayed on a newer version of the values.
//!
//! Edits of different names commute, so the journal is a tree of names: what is known at a name swallows what came
//! before it there and below. Only where arrays are involved, whose indices mean something else after each removal, do
//! edits stay a list in order (see `fold`).

mod fold;

use std::collections::BTreeMap;
use std::fmt;

use super::bag::Bag;
use super::edit::{Act, Edit};
use super::json::change::Forgot;
use super::json::index::index_of;
use super::json::node::Node;
use super::path::Steps;

/// The edits of one request.
///
/// # What wins on replay
///
/// The last writer, path by path. Sums add to the number that stands there now, pushes append to the array that stands
/// there now, an update runs its closure again on the value that stands there now: they lose nothing. A clear wins over
/// everything that stood before it. Where an edit no longer fits what stands there (a sum on a string, a push on an
/// object, an update on another type, a name inside of an array, a sum beyond 128 bits), the value that this request
/// left at that path wins, since it was acknowledged. A closure is run once more for every conflict, so it should do
/// nothing but compute.
///
/// # How it grows
///
/// With what changed, not with how often: put over put, sum over sum, push over push, anything over a value that this
/// request put, and a value or its removal over everything below it are folded together. Two things stay in order
/// because nothing shorter would do the same: updates on a value that this request did not put, and removals from an
/// array that it did not put. Of more than 1,024 of them in one place, only the outcome is kept: on replay, the whole
/// top-level value that this request left wins.
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

/// What is known of one name.
#[derive(Clone)]
enum Track {
    /// Whatever stood there, this stands there now.
    Set(Node),
    /// Whatever stood there, nothing stands there now. `made`: it was made by this request first, and parents with it.
    Gone { made: bool },
    /// It depends on what stood there: first the list, in order, then the names below, in any order.
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

    /// Whether a push there needs no word of what it found, since it will be folded into an edit that knows.
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

    /// Adds an edit that changed something. Returns its top-level name where the edits that must stay in order have become
    /// more than [`MOST_IN_ORDER`]: the caller then calls [`settle`](Self::settle) with what stands there.
    #[must_use = "a journal that is never settled grows without bound"]
    pub(crate) fn record(&mut self, edit: Edit) -> Option<Box<str>> {
        let (name, rest) = edit.path.split_first()?;
        let in_order = self.names.entry(name.clone()).or_default().record(rest, edit.act);
        (in_order > MOST_IN_ORDER).then(|| name.clone())
    }

    /// Forgets how a top-level value came about: this stands there now, whatever others do.
    pub(crate) fn settle(&mut self, name: Box<str>, node: Option<Node>) {
        self.names.insert(name, node.map_or(Track::Gone { made: true }, Track::Set));
    }

    /// Everything is gone, whatever was there.
    pub(crate) fn record_clear(&mut self) {
        *self = Self { cleared: true, names: BTreeMap::new() };
    }

    /// Adds what was done after this.
    pub(crate) fn append(&mut self, later: Self) {
        if later.cleared {
            *self = later;
        } else {
            // Whatever is too long now is settled at the next edit.
            later.edits().into_iter().for_each(|edit| _ = self.record(edit));
        }
    }

    /// Edits that do the same one after the other.
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
    /// Adds an edit. Returns how many edits stand in order where it went.
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
                (None, Act::Object) if below.values().any(Self::stands) => {}
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

    /// Whether it made what stands or stood there.
    fn made(&self) -> bool {
        match self {
            Self::Set(_) => true,
            Self::Gone { made } => *made,
            Self::Open { list, below } => {
                list.iter().any(|edit| !matches!(edit.act, Act::Forget)) || below.values().any(Self::made)
            }
        }
    }

    /// Whether, after it, something stands there for certain, so that its parent is an object.
    fn stands(&self) -> bool {
        match self {
            Self::Set(_) => true,
            Self::Gone { .. } => false,
            Self::Open { list, below } => {
                below.values().any(Self::stands)
                    || below.is_empty() && list.last().is_some_and(|edit| !matches!(edit.act, Act::Forget))
            }
        }
    }

    /// Appends edits that do the same one after the other; `path` is where this is.
    fn list(&self, path: &mut Steps, edits: &mut Vec<Edit>) {
        let put = |node: &Node| Edit { path: path.clone(), act: Act::Put(node.clone()) };
        match self {
            Self::Set(node) => edits.push(put(node)),
            Self::Gone { made } => {
                // What was made and removed also made its parents objects, and then emptied them.
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

/// Edits that are kept in order in one place.
const MOST_IN_ORDER: usize = 1_024;
