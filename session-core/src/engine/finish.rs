//! Futures that run to completion even if they are dropped: a write that has begun is not interrupted.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::flights::Flight;
use super::report::VisitReport;

/// Runs a future in the background, as `tokio::spawn` does.
///
/// Called only when a request is dropped while its session is being written, or after a `destroy` or `regenerate`.
///
/// ```
/// use session_core::adapter::{BoxFuture, Spawn};
///
/// /// On the Tokio runtime of the request.
/// #[derive(Debug)]
/// struct OnTokio;
///
/// impl Spawn for OnTokio {
///     fn spawn(&self, future: BoxFuture<()>) {
///         tokio::spawn(future);
///     }
/// }
/// ```
pub trait Spawn: fmt::Debug + Send + Sync {
    /// Runs the future to completion.
    fn spawn(&self, future: BoxFuture<()>);
}

/// For a plain function.
impl Spawn for fn(BoxFuture<()>) {
    fn spawn(&self, future: BoxFuture<()>) {
        self(future);
    }
}

/// A boxed future that may move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The result of closing a visit.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[derive(Debug)] struct Here;
/// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
/// use session_core::adapter::{Closing, CookieHeaders};
///
/// # let key = session_core::SecretKey::generate()?;
/// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
/// let guard = sessions.visit(CookieHeaders::default(), &Here);
/// guard.visit().session().await?.put("theme", "dark")?;
/// let report = match guard.close(200) {
///     Closing::Ready(report) => report,
///     Closing::Pending(writing) => writing.await,
/// };
/// assert!(report.set_cookie.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches both")]
#[expect(clippy::large_enum_variant, reason = "made once for each request, and moved, never kept")]
pub enum Closing {
    /// There was nothing to write.
    Ready(VisitReport),
    /// Await this before the response's head is sent.
    Pending(Finish<VisitReport>),
}

/// A write that has begun. Cancel safe: if it is dropped, the write is completed in the background.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[derive(Debug)] struct Here;
/// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
/// use session_core::adapter::{Closing, CookieHeaders};
///
/// # let key = session_core::SecretKey::generate()?;
/// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
/// let guard = sessions.visit(CookieHeaders::default(), &Here);
/// guard.visit().session().await?.put("theme", "dark")?;
/// let Closing::Pending(writing) = guard.close(200) else { unreachable!("there is something to write") };
/// // Dropped here instead, it would go on on `Here`.
/// assert!(writing.await.error.is_none());
/// # Ok(())
/// # }
/// ```
pub struct Finish<T: Send + 'static> {
    future: Option<(BoxFuture<T>, Flight)>,
    spawn: &'static dyn Spawn,
}

impl<T: Send + 'static> Finish<T> {
    pub(crate) fn new(future: BoxFuture<T>, flight: Flight, spawn: &'static dyn Spawn) -> Self {
        Self { future: Some((future, flight)), spawn }
    }
}

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some((future, _)) = &mut self.future else { return Poll::Pending };
        let output = std::task::ready!(future.as_mut().poll(context));
        self.future = None;
        Poll::Ready(output)
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        if let Some((future, flight)) = self.future.take() {
            self.spawn.spawn(Box::pin(async move {
                future.await;
                drop(flight);
            }));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Finish<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("done", &self.future.is_none()).finish_non_exhaustive()
    }
}
