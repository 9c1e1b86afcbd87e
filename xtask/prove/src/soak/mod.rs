//! A soak: users with browsers, an application of several processes on one store, faults, and an oracle outside.
//!
//! The oracle knows which requests were acknowledged. It fails the run if an acknowledged write is lost, if a session is
//! alive after it ended, or if one survives the sign-out of its user everywhere.

pub(crate) mod app;
mod browser;
mod fleet;
mod memory;
mod oracle;
#[cfg(test)]
mod tests;
mod wire;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinSet;

use self::fleet::Fleet;
use self::memory::{FLAT, Memory};
use self::oracle::Heard;
use self::world::World;
use crate::faults::{Fault, Struck, said};
use crate::place::Place;
use crate::random::Random;
use crate::{Failure, flags};

pub(crate) async fn run(flags: &flags::Soak) -> Result<(), Failure> {
    let seed = flags.seed.unwrap_or(1);
    let length = Duration::from_secs_f64(flags.minutes.unwrap_or(1.0) * 60.0);
    let place = Place::of(&flags.store).await?;
    let fleet = Fleet::start(&place.url, seed, if place.is_shared { 3 } else { 1 }).await?;
    let world = Arc::new(World::new(fleet, seed, PAUSE, length));
    let mut living = JoinSet::new();
    let users = Arc::new(AtomicU64::new(1));
    for _ in 0..AT_ONCE {
        living.spawn(follow_each_other(Arc::clone(&world), Arc::clone(&users)));
    }
    let (struck, held) = tokio::try_join!(disturb(&place, &world, seed), watch(&place, &world))?;
    while let Some(ended) = living.join_next().await {
        ended?;
    }
    world.try_all_ended().await;
    let (heard, found) = (world.heard(), world.violations().len());
    let Heard { requests, unknown, sign_ins, writes, reads, renewed, sign_outs, everywhere, dead } = heard;
    println!(
        "{}: {requests} requests ({unknown} without an answer) of {} users to {} process(es), {:.0} s, seed {seed}; \
         {found} violation(s)",
        flags.store,
        users.load(Relaxed) - 1,
        world.application().len(),
        world.age().as_secs_f64()
    );
    println!(
        "acknowledged: {sign_ins} sign-ins, {writes} writes, {renewed} new ids, {sign_outs} sign-outs, {everywhere} \
         sign-outs everywhere; read: {reads} live sessions, {dead} ended ones"
    );
    println!("faults: {}", said(&struck));
    let [oldest, server] = held;
    println!(
        "memory at the start, in the middle and at the end ({FLAT}): oldest process {oldest}; server {server}"
    );
    match found {
        0 if writes == 0 => Err("no write was acknowledged, so nothing is shown".into()),
        0 => Ok(()),
        found => Err(format!("{found} violation(s)").into()),
    }
}

/// Users, one after the other, until the time is over.
async fn follow_each_other(world: Arc<World<Fleet>>, users: Arc<AtomicU64>) {
    while !world.is_over() {
        world.live(users.fetch_add(1, Relaxed)).await;
    }
}

/// Lets a fault strike every few seconds. The first process is stopped and never killed, so that its memory can be watched.
async fn disturb(place: &Place, world: &World<Fleet>, seed: u64) -> Result<Struck, Failure> {
    let (fleet, faults, mut struck) = (world.application(), place.faults(), Struck::new());
    let mut random = Random::new(seed ^ 0x000f_a017);
    while !world.is_over() {
        tokio::time::sleep(Duration::from_millis(500 + random.below(2_500))).await;
        if faults.is_empty() {
            continue;
        }
        let fault = faults[random.below(faults.len() as u64) as usize];
        let lasting = Duration::from_millis(50 + random.below(1_450));
        let victim = random.below(fleet.len() as u64) as usize;
        match fault {
            Fault::KillClient => fleet.kill(victim.max(fleet.len().min(2) - 1)).await?,
            Fault::StopClient => fleet.stop(victim, lasting).await?,
            fault => place.endure(fault, lasting, &mut random).await?,
        }
        *struck.entry(fault).or_default() += 1;
    }
    Ok(struck)
}

/// Samples the memory of the first process, and of the server.
async fn watch(place: &Place, world: &World<Fleet>) -> Result<[Memory; 2], Failure> {
    let (fleet, mut oldest, mut server) = (world.application(), Memory::default(), Memory::default());
    while !world.is_over() {
        let pids = fleet.pids().await;
        oldest.sample(pids.get(..1).unwrap_or_default());
        if let Some(running) = &place.server {
            server.sample(&running.pids());
        }
        tokio::time::sleep(SAMPLES).await;
    }
    Ok([oldest, server])
}

/// How many users there are at once.
const AT_ONCE: usize = 8;
/// Of a browser, between two actions.
const PAUSE: Duration = Duration::from_millis(40);
/// Between two samples of memory.
const SAMPLES: Duration = Duration::from_secs(1);
