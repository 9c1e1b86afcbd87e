//! The names of attributes, the store's operations, and of the systems behind stores.
//!
//! Attributes of the semantic conventions keep their names. Everything else is in the namespace `web_session`: the namespace
//! `session` belongs to OpenTelemetry, whose sessions are those of client applications.

use std::borrow::Cow;

use opentelemetry::trace::SpanKind;

pub(crate) const SCOPE: &str = "session-opentelemetry";

pub(crate) const DB_SYSTEM: &str = "db.system.name";
pub(crate) const DB_OPERATION: &str = "db.operation.name";
pub(crate) const ERROR_TYPE: &str = "error.type";
pub(crate) const SESSION_ID: &str = "session.id";
pub(crate) const PREVIOUS_ID: &str = "session.previous_id";

pub(crate) const FRESH: &str = "web_session.fresh";
pub(crate) const REASON: &str = "web_session.reason";
pub(crate) const OUTCOME: &str = "web_session.outcome";

/// The `error.type` of a call whose future was dropped before the store answered.
pub(crate) const CANCELLED: &str = "cancelled";

/// Returns the `db.system.name` of a store, by the store's name.
pub(crate) fn system(store: &'static str) -> Cow<'static, str> {
    match store {
        "postgres" => "postgresql".into(),
        "dynamodb" => "aws.dynamodb".into(),
        // Redis, memcached, MySQL and SQLite have the names of the conventions. The others are not in the list of the
        // conventions, which allow further names.
        name => name.into(),
    }
}

/// Returns the kind of a store's spans: `INTERNAL` where the process is its own server.
pub(crate) fn kind(store: &'static str) -> SpanKind {
    match store {
        "memory" | "file" | "redb" | "sqlite" => SpanKind::Internal,
        _ => SpanKind::Client,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_has_the_name_of_the_conventions() {
        let systems = ["postgres", "mysql", "sqlite", "redis", "dynamodb", "memcached", "etcd"].map(system);
        let names = ["postgresql", "mysql", "sqlite", "redis", "aws.dynamodb", "memcached", "etcd"];
        assert_eq!(systems, names.map(Cow::from));
    }

    #[test]
    fn a_store_in_the_process_is_no_remote_call() {
        assert_eq!([kind("memory"), kind("redis")], [SpanKind::Internal, SpanKind::Client]);
    }
}
