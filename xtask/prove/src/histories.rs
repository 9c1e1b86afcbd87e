//! Runs rounds of histories: tells the processes to begin, lets faults strike, heals, looks, checks.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use session_conformance::history::{Checked, check};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::client::events;
use crate::faults::{Fault, Struck, signal};
use crate::place::Place;
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
    let faults: Vec<String> = run.struck.iter().map(|(fault, times)| format!("{fault:?} {times}")).collect();
    println!("faults: {}", if faults.is_empty() { "none".to_owned() } else { faults.join(", ") });
    if rejected > 0 { Err(format!("{rejected} round(s) are not linearizable").into()) } else { Ok(()) }
}

struct Run {
    place: Place,
    faults: Vec<Fault>,
    seed: u64,
    records: PathBuf,
    clients: Vec<Client>,
    /// How many clients were started: each gets a number of its own.
    started: u32,
    struck: Struck,
}

struct Client {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
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
                signal("STOP", pid)?;
                tokio::time::sleep(lasting).await;
                return signal("CONT", pid);
            }
            _ => {}
        }
        self.place.strike(fault, random);
        tokio::time::sleep(lasting).await;
        tokio::task::block_in_place(|| self.place.heal(fault))
    }

    async fn start_client(&mut self) -> Result<Client, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("client").args(["--url", &self.place.url]).arg("--records").arg(&self.records);
        command.args(["--seed", &self.seed.to_string(), "--number", &self.started.to_string()]);
        if self.started == 0 {
            command.arg("--prepare");
        }
        self.started += 1;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let (orders, answers) = orders.zip(answers).ok_or("a child has pipes")?;
        let mut client = Client { child, orders, answers: BufReader::new(answers).lines() };
        client.hear("ready").await?;
        Ok(client)
    }
}

impl Client {
    async fn order(&mut self, order: &str) -> Result<(), Failure> {
        Ok(self.orders.write_all(format!("{order}\n").as_bytes()).await?)
    }

    async fn done(&mut self, order: &str) -> Result<(), Failure> {
        self.hear(&format!("done {order}")).await
    }

    async fn hear(&mut self, line: &str) -> Result<(), Failure> {
        let next = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        match next.map_err(|_| format!("a client did not answer `{line}` within {PATIENCE:?}"))?? {
            Some(there) if there == line => Ok(()),
            there => Err(format!("a client answered {there:?} and not `{line}`").into()),
        }
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

/// For a round under faults on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
