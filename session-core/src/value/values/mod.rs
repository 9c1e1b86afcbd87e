//! What a request may do to its values: reading and writing over one bag and one journal.
//!
//! Every change is an edit that goes through `Values::edit`, which changes the bag and journals it in one step (a clear,
//! which has no place, does the same in its own line).

mod date;
mod limit;
mod read;
mod snapshot;
mod typed;
mod whole;
mod write;

use std::fmt;

use super::bag::{Bag, Misfit};
use super::bound::Bound;
use super::edit::Edit;
use super::error::ValueError;
use super::journal::Journal;
use super::json::MAX_DEPTH;
use super::json::node::Node;
use super::json::view::View;
use super::path::Path;

pub use date::Date;
pub use snapshot::Snapshot;

/// The values of one session, as one request sees and changes them.
///
/// Only what alters what a read returns counts as a change: putting an equal value, forgetting what is not there,
/// clearing what is empty and merging nothing new leave [`Values::is_changed`] as it was. Equal means equal as JSON: the
/// order of names does not matter, and `1` and `1.0` differ, because only one of them can be read as an integer.
///
/// ```
/// use session_core::machine::{Bag, Values};
///
/// let mut values = Values::new(Bag::decode(br#"{"user":{"name":"ada"}}"#.to_vec().into())?);
/// assert_eq!(values.get::<String>("user.name")?.as_deref(), Some("ada"));
/// values.put("user.name", "ada")?;
/// assert!(!values.is_changed());
/// values.push("cart.items", "book")?;
/// assert!(values.is_changed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Values {
    bag: Bag,
    journal: Journal,
    bound: Bound,
}

impl Values {
    /// Makes values from a stored bag.
    #[must_use]
    pub fn new(bag: Bag) -> Self {
        Self { bag, journal: Journal::default(), bound: Bound::NONE }
    }

    /// Returns whether anything was changed since the journal was last taken.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.journal.is_empty()
    }

    /// Returns the current values.
    #[must_use]
    pub fn bag(&self) -> &Bag {
        &self.bag
    }

    /// Returns the changes since the journal was last taken.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Appends the values as JSON text. Unchanged values are copied byte for byte.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.bag.encode_into(out);
    }

    /// Returns the journal for a commit, and begins a new one for later changes.
    #[must_use = "what is dropped here is never committed"]
    pub fn take_journal(&mut self) -> Journal {
        std::mem::take(&mut self.journal)
    }

    /// Puts back a journal whose commit failed, before the changes made since.
    pub fn put_back(&mut self, older: Journal) {
        let newer = std::mem::replace(&mut self.journal, older);
        self.journal.append(newer);
    }

    /// Replaces the base by a newer version of the values: replays `journal` on it, then the changes made since that
    /// journal was taken.
    ///
    /// ```
    /// use session_core::machine::{Bag, Values};
    ///
    /// let mut values = Values::default();
    /// values.increment("hits")?;
    /// let journal = values.take_journal();
    /// values.rebase(Bag::decode(br#"{"hits":9}"#.to_vec().into())?, &journal);
    /// assert_eq!(values.get("hits")?, Some(10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rebase(&mut self, newer: Bag, journal: &Journal) {
        self.bag = newer;
        journal.replay(&mut self.bag);
        self.journal.replay(&mut self.bag);
    }

    /// Returns the length of the text that the values were read from, which may contain more than the values.
    pub(crate) fn source_len(&self) -> usize {
        self.bag.source_len()
    }

    /// The only way to change a value. On an error nothing was changed.
    fn edit(&mut self, key: Path<'_>, edit: Edit) -> Result<(), ValueError> {
        let size = self.check(key, &edit)?;
        if self.bound.is_due(size) {
            self.make_room(key, &edit, size)?;
        }
        self.apply(edit, size);
        Ok(())
    }

    /// Checks that an edit fits into arrays and objects. Returns the number of bytes that it adds at most.
    fn check(&self, key: Path<'_>, edit: &Edit) -> Result<usize, ValueError> {
        let nulls = self.bag.check(edit).map_err(|misfit| match misfit {
            Misfit::Name => ValueError::NotAnObject { key: key.to_string() },
            Misfit::Index { index, most } => ValueError::IndexTooLarge { key: key.to_string(), index, most },
        })?;
        Ok(edit.size() + nulls * "null,".len())
    }

    /// Applies an edit that was checked.
    fn apply(&mut self, edit: Edit, size: usize) {
        if self.bag.edit(&edit) {
            self.bound.add(size);
            if let Some(name) = self.journal.record(edit) {
                self.settle(name);
            }
        }
    }

    fn settle(&mut self, name: Box<str>) {
        let node = self.bag.root().view(&name).map(detached);
        self.journal.settle(name, node);
    }
}

/// Shows the number of values and edits, never their content.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("bag", &self.bag).field("journal", &self.journal).finish()
    }
}

/// Returns an owned copy of a value.
fn detached(view: View<'_>) -> Node {
    Node::copy(view, MAX_DEPTH).unwrap_or_else(|_| Node::null())
}
