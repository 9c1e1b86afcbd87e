//! A linearizability checker for session stores: records what was called and answered, and decides whether it can be explained.
//!
//! A history is the list of calls that several clients made of one store, each with the times of its invocation and of
//! its return. It is linearizable if every call can be given one moment between the two at which it took effect, so
//! that the answers are those of a single sequential store. Deciding this is expensive in general, and linear here:
//! every write is a compare-and-swap from one unique etag to another, so the order of the versions of a session is
//! known, and each answer only says between which two versions it was given (Gibbons and Korach, "Testing shared
//! memories", 1997).
//!
//! A call without an answer, or with an error, may have taken effect at any time after its invocation, or never.
//!
//! # Preconditions
//!
//! Every write has a unique etag, every rotation a unique new key, each session is created under one key, and no record or
//! tombstone expires while the history is recorded.
//!
//! ```
//! use std::sync::Arc;
//! use session_conformance::history::{Plan, Recorder, check};
//!
//! # #[tokio::main] async fn main() {
//! let store = Recorder::new(Arc::new(session_store_memory::MemoryStore::new()));
//! let plan = Plan { seed: 7, ..Plan::default() };
//! plan.run(&[store.clone()]).await;
//! plan.look(&store).await; // the final state
//! let checked = check(&store.events()).unwrap();
//! assert_eq!(checked.sessions, 1);
//! # }
//! ```

mod bounds;
mod check;
mod clock;
mod deadlines;
mod drive;
mod event;
mod record;
mod versions;
mod violation;

pub use check::{Checked, check};
pub use drive::Plan;
pub use event::{Answer, Call, Content, Event};
pub use record::{Recorder, read};
pub use violation::{Rule, Violation};
