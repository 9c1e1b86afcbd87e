//! The mutex of this crate: the standard library's, or Shuttle's in the crate's own tests.
//!
//! A std mutex instead of an async one: it is never held across an `.await`, and held for less than a microsecond.

#[cfg(not(test))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(test)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

/// Acquires the lock and ignores poisoning: a panic cannot leave the data behind these locks in an inconsistent
/// state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
