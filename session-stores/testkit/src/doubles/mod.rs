//! Test doubles: a clock, entropy, and wrappers that record, fail or delay the calls of a store.
//!
//! Every wrapper forwards the capabilities of the inner store (owner index, sweeper, census), and treats their calls like
//! the six verbs.

pub mod blocking;
pub mod clock;
pub mod entropy;
pub mod faulty;
pub mod gate;
pub mod oplog;
pub mod wrap;
