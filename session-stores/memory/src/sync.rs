//! The one mutex of this crate: the standard library's, or in this crate's own tests the one that Shuttle schedules.
//!
//! A std mutex and not an async one: nothing awaits while it is held, and it is held for less than a microsecond.

#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(test)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

/// Locks, also after a panic elsewhere: every change under these locks is whole before anything can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
