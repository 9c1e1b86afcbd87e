//! Histories of several processes on real servers, under faults: the program `prove` makes and checks them.

use super::{on_each, option, or_all};
use crate::failure::Failure;
use crate::flags;

pub(crate) fn run(flags: &flags::Histories) -> Result<(), Failure> {
    let mut options = [
        option("--minutes", flags.minutes),
        option("--seed", flags.seed),
        option("--processes", flags.processes),
    ]
    .concat();
    options.extend(flags.calm.then(|| "--calm".to_owned()));
    on_each(&or_all(&flags.store, STORES), "histories", &options)
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
