//! The bound on what one visit holds in memory, which is checked at each change and not only at the commit.

/// How much a visit may hold, and how much it may still add before what it holds is counted again.
///
/// Counting walks over everything that is held, so a change only subtracts its size from what is left. What is replaced
/// or removed is not tracked: it is found by the next count. Counts are at least an eighth of the bound apart, so their
/// cost is proportional to what is added; up to this eighth, a visit can therefore exceed the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    most: usize,
    left: usize,
}

impl Bound {
    /// No bound.
    pub(crate) const NONE: Self = Self { most: usize::MAX, left: usize::MAX };

    /// Makes the bound of a visit that has loaded `held` bytes and whose record may have `max_record`. It is twice that, so
    /// that no change is refused that a commit at the same moment would accept.
    pub(crate) fn of_record(max_record: usize, held: usize) -> Self {
        let mut bound = Self { most: max_record.saturating_mul(2), left: 0 };
        bound.counted(held);
        bound
    }

    /// Returns the maximum number of bytes.
    pub(crate) fn most(self) -> usize {
        self.most
    }

    /// Returns whether this much cannot be added without a count.
    pub(crate) fn is_due(self, more: usize) -> bool {
        more > self.left
    }

    /// Notes an addition.
    pub(crate) fn add(&mut self, more: usize) {
        self.left = self.left.saturating_sub(more);
    }

    /// Returns whether a change from `held` to `then` bytes is refused. One that adds nothing never is: a limit may
    /// have been lowered since the session was written.
    pub(crate) fn refuses(self, held: usize, then: usize) -> bool {
        then > self.most && then > held
    }

    /// Notes the result of a count.
    pub(crate) fn counted(&mut self, held: usize) {
        self.left = self.most.saturating_sub(held).max(self.most / 8);
    }
}

impl Default for Bound {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_bound_nothing_is_counted_or_refused() {
        let mut bound = Bound::NONE;
        bound.add(1 << 40);
        assert!(!bound.is_due(1 << 40) && !bound.refuses(0, usize::MAX));
    }

    #[test]
    fn counts_are_an_eighth_of_the_bound_apart_even_if_nothing_is_left() {
        let mut bound = Bound::of_record(4_000, 3_000);
        assert!(!bound.is_due(5_000) && bound.is_due(5_001));
        bound.counted(7_999);
        assert!(!bound.is_due(1_000) && bound.is_due(1_001));
        bound.add(600);
        assert!(!bound.is_due(400) && bound.is_due(401));
    }

    #[test]
    fn a_change_that_adds_nothing_is_never_refused() {
        let bound = Bound::of_record(4_000, 0);
        assert!(!bound.refuses(9_000, 9_000) && !bound.refuses(9_000, 8_500));
        assert!(bound.refuses(9_000, 9_001) && !bound.refuses(0, 8_000) && bound.refuses(0, 8_001));
    }
}
