//! Tests of the bridge as applications on tower-sessions use it, with the types of both versions.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(clippy::duplicate_mod, reason = "the claims are written once and compiled for each version")]

#[cfg(feature = "tower-sessions-0-15")]
mod fifteen;
#[cfg(feature = "tower-sessions-0-14")]
mod fourteen;
mod stores;
