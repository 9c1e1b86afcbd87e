//! The file store: the whole suite, and what only files have: kills, locks among processes, modes, links, full disks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod conformance;
mod faults;
mod kill;
mod private;
mod races;
mod support;
mod verbs;
