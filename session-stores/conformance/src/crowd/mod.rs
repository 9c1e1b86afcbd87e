//! Crowds: what must hold of one session under many writers, at full length, on a store's real server.
//!
//! The suite's races are short, so that they can be many. These few are long: 160 writers against a logout a thousand
//! times, and 64 writers of 50 increments from one process and from four. [`crowd_suite!`](crate::crowd_suite) makes
//! tests of them; the functions take sizes of one's own. A crowd waits in line for the store's connections: **give the
//! store a deadline of a minute**, or what is seen on a busy machine is the deadline and not the claim.

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

/// Where a store keeps its data, as text that another process can open it by, and what must stay alive meanwhile.
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
    /// A URL, a path, or whatever else the function beside it understands. A URL and a prefix go into one text with a
    /// blank between.
    ///
    /// ```
    /// # use session_conformance::crowd::Place;
    /// let place = Place::at(format!("{} {}", "redis://127.0.0.1:6379", "prefix:"));
    /// # let _ = place;
    /// ```
    #[must_use]
    pub fn at(text: impl Into<String>) -> Self {
        Self { text: text.into(), guards: Vec::new() }
    }

    /// Keeps a value until the test has ended: a temporary directory, a server.
    ///
    /// ```
    /// # use session_conformance::crowd::Place;
    /// let place = Place::at("/tmp/sessions").with_guard("a directory");
    /// # let _ = place;
    /// ```
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// The text.
    ///
    /// ```
    /// # use session_conformance::crowd::Place;
    /// assert_eq!(Place::at("/tmp/sessions").as_str(), "/tmp/sessions");
    /// ```
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
