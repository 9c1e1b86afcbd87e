//! Counts, lists and ends the many sessions of one user, while the session of another visitor is loaded over and over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use session_core::store::{Loaded, SessionStore, StoreKey};
use tokio::task::JoinHandle;

use crate::visits::Values;
use crate::{Failure, crowd, figure, flags, millis};

pub(crate) async fn run(flags: &flags::User) -> Result<(), Failure> {
    let store = crowd::open(&flags.store).await?;
    let record = crowd::template(&store, Values(TEXT)).await?;
    let theirs = record.clone().with_owner(Some(USER.into()));
    let user = crowd::sessions(&store)?.of(USER);
    let key = StoreKey::from_bytes([7; 32]);
    store.create(&key, &record.with_owner(None), crowd::now()).await?;
    // A memory store is one process's, and a file of redb is opened once. Elsewhere, the bystander waits for the server
    // and not for a connection.
    let has_its_own = !flags.store.starts_with("memory") && !flags.store.starts_with("redb");
    let its_store = if has_its_own { crowd::open(&flags.store).await? } else { Arc::clone(&store) };
    for _ in 0..flags.rounds {
        crowd::fill(&store, flags.sessions, &theirs, crowd::now()).await?;
        let bystander = Bystander::begin(Arc::clone(&its_store), key);
        let counted = bystander.measure("count", user.count()).await?;
        let listed = bystander.measure("list", user.list()).await?.len();
        let ended = bystander.measure("end", user.destroy_all()).await?;
        let all = flags.sessions;
        if (counted, listed, ended) != (all, all.min(session_core::UserSessions::PAGE), all) {
            return Err(format!(
                "of {all} sessions, {counted} were counted, {listed} listed and {ended} ended"
            )
            .into());
        }
        bystander.task.abort();
        if bystander.failed.load(Relaxed) > 0 {
            return Err("the session of the other visitor could not be loaded".into());
        }
    }
    Ok(())
}

/// Another visitor, whose session is loaded over and over.
struct Bystander {
    task: JoinHandle<()>,
    /// The longest load since the last look, in nanoseconds.
    longest: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl Bystander {
    fn begin(store: Arc<dyn SessionStore>, key: StoreKey) -> Self {
        let (longest, failed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let (seen, refused) = (Arc::clone(&longest), Arc::clone(&failed));
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                if !matches!(store.load(&key).await, Ok(Loaded::Found(_))) {
                    refused.fetch_add(1, Relaxed);
                }
                seen.fetch_max(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
                tokio::task::yield_now().await;
            }
        });
        Self { task, longest, failed }
    }

    /// Prints how long this takes, and the longest load meanwhile.
    async fn measure<T, E>(&self, what: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.longest.store(0, Relaxed);
        let begun = Instant::now();
        let done = work.await?;
        figure(&format!("{what}-ms"), millis(begun.elapsed()));
        figure(&format!("wait-{what}-ms"), millis(Duration::from_nanos(self.longest.load(Relaxed))));
        Ok(done)
    }
}

const USER: &str = "ada";
/// Of the text in each session: with its other values, about 4 KiB.
const TEXT: usize = 4_000;
