//! What the memory store promises.

mod capacity;
mod suite;
