//! Where the write of a dropped request goes on: the worker's runtime, which every actix server is.

use session_core::{BoxFuture, Spawn};

#[derive(Debug)]
pub(crate) struct Worker;

pub(crate) static WORKER: Worker = Worker;

impl Spawn for Worker {
    fn spawn(&self, future: BoxFuture<()>) {
        // Not `actix_web::rt::spawn`: it panics outside of a `LocalSet`, and a handle may be dropped anywhere.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(future);
        }
    }
}
