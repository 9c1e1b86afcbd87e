//! Doubles: a clock to move, random bytes to foretell, and wrappers that record, fail or hold back a store's calls.
//!
//! Every wrapper forwards the capabilities of the store inside, the owner index and the sweeper, and treats them with
//! the same rules as the six verbs.

pub mod blocking;
pub mod clock;
pub mod entropy;
pub mod faulty;
pub mod gate;
pub mod oplog;
pub mod wrap;
