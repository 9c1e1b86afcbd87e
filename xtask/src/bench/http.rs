//! Measures the CPU time that a session adds to a request: the server's CPU time with and without sessions, in one
//! run.
//!
//! Every round measures each case once, so that other load on the machine affects all of them. A case is compared
//! with the bare server in the same round, which receives identical bytes.

use std::time::Duration;

use super::load::Load;
use super::server::Server;
use crate::failure::Failure;
use crate::runner::Call;

/// The size of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// The number of rounds.
    pub(crate) rounds: usize,
    /// The number of requests per measurement.
    pub(crate) requests: usize,
}

/// A store, with a server with sessions in it and one without sessions.
struct Pair {
    store: &'static str,
    bare: Target,
    with: Target,
    cookies: Vec<String>,
}

struct Target {
    server: Server,
    load: Load,
}

/// The measurements of a path and a store.
struct Row {
    store: &'static str,
    path: &'static str,
    bare: Vec<f64>,
    with: Vec<f64>,
}

pub(crate) fn run(effort: Effort) -> Result<(), Failure> {
    let build = Call::cargo("build --release -p probe");
    println!("\n==> {}", build.line());
    build.run()?;
    let mut pairs = STORES.iter().map(|store| Pair::start(store)).collect::<Result<Vec<_>, _>>()?;
    let mut rows: Vec<Row> = STORES
        .iter()
        .flat_map(|store| PATHS.iter().map(|path| Row { store, path, bare: Vec::new(), with: Vec::new() }))
        .collect();
    // The first round warms up caches, branch predictors and the allocator, and is not counted.
    for round in 0..=effort.rounds {
        for row in &mut rows {
            let pair = pairs.iter_mut().find(|pair| pair.store == row.store);
            let pair = pair.expect("there is a pair for each store of the rows");
            let bare = pair.bare.measure(row.path, &pair.cookies, effort.requests)?;
            let with = pair.with.measure(row.path, &pair.cookies, effort.requests)?;
            if round > 0 {
                row.bare.push(bare);
                row.with.push(with);
            }
        }
    }
    print!("{}", table(&rows, effort));
    Ok(())
}

impl Pair {
    fn start(store: &'static str) -> Result<Self, Failure> {
        let (bare, mut with) = (Target::start("none-axum", store)?, Target::start("axum", store)?);
        let cookies = with.load.cookies("/login")?;
        Ok(Self { store, bare, with, cookies })
    }
}

impl Target {
    fn start(adapter: &str, store: &str) -> Result<Self, Failure> {
        let server = Server::start(adapter, store)?;
        let load = Load::connect(server.address, CONNECTIONS)?;
        Ok(Self { server, load })
    }

    /// Returns the CPU time per request, in microseconds.
    fn measure(&mut self, path: &str, cookies: &[String], count: usize) -> Result<f64, Failure> {
        let before = self.server.processor_time()?;
        let done = self.load.run(path, cookies, count)?;
        let spent: Duration = self.server.processor_time()? - before;
        Ok(spent.as_secs_f64() * 1e6 / done as f64)
    }
}

fn table(rows: &[Row], effort: Effort) -> String {
    let Effort { rounds, requests } = effort;
    let mut table = format!(
        "\nprocessor time of the server per request, one worker thread, {CONNECTIONS} connections,\n\
         {rounds} rounds of {requests} requests each: median (least to most), in microseconds\n\n\
         | store | path | bare axum | with sessions | added |\n|---|---|---|---|---|\n"
    );
    for Row { store, path, bare, with } in rows {
        let added: Vec<f64> = bare.iter().zip(with).map(|(bare, with)| with - bare).collect();
        let [bare, with, added] = [bare, with, &added].map(|values| spread(values));
        table.push_str(&format!("| {store} | {path} | {bare} | {with} | {added} |\n"));
    }
    table
}

/// Formats the median, minimum and maximum.
fn spread(values: &[f64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(most)) => format!("{median:.1} ({least:.1} to {most:.1})"),
        _ => "–".to_owned(),
    }
}

const STORES: &[&str] = &["memory", "cookie"];
const PATHS: &[&str] = &["/none", "/read", "/write"];
const CONNECTIONS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_compared_within_its_round() {
        let row = Row {
            store: "memory",
            path: "/read",
            bare: vec![10.0, 20.0, 11.0],
            with: vec![13.0, 22.0, 15.0],
        };
        let table = table(&[row], Effort { rounds: 3, requests: 100 });
        let line = "| memory | /read | 11.0 (10.0 to 20.0) | 15.0 (13.0 to 22.0) | 3.0 (2.0 to 4.0) |\n";
        assert!(table.ends_with(line), "{table}");
    }
}
