//! What happens to the network and to the hosts: partitions, held and slow messages, crashes.

use std::collections::BTreeMap;
use std::time::Duration;

use turmoil::Sim;

use crate::history::History;
use crate::random::Random;
use crate::store_client::STORE;

/// The faults of a run, as its seed decides them.
pub(crate) struct Faults {
    random: Random,
    /// How likely a fault is in each tick, in thousandths.
    often: u64,
    hosts: Vec<String>,
    links: Vec<(String, String)>,
    active: Vec<(u64, Fault)>,
    /// How often each has struck.
    pub(crate) struck: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// Messages between two hosts are dropped, in both directions or in one.
    Partition(String, String),
    OneWay(String, String),
    /// Messages between two hosts are held, and delivered when the fault ends.
    Hold(String, String),
    /// Messages between two hosts take up to a second.
    Slow(String, String),
    /// A host has crashed; it restarts when the fault ends.
    Crash(String),
}

impl Faults {
    pub(crate) fn new(mut random: Random, servers: &[String], browsers: &[String]) -> Self {
        let store = servers.iter().map(|server| (server.clone(), STORE.to_owned()));
        let visits = browsers
            .iter()
            .flat_map(|browser| servers.iter().map(move |server| (browser.clone(), server.clone())));
        let links = store.chain(visits).collect();
        let mut hosts = servers.to_vec();
        hosts.push(STORE.to_owned());
        // One run in eight has no faults, so that what needs none is found with few lines of trace.
        let often = [0, 4, 8, 8, 15, 15, 25, 40][random.below(8) as usize];
        Self { random, often, hosts, links, active: Vec::new(), struck: BTreeMap::new() }
    }

    /// Ends the faults that are over, and perhaps begins one.
    pub(crate) fn tick(&mut self, tick: u64, sim: &mut Sim<'_>, history: &History) {
        let (over, active) = std::mem::take(&mut self.active).into_iter().partition(|(end, _)| *end <= tick);
        self.active = active;
        end(over, sim, history);
        if !self.random.per_mille(self.often) {
            return;
        }
        let fault = self.draw();
        let lasting = 4 + self.random.below(60);
        if self.active.iter().any(|(_, there)| there.overlaps(&fault)) {
            return;
        }
        *self.struck.entry(fault.kind()).or_default() += 1;
        history.note(format_args!("tick {tick}: {fault:?} for {lasting}"));
        match &fault {
            Fault::Partition(one, other) => sim.partition(one.as_str(), other.as_str()),
            Fault::OneWay(from, to) => sim.partition_oneway(from.as_str(), to.as_str()),
            Fault::Hold(one, other) => sim.hold(one.as_str(), other.as_str()),
            Fault::Slow(one, other) => sim.set_link_max_message_latency(one.as_str(), other.as_str(), SLOW),
            Fault::Crash(host) => sim.crash(host.as_str()),
        }
        self.active.push((tick + lasting, fault));
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self, sim: &mut Sim<'_>, history: &History) {
        end(std::mem::take(&mut self.active), sim, history);
    }

    fn draw(&mut self) -> Fault {
        let random = &mut self.random;
        let (one, other) = random.pick(&self.links).clone();
        match random.below(12) {
            0 | 1 => Fault::Partition(one, other),
            2 => Fault::OneWay(one, other),
            3 | 4 => Fault::OneWay(other, one),
            5 | 6 => Fault::Hold(one, other),
            7 | 8 => Fault::Slow(one, other),
            _ => Fault::Crash(random.pick(&self.hosts).clone()),
        }
    }
}

fn end(over: Vec<(u64, Fault)>, sim: &mut Sim<'_>, history: &History) {
    for (_, fault) in over {
        history.note(format_args!("{fault:?} is over"));
        match &fault {
            Fault::Partition(one, other) => sim.repair(one.as_str(), other.as_str()),
            Fault::OneWay(from, to) => sim.repair_oneway(from.as_str(), to.as_str()),
            Fault::Hold(one, other) => sim.release(one.as_str(), other.as_str()),
            Fault::Slow(one, other) => {
                sim.set_link_max_message_latency(one.as_str(), other.as_str(), LATENCY);
            }
            Fault::Crash(host) => sim.bounce(host.as_str()),
        }
    }
}

impl Fault {
    /// Whether both are about one link, or about one host.
    fn overlaps(&self, other: &Self) -> bool {
        match (self.link(), other.link()) {
            (Some(one), Some(other)) => one == other,
            _ => self == other,
        }
    }

    fn link(&self) -> Option<(&str, &str)> {
        match self {
            Self::Partition(one, other)
            | Self::OneWay(one, other)
            | Self::Hold(one, other)
            | Self::Slow(one, other) => Some(if one < other {
                (one.as_str(), other.as_str())
            } else {
                (other.as_str(), one.as_str())
            }),
            Self::Crash(_) => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Partition(..) => "partition",
            Self::OneWay(..) => "partition in one direction",
            Self::Hold(..) => "hold",
            Self::Slow(..) => "slow link",
            Self::Crash(host) if host == STORE => "crash of the store",
            Self::Crash(_) => "crash of an application server",
        }
    }
}

/// The longest time that a message takes.
pub(crate) const LATENCY: Duration = Duration::from_millis(30);
const SLOW: Duration = Duration::from_millis(1_000);
