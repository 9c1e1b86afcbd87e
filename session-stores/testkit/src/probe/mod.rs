//! The probe: what an adapter's test application does on each route, as functions over the core's session.
//!
//! An adapter's author writes one file of glue around them; the [adapter suite](crate::adapter) then talks to it over
//! real sockets. Nothing here knows a framework.

mod form;
mod query;
mod routes;
mod stats;

use session_core::Sessions;

pub use form::{LARGEST_FORM, input, too_long};
pub use query::param;
pub use routes::{
    Answer, baseline, failed, hits, late, login, logout, read, rotate, run, script, slow, stream, unreadable,
    write,
};
pub use stats::{Counted, Counter, Stats};

/// What an adapter's author starts on a loopback port: the sessions to lay around the routes, and what `/stats` shows.
#[derive(Clone, Debug)]
pub struct Application {
    /// The sessions; none for a server without the session layer, the baseline of measurements.
    pub sessions: Option<Sessions>,
    /// What `/stats` answers with.
    pub stats: Stats,
}
