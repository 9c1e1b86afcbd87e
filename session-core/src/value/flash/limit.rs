//! The bound on what one visit leaves: old input gives way first, then errors, as at the commit; messages are refused.

use super::Flash;
use super::entry::{Entry, FlashBag, add};
use crate::value::bound::Bound;
use crate::value::error::ValueError;
use crate::value::path::Path;

impl Flash {
    /// Bounds what is left from now on, by the limit of the record that it is written to.
    pub(crate) fn limit_to(&mut self, max_record: usize) {
        self.bound = Bound::of_record(max_record, 0);
        self.now = Bound::of_record(max_record, 0);
    }

    /// Returns the bags that gave way since the last call.
    pub(crate) fn take_gave_way(&mut self) -> Vec<FlashBag> {
        std::mem::take(&mut self.gave_way)
    }

    /// Leaves an entry for the next visit.
    ///
    /// A form never fails because of its size: beyond the bound, old input gives way, then errors. Both would give way at
    /// the commit as well, since a record holds less than the bound.
    pub(super) fn leave(&mut self, new: Entry) -> Result<(), ValueError> {
        let size = new.size();
        if self.bound.is_due(size) {
            self.refuse_messages(&new)?;
            add(&mut self.changes.outgoing, new);
            for bag in [FlashBag::Input, FlashBag::Errors] {
                if self.left() > self.bound.most() {
                    self.drop_bag(bag);
                }
            }
            self.bound.counted(self.left());
        } else {
            self.bound.add(size);
            add(&mut self.changes.outgoing, new);
        }
        Ok(())
    }

    /// Leaves several entries, or none of them if one is refused.
    pub(crate) fn all_or_none(
        &mut self,
        leave: impl FnOnce(&mut Self) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let (before, bound) = (self.changes.outgoing.clone(), self.bound);
        let left = leave(self);
        if left.is_err() {
            (self.changes.outgoing, self.bound) = (before, bound);
            self.gave_way.clear();
        }
        left
    }

    /// Refuses a message that does not fit even if everything else gives way.
    fn refuse_messages(&self, new: &Entry) -> Result<(), ValueError> {
        if new.bag != FlashBag::Messages {
            return Ok(());
        }
        let (mut held, mut replaced) = (0, 0);
        for entry in self.changes.outgoing.iter().filter(|entry| entry.bag == FlashBag::Messages) {
            held += entry.size();
            replaced += if !new.push && new.replaces(entry) { entry.size() } else { 0 };
        }
        let then = held - replaced + new.size();
        match self.bound.refuses(held, then) {
            true => Err(too_large(new, then, self.bound)),
            false => Ok(()),
        }
    }

    fn left(&self) -> usize {
        self.changes.outgoing.iter().map(Entry::size).sum()
    }

    fn drop_bag(&mut self, bag: FlashBag) {
        let before = self.changes.outgoing.len();
        self.changes.outgoing.retain(|entry| entry.bag != bag);
        if self.changes.outgoing.len() < before && !self.gave_way.contains(&bag) {
            self.gave_way.push(bag);
        }
    }

    /// Shows an entry in this visit only.
    pub(super) fn add_now(&mut self, new: &Entry) -> Result<(), ValueError> {
        let size = new.size();
        if self.now.is_due(size) {
            let shown = self.shown.get_or_insert_default();
            let held = shown.messages.size();
            if self.now.refuses(held, held + size) {
                return Err(too_large(new, held + size, self.now));
            }
            shown.messages.compact();
            self.now.counted(held);
        }
        self.now.add(size);
        self.shown.get_or_insert_default().add(new);
        Ok(())
    }
}

fn too_large(entry: &Entry, size: usize, bound: Bound) -> ValueError {
    let key = Path::owned_segments(&entry.key).to_string();
    ValueError::TooLarge { key, size, limit: bound.most() }
}
