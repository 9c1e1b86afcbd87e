//! The claims with tower-sessions-core 0.15.

use tower_sessions_core_0_15 as theirs;

#[path = "../contract.rs"]
mod contract;
#[path = "../races.rs"]
mod races;
