//! Ring 0: the values everything else is made of. They compute; they read no clock, no randomness, no environment.

pub mod cookie;
pub mod error;
pub mod id;
pub mod record;
pub mod time;
