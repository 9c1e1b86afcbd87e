//! Every session store as a store of tower-sessions, without lost writes and without revived sessions.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(any(feature = "tower-sessions-0-14", feature = "tower-sessions-0-15")),
    expect(dead_code, reason = "a version of tower-sessions, each a feature, uses it")
)]

mod bridge;
mod error;
mod known;
mod old;
mod payload;
#[cfg(any(feature = "tower-sessions-0-14", feature = "tower-sessions-0-15"))]
mod versions;

pub use bridge::{DEFAULT_MEMORY, TowerSessionsBridge};
