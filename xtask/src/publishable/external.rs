//! Whose types stand in our public signatures: each such crate is a promise that its next breaking release breaks ours.
//!
//! Below 1.0 that is soon, so those are named here one by one, with the reason.

use std::collections::BTreeSet;

use super::crates::Crate;

/// A crate that may stand in the signatures of some of ours.
struct Allowed {
    /// Ours; none named: all.
    of: &'static [&'static str],
    external: &'static [&'static str],
    /// Why, for the reader of this file.
    #[allow(dead_code, reason = "for the reader of this file")]
    why: &'static str,
}

/// Its crates, and the primitive types that have impls of our traits.
const LANGUAGE: &[&str] = &[
    "std", "core", "alloc", "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize",
    "u8", "u16", "u32", "u64", "u128", "usize",
];

const ALLOWED: &[Allowed] = &[
    Allowed { of: &[], external: LANGUAGE, why: "the language" },
    Allowed {
        of: &[],
        external: &["serde", "serde_core", "serde_json"],
        why: "values of sessions, stable at 1",
    },
    Allowed { of: &[], external: &["bytes", "http"], why: "the currency of web crates, stable at 1" },
    Allowed {
        of: &[],
        external: &["time"],
        why: "points in time and durations; the one crate below 1 that all of ours show",
    },
    Allowed {
        of: &["session-axum"],
        external: &["axum_core", "http_body", "tower_layer", "tower_service"],
        why: "the framework: a breaking release of it needs one of the adapter in any case",
    },
    Allowed {
        of: &["session-actix"],
        external: &["actix_web", "actix_http", "actix_service"],
        why: "the framework, and the crates whose types it exports as its own",
    },
    Allowed {
        of: &["session-hyper"],
        external: &["hyper", "http_body"],
        why: "the HTTP library of the adapter, stable at 1",
    },
    Allowed {
        of: &["session-web"],
        external: &["futures_core", "http_body", "validator", "garde"],
        why: "bodies and streams of a body's chunks; our trait for the reports of two libraries, each behind a feature of its name",
    },
    Allowed {
        of: &["session-conformance"],
        external: &["futures_core", "log", "tokio", "tracing_core"],
        why: "for tests: streams, and what is heard of other crates' logs",
    },
    Allowed {
        of: &["session-tower-bridge"],
        external: &["tower_sessions_core"],
        why: "the traits that the bridge implements, by a feature for each version",
    },
    Allowed {
        of: &["session-import"],
        external: &["cookie"],
        why: "the other libraries' keys are of this type",
    },
    Allowed {
        of: &["session-opentelemetry"],
        external: &["opentelemetry"],
        why: "the providers to report to; the crate exists so that nothing else shows them",
    },
    Allowed {
        of: &["session-core"],
        external: &["zeroize"],
        why: "secret bytes that are wiped on drop, stable at 1",
    },
    Allowed {
        of: &["session-core"],
        external: &["pin_project_lite"],
        why: "a bound of its macro on `Unpin`, which no code outside can name",
    },
    Allowed {
        of: &["session-store-redis"],
        external: &["redis"],
        why: "the client that an application may bring along, stable at 1",
    },
    Allowed {
        of: &["session-store-sql"],
        external: &["sqlx_core", "sqlx_postgres", "sqlx_mysql", "sqlx_sqlite"],
        why: "the pool that an application may bring along: a breaking release of sqlx needs one of this crate",
    },
    Allowed {
        of: &["session-store-dynamodb"],
        external: &["aws_sdk_dynamodb"],
        why: "the client that an application may bring along, stable at 1",
    },
    Allowed {
        of: &["session-core"],
        external: &["minijinja"],
        why: "values for its templates, behind a feature of its name; stable at 2",
    },
];

/// The foreign crates in the signatures of a crate.
pub(super) struct Found {
    /// Those that may stand there, except the language's own.
    pub(super) allowed: Vec<String>,
    /// A line for each of the others.
    pub(super) refused: Vec<String>,
}

/// Finds the foreign crates in these signatures.
pub(super) fn judge(each: &Crate, items: &str) -> Found {
    let mut found = Found { allowed: Vec::new(), refused: Vec::new() };
    for external in foreign(items) {
        let allowed = ALLOWED.iter().any(|allowed| {
            (allowed.of.is_empty() || allowed.of.contains(&each.name.as_str()))
                && allowed.external.contains(&external.as_str())
        });
        if !allowed {
            let path = format!("{external}::");
            let first = items.lines().find(|line| line.contains(&path)).unwrap_or_default();
            found.refused.push(format!("{} shows a type of `{external}`: {first}", each.name));
        } else if !LANGUAGE.contains(&external.as_str()) {
            found.allowed.push(external);
        }
    }
    found
}

/// The first segments of the paths in these lines, but for our own crates.
fn foreign(items: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in items.match_indices("::") {
        let before = &items[..at];
        let start = before.rfind(|char: char| !char.is_alphanumeric() && char != '_').map_or(0, |at| at + 1);
        let (rest, name) = before.split_at(start);
        let is_crate = name.starts_with(|char: char| char.is_ascii_lowercase());
        if is_crate && !rest.ends_with("::") && !name.starts_with("session_") {
            found.insert(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: &str = "pub fn session_x::f(&self) -> core::result::Result<time::Duration, Self::Error>\n\
                         impl<T: serde_core::Serialize> sqlx_core::X<T::Item> for session_x::Y\n";

    #[test]
    fn the_first_segment_of_a_path_is_its_crate() {
        let found: Vec<String> = foreign(ITEMS).into_iter().collect();
        assert_eq!(found, ["core", "serde_core", "sqlx_core", "time"]);
    }

    #[test]
    fn what_is_not_allowed_is_named_with_its_first_line() {
        let each = Crate { name: "session-x".to_owned(), folder: "x".to_owned() };
        let found = judge(&each, ITEMS);
        assert!(found.refused[0].starts_with("session-x shows a type of `sqlx_core`: impl<"));
        assert_eq!(
            (found.refused.len(), found.allowed),
            (1, vec!["serde_core".to_owned(), "time".to_owned()])
        );
    }
}
