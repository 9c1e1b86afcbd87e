//! The negative control: histories of the Redis store of tower-sessions, which the checker must reject where requests
//! change one session at once, and of the Redis store here, which it must accept.
//!
//! That library promises no compare-and-swap, so this shows nothing that is wrong with it: it shows that the checker sees
//! a lost update in a real store under real requests.

mod adapter;
mod requests;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser;
use session_conformance::history::{Recorder, Violation, check};
use session_core::store::SessionStore;
use session_store_redis::RedisStore;
use session_test_servers::{Kind, start};
use tower_sessions_redis_store::RedisStore as TheirRedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

use self::adapter::{Adapter, Keys};
use self::requests::{Situation, history};

pub type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
struct Args {
    /// How many histories of each kind.
    #[arg(long, default_value_t = 100)]
    histories: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("control: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Failure> {
    let server = start(Kind::Redis)?;
    let (theirs, ours) = (theirs(&server.url()).await?, ours(&server.url()).await?);
    let mut next = 1;
    println!("histories that the checker rejects, of {}:", args.histories);
    println!(
        "| while one process changes a session, another | tower-sessions-redis-store | session-store-redis |"
    );
    println!("|---|---|---|");
    let (mut shown, mut wrong) = (Vec::new(), Vec::new());
    for situation in [Situation::Change, Situation::Renew, Situation::SignOut] {
        let mut rejected = [0; 2];
        for (handles, rejected) in [&theirs, &ours].into_iter().zip(&mut rejected) {
            for _ in 0..args.histories {
                next += 1;
                if let Some(violation) = judge(situation, handles, next).await {
                    *rejected += 1;
                    shown.push(violation);
                }
            }
        }
        let [of_theirs, of_ours] = rejected;
        println!("| {} | {of_theirs} | {of_ours} |", said(situation));
        if of_ours > 0 {
            wrong.push(format!("histories of the store here are rejected: {situation:?}"));
        }
        if situation == Situation::Change && of_theirs == 0 {
            wrong.push("the checker accepts all histories without compare-and-swap".to_owned());
        }
    }
    if let Some(violation) = shown.iter().min_by_key(|violation| violation.events.len()) {
        println!("\nthe shortest: {violation}");
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ").into()) }
}

/// Two handles of a store, as two processes have them.
type Handles = [Arc<dyn SessionStore>; 2];

async fn judge(situation: Situation, handles: &Handles, number: u64) -> Option<Violation> {
    let [one, other] = handles.each_ref().map(Arc::clone);
    let recorder = Recorder::new(one);
    let handles = [recorder.clone(), recorder.over(other)];
    check(&history(situation, &handles, number).await).err()
}

async fn theirs(url: &str) -> Result<Handles, Failure> {
    let keys: Arc<Mutex<Keys>> = Arc::default();
    let mut handles: Vec<Arc<dyn SessionStore>> = Vec::new();
    for _ in 0..2 {
        let pool = Pool::new(Config::from_url(url)?, None, None, None, 1)?;
        pool.init().await?;
        handles.push(Arc::new(Adapter::new(TheirRedisStore::new(pool), Arc::clone(&keys))));
    }
    two(handles)
}

async fn ours(url: &str) -> Result<Handles, Failure> {
    let mut handles: Vec<Arc<dyn SessionStore>> = Vec::new();
    for _ in 0..2 {
        handles.push(Arc::new(RedisStore::builder(url).prefix("control:").connect().await?));
    }
    two(handles)
}

fn two(handles: Vec<Arc<dyn SessionStore>>) -> Result<Handles, Failure> {
    handles.try_into().map_err(|_| "there are two handles".into())
}

fn said(situation: Situation) -> &'static str {
    match situation {
        Situation::Change => "changes it as well",
        Situation::Renew => "gives it a new id",
        Situation::SignOut => "signs out",
    }
}
