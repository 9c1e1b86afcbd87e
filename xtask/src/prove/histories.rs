//! Histories of several processes on real servers, under faults: the program `prove` makes and checks them.

use super::option;
use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Histories) -> Result<(), Failure> {
    let all: Vec<String> = STORES.iter().map(|&store| store.to_owned()).collect();
    let stores = if flags.store.is_empty() { &all } else { &flags.store };
    let mut failed = Vec::new();
    for store in stores {
        let mut call = Call::cargo("run --quiet -p prove -- histories --store").arg(store);
        let options = [
            option("--minutes", flags.minutes),
            option("--seed", flags.seed),
            option("--processes", flags.processes),
        ];
        for argument in options.concat() {
            call = call.arg(argument);
        }
        if flags.calm {
            call = call.arg("--calm");
        }
        println!("\n==> {}", call.line());
        if call.run().is_err() {
            failed.push(store.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not proven: {}", failed.join(", "))))
}

const STORES: &[&str] = &[
    "memory",
    "file",
    "sqlite",
    "redb",
    "redis",
    "redis-cluster",
    "memcached",
    "etcd",
    "dynamodb",
    "postgres",
    "mysql",
];
