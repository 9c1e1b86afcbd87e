//! Sessions without a request: what a test or a job works on.

use std::sync::Arc;

use super::share;
use crate::decision::state::{self, Arrival, SessionState};
use crate::engine::common::Engine;
use crate::engine::finish::{BoxFuture, Spawn};
use crate::engine::session::{Access, Session};
use crate::value::answer::Loaded;
use crate::value::time::Timestamp;

/// A session without a request.
pub(crate) fn standalone(engine: Arc<Engine>) -> Session {
    let (arrival, now) = (Arrival::without_cookie(), Timestamp::from_millis(0));
    let mut state = SessionState::open_boxed(arrival, Ok(Loaded::Missing), state::Access::Full, now)
        .expect("without a cookie nothing is decoded");
    state.limit_to(&engine.policy);
    Session { shared: share(engine, state, &Nowhere), access: Access::Standalone }
}

/// A session that stands alone writes nothing, so nothing is ever left to run.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}
