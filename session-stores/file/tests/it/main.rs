//! What the file store promises, on a real file system.

mod conformance;
mod faults;
mod kill;
mod private;
mod races;
mod support;
mod verbs;
