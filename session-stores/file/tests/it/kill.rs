//! A writer is killed a thousand times at random moments: no record is torn or revived, and no acknowledged write is lost.
//!
//! The child runs a script that its seed determines and reports each acknowledged step. The parent runs
//! the same script on a model: what is on disk must be the model after the acknowledged steps, or after one more.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use crate::support;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::{PATIENT, at, child, child_dir, name_of, owned, tree};
use session_core::store::{Loaded, OwnerIndex, Record, SessionStore, StoreKey, Sweep, Written};
use session_store_file::{Durability, FileStore};

const SESSIONS: u64 = 3;

/// A step of the script on one of a few sessions.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create(u64),
    Replace(u64),
    Touch(u64),
    Rotate(u64),
    Destroy(u64),
    Sweep,
}

/// What must be true on disk. `names` holds the key each session is known by, `dead` every key it was known by.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    alive: BTreeMap<StoreKey, Record>,
    dead: Vec<StoreKey>,
    names: BTreeMap<u64, StoreKey>,
    steps: u64,
}

fn mix(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn key_for(seed: u64, step: u64) -> StoreKey {
    let mut bytes = [0; 32];
    for (part, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&mix(seed ^ (step << 20) ^ ((part as u64) << 60)).to_be_bytes());
    }
    StoreKey::from_bytes(bytes)
}

impl Model {
    fn next(&self, seed: u64) -> Step {
        let chance = mix(seed.wrapping_mul(31) ^ self.steps);
        let session = chance % SESSIONS;
        if !self.names.contains_key(&session) {
            return Step::Create(session);
        }
        match (chance >> 32) % 20 {
            0..=5 => Step::Replace(session),
            6..=8 => Step::Touch(session),
            9..=15 => Step::Rotate(session),
            16..=18 => Step::Destroy(session),
            _ => Step::Sweep,
        }
    }

    /// The record a step writes, full of its own number so that a mixture would show.
    fn written(&self, seed: u64) -> Record {
        let etag = mix(seed ^ (self.steps << 8));
        let payload = format!("{{\"step\":\"{etag:020}\"}}").repeat(1 + (etag % 200) as usize);
        owned(etag, &format!("owner {seed}")).with_payload(payload.into_bytes().into())
    }

    fn apply(&mut self, seed: u64) {
        let (step, written, fresh) = (self.next(seed), self.written(seed), key_for(seed, self.steps));
        self.steps += 1;
        match step {
            Step::Create(session) => {
                self.names.insert(session, fresh);
                self.alive.insert(fresh, written);
            }
            Step::Replace(session) => drop(self.alive.insert(self.names[&session], written)),
            Step::Touch(session) => {
                let record = self.alive.get_mut(&self.names[&session]).unwrap();
                record.idle_deadline = record.idle_deadline.plus(Duration::from_secs(1));
            }
            Step::Rotate(session) => {
                let old = self.names.insert(session, fresh).unwrap();
                self.alive.remove(&old);
                self.dead.push(old);
                self.alive.insert(fresh, written);
            }
            Step::Destroy(session) => {
                let old = self.names.remove(&session).unwrap();
                self.alive.remove(&old);
                self.dead.push(old);
            }
            Step::Sweep => {}
        }
    }

    async fn perform(&self, seed: u64, store: &FileStore) {
        let (written, fresh, now) = (self.written(seed), key_for(seed, self.steps), at(1));
        let there = |session: &u64| {
            let key = self.names[session];
            (key, self.alive[&key].clone())
        };
        let done = match self.next(seed) {
            Step::Create(_) => store.create(&fresh, &written, now).await.unwrap(),
            Step::Replace(session) => {
                let (key, record) = there(&session);
                store.replace(&key, record.etag, &written, now).await.unwrap()
            }
            Step::Touch(session) => {
                let (key, record) = there(&session);
                let later = record.idle_deadline.plus(Duration::from_secs(1));
                store.touch(&key, later, now).await.unwrap()
            }
            Step::Rotate(session) => {
                let (key, record) = there(&session);
                store.rotate(&key, record.etag, &fresh, &written, now, at(60)).await.unwrap()
            }
            Step::Destroy(session) => {
                store.destroy(&there(&session).0, at(60)).await.unwrap();
                Written::Applied
            }
            Step::Sweep => {
                // Late enough for every tombstone, too early for any record.
                store.sweep(at(61), 10).await.unwrap();
                Written::Applied
            }
        };
        assert_eq!(done, Written::Applied);
    }

    /// Whether the disk shows exactly this, and every dead session is dead.
    async fn is_on(&self, store: &FileStore) -> bool {
        for (key, record) in &self.alive {
            if store.load(key).await.expect("no record is torn") != Loaded::Found(record.clone()) {
                return false;
            }
        }
        for key in &self.dead {
            if matches!(store.load(key).await.expect("no tombstone is torn"), Loaded::Found(_)) {
                return false;
            }
        }
        true
    }
}

#[tokio::test]
async fn in_a_child_the_script_runs_until_it_is_killed() {
    let Some(root) = child_dir() else { return };
    let seed: u64 = std::env::var("SEED").unwrap().parse().unwrap();
    let flush = if seed.is_multiple_of(2) { Durability::Full } else { Durability::Rename };
    let store = FileStore::builder(root).durability(flush).timeout(PATIENT).open().unwrap();
    let mut model = Model::default();
    writeln!(std::io::stdout(), "\nready").unwrap();
    loop {
        model.perform(seed, &store).await;
        model.apply(seed);
        writeln!(std::io::stdout(), "{ACK}{}", model.steps).unwrap();
    }
}

/// One life: how many steps were acknowledged, and whether the step after them had taken effect.
async fn live_and_die(root: &Path, seed: u64) -> (u64, bool) {
    let mut killed = child(name_of(in_a_child_the_script_runs_until_it_is_killed), root)
        .env("SEED", seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(killed.stdout.take().unwrap());
    let mut line = String::new();
    while line != "ready\n" {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended by itself");
    }
    // After some steps, however long this machine takes for them, and then at any moment of the next one.
    for _ in 0..mix(seed) % 8 {
        line.clear();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with(ACK), "{line:?}");
    }
    thread::sleep(Duration::from_micros((mix(seed) >> 8) % 5_000));
    killed.kill().unwrap();
    let status = killed.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "seed {seed}: {status}");
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let acknowledged = mix(seed) % 8 + rest.lines().filter(|line| line.starts_with(ACK)).count() as u64;

    let store = support::open(root);
    let mut model = Model::default();
    (0..acknowledged).for_each(|_| model.apply(seed));
    let mut further = model.clone();
    further.apply(seed);
    let (stands, moved) = (model.is_on(&store).await, further.is_on(&store).await);
    assert!(stands || moved, "seed {seed}: {acknowledged} acknowledged, then {:?}", model.next(seed));

    // Neither both nor none: what the owner's index lists is what is alive.
    let truth = if moved { &further } else { &model };
    let listed = store.list(&format!("owner {seed}"), at(1)).await.unwrap();
    assert_eq!(listed.into_iter().collect::<BTreeMap<_, _>>(), truth.alive, "seed {seed}");
    // The dead writer's locks died with it, and its sessions can be ended.
    let ended = store.destroy_all(&format!("owner {seed}"), None, at(1), at(60)).await.unwrap();
    assert_eq!(ended, truth.alive.len(), "seed {seed}");
    (acknowledged, moved && !stands)
}

#[test]
fn st_7_a_writer_killed_a_thousand_times_loses_and_revives_nothing() {
    // In memory, where the system has such a place: what a kill leaves is the same, and no stranger's disk is waited for.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let root: PathBuf = dir.path().join(lane.to_string());
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let (mut steps, mut unacknowledged) = (0, 0);
                for round in 0..KILLS / LANES {
                    let (done, moved) = runtime.block_on(live_and_die(&root, lane * 1_000_000 + round));
                    steps += done;
                    unacknowledged += u64::from(moved);
                }
                let store = support::open(&root);
                // Once for the sessions, once for the marks they leave; later than the real time, which stands on a mark
                // whose writer was killed before it could date it.
                for _ in 0..2 {
                    runtime.block_on(async {
                        while store.sweep(at(4_000_000_000), 1_000).await.unwrap().more {}
                    });
                }
                let left = tree(&root).into_iter().filter(|name| name.len() > 60).collect::<Vec<_>>();
                assert_eq!(left, Vec::<String>::new(), "a sweep leaves nothing of a dead writer");
                (steps, unacknowledged)
            })
        })
        .collect();
    let totals: Vec<_> = lanes.into_iter().map(|lane| lane.join().unwrap()).collect();
    let steps: u64 = totals.iter().map(|(steps, _)| steps).sum();
    let moved: u64 = totals.iter().map(|(_, moved)| moved).sum();
    println!(
        "{KILLS} kills, {steps} acknowledged steps, {moved} that took effect before they could be acknowledged"
    );
    assert!(steps > KILLS, "the children did hardly anything: {steps} steps");
}

const KILLS: u64 = 1_000;
const LANES: u64 = 4;
const ACK: &str = "acknowledged ";
