//! The probe: what an adapter's test application does on each route, as functions over the core's session.
//!
//! An adapter's author writes one file of glue around them; the [adapter suite](crate::adapter) then talks to it over
//! real sockets. This module is independent of frameworks.

mod query;
mod routes;
mod stats;

use session_core::Sessions;

pub use query::param;
pub use routes::{
    Answer, baseline, failed, hits, late, login, logout, read, rotate, run, script, slow, stream, unreadable,
    write,
};
pub use stats::{Counted, Counter, Stats};

/// The application that an adapter's author serves on a loopback port: the sessions for its routes, and the counters for
/// `/stats`.
///
/// ```
/// use session_conformance::probe::{Application, Stats};
///
/// // The baseline of measurements: the same routes without the session layer.
/// let bare = Application { sessions: None, stats: Stats::default() };
/// # let _ = bare;
/// ```
#[derive(Clone, Debug)]
pub struct Application {
    /// The sessions; `None` for a server without the session layer, the baseline of measurements.
    pub sessions: Option<Sessions>,
    /// The counters for `/stats`.
    pub stats: Stats,
}
