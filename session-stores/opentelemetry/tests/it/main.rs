//! What sessions tell OpenTelemetry: metrics, spans, and the files made for them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod files;
mod metrics;
mod promql;
mod spans;
mod suite;
mod support;
