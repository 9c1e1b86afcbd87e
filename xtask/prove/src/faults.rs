//! The faults that strike while a proof runs.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use session_conformance::proxy::Weather;

use crate::Failure;
use crate::place::Place;
use crate::random::Random;

/// One fault. Each is over when [`Place::endure`] has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillClient,
    StopClient,
    PauseServer,
    KillServer,
    BlackHole,
    Reset,
    Refuse,
    Slow,
    CutRequest,
    CutReply,
}

/// How often each fault struck.
pub(crate) type Struck = BTreeMap<Fault, u64>;

/// The faults with their counts, for a summary.
pub(crate) fn said(struck: &Struck) -> String {
    let faults: Vec<String> = struck.iter().map(|(fault, times)| format!("{fault:?} {times}")).collect();
    if faults.is_empty() { "none".to_owned() } else { faults.join(", ") }
}

impl Place {
    /// The faults that this store has to stand.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.outlives_clients {
            faults.extend([Fault::KillClient, Fault::StopClient]);
        }
        if self.server.is_some() {
            faults.push(Fault::PauseServer);
        }
        if self.survives_a_kill {
            faults.push(Fault::KillServer);
        }
        if self.proxy.is_some() {
            faults.extend([Fault::BlackHole, Fault::Reset, Fault::Refuse, Fault::Slow]);
            faults.extend([Fault::CutRequest, Fault::CutReply]);
        }
        faults
    }

    /// Lets a fault of the server or the network strike, and ends it after this time.
    pub(crate) async fn endure(
        &self,
        fault: Fault,
        lasting: Duration,
        random: &mut Random,
    ) -> Result<(), Failure> {
        tokio::task::block_in_place(|| self.strike(fault, random));
        tokio::time::sleep(lasting).await;
        tokio::task::block_in_place(|| self.heal(fault))
    }

    fn strike(&self, fault: Fault, random: &mut Random) {
        let weather = match fault {
            Fault::KillClient | Fault::StopClient => return,
            Fault::PauseServer => return self.server.iter().for_each(session_test_servers::Server::pause),
            Fault::KillServer => return self.server.iter().for_each(session_test_servers::Server::kill9),
            Fault::BlackHole => Weather::BlackHole,
            Fault::Reset => Weather::Reset,
            Fault::Refuse => Weather::Refuse,
            Fault::Slow => Weather::Slow(Duration::from_millis(1 + random.below(80))),
            Fault::CutRequest => Weather::CutRequest(random.below(3_000)),
            Fault::CutReply => Weather::CutReply(random.below(3_000)),
        };
        self.proxy.iter().for_each(|proxy| proxy.set(weather));
    }

    /// Ends what a fault began.
    fn heal(&self, fault: Fault) -> Result<(), Failure> {
        if let Some(server) = &self.server {
            match fault {
                Fault::PauseServer => server.resume(),
                // Once more: a machine that is busy for a minute is no fault of the store.
                Fault::KillServer => server.restart().or_else(|_| server.restart())?,
                _ => {}
            }
        }
        // A connection that lost bytes in a black hole would be silent for ever.
        if fault == Fault::BlackHole {
            self.proxy.iter().for_each(|proxy| proxy.set(Weather::Reset));
        }
        self.proxy.iter().for_each(|proxy| proxy.set(Weather::Fine));
        Ok(())
    }
}

/// Stops a process of ours and continues it after this time.
pub(crate) async fn stop_for(lasting: Duration, pid: u32) -> Result<(), Failure> {
    signal("STOP", pid)?;
    tokio::time::sleep(lasting).await;
    signal("CONT", pid)
}

/// Sends a signal to a process of ours.
fn signal(name: &str, pid: u32) -> Result<(), Failure> {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { Err(format!("the signal {name} was not sent").into()) }
}
