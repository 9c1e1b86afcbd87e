//! Where the write of a dropped request goes on unless the application says otherwise: the tokio runtime around it.

use session_core::{BoxFuture, Spawn};

#[derive(Debug)]
pub(crate) struct Tokio;

pub(crate) static TOKIO: Tokio = Tokio;

impl Spawn for Tokio {
    fn spawn(&self, future: BoxFuture<()>) {
        // Outside of a runtime the program is ending, and so is what was begun.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(future);
        }
    }
}
