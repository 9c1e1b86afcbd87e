//! The store suite: every law of `SessionStore` as a named case.
//!
//! A case takes a [`Trial`], returns if the law holds and panics if it does not. [`store_suite!`](crate::store_suite)
//! defines a test for each; [`cases`] returns them as values, for another harness.

mod list;
pub(crate) mod trial;

pub mod bytes;
pub mod census;
pub mod create;
pub mod damage;
pub mod destroy;
pub mod device;
pub mod expiry;
pub mod histories;
pub mod limits;
pub mod moved;
pub mod owners;
pub mod process;
pub mod races;
pub mod reopen;
pub mod replace;
pub mod rotate;
pub mod sign_in;
pub mod stall;
pub mod store;
pub mod sweep;
pub mod touch;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::Fixture;

pub use list::cases;
pub use trial::Trial;

/// One case, as a value.
///
/// ```
/// use session_conformance::Fixture;
///
/// # #[tokio::main] async fn main() {
/// // For another harness.
/// for case in session_conformance::cases().iter().filter(|case| case.name().starts_with("create_")) {
///     case.run(Fixture::new(session_store_memory::MemoryStore::new())).await;
/// }
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Trial) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Case {
    /// Returns the claim that the case tests, which is also the name of its test.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the case, inside a Tokio runtime. Panics if the store breaks the law.
    pub async fn run(&self, fixture: Fixture) {
        (self.run)(Trial::new(fixture, None)).await;
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// Runs one case on its own multi-threaded runtime, with a limit of two minutes. `test` is the path of the calling test,
/// which begins with `module_path!`. The macro calls this.
///
/// ```
/// use session_conformance::{Fixture, run_case, suite};
///
/// let fixture = || async { Fixture::new(session_store_memory::MemoryStore::new()) };
/// run_case("crate::a_test", fixture, suite::replace::replace_never_creates);
/// ```
///
/// # Panics
/// If the case fails, or does not end in time.
pub fn run_case<F, O, C, P>(test: &'static str, fixture: F, case: C)
where
    F: FnOnce() -> O,
    O: Future<Output = Fixture>,
    C: FnOnce(Trial) -> P,
    P: Future<Output = ()>,
{
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_all().build().expect("a runtime can be made");
    let run = || {
        runtime.block_on(async {
            let trial = Trial::new(fixture().await, Some(test));
            in_time(case(trial)).await;
        });
    };
    process::end_with(run);
}

async fn in_time(case: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(LONGEST, case).await;
    let whose = "the suite's limit for a case, not a deadline of the store";
    assert!(ended.is_ok(), "the case did not end within {LONGEST:?}: {whose}");
}

const LONGEST: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "did not end within 120s: the suite's limit")]
    async fn a_case_that_does_not_end_says_whose_limit_it_met() {
        in_time(std::future::pending()).await;
    }
}
