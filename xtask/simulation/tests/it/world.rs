//! One run: builds the hosts that a seed decides, steps the simulation while faults strike, heals, looks, judges.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic;
use std::rc::Rc;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use session_core::Timestamp;
use tokio::task::JoinSet;
use turmoil::{Builder, Sim};

use crate::application::{self, Start};
use crate::browser::Browser;
use crate::faults::{Faults, LATENCY};
use crate::flaw::Flaw;
use crate::history::{Action, History};
use crate::judge;
use crate::random::Random;
use crate::store_client::STORE;
use crate::store_server::{self, Disk, Live};

/// What a run has shown.
pub(crate) struct Run {
    /// What the judge objects to.
    pub(crate) violations: Vec<String>,
    pub(crate) trace: String,
    /// How often each kind of fault has struck.
    pub(crate) struck: BTreeMap<&'static str, u64>,
    pub(crate) calls: u64,
    /// How many of the calls failed or were not answered.
    pub(crate) open: u64,
}

/// Runs the simulation of this seed.
pub(crate) fn run(seed: u64, flaw: Flaw) -> Run {
    count_panics();
    let panics = PANICS.get();
    let history = Rc::new(History::default());
    let disk = Rc::new(Disk::new(flaw));
    let mut world = World::build(seed, flaw, history.clone(), disk.clone());
    let mut violations = Vec::new();
    if let Err(failure) = world.live() {
        violations.push(format!("the simulation failed: {failure}"));
    }
    match world.look(&disk) {
        Ok(live) => violations.extend(judge::judge(&history.calls(), &history.cookies(), &live)),
        Err(failure) => violations.push(format!("the session stores cannot be looked at: {failure}")),
    }
    if PANICS.get() > panics {
        violations.push("code has panicked".to_owned());
    }
    let struck = std::mem::take(&mut world.faults.struck);
    drop(world);
    let calls = history.calls();
    let open = calls.iter().filter(|call| call.is_open()).count() as u64;
    Run { violations, trace: history.trace(), struck, calls: calls.len() as u64, open }
}

struct World {
    sim: Sim<'static>,
    faults: Faults,
    history: Rc<History>,
    servers: Rc<[String]>,
}

impl World {
    fn build(seed: u64, flaw: Flaw, history: Rc<History>, disk: Rc<Disk>) -> Self {
        let mut random = Random::new(seed, 1);
        let mut sim = Builder::new()
            .rng_seed(random.below(u64::MAX))
            .epoch(SystemTime::UNIX_EPOCH + BEGIN)
            .tick_duration(TICK)
            .simulation_duration(LONGEST)
            .max_message_latency(LATENCY)
            .tcp_capacity(1_024)
            .enable_random_order()
            .build();
        let noted = history.clone();
        sim.host(STORE, move || store_server::serve(disk.clone(), noted.clone()));
        let servers: Rc<[String]> =
            (0..2 + random.below(2)).map(|number| format!("application-{number}")).collect();
        for (number, server) in servers.iter().enumerate() {
            let ahead = Duration::from_secs(*random.pick(&[0, 0, 20, 55]));
            let starts = Cell::new(0);
            sim.host(server.as_str(), move || {
                starts.set(starts.get() + 1);
                // No other start of the run has it.
                let entropy = ((seed as u32) << 12) | ((number as u32) << 8) | starts.get();
                application::serve(Start { ahead, entropy, flaw })
            });
        }
        let mut browsers = Vec::new();
        let pause = *random.pick(&[10, 30, 80]);
        for number in 0..2 + random.below(2) {
            let user = *random.pick(&USERS);
            let label = format!("browser-{number}");
            let browser = Rc::new(Browser::new(label.clone(), user, servers.clone(), history.clone(), pause));
            let tabs = 1 + random.below(3);
            sim.client(label.as_str(), browser.run(tabs, Random::new(seed, 100 + number)));
            browsers.push(label);
        }
        let faults = Faults::new(Random::new(seed, 2), &servers, &browsers);
        Self { sim, faults, history, servers }
    }

    /// Runs the browsers to their end, then every cookie that any of them was sent.
    fn live(&mut self) -> turmoil::Result {
        let mut tick = 0;
        while !self.sim.step()? {
            tick += 1;
            self.faults.tick(tick, &mut self.sim, &self.history);
        }
        self.faults.heal(&mut self.sim, &self.history);
        self.sim.client("auditor", audit(self.servers.clone(), self.history.clone()));
        while !self.sim.step()? {}
        Ok(())
    }

    /// Reads the sessions of all users from the store itself.
    fn look(&self, disk: &Disk) -> Result<Vec<Live>, Box<dyn std::error::Error>> {
        let now = Timestamp::from_millis(i64::try_from(self.sim.since_epoch().as_millis())?);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut live = Vec::new();
        for user in USERS {
            live.extend(runtime.block_on(disk.sessions_of(user, now))?);
        }
        Ok(live)
    }
}

/// Shows the session of every cookie, each until it is answered.
async fn audit(servers: Rc<[String]>, history: Rc<History>) -> turmoil::Result {
    let mut looks = JoinSet::new();
    for (position, cookie) in history.cookies().iter().enumerate() {
        let auditor = Browser::new("auditor".to_owned(), cookie.user, servers.clone(), history.clone(), 0);
        looks.spawn_local(async move {
            for attempt in 0..ATTEMPTS {
                let server = auditor.servers[(position + attempt) % auditor.servers.len()].clone();
                let status = auditor.call(Action::Show, Some(position), &server, PATIENCE).await;
                if status.is_some_and(|status| status < 500) {
                    return true;
                }
            }
            false
        });
    }
    while let Some(looked) = looks.join_next().await {
        if !looked? {
            return Err("after all faults are over, an application server does not answer".into());
        }
    }
    Ok(())
}

thread_local! {
    /// How often code has panicked on this thread. Tokio turns a panic of a task into a lost connection.
    static PANICS: Cell<u64> = const { Cell::new(0) };
}

fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
}

const USERS: [&str; 2] = ["ada", "bob"];
/// When a run begins, after 1970.
const BEGIN: Duration = Duration::from_secs(1_800_000_000);
const TICK: Duration = Duration::from_millis(10);
/// A run that has not ended by then never will.
const LONGEST: Duration = Duration::from_secs(120);
/// How often the auditor asks, and how long it waits: each failure uses up a connection that a fault has broken.
const ATTEMPTS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(5);
