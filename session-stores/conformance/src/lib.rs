//! Conformance suites for session stores and framework adapters.
#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "everything here runs in tests, where a panic is the report")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod adapter;
pub mod cancel;
pub mod crowd;
#[cfg(doctest)]
mod documents;
mod fixture;
pub mod history;
pub mod overheard;
pub mod probe;
pub mod proxy;
pub mod script;
pub mod shutdown;
pub mod suite;
pub mod web;

pub use fixture::{Damage, DamageKind, Fixture};
pub use suite::{Case, cases, run_case};
