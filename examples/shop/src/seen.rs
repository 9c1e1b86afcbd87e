//! What the shop has seen of bound devices lately, for the page that shows it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use session_core::adapter::{Clock as _, SystemClock};
use session_core::{Event, Handle, Observer, Timestamp};

/// An observer that keeps the newest events. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<VecDeque<Sight>>>);

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) at: Timestamp,
    /// Its name in the words of the shop.
    pub(crate) word: &'static str,
    /// What an application sees.
    pub(crate) event: String,
    /// The session, where the event names one.
    pub(crate) session: Option<Handle>,
}

impl Seen {
    /// The events, newest first.
    pub(crate) fn newest(&self) -> Vec<Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

impl Observer for Seen {
    fn observe(&self, event: &Event) {
        let (word, event, session) = match event {
            Event::Bound(handle) => ("seen_bound", "Bound".to_owned(), Some(*handle)),
            Event::Proved(handle) => ("seen_proved", "Proved".to_owned(), Some(*handle)),
            Event::Unproven(reason) => ("seen_unproven", format!("Unproven({reason:?})"), None),
            Event::RefusedProof(reason) => ("seen_refused", format!("RefusedProof({reason:?})"), None),
            _ => return,
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.pop_front();
        }
        seen.push_back(Sight { at: SystemClock.now(), word, event, session });
    }
}

const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use session_core::error::ProofError;

    use super::*;

    #[test]
    fn the_newest_eight_are_kept_and_others_are_nobodys_business() {
        let seen = Seen::default();
        for _ in 0..MOST {
            seen.observe(&Event::RefusedProof(ProofError::Replayed));
            seen.observe(&Event::Gone);
        }
        seen.observe(&Event::RefusedProof(ProofError::Signature));
        let events: Vec<_> = seen.newest().into_iter().map(|sight| sight.event).collect();
        assert_eq!(events.len(), MOST);
        assert_eq!(events[..2], ["RefusedProof(Signature)", "RefusedProof(Replayed)"]);
    }
}
