//! What can be asked of xtask.
#![allow(unreachable_pub, missing_docs, reason = "the macro makes public structs in a private module")]

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
        /// `test` with nothing left out, and `publishable`.
        cmd ci {
            /// Only this package (again for more); for work on xtask itself.
            repeated -p,--package package: String
            /// Skip the stage that needs the advisory database, on a machine that cannot reach it.
            optional --offline
        }
        /// What must hold before the crates go to a registry: packages, features, oldest versions, public API, advisories.
        cmd publishable {
            /// Only this stage (again for more): msrv, deny, advisories, package, features, minimal, api, semver.
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
            /// Only what a session adds to a request in every store, and many writers of one session.
            optional --stores
            /// Only the same requests beside other session libraries (tower-sessions, axum_session, actix-session).
            optional --peers
            /// How often each case of it is measured: 9.
            optional --rounds rounds: usize
            /// Requests for each of its measurements: 20,000.
            optional --requests requests: usize
            /// Only benches whose name contains this.
            optional filter: String
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
