//! The claims with tower-sessions-core 0.14.

use tower_sessions_core_0_14 as theirs;

#[path = "../contract.rs"]
mod contract;
#[path = "../moving.rs"]
mod moving;
#[path = "../races.rs"]
mod races;

fn moving_from(
    bridge: session_tower_bridge::TowerSessionsBridge,
    old: impl theirs::SessionStore,
) -> session_tower_bridge::TowerSessionsBridge {
    bridge.moving_from_0_14(old)
}
