//! The decision table: what a commit does, given how the session was opened and what became of it.
//!
//! [`decide`] is the table as a function. A [`Commit`](super::Commit) calls it; call it to print the table, to prove
//! something about it, or to drive a store without a commit.

pub use crate::decision::decide::{
    CookieAction, Decision, Fate, Origin, Placement, Refusal, Situation, Trigger, Write, decide,
};
