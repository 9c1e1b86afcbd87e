//! The task of a sweeper: rounds at jittered moments or when asked for, each in a task of its own.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use session_core::{
    adapter::{Clock, Entropy, SystemEntropy},
    store::SessionStore,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::{Round, SweeperBuilder};

impl SweeperBuilder {
    pub(super) async fn run(
        self,
        mut inbox: mpsc::Receiver<oneshot::Sender<()>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut next = Instant::now() + self.every.mul_f64(chance());
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stopped) => return,
                order = inbox.recv() => {
                    let Some(done) = order else { return };
                    self.round(&stopped).await;
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                () = sleep_until(next) => {
                    self.round(&stopped).await;
                    next = Instant::now() + self.every.mul_f64(0.9 + chance() / 5.0);
                }
            }
        }
    }

    async fn round(&self, stopped: &watch::Receiver<bool>) {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let (batch, pause, most_batches) = (self.batch, self.pause, self.most_batches);
        // A task of its own: a panic of the store ends the round and not the sweeper.
        let round = sweep(store, clock, batch, pause, most_batches, stopped.clone());
        let mut task = Abort(tokio::spawn(round));
        let round = (&mut task.0).await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => Round::Panicked(message(&*panic)),
            Err(_) => Round::Panicked("the runtime is shutting down".to_owned()),
        });
        let store = self.store.name();
        match &round {
            Round::Done { removed, batches } => {
                tracing::debug!(target: "session", store, removed, batches, "swept");
            }
            Round::Failed { removed, error } => {
                tracing::warn!(target: "session", store, removed, kind = ?error.kind(), "a sweep failed");
            }
            Round::Panicked(_) => tracing::error!(target: "session", store, "a sweep panicked"),
        }
        let report = Arc::clone(&self.report);
        // The listener is the application's: its panic is caught with a task of its own, too.
        let _ = tokio::spawn(async move { report(round) }).await;
    }
}

async fn sweep(
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    batch: usize,
    pause: Duration,
    most_batches: usize,
    mut stopped: watch::Receiver<bool>,
) -> Round {
    let (mut removed, mut batches) = (0, 0);
    let Some(sweeper) = store.sweeper() else { return Round::Done { removed, batches } };
    while batches < most_batches {
        match sweeper.sweep(clock.now().minus(SLACK), batch).await {
            Ok(swept) => {
                removed += swept.removed;
                batches += 1;
                if !swept.more {
                    break;
                }
            }
            Err(error) => return Round::Failed { removed, error },
        }
        if tokio::time::timeout(pause, told_to_stop(&mut stopped)).await.is_ok() {
            break;
        }
    }
    Round::Done { removed, batches }
}

/// Waits for the order to stop. A sweeper that was dropped gives none and stops as well.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Ends the task when the one who waits for it is dropped.
struct Abort<T>(JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// What a request has loaded just before its deadline is still there when it commits.
const SLACK: Duration = Duration::from_secs(60);

/// A number from 0 up to 1. Without random bytes, the middle: a sweep that is not jittered is still a sweep.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    SystemEntropy
        .fill(&mut bytes)
        .map_or(0.5, |()| f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0))
}
