//! One process of many on the same store: it makes the calls of a round, or looks at what they left.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use session_conformance::history::{Call, Event, Plan, Recorder, read};
use session_core::store::{SessionStore, StoreKey};

use crate::place::open;
use crate::{Failure, flags};

/// Obeys `run ROUND` and `look ROUND` until its standard input ends; answers each with a line.
pub(crate) async fn run(flags: &flags::Client) -> Result<(), Failure> {
    let store = open(&flags.url, flags.prepare).await?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("run", round)) => run_round(flags, &store, round.parse()?).await?,
            Some(("look", round)) => look(flags, &store, round).await?,
            _ => return Err("an unknown order".into()),
        }
        println!("done {line}");
    }
    Ok(())
}

async fn run_round(flags: &flags::Client, store: &Arc<dyn SessionStore>, round: u64) -> Result<(), Failure> {
    let file = flags.records.join(format!("{round}-{}", flags.number));
    let recorder = Recorder::to_file(Arc::clone(store), &file)?.as_client(flags.number * 100);
    // Some processes have a clock that is ahead.
    let skew = Duration::from_secs(120) * (flags.number % 2);
    let plan = Plan { seed: flags.seed ^ (round << 20), sessions: SESSIONS, tasks: 4, calls: 100, skew };
    plan.run(&[recorder]).await;
    Ok(())
}

/// Loads every key of a round.
async fn look(flags: &flags::Client, store: &Arc<dyn SessionStore>, round: &str) -> Result<(), Failure> {
    let mut keys: BTreeSet<StoreKey> = BTreeSet::new();
    for event in events(&flags.records, round)? {
        keys.insert(event.call.key());
        if let Call::Rotate { new, .. } = event.call {
            keys.insert(new);
        }
    }
    let file = flags.records.join(format!("{round}-look"));
    let recorder = Recorder::to_file(Arc::clone(store), &file)?.as_client(LOOKING);
    for key in keys {
        while recorder.load(&key).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

/// What was recorded in a round so far.
pub(crate) fn events(records: &Path, round: &str) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    for file in std::fs::read_dir(records)? {
        let file = file?;
        if file.file_name().to_string_lossy().split('-').next() == Some(round) {
            events.extend(read(&file.path())?);
        }
    }
    Ok(events)
}

/// Sessions in a round.
pub(crate) const SESSIONS: usize = 30;
/// The client that looks.
const LOOKING: u32 = 999_999;
