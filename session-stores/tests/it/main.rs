//! Tests of the facade: settings, stores opened by URL, and the sweeper.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod configuration;
mod device;
mod encrypted;
mod many;
mod migrate_settings;
mod migrating;
mod page;
mod peers;
mod sessions;
mod settings;
mod stores;
mod sweeper;
mod sweeper_stores;
