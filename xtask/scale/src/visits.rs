//! Visits of live sessions through the core, at a steady rate, with the time of each.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn, VisitReport};
use session_core::{Session, Sessions};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Failure, figure, millis};

/// The size of the text in a session, besides its counter.
#[derive(Clone, Copy)]
pub(crate) struct Values(pub(crate) usize);

/// Visits in the background, until dropped.
pub(crate) struct Visits {
    seen: Arc<Seen>,
    _lanes: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    times: Mutex<Vec<Duration>>,
    failed: AtomicUsize,
}

/// Begins a session and returns its cookie.
pub(crate) async fn sign_in(
    sessions: &Sessions,
    user: Option<&str>,
    values: Values,
) -> Result<String, Failure> {
    let report = visit(sessions, "", |session| {
        if let Some(user) = user {
            session.tag(user)?;
        }
        session.put("text", "x".repeat(values.0))?;
        session.put("hits", 0)?;
        Ok(())
    });
    let cookie = report.await?.set_cookie.ok_or("a new session sets a cookie")?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

async fn visit(
    sessions: &Sessions,
    cookie: &str,
    handler: impl FnOnce(&Session) -> Result<(), Failure>,
) -> Result<VisitReport, Failure> {
    let guard = sessions.visit(CookieHeaders::from_iter([cookie]), &OnTokio);
    handler(&guard.visit().session().await?)?;
    let report = match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => writing.await,
    };
    match report.error {
        Some(error) => Err(error.into()),
        None => Ok(report),
    }
}

fn read(session: &Session) -> Result<(), Failure> {
    let hits: Option<u64> = session.get("hits")?;
    hits.map(drop).ok_or_else(|| "the session is not there".into())
}

fn write(session: &Session) -> Result<(), Failure> {
    read(session)?;
    session.increment("hits")?;
    Ok(())
}

impl Visits {
    /// Begins to visit these sessions in turn: each lane has its share of them, so that no two visits meet in one.
    pub(crate) fn begin(sessions: &Sessions, cookies: &[String]) -> Self {
        let (seen, begun) = (Arc::<Seen>::default(), Instant::now());
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            let cookies: Vec<String> = cookies.iter().skip(lane).step_by(LANES).cloned().collect();
            let (sessions, seen) = (sessions.clone(), Arc::clone(&seen));
            let first = begun + EVERY * lane as u32 / LANES as u32;
            lanes.spawn(async move { go(&sessions, &cookies, first, &seen).await });
        }
        Self { seen, _lanes: lanes }
    }

    /// Waits for this many visits since the last call of `take`.
    pub(crate) async fn wait(&self, visits: usize) {
        while self.seen.times().len() < visits {
            sleep(EVERY).await;
        }
    }

    /// Returns the times of the visits since the last call.
    pub(crate) fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut self.seen.times())
    }

    /// The number of visits that failed.
    pub(crate) fn failed(&self) -> usize {
        self.seen.failed.load(Relaxed)
    }
}

impl Seen {
    fn times(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn go(sessions: &Sessions, cookies: &[String], first: Instant, seen: &Seen) {
    let mut due = first;
    for (nth, cookie) in cookies.iter().cycle().enumerate() {
        sleep_until(due).await;
        let begun = Instant::now();
        let visited = match nth % 2 {
            0 => visit(sessions, cookie, read).await,
            _ => visit(sessions, cookie, write).await,
        };
        if visited.is_err() {
            seen.failed.fetch_add(1, Relaxed);
        }
        // A visit that begins late has waited, for the one before it or for a processor. The timer alone is as late as this.
        let since = if begun - due > TIMER { due } else { begun };
        seen.times().push(since.elapsed());
        due += EVERY;
    }
}

/// Prints half of the times, 99 % of them, and the longest.
pub(crate) fn figures(when: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |place: usize| millis(times.get(place).copied().unwrap_or_default());
    figure(&format!("{when}-p50-ms"), at(times.len() / 2));
    figure(&format!("{when}-p99-ms"), at(times.len() * 99 / 100));
    figure(&format!("{when}-longest-ms"), at(times.len().saturating_sub(1)));
}

/// For work that outlives its request.
#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, work: BoxFuture<()>) {
        tokio::spawn(work);
    }
}

/// 16 lanes with a visit each 16 ms: 1,000 visits a second.
pub(crate) const LANES: usize = 16;
const EVERY: Duration = Duration::from_millis(16);
/// Tokio's timer has a granularity of a millisecond.
const TIMER: Duration = Duration::from_millis(2);
