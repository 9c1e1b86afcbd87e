//! Ring 2: the edge. What awaits, locks, or asks the machine for time and randomness lives here and nowhere else.

pub mod answer;
pub mod builder;
pub mod csrf;
mod drain;
mod drive;
pub mod error;
pub mod event;
pub mod finish;
mod gate;
pub mod head;
pub mod middleware;
pub mod owners;
mod perform;
pub mod redirect;
pub mod rejection;
pub mod report;
pub mod serve;
pub mod session;
pub mod sessions;
pub mod sources;
pub mod store;
#[cfg(feature = "minijinja")]
mod templates;
mod touches;
mod turns;
pub mod validation;
pub mod view;
pub mod visit;
