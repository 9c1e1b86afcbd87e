//! What the core promises, subject by subject, in one program. What counts allocations is in `allocations`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod cookie_emission;
mod cookie_keys;
mod cookie_parse;
mod cookie_seal;
mod cookie_select;
mod cookie_support;
mod cookie_token;
mod device_binding;
mod device_hostile;
mod device_races;
#[cfg(feature = "dbsc-rs256")]
mod device_rs256;
mod device_support;
mod driver_cost;
mod driver_crowd;
mod driver_failures;
mod driver_moved;
mod driver_mutators;
mod driver_placement;
mod driver_races;
mod driver_scope;
mod driver_support;
mod driver_tenants;
mod driver_touch;
mod driver_unseen;
mod features_flash;
mod features_forms;
mod features_life;
mod in_use;
mod interleaving_faults;
mod interleaving_support;
mod interleavings;
mod laws;
mod lifetimes;
mod log_canary;
mod revocations;
mod security;
mod signing_in;
mod stamps;
mod streams;
mod values_features;
mod values_model;
mod values_replay;
