//! Ring 2: the edge. What awaits, locks, or asks the machine for time and randomness lives here and nowhere else.

pub mod sources;
pub mod store;
