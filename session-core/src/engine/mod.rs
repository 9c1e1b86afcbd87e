//! Ring 2: the engine. Everything that awaits, locks, or reads time and randomness is here.

pub(crate) mod answer;
pub(crate) mod blocking;
pub(crate) mod builder;
mod carry;
mod common;
#[cfg(feature = "dbsc")]
pub(crate) mod device;
mod drain;
mod drive;
pub(crate) mod encrypted;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod finish;
mod flights;
pub(crate) mod head;
pub(crate) mod import;
pub(crate) mod middleware;
pub(crate) mod migrating;
pub(crate) mod old_cookie;
pub(crate) mod owners;
mod perform;
mod reason;
pub(crate) mod report;
mod room;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sources;
pub(crate) mod store;
#[cfg(feature = "minijinja")]
mod templates;
mod touches;
mod turns;
pub(crate) mod view;
pub(crate) mod visit;
pub(crate) mod wrapper;
