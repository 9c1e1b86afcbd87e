//! Runs rounds of histories: tells the processes to begin, lets faults strike, heals, looks, checks.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use session_conformance::history::{Checked, check};

use crate::client::events;
use crate::faults::{Fault, Struck, said, stop_for};
use crate::place::Place;
use crate::process::Process;
use crate::random::Random;
use crate::{Failure, flags};

pub(crate) async fn run(flags: &flags::Histories) -> Result<(), Failure> {
    let seed = flags.seed.unwrap_or(1);
    let length = Duration::from_secs_f64(flags.minutes.unwrap_or(1.0) * 60.0);
    let place = Place::of(&flags.store).await?;
    let processes = if place.is_shared { flags.processes.unwrap_or(3).max(1) } else { 1 };
    let records = tempfile::tempdir()?;
    let mut run = Run {
        faults: if flags.calm { Vec::new() } else { place.faults() },
        place,
        seed,
        records: records.path().to_owned(),
        clients: Vec::new(),
        started: 0,
        struck: Struck::new(),
    };
    for _ in 0..processes {
        let client = run.start_client().await?;
        run.clients.push(client);
    }
    let (begun, mut sum, mut rejected) = (Instant::now(), Checked::default(), 0);
    let mut round = 0;
    while begun.elapsed() < length {
        run.round(round).await?;
        let history = events(&run.records, &round.to_string())?;
        match check(&history) {
            Ok(checked) => {
                sum.sessions += checked.sessions;
                sum.calls += checked.calls;
                sum.unknown += checked.unknown;
                sum.versions += checked.versions;
            }
            Err(violation) => {
                rejected += 1;
                let kept = keep(flags.keep.as_deref(), &flags.store, seed, round, &run.records)?;
                println!("round {round}: {violation}kept in {}", kept.display());
            }
        }
        forget(&run.records)?;
        round += 1;
    }
    let Checked { sessions, calls, unknown, versions, .. } = sum;
    println!(
        "{}: {sessions} histories, {calls} calls ({unknown} without an answer), {versions} versions, in {round} rounds \
         of {processes} process(es), {:.0} s, seed {seed}; {rejected} rejected",
        flags.store,
        begun.elapsed().as_secs_f64()
    );
    println!("faults: {}", said(&run.struck));
    if rejected > 0 { Err(format!("{rejected} round(s) are not linearizable").into()) } else { Ok(()) }
}

struct Run {
    place: Place,
    faults: Vec<Fault>,
    seed: u64,
    records: PathBuf,
    clients: Vec<Process>,
    /// How many clients were started: each gets a number of its own.
    started: u32,
    struck: Struck,
}

impl Run {
    async fn round(&mut self, round: u64) -> Result<(), Failure> {
        let mut random = Random::new(self.seed ^ (round << 32) ^ 0x000f_a017);
        for client in &mut self.clients {
            client.order(&format!("run {round}")).await?;
        }
        if !self.faults.is_empty() {
            for _ in 0..1 + random.below(3) {
                tokio::time::sleep(Duration::from_millis(random.below(40))).await;
                self.fault(round, &mut random).await?;
            }
        }
        for client in &mut self.clients {
            client.done(&format!("run {round}")).await?;
        }
        self.clients[0].order(&format!("look {round}")).await?;
        self.clients[0].done(&format!("look {round}")).await
    }

    async fn fault(&mut self, round: u64, random: &mut Random) -> Result<(), Failure> {
        let fault = self.faults[random.below(self.faults.len() as u64) as usize];
        *self.struck.entry(fault).or_default() += 1;
        let victim = random.below(self.clients.len() as u64) as usize;
        let lasting = Duration::from_millis(20 + random.below(500));
        match fault {
            Fault::KillClient => {
                self.clients[victim].child.kill().await?;
                self.clients[victim] = self.start_client().await?;
                return self.clients[victim].order(&format!("run {round}")).await;
            }
            Fault::StopClient => {
                let Some(pid) = self.clients[victim].child.id() else { return Ok(()) };
                return stop_for(lasting, pid).await;
            }
            _ => {}
        }
        self.place.endure(fault, lasting, random).await
    }

    async fn start_client(&mut self) -> Result<Process, Failure> {
        let records = self.records.to_str().ok_or("the directory for temporary files is not UTF-8")?;
        let (seed, number) = (self.seed.to_string(), self.started.to_string());
        let arguments = ["client", "--url", &self.place.url, "--records", records];
        let numbers = ["--seed", &seed, "--number", &number];
        let prepare = (self.started == 0).then_some("--prepare");
        let arguments =
            arguments.into_iter().chain(numbers).chain(prepare).map(str::to_owned).collect::<Vec<_>>();
        self.started += 1;
        Process::start(&arguments).await
    }
}

/// Copies the records of a round to where they stay.
fn keep(to: Option<&Path>, store: &str, seed: u64, round: u64, records: &Path) -> Result<PathBuf, Failure> {
    let parent = to.map_or_else(std::env::temp_dir, Path::to_owned);
    let kept = parent.join(format!("session-history-{store}-{seed}-{round}"));
    std::fs::create_dir_all(&kept)?;
    for file in std::fs::read_dir(records)? {
        let file = file?;
        std::fs::copy(file.path(), kept.join(file.file_name()))?;
    }
    Ok(kept)
}

fn forget(records: &Path) -> Result<(), Failure> {
    for file in std::fs::read_dir(records)? {
        std::fs::remove_file(file?.path())?;
    }
    Ok(())
}
