//! What can be asked of `prove`.
#![allow(unreachable_pub, missing_docs, reason = "the macro makes public structs in a private module")]

use std::path::PathBuf;

xflags::xflags! {
    /// Long proofs on real servers.
    cmd prove {
        /// Histories of several processes on one store, under faults, checked for linearizability.
        cmd histories {
            /// memory, file, sqlite, redb, redis, redis-cluster, memcached, etcd, dynamodb, postgres or mysql.
            required --store store: String
            /// How long: 1 minute.
            optional --minutes minutes: f64
            /// What decides the calls and the faults: 1.
            optional --seed seed: u64
            /// How many processes use the store: 3; one where a store allows no more.
            optional --processes processes: usize
            /// Without faults.
            optional --calm
            /// Where to put the histories that are rejected: the system's directory for temporary files.
            optional --keep keep: PathBuf
        }
        /// Users of an application of three processes on one store, under faults, judged by an oracle.
        cmd soak {
            /// memory, file, sqlite, redb, redis, redis-cluster, etcd, dynamodb, postgres or mysql.
            required --store store: String
            /// How long: 1 minute.
            optional --minutes minutes: f64
            /// What decides the requests and the faults: 1.
            optional --seed seed: u64
        }
        /// One process of `soak`: it answers the requests on its standard input.
        cmd app {
            /// The URL of the store.
            required --url url: String
            /// The seed of the run, of which all processes make the same key.
            required --seed seed: u64
            /// Prepare the store: create its table.
            optional --prepare
        }
        /// One process of `histories`: it is told on its standard input what to do.
        cmd client {
            /// The URL of the store.
            required --url url: String
            /// The directory for what it records.
            required --records records: PathBuf
            /// The seed of the run.
            required --seed seed: u64
            /// Its number, which no other process of the run has.
            required --number number: u32
            /// Prepare the store: create its table.
            optional --prepare
        }
    }
}
