//! What a visit changed of a content, beside the values and the flash: kept to be replayed on a newer record.

use std::fmt;
use std::sync::Arc;

use crate::value::flash::FlashChanges;
use crate::value::journal::Journal;
use crate::value::time::Timestamp;

/// The changes of a visit, which can be replayed on a newer record.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    pub(super) data: Journal,
    pub(super) system: Journal,
    pub(super) flash: FlashChanges,
    pub(super) head: HeadChanges,
}

#[derive(Clone, Default)]
pub(super) struct HeadChanges {
    /// Whether all content was removed first: replay then starts from an empty record.
    pub(super) wiped: bool,
    pub(super) owner: Option<Option<Arc<str>>>,
    pub(super) absolute: Option<Option<Timestamp>>,
    /// Age, absolute deadline or persistence was set explicitly, so the cookie must be issued again.
    pub(super) lifetime: bool,
}

impl HeadChanges {
    pub(super) fn is_empty(&self) -> bool {
        !self.wiped && self.owner.is_none() && self.absolute.is_none() && !self.lifetime
    }

    pub(super) fn and_then(self, later: Self) -> Self {
        if later.wiped {
            return later;
        }
        Self {
            wiped: self.wiped,
            owner: later.owner.or(self.owner),
            absolute: later.absolute.or(self.absolute),
            lifetime: self.lifetime || later.lifetime,
        }
    }
}

impl Changes {
    /// All content was discarded first.
    pub(crate) fn wiped(&self) -> bool {
        self.head.wiped
    }

    /// The user that the session has got, if it has got another one and not none.
    pub(crate) fn signs_in(&self) -> Option<&str> {
        self.head.owner.as_ref()?.as_deref()
    }

    /// Whether replaying them runs closures of the application.
    pub(crate) fn run_closures(&self) -> bool {
        self.data.runs_closures() || self.system.runs_closures()
    }

    /// The absolute deadline that this visit set explicitly.
    pub(crate) fn absolute(&self) -> Option<Option<Timestamp>> {
        self.head.absolute
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("data", &self.data).finish_non_exhaustive()
    }
}
