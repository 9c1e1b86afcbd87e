//! The allocations of the core, counted.
//!
//! A separate program, because the counting allocator is global. Nothing else may run while a test counts, so each test
//! holds [`alone`] from its first line to its last.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cookie;
#[path = "../it/cookie_support/mod.rs"]
mod cookie_support;
mod visit;

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static COUNTER: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Waits until no other test of this program runs.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
