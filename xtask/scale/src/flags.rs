//! What can be asked of `scale`.
#![allow(unreachable_pub, missing_docs, reason = "the macro makes public structs in a private module")]

xflags::xflags! {
    /// What many sessions in a store cost those who wait meanwhile.
    cmd scale {
        /// Sweeps dead sessions while live ones are visited.
        cmd sweep {
            /// The URL of the store.
            required --store store: String
            /// How many dead sessions.
            required --sessions sessions: usize
            /// How many visits before the sweep, and as many after it.
            required --visits visits: usize
        }
        /// Counts, lists and ends the sessions of one user while the session of another one is loaded.
        cmd user {
            /// The URL of the store.
            required --store store: String
            /// How many sessions.
            required --sessions sessions: usize
            /// How often.
            required --rounds rounds: usize
        }
    }
}
