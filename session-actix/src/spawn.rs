//! Where the write of a dropped request goes on: a runtime beside the workers, which outlives them.

use std::sync::LazyLock;

use session_core::adapter::BoxFuture;
use tokio::runtime::{Builder, Runtime};

pub(crate) static BACKGROUND: fn(BoxFuture<()>) = |future| {
    // Not the worker's runtime: in a graceful shutdown it ends with its last connection, and a dropped request has none any
    // more. `Sessions::drain` waits for what runs here.
    if let Some(runtime) = &*RUNTIME {
        runtime.spawn(future);
    }
};

/// One thread, begun by the first request that is dropped while it writes. Without it, where the system gives no thread,
/// such a write ends like the process: unfinished.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("session-writes").enable_all().build().ok()
});
