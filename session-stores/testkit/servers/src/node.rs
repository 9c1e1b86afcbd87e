//! One process of a server: started, found ready, signalled, stopped, started again on its port.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::os;
use crate::launch::{self, Place};
use crate::ports::{self, Port};
use crate::process;
use crate::{Kind, ServerError};

/// One process of a server, started or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) port: Port,
    directory: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Node {
    pub(crate) fn new(kind: Kind, parent: &Path, number: usize) -> Result<Self, ServerError> {
        let directory = parent.join(number.to_string());
        fs::create_dir(&directory).map_err(os(kind, "create a directory"))?;
        Ok(Self { port: ports::claim_port()?, directory, child: Mutex::new(None) })
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place { directory: &self.directory, port: self.port.number }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    pub(crate) fn launch(&self, kind: Kind) -> Result<(), ServerError> {
        let log =
            File::options().create(true).append(true).open(self.log()).map_err(os(kind, "create a log"))?;
        let mut command = launch::command(kind, &self.place())?;
        command
            .stdout(log.try_clone().map_err(os(kind, "create a log"))?)
            .stderr(log)
            .current_dir(&self.directory);
        let child = process::spawn(command).map_err(|source| launch::started(kind, source))?;
        *self.child() = Some(child);
        Ok(())
    }

    pub(crate) fn wait_until_ready(&self, kind: Kind) -> Result<(), ServerError> {
        let ended = || self.child().as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
        wait_for(kind, || launch::ready(kind, self.port.number), ended, || launch::tail(&self.log()))
    }

    /// Stops every process of the node with a signal; [`wait_until_still`](Self::wait_until_still) waits until they are
    /// stopped.
    pub(crate) fn pause(&self) {
        if let Some(pid) = self.pid() {
            process::signal("STOP", &process::family(pid));
        }
    }

    /// The signal takes effect later: until its last thread is stopped, a server may still answer.
    pub(crate) fn wait_until_still(&self) {
        let Some(pid) = self.pid() else { return };
        let start = Instant::now();
        while start.elapsed() < DYING && !process::family(pid).iter().all(|&pid| process::stands_still(pid)) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn resume(&self) {
        if let Some(pid) = self.pid() {
            process::signal("CONT", &process::family(pid));
        }
    }

    pub(crate) fn kill9(&self) {
        let Some(mut child) = self.child().take() else { return };
        let family = process::family(child.id());
        process::signal("KILL", &family);
        process::wait(&mut child, DYING);
        // The children of a killed server end a little later; until then they may keep its port and memory.
        let start = Instant::now();
        while start.elapsed() < DYING && !family.iter().all(|&pid| process::has_ended(pid)) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks the process to end, then kills it.
    pub(crate) fn stop(&self, kind: Kind) {
        let Some(mut child) = self.child().take() else { return };
        let family = process::family(child.id());
        process::signal(launch::stop_signal(kind), &[child.id()]);
        process::signal("CONT", &family);
        if !process::wait(&mut child, STOPPING) {
            *self.child() = Some(child);
            self.kill9();
        }
    }
}

/// Repeats the question until the answer is yes, the process has ended or the time is up.
pub(crate) fn wait_for(
    kind: Kind,
    ready: impl Fn() -> io::Result<()>,
    ended: impl Fn() -> bool,
    log: impl Fn() -> String,
) -> Result<(), ServerError> {
    let start = Instant::now();
    loop {
        let answer = ready();
        if ended() {
            return Err(ServerError::Ended { kind, log: log() });
        }
        match answer {
            Ok(()) => return Ok(()),
            Err(_) if start.elapsed() < STARTING => thread::sleep(Duration::from_millis(20)),
            Err(last) => {
                return Err(ServerError::NotReady {
                    kind,
                    seconds: STARTING.as_secs(),
                    log: format!("{}\nlast answer: {last}", log()),
                });
            }
        }
    }
}

/// Generous, for busy machines; a server that starts is not waited for any longer.
const STARTING: Duration = Duration::from_secs(60);
/// Then it is killed.
const STOPPING: Duration = Duration::from_secs(5);
/// How long the kernel may take to stop or end a process: long only if the machine or its disk is very busy.
const DYING: Duration = Duration::from_secs(60);
