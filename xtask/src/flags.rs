//! What can be asked of xtask.
#![allow(unreachable_pub, missing_docs, reason = "the macro makes public structs in a private module")]

use std::path::PathBuf;

xflags::xflags! {
    /// All automation of this repository.
    cmd xtask {
        /// Everything that must hold before a change is merged: format, clippy, tidy, deps, tests on real servers, docs.
        cmd test {
            /// Do not stop for servers that are missing and cannot be installed: leave their tests out, loudly.
            optional --skip-missing
            /// Only this package (again for more); for work on one crate and on xtask itself.
            repeated -p,--package package: String
        }
        /// `test` with nothing left out; then the tests of other libraries' workspaces, `publishable`, `instructions`,
        /// and every fuzz target for half a minute.
        cmd ci {
            /// Only this package (again for more); for work on xtask itself.
            repeated -p,--package package: String
            /// Skip the stage that needs the advisory database, on a machine that cannot reach it.
            optional --offline
        }
        /// What must hold before the crates go to a registry. The stages, in this order:
        /// metadata (fields of the manifests, documentation with all features), api (`public-api.txt`), semver (nothing
        /// breaks users since the accepted state), deny (licences, bans, sources), advisories, msrv (the compiler that
        /// dependencies need), package (each crate builds from its package), minimal (oldest versions of dependencies),
        /// features (none, each, all).
        cmd publishable {
            /// Only this stage (again for more).
            repeated --stage stage: String
            /// Accept the public API of what is checked out as the baseline of `semver`.
            optional --accept
            /// Skip the stage that needs the advisory database, on a machine that cannot reach it.
            optional --offline
        }
        /// The public API of each crate against its `public-api.txt`.
        cmd api {
            /// Write the files instead of comparing them.
            optional --bless
        }
        /// The house rules that no compiler knows.
        cmd tidy {
            /// Write the generated documents instead of comparing them.
            optional --bless
        }
        /// Checks which crate may depend on which.
        cmd deps {}
        /// The quick start of each adapter's README compiles with that adapter and its framework alone.
        cmd one-crate {}
        /// The criterion benches of every crate, or of one; and what a session adds to a request over HTTP.
        cmd bench {
            /// Only benches of this package.
            optional -p,--package package: String
            /// Only what a session adds to a request: the three adapters, in memory and in the cookie.
            optional --http
            /// As `--http`, beside the probe of another version: the path of its program.
            optional --against program: String
            /// Only what a session adds to a request in every store, and many writers of one session.
            optional --stores
            /// Only the same requests beside other session libraries (tower-sessions, axum_session, actix-session).
            optional --peers
            /// Only what many sessions cost: live ones, dead ones that are swept, and those of one user.
            optional --scale
            /// Up to how many sessions `--scale` measures: 10,000.
            optional --sessions sessions: usize
            /// Only this store in `--scale` (again for more): memory, sqlite, redb, file, redis or postgres.
            repeated --store store: String
            /// How often each case is measured over HTTP or in `--scale`: 9.
            optional --rounds rounds: usize
            /// Requests for each of these measurements: 20,000.
            optional --requests requests: usize
            /// Only benches whose name contains this.
            optional filter: String
        }
        /// The instructions of a visit that does not use, reads or writes its session, against `xtask/visits/instructions.txt`.
        cmd instructions {
            /// Write the file instead of comparing it.
            optional --bless
        }
        /// Proofs that take long: histories and an application under faults, simulation, another library's store as the
        /// negative control, fuzzing, mutation testing, Miri, WebAssembly.
        cmd prove {
            /// Histories of several processes on a store while faults strike, checked for linearizability.
            cmd histories {
                /// Only this store (again for more): memory, file, sqlite, redb, redis, redis-cluster, memcached, etcd,
                /// dynamodb, postgres, mysql.
                repeated --store store: String
                /// How long for each store: 1 minute.
                optional --minutes minutes: f64
                /// What decides the calls and the faults: 1.
                optional --seed seed: u64
                /// How many processes use the store: 3.
                optional --processes processes: usize
                /// Without faults.
                optional --calm
            }
            /// Application servers, their store and their browsers over a simulated network: one run for each seed, until
            /// one breaks a promise.
            cmd simulation {
                /// How long: 1 minute, unless the number of seeds is given.
                optional --minutes minutes: f64
                /// The first seed: 1.
                optional --seed seed: u64
                /// How many seeds.
                optional --seeds seeds: u64
                /// Print what happens.
                optional --trace
            }
            /// Users of an application of three processes on a store while faults strike: an oracle knows what they were
            /// acknowledged, and the memory of the processes is watched.
            cmd soak {
                /// Only this store (again for more): memory, file, sqlite, redb, redis, redis-cluster, etcd, dynamodb,
                /// postgres, mysql. Without it: file, redis, postgres.
                repeated --store store: String
                /// How long for each store: 1 minute.
                optional --minutes minutes: f64
                /// What decides the requests and the faults: 1.
                optional --seed seed: u64
            }
            /// The negative control: histories of the Redis store of tower-sessions, which the checker must reject.
            cmd peers {
                /// How many histories of each kind: 100.
                optional --histories histories: u64
            }
            /// The fuzz targets of `session-core/fuzz`, or one.
            cmd fuzz {
                /// How long for each target: 1 minute.
                optional --minutes minutes: f64
                /// Only this target.
                optional target: String
            }
            /// Which changes of the code no test notices.
            cmd mutants {
                /// Only mutants in lines that this diff changes.
                optional --in-diff diff: PathBuf
                /// A part of them: `0/8`.
                optional --shard shard: String
                /// Only in these files (a glob).
                optional file: String
            }
            /// The unit tests of the core and of the memory store under Miri.
            cmd miri {
                /// Only tests whose name contains this.
                optional filter: String
            }
            /// The core builds for `wasm32-unknown-unknown`.
            cmd wasm {}
        }
        /// Starts every server, prints what to put into the environment, and stops them with Ctrl-C.
        cmd up {}
        /// Makes `session-stores/NAME`: a store on four primitives that passes the suite, registered everywhere.
        cmd new-store {
            /// Lower-case letters, digits and hyphens: `couchdb`.
            required name: String
        }
    }
}
