//! Refusing a change that takes more memory than any commit would accept.
//!
//! The limit of a record is checked by the commit, on the bytes that are written. Here it is only made sure that a request
//! cannot hold any amount of memory before that, however often it writes.

use super::super::bound::Bound;
use super::super::edit::{Act, Edit, names};
use super::super::error::ValueError;
use super::super::json::view::View;
use super::super::path::Path;
use super::Values;

impl Values {
    /// Bounds what is held from now on, by the limit of the record that it is written to.
    pub(crate) fn limit_to(&mut self, max_record: usize) {
        self.bound = Bound::of_record(max_record, self.source_len());
    }

    /// Returns the number of bytes of the values as JSON text, approximately.
    pub(crate) fn size(&self) -> usize {
        self.bag.size()
    }

    /// Releases the memory of values that were replaced.
    pub(crate) fn compact(&mut self) {
        self.bag.compact();
    }

    /// Runs a change of values that have no bound of their own within the bound of a record.
    pub(crate) fn within<R>(&mut self, max_record: usize, change: impl FnOnce(&mut Self) -> R) -> R {
        self.bound = Bound::of_record(max_record, self.bag.size());
        let changed = change(self);
        self.bound = Bound::NONE;
        changed
    }

    /// Counts what is held, and refuses an edit that exceeds the bound.
    pub(super) fn make_room(&mut self, key: Path<'_>, edit: &Edit, size: usize) -> Result<(), ValueError> {
        let now = self.bag.at(&edit.path);
        let replaced = match &edit.act {
            Act::Put(_) | Act::Update { .. } => now.map_or(0, View::size),
            Act::Forget | Act::Add { .. } | Act::Push { .. } | Act::Object => 0,
        };
        let added = if now.is_some() { size - names(&edit.path) } else { size };
        let held = self.bag.size();
        let then = held.saturating_sub(replaced).saturating_add(added);
        self.allow(key, held, then)?;
        self.count(key, held)
    }

    /// Makes several changes, or none of them if they exceed the bound together. They add at most `size` bytes.
    pub(super) fn change_all(
        &mut self,
        key: Path<'_>,
        size: usize,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), ValueError> {
        if !self.bound.is_due(size) {
            change(self);
            return Ok(());
        }
        let mut next = self.clone();
        change(&mut next);
        self.become_changed(key, next, size)
    }

    /// Takes over a changed copy, unless it exceeds the bound. The changes add at most `size` bytes.
    pub(super) fn become_changed(
        &mut self,
        key: Path<'_>,
        mut next: Self,
        size: usize,
    ) -> Result<(), ValueError> {
        if self.bound.is_due(size) {
            let (held, then) = (self.bag.size(), next.bag.size());
            self.allow(key, held, then)?;
            next.count(key, then)?;
        }
        *self = next;
        Ok(())
    }

    fn allow(&self, key: Path<'_>, held: usize, then: usize) -> Result<(), ValueError> {
        match self.bound.refuses(held, then) {
            true => Err(ValueError::TooLarge { key: key.to_string(), size: then, limit: self.bound.most() }),
            false => Ok(()),
        }
    }

    /// Releases what is held for nothing: the memory of values that were replaced, and edits that are longer than their
    /// result. What is left then in the journal are values that are held anyway, and the names of removed ones.
    fn count(&mut self, key: Path<'_>, held: usize) -> Result<(), ValueError> {
        let most = self.bound.most().saturating_mul(2);
        self.bag.compact();
        self.journal.compact();
        let mut kept = self.journal.size();
        while kept > most {
            let Some(name) = self.journal.longest() else { break };
            self.settle(name);
            kept = self.journal.size();
        }
        if kept > most {
            return Err(ValueError::TooLarge { key: key.to_string(), size: kept, limit: self.bound.most() });
        }
        self.bound.counted(held);
        Ok(())
    }
}
