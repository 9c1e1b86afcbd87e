//! Sweeps many dead sessions in the process whose live sessions are visited, as an application does.

use std::time::{Duration, Instant};

use session_stores::{Round, Sweeper};
use tokio::sync::mpsc;

use crate::visits::{self, LANES, Values, Visits, sign_in};
use crate::{Failure, crowd, figure, flags};

pub(crate) async fn run(flags: &flags::Sweep) -> Result<(), Failure> {
    let store = crowd::open(&flags.store).await?;
    let (begun, ended) = (crowd::now().minus(2 * HOUR), crowd::now().minus(HOUR));
    let dead = crowd::template(&store, Values(TEXT)).await?.with_owner(None).with_created(begun);
    let dead = dead.with_idle_deadline(ended).with_absolute_deadline(Some(ended));
    crowd::fill(&store, flags.sessions, &dead, begun).await?;
    let sessions = crowd::sessions(&store)?;
    let mut cookies = Vec::with_capacity(LIVE);
    for _ in 0..LIVE {
        cookies.push(sign_in(&sessions, None, Values(TEXT)).await?);
    }

    let foreground = Visits::begin(&sessions, &cookies);
    // The first visits warm up.
    foreground.wait(LIVE).await;
    foreground.take();
    foreground.wait(flags.visits).await;
    visits::figures("before", foreground.take());

    let (report, mut rounds) = mpsc::unbounded_channel();
    let sweeper = Sweeper::of(store).ok_or("this store needs no sweeper")?;
    let sweeper =
        sweeper.most_batches(usize::MAX).every(YEAR).report(move |round| report.send(round).unwrap_or(()));
    let sweeper = sweeper.spawn();
    let begun = Instant::now();
    sweeper.sweep_now().await;
    figure("swept-s", begun.elapsed().as_secs_f64());
    visits::figures("during", foreground.take());
    match rounds.recv().await {
        Some(Round::Done { removed, .. }) => figure("removed", removed as f64),
        other => return Err(format!("the sweep ended with {other:?}").into()),
    }

    foreground.wait(flags.visits).await;
    visits::figures("after", foreground.take());
    figure("failed", foreground.failed() as f64);
    Ok(())
}

/// How many live sessions are visited: a multiple of the lanes.
const LIVE: usize = 64 * LANES;
/// Of the text in each session.
const TEXT: usize = 300;
const HOUR: Duration = Duration::from_secs(60 * 60);
/// No round begins by itself.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
