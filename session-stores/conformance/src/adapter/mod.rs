//! The adapter suite: black-box scenarios over real sockets with a minimal browser.
//!
//! An adapter's author writes one `async fn start(Application) -> Server` that serves the routes of
//! [`probe`](crate::probe) on a free loopback port, and calls [`adapter_suite!`](crate::adapter_suite).

mod browser;
pub mod canary;
pub mod jar;
mod list;
pub mod scenes;
mod server;
pub mod several;
mod stage;
mod transcript;

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::probe::Application;

pub use browser::{Browser, Reply, Sent, at, script};
pub use list::scenarios;
pub use server::Server;
pub use stage::{Calls, Doubles, Place, Stage, World};
pub use transcript::Transcript;

use browser::Protocol;

/// One scenario, as a value.
///
/// ```
/// for scenario in session_conformance::adapter::scenarios() {
///     println!("{}", scenario.name());
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Scenario {
    name: &'static str,
    play: for<'s> fn(&'s Stage) -> Pin<Box<dyn Future<Output = ()> + 's>>,
}

impl Scenario {
    /// Returns the claim that the scenario tests, which is also the name of its test.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scenario({})", self.name)
    }
}

/// Runs the scenario of this name on its own runtime. The macro calls this.
///
/// # Panics
/// If the adapter does not behave as the scenario says.
///
/// ```no_run
/// use session_conformance::adapter::{Place, Server, play};
/// use session_conformance::probe::Application;
///
/// # async fn start(_: Application) -> Server { unreachable!() }
/// async fn place() -> Place {
///     Place::cookie()
/// }
/// // With the `start` of the adapter's author, outside of the macro:
/// play("values_come_back_in_the_next_visit_as_they_were_put", start, place);
/// ```
pub fn play<S, P>(name: &str, start: impl Fn(Application) -> S + 'static, place: impl Fn() -> P + 'static)
where
    S: Future<Output = Server> + 'static,
    P: Future<Output = Place> + 'static,
{
    let scenario = scenarios().iter().find(|scenario| scenario.name == name).expect("a scenario of the list");
    runtime().block_on(perform(&[*scenario], start, place));
}

/// Runs all scenarios, one after the other, and returns all exchanges. Adapters with the same behaviour return the same.
///
/// # Panics
/// If the adapter does not behave as a scenario says.
///
/// ```no_run
/// use session_conformance::adapter::{Place, transcript};
/// # use session_conformance::adapter::Server;
/// # use session_conformance::probe::Application;
/// # async fn on_axum(_: Application) -> Server { unreachable!() }
/// # async fn on_hyper(_: Application) -> Server { unreachable!() }
///
/// async fn place() -> Place {
///     Place::store(session_store_memory::MemoryStore::new(), ())
/// }
/// assert_eq!(transcript(on_axum, place), transcript(on_hyper, place));
/// ```
pub fn transcript<S, P>(
    start: impl Fn(Application) -> S + 'static,
    place: impl Fn() -> P + 'static,
) -> Transcript
where
    S: Future<Output = Server> + 'static,
    P: Future<Output = Place> + 'static,
{
    runtime().block_on(perform(scenarios(), start, place))
}

async fn perform<S, P>(
    scenarios: &[Scenario],
    start: impl Fn(Application) -> S + 'static,
    place: impl Fn() -> P + 'static,
) -> Transcript
where
    S: Future<Output = Server> + 'static,
    P: Future<Output = Place> + 'static,
{
    let mut stage = Stage {
        start: Arc::new(move |application| Box::pin(start(application))),
        place: Arc::new(move || Box::pin(place())),
        protocol: Protocol::Http1,
        transcript: Arc::new(Mutex::default()),
        http2: false.into(),
        cannot: Mutex::default(),
    };
    for scenario in scenarios {
        stage.protocol = Protocol::Http1;
        play_on(&stage, scenario).await;
        if stage.http2.load(Ordering::Relaxed) {
            stage.protocol = Protocol::Http2;
            play_on(&stage, scenario).await;
        }
    }
    stage::locked(&stage.transcript).clone()
}

async fn play_on(stage: &Stage, scenario: &Scenario) {
    let name = scenario.name;
    stage::locked(&stage.transcript).begin(&format!("{name} over {:?}", stage.protocol));
    let playing = tokio::time::timeout(LONGEST, (scenario.play)(stage));
    let played = AssertUnwindSafe(playing).catch_unwind().await;
    match (played, stage.why_not(name)) {
        (Ok(Ok(())), None) => {}
        (Ok(Ok(())), Some(why)) => panic!("{name} holds, but the server was declared not to keep it: {why}"),
        (Ok(Err(_)), _) => panic!("{name} ends within two minutes"),
        (Err(_), Some(why)) => eprintln!("{name} fails, as the server was declared: {why}"),
        (Err(panic), None) => resume_unwind(panic),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime can be made")
}

const LONGEST: Duration = Duration::from_secs(120);
