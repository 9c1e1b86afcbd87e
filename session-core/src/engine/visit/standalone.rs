//! Sessions without a request: what a test or a job works on.

use std::sync::Arc;

use super::share;
use crate::decision::state::{Arrival, SessionState};
use crate::engine::finish::{BoxFuture, Spawn};
use crate::engine::session::{Access, Session};
use crate::engine::sessions::Inner;
use crate::value::answer::Loaded;
use crate::value::time::Timestamp;

/// A session without a request.
pub(crate) fn standalone(sessions: Arc<Inner>) -> Session {
    let state = SessionState::open(Arrival::without_cookie(), Loaded::Missing, Timestamp::from_millis(0))
        .expect("without a cookie nothing is decoded");
    Session { shared: share(sessions, state, &Nowhere), access: Access::Standalone }
}

/// A session that stands alone writes nothing, so nothing is ever left to run.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}
