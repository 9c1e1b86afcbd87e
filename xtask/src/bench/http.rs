//! Measures the CPU time that a session adds to a request: the server's CPU time with and without sessions, in one
//! run.
//!
//! Every round measures each subject once, so that other load on the machine affects all of them. A subject is compared
//! with the bare server of its framework in the same round, which receives identical bytes.

use std::time::{Duration, Instant};

use super::Effort;
use super::load::{Load, Requests};
use super::server::{Server, processor_time};
use super::subject::{self, Subject};
use crate::failure::Failure;

/// The measurements of one request on one subject, a value for each round.
pub(super) struct Row {
    pub(super) subject: Subject,
    pub(super) path: &'static str,
    /// CPU time of the bare server per request, in microseconds.
    pub(super) bare: Vec<f64>,
    /// CPU time of the server with sessions.
    pub(super) with: Vec<f64>,
    /// CPU time of the store's server, if it has one.
    pub(super) store: Vec<f64>,
    /// Requests per second.
    pub(super) rate: Vec<f64>,
}

/// A running server with its connections and the cookies of its sessions.
pub(super) struct Target {
    server: Server,
    pub(super) load: Load,
    /// The cookies of the requests, which are sent in turn.
    pub(super) cookies: Vec<String>,
    store_process: Option<u32>,
}

/// What one measurement gives.
pub(super) struct Measured {
    server: f64,
    store: Option<f64>,
    rate: f64,
}

/// The requests.
pub(super) const PATHS: [&str; 3] = ["/none", "/read", "/write"];
/// The number of connections, each with a session of its own.
pub(super) const CONNECTIONS: usize = 32;

pub(super) fn run(subjects: &[Subject], effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut frameworks: Vec<&'static str> = subjects.iter().map(|subject| subject.bare).collect();
    frameworks.sort_unstable();
    frameworks.dedup();
    let mut rows: Vec<Row> =
        subjects.iter().flat_map(|subject| PATHS.map(|path| Row::new(subject.clone(), path))).collect();
    let mut targets = subjects.iter().map(Target::start).collect::<Result<Vec<_>, _>>()?;
    let mut bare = frameworks
        .iter()
        .map(|&framework| Ok((framework, Target::start(&subject::bare(framework))?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    // The first round warms up caches, branch predictors and the allocator, and is not counted.
    for round in 0..=effort.rounds {
        for (nth_path, path) in PATHS.into_iter().enumerate() {
            // The bare server gets the cookies of each subject in turn, so that it reads the same bytes.
            for (nth, target) in targets.iter_mut().enumerate() {
                let row = &mut rows[nth * PATHS.len() + nth_path];
                let (_, beside) = bare
                    .iter_mut()
                    .find(|(framework, _)| *framework == row.subject.bare)
                    .expect("a bare server was started for each framework");
                beside.cookies.clone_from(&target.cookies);
                let without = beside.measure(path, effort.requests)?;
                let with = target.measure(path, effort.requests)?;
                if round > 0 {
                    row.add(&without, &with);
                }
            }
        }
    }
    Ok(rows)
}

impl Row {
    pub(super) fn new(subject: Subject, path: &'static str) -> Self {
        Self { subject, path, bare: Vec::new(), with: Vec::new(), store: Vec::new(), rate: Vec::new() }
    }

    /// Adds the measurements of a round: without sessions and with them.
    pub(super) fn add(&mut self, without: &Measured, with: &Measured) {
        self.bare.push(without.server);
        self.with.push(with.server);
        self.store.extend(with.store);
        self.rate.push(with.rate);
    }

    /// The difference to the bare server in each round.
    pub(super) fn added(&self) -> Vec<f64> {
        self.bare.iter().zip(&self.with).map(|(bare, with)| with - bare).collect()
    }
}

impl Target {
    fn start(subject: &Subject) -> Result<Self, Failure> {
        let mut target = Self::connect(subject)?;
        if subject.library != "none" {
            target.cookies = target.load.sign_in(CONNECTIONS)?;
            target.check()?;
        }
        Ok(target)
    }

    /// Starts the server, without any session.
    pub(super) fn connect(subject: &Subject) -> Result<Self, Failure> {
        let server = Server::start(subject)?;
        let load = Load::connect(server.address, CONNECTIONS)?;
        Ok(Self { server, load, cookies: Vec::new(), store_process: subject.store_process })
    }

    /// Checks that sessions are there: a server that answers all requests as if nobody had signed in would be fast.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        Ok(self.load.expect("/read", &self.cookies, "alice@example.com")?)
    }

    pub(super) fn measure(&mut self, path: &str, count: usize) -> Result<Measured, Failure> {
        let requests = Requests::to(path, &self.cookies);
        let (before, store_before, start) =
            (self.server.processor_time()?, self.store_time()?, Instant::now());
        let done = self.load.run(&requests, count)? as f64;
        let took = start.elapsed();
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / done;
        let store = match (store_before, self.store_time()?) {
            (Some(before), Some(after)) => Some(per_request(after - before)),
            _ => None,
        };
        let server = per_request(self.server.processor_time()? - before);
        Ok(Measured { server, store, rate: done / took.as_secs_f64() })
    }

    fn store_time(&self) -> Result<Option<Duration>, Failure> {
        self.store_process.map(processor_time).transpose()
    }
}
