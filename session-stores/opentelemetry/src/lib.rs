//! OpenTelemetry metrics and spans of sessions and their stores.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod metrics;
mod names;
mod store;
mod telemetry;

pub use metrics::SessionMetrics;
pub use store::InstrumentedStore;
pub use telemetry::Telemetry;
