//! The processes of the application: requests go to them by number, and a killed one is replaced.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use super::wire::{Reply, Request};
use super::world::Application;
use crate::Failure;
use crate::faults::stop_for;
use crate::process::Process;

pub(crate) struct Fleet {
    arguments: Vec<String>,
    slots: Vec<Slot>,
}

struct Slot {
    child: tokio::sync::Mutex<Child>,
    link: Mutex<Arc<Link>>,
}

/// The connection to one process.
struct Link {
    orders: mpsc::UnboundedSender<String>,
    /// The requests that wait for an answer; `None` once the process has ended.
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    replies: HashMap<u64, oneshot::Sender<Reply>>,
}

impl Fleet {
    /// Starts the processes; the first one prepares the store.
    pub(crate) async fn start(url: &str, seed: u64, processes: usize) -> Result<Self, Failure> {
        let arguments = ["app", "--url", url, "--seed", &seed.to_string()].map(str::to_owned).to_vec();
        let mut fleet = Self { arguments, slots: Vec::new() };
        for number in 0..processes {
            let prepare = (number == 0).then_some("--prepare");
            let (child, link) = fleet.launch(prepare).await?;
            fleet.slots.push(Slot { child: tokio::sync::Mutex::new(child), link: Mutex::new(link) });
        }
        Ok(fleet)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the pids of the processes that run.
    pub(crate) async fn pids(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        for slot in &self.slots {
            pids.extend(slot.child.lock().await.id());
        }
        pids
    }

    /// Kills a process with `kill -9`, and starts another one in its place.
    pub(crate) async fn kill(&self, number: usize) -> Result<(), Failure> {
        let slot = &self.slots[number];
        let mut child = slot.child.lock().await;
        child.kill().await?;
        let (started, link) = self.launch(None).await?;
        *child = started;
        *lock(&slot.link) = link;
        Ok(())
    }

    /// Stops a process for this time.
    pub(crate) async fn stop(&self, number: usize, lasting: Duration) -> Result<(), Failure> {
        let child = self.slots[number].child.lock().await;
        match child.id() {
            Some(pid) => stop_for(lasting, pid).await,
            None => Ok(()),
        }
    }

    async fn launch(&self, argument: Option<&str>) -> Result<(Child, Arc<Link>), Failure> {
        let arguments: Vec<String> =
            self.arguments.iter().cloned().chain(argument.map(str::to_owned)).collect();
        let Process { child, orders, answers } = Process::start(&arguments).await?;
        let (sender, queue) = mpsc::unbounded_channel();
        let link = Arc::new(Link { orders: sender, waiting: Mutex::new(Some(Waiting::default())) });
        tokio::spawn(write(orders, queue));
        tokio::spawn(read(answers, Arc::clone(&link)));
        Ok((child, link))
    }

    fn link(&self, number: usize) -> Arc<Link> {
        Arc::clone(&lock(&self.slots[number].link))
    }
}

impl Application for Fleet {
    fn pick(&self, chance: u64) -> usize {
        let first = (chance % self.len() as u64) as usize;
        let runs = |number: &usize| lock(&self.link(*number).waiting).is_some();
        (0..self.len()).map(|step| (first + step) % self.len()).find(runs).unwrap_or(first)
    }

    async fn answer(&self, process: usize, request: Request) -> Reply {
        let link = self.link(process);
        let Some((number, mut reply)) = link.expect_reply() else { return Reply::Failed };
        let line = serde_json::to_string(&(number, request)).expect("a request is JSON");
        // A process that has ended drops the sender of the reply.
        _ = link.orders.send(line);
        for _ in 0..PATIENCE {
            // Second by second: one that passes while this process is stopped as well counts once.
            match tokio::time::timeout(Duration::from_secs(1), &mut reply).await {
                Ok(Ok(reply)) => return reply,
                Ok(Err(_)) => return Reply::Failed,
                Err(_) => {}
            }
        }
        Reply::Wrong(format!("no answer within {PATIENCE} seconds"))
    }
}

impl Link {
    /// Returns the number of the next request and the receiver of its reply, unless the process has ended.
    fn expect_reply(&self) -> Option<(u64, oneshot::Receiver<Reply>)> {
        let mut waiting = lock(&self.waiting);
        let waiting = waiting.as_mut()?;
        let (sender, receiver) = oneshot::channel();
        waiting.next += 1;
        waiting.replies.insert(waiting.next, sender);
        Some((waiting.next, receiver))
    }
}

/// Passes requests to the process until it ends.
async fn write(mut orders: ChildStdin, mut queue: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = queue.recv().await {
        if orders.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Passes replies to those that wait for them, until the process ends.
async fn read(mut answers: Lines<BufReader<ChildStdout>>, link: Arc<Link>) {
    while let Ok(Some(line)) = answers.next_line().await {
        // The last line of a killed process may be cut.
        let Ok((number, reply)) = serde_json::from_str::<(u64, Reply)>(&line) else { continue };
        let sender = lock(&link.waiting).as_mut().and_then(|waiting| waiting.replies.remove(&number));
        if let Some(sender) = sender {
            // The receiver may have lost its patience.
            _ = sender.send(reply);
        }
    }
    *lock(&link.waiting) = None;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In seconds: no fault lasts as long, and each call of a store has a deadline.
const PATIENCE: u32 = 60;
