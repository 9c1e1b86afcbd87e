//! `cargo xtask bench`: benchmarks. Compare ratios within a run; runs on a shared machine are not comparable.

mod chart;
mod contended;
mod criterion;
mod http;
mod load;
mod machine;
mod scale;
mod server;
mod subject;
mod table;

use session_test_servers::Kind;

use crate::failure::Failure;
use crate::flags;
use crate::packages;
use crate::runner::Call;
use crate::servers::Starting;
use subject::Subject;

/// The size of a measurement.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// The number of rounds.
    rounds: usize,
    /// The number of requests per measurement.
    requests: usize,
}

pub(crate) fn run(flags: &flags::Bench) -> Result<(), Failure> {
    let over_http = flags.http || flags.against.is_some() || flags.peers || flags.stores || flags.scale;
    let chosen = over_http || flags.package.is_some() || flags.filter.is_some();
    if !over_http {
        criterion::run(flags.package.as_deref(), flags.filter.as_deref())?;
    }
    let effort = Effort { rounds: flags.rounds.unwrap_or(9), requests: flags.requests.unwrap_or(20_000) };
    if flags.http || flags.against.is_some() || !chosen {
        build("build --release -p probe --features redis,sql,redb,etcd,memcached,dynamodb")?;
        let subjects = match &flags.against {
            Some(program) => subject::ours_and_another(program),
            None => subject::ours(),
        };
        measure(&subjects, effort)?;
    }
    if flags.stores {
        build("build --release -p probe --features redis,sql,redb,etcd,memcached,dynamodb")?;
        with_servers(
            &[Kind::Redis, Kind::Postgres, Kind::MariaDb, Kind::Memcached, Kind::Etcd, Kind::DynamoDb],
            |servers| {
                let directory = Scratch::make()?;
                let subjects = subject::stores(servers, &directory.0);
                let rows = measure(&subjects, effort)?;
                draw("stores", "CPU time that a session adds to a request, axum", &rows)?;
                contended(&subjects, effort)
            },
        )?;
    }
    if flags.peers {
        build("build --release -p probe --features redis,sql,redb,etcd,memcached,dynamodb")?;
        build("build --release --manifest-path xtask/peers/Cargo.toml")?;
        with_servers(&[Kind::Redis], |servers| {
            let subjects = subject::peers(servers);
            let rows = measure(&subjects, effort)?;
            print!("{}", table::against_the_best(&rows));
            draw("peers", "CPU time that a session adds to a request", &rows)?;
            contended(&subjects, effort)
        })?;
    }
    if flags.scale {
        scale::run(&flags.store, flags.sessions.unwrap_or(10_000), effort)?;
    }
    Ok(())
}

fn build(words: &str) -> Result<(), Failure> {
    let build = Call::cargo(words);
    println!("\n==> {}", build.line());
    build.run()
}

fn measure(subjects: &[Subject], effort: Effort) -> Result<Vec<http::Row>, Failure> {
    println!("\n{}\n", machine::describe());
    let rows = http::run(subjects, effort)?;
    print!("{}", table::added(&rows, effort));
    Ok(rows)
}

/// Writes a chart to `target/bench-NAME.svg`.
fn draw(name: &str, title: &str, rows: &[http::Row]) -> Result<(), Failure> {
    let path = format!("target/bench-{name}.svg");
    std::fs::write(&path, chart::bars(title, &chart::libraries(rows)))?;
    println!("\nchart: {path}");
    Ok(())
}

fn contended(subjects: &[Subject], effort: Effort) -> Result<(), Failure> {
    let rows = contended::run(subjects, effort)?;
    print!("{}", table::one_session(&rows, effort));
    Ok(())
}

/// Runs `measure` with servers of these kinds, which stop afterwards.
fn with_servers(
    kinds: &[Kind],
    measure: impl FnOnce(&[session_test_servers::Server]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let is_needed = |package: &packages::Package| match package.needed_by {
        packages::Need::Servers(of) => of.iter().any(|kind| kinds.contains(kind)),
        packages::Need::Browser => false,
    };
    let missing = packages::missing().into_iter().filter(is_needed);
    let running = Starting::begin(kinds, missing.collect(), false).wait()?;
    measure(&running.servers)
}

/// A directory for the stores without a server, removed on drop.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make() -> Result<Self, Failure> {
        let path = std::path::absolute(format!("target/bench-{}", std::process::id()))?;
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays below `target`.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
