//! The claims with tower-sessions-core 0.14.

use tower_sessions_core_0_14 as theirs;

#[path = "../contract.rs"]
mod contract;
#[path = "../races.rs"]
mod races;
