//! Where the write of a dropped request goes on unless the application says otherwise: the tokio runtime around it.

use session_core::adapter::BoxFuture;

pub(crate) static TOKIO: fn(BoxFuture<()>) = |future| {
    // Outside of a runtime the program is ending, and so is what was begun.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(future);
    }
};
