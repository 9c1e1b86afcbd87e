//! Long races of many writers on one session, for a store's real server.
//!
//! The races of the store suite are short and many. These are long and few: 160 writers against a sign-out, a thousand times, and 64
//! writers of 50 increments from one process and from four. [`crowd_suite!`](crate::crowd_suite) defines tests of them;
//! the functions take other sizes. The writers queue for the store's connections: **give the store a deadline of a
//! minute**, otherwise the tests fail on a busy machine because of the deadline.

mod counting;
mod logout;
mod macros;
mod run;

use std::any::Any;
use std::fmt;

pub(crate) use counting::{count, counter};
pub use counting::{increments, no_increment_is_lost};
pub use logout::{Crowd, a_destroyed_session_stays_dead};
pub use run::{run_counting, run_four_processes, run_logout};

/// Where a store keeps its data, as text by which another process can open it, and guards that must stay alive.
///
/// ```
/// use session_conformance::crowd::Place;
///
/// let directory = std::sync::Arc::new("a temporary directory that goes away when dropped");
/// let place = Place::at("/tmp/sessions").with_guard(directory);
/// assert_eq!(place.as_str(), "/tmp/sessions");
/// ```
pub struct Place {
    text: String,
    guards: Vec<Box<dyn Any + Send + Sync>>,
}

impl Place {
    /// A text that the `open` function understands: a URL, a path, or a URL and a prefix with a blank between them.
    #[must_use]
    pub fn at(text: impl Into<String>) -> Self {
        Self { text: text.into(), guards: Vec::new() }
    }

    /// Keeps a value until the test has ended: a temporary directory, a server.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may carry a password.
        f.debug_struct("Place").field("guards", &self.guards.len()).finish_non_exhaustive()
    }
}
