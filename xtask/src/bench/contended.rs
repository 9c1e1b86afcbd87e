//! Measures many writers of one session: how many writes a second, how long a response takes, and how many are lost.

use std::time::{Duration, Instant};

use super::Effort;
use super::http::CONNECTIONS;
use super::load::{Load, Requests};
use super::server::Server;
use super::subject::Subject;
use crate::failure::Failure;

/// The measurements of one subject, a value for each round.
pub(super) struct Row {
    pub(super) subject: Subject,
    /// Writes per second that were answered with 200.
    pub(super) rate: Vec<f64>,
    /// The 99th percentile of the response times, in milliseconds.
    pub(super) p99: Vec<f64>,
    /// Writes that were answered with 200 and are not in the session, of all rounds.
    pub(super) lost: u64,
    /// Writes that were not answered with 200, of all rounds.
    pub(super) refused: usize,
    /// Writes that were answered with 200, of all rounds.
    pub(super) acknowledged: u64,
}

pub(super) fn run(subjects: &[Subject], effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.shared) {
        let server = Server::start(subject)?;
        let mut load = Load::connect(server.address, CONNECTIONS)?;
        let cookie = load.sign_in(1)?.swap_remove(0);
        rows.push(measure(subject, &mut load, &cookie, effort)?);
    }
    Ok(rows)
}

fn measure(subject: &Subject, load: &mut Load, cookie: &str, effort: Effort) -> Result<Row, Failure> {
    let (rate, p99) = (Vec::new(), Vec::new());
    let mut row = Row { subject: subject.clone(), rate, p99, lost: 0, refused: 0, acknowledged: 0 };
    let writes = Requests::to("/write", &[cookie.to_owned()]);
    load.timed(&writes, effort.requests / 10)?;
    for _ in 0..effort.rounds {
        let (before, start) = (load.number("/write", cookie)?, Instant::now());
        let run = load.timed(&writes, effort.requests)?;
        let took = start.elapsed();
        let after = load.number("/write", cookie)?;
        let acknowledged = run.times.len() as u64;
        row.lost += acknowledged.saturating_sub(after.saturating_sub(before).saturating_sub(1));
        row.refused += run.refused;
        row.acknowledged += acknowledged;
        row.rate.push(run.times.len() as f64 / took.as_secs_f64());
        row.p99.push(percentile(run.times, 99).as_secs_f64() * 1e3);
    }
    Ok(row)
}

fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_percentile_leaves_one_of_a_hundred_above_it() {
        let times = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(times, 99), Duration::from_millis(100));
        assert_eq!(percentile(Vec::new(), 99), Duration::ZERO);
    }
}
