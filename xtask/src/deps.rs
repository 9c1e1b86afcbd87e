//! `cargo xtask deps`: checks the allowed dependencies, with the output of `cargo tree`.
//!
//! The core depends on no runtime, framework or HTTP crate; each adapter depends on its own framework only; and
//! nothing enables a feature that includes old code with known vulnerabilities.

use std::path::Path;

use xshell::{Shell, cmd};

use crate::failure::Failure;
use crate::runner::Call;

/// A dependency tree and the crates that it must not contain. A name that ends with `*` is a prefix.
struct Rule {
    package: &'static str,
    refused: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        package: "session-core",
        refused: &[
            "tokio",
            "tokio-*",
            "async-std",
            "smol",
            "async-executor",
            "async-io",
            "async-global-executor",
            "polling",
            "mio",
            "hyper",
            "hyper-*",
            "axum",
            "axum-*",
            "actix-*",
            "actix",
            "tower",
            "tower-*",
            "http",
            "http-*",
            "h2",
            "reqwest",
            "warp",
            "rocket",
            "poem",
            "ntex",
            "glommio",
            "monoio",
            "embassy-executor",
            "wasm-bindgen-futures",
        ],
        why: "the core owes nothing to any runtime, framework or HTTP crate",
    },
    Rule {
        package: "session-hyper",
        refused: &["axum", "axum-*", "actix-*", "tower-http"],
        why: "the hyper adapter has no framework",
    },
    Rule { package: "session-axum", refused: &["actix-*"], why: "one adapter, one framework" },
    Rule {
        package: "session-actix",
        refused: &["axum", "axum-*", "hyper", "hyper-*"],
        why: "one adapter, one framework",
    },
    Rule {
        package: "session-testkit",
        refused: &[
            "mio",
            "hyper",
            "hyper-*",
            "h2",
            "axum",
            "axum-*",
            "actix-*",
            "log",
            "session-conformance",
        ],
        why: "an application's tests build it: it has no runtime, no server and no suite",
    },
];

/// A package and features of it that must not be enabled in the workspace.
struct Feature {
    package: &'static str,
    refused: &'static [&'static str],
    why: &'static str,
}

const FEATURES: &[Feature] = &[
    Feature {
        package: "actix-web",
        refused: &["http2", "default"],
        why: "it brings h2 0.3, which has an open advisory",
    },
    Feature { package: "aws-sdk-*", refused: &["default", "rustls", "default-https-client"], why: AWS },
    Feature {
        package: "aws-smithy-*",
        refused: &["tls-rustls", "connector-hyper-0-14-x", "hyper-014", "legacy-rustls-ring"],
        why: AWS,
    },
];

const AWS: &str = "it brings an old TLS and HTTP stack with open advisories";

pub(crate) fn run() -> Result<(), Failure> {
    let shell = Shell::new()?;
    let mut wrong = Vec::new();
    for rule in RULES {
        let (package, features, format) = (rule.package, rule.features(), "{p}");
        let tree = cmd!(
            shell,
            "cargo tree --package {package} --edges normal {features...} --prefix none --format {format}"
        )
        .quiet()
        .read()?;
        wrong.extend(rule.judge(&tree));
    }
    let format = "{p}|{f}";
    let tree = cmd!(shell, "cargo tree --workspace --all-features --prefix none --format {format}")
        .quiet()
        .read()?;
    wrong.extend(FEATURES.iter().flat_map(|feature| feature.judge(&tree)));
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("\n")));
    }
    println!("{} trees and {} packages' features are as they should be", RULES.len(), FEATURES.len());
    without_a_system(&shell)
}

/// Checks that the core builds without an operating system, if that target is installed.
fn without_a_system(shell: &Shell) -> Result<(), Failure> {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    if !Path::new(&sysroot).join("lib/rustlib").join(WASM).is_dir() {
        println!("not checked: {WASM} is not installed, so the core was not built for it");
        return Ok(());
    }
    Call::cargo(&format!("check --package session-core --target {WASM}"))
        .env("RUSTFLAGS", "--cfg getrandom_backend=\"custom\"")
        .run()
}

impl Rule {
    /// The core is checked with all features. An adapter is checked with its default features, because the drivers of
    /// stores are the application's choice.
    fn features(&self) -> &'static [&'static str] {
        if self.package == "session-core" { &["--all-features"] } else { &[] }
    }

    fn judge(&self, tree: &str) -> Vec<String> {
        let mut found: Vec<&str> = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| self.refused.iter().any(|refused| matches(refused, name)))
            .collect();
        found.sort_unstable();
        found.dedup();
        let message = |name| {
            format!(
                "{package} depends on {name}: {why}; see `cargo tree -p {package} -e normal -i {name}`",
                package = self.package,
                why = self.why
            )
        };
        found.into_iter().map(message).collect()
    }
}

impl Feature {
    fn judge(&self, tree: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in tree.lines() {
            let Some((package, features)) = line.split_once('|') else { continue };
            let Some(name) = package.split_whitespace().next() else { continue };
            if !matches(self.package, name) {
                continue;
            }
            let features = features.split_whitespace().next().unwrap_or_default();
            for feature in features.split(',').filter(|feature| self.refused.contains(feature)) {
                found.push(format!(
                    "{name} has the feature {feature}: {why}; see `cargo tree --workspace --all-features -e features \
                     -i {name}`",
                    why = self.why
                ));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

const WASM: &str = "wasm32-unknown-unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_below_the_core_is_named_once() {
        let tree = "session-core v0.1.0 (/x)\ntokio v1.54.1\nserde v1\ntokio v1.54.1 (*)\n";
        let wrong = RULES[0].judge(tree);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("session-core depends on tokio: "), "{wrong:?}");
    }

    #[test]
    fn the_core_may_be_called_what_it_likes_if_it_is_not_refused() {
        assert!(RULES[0].judge("session-core v0.1.0\nhttparse v1\nasync-lock v3\n").is_empty());
    }

    #[test]
    fn every_tower_crate_is_refused_by_one_pattern() {
        assert!(matches("tower-*", "tower-service") && !matches("tower", "tower-service"));
    }

    #[test]
    fn http2_of_actix_is_found_among_other_features() {
        let tree = "actix-web v4.18.1|http2,macros (*)\nserde v1|derive\n";
        let wrong = FEATURES[0].judge(tree);
        assert!(wrong[0].starts_with("actix-web has the feature http2: "), "{wrong:?}");
        assert!(FEATURES[0].judge("actix-web v4.18.1|macros\n").is_empty());
    }

    #[test]
    fn default_features_of_an_aws_sdk_are_found() {
        assert_eq!(FEATURES[1].judge("aws-sdk-dynamodb v1|default,rt-tokio\n").len(), 1);
        assert!(FEATURES[1].judge("aws-sdk-dynamodb v1|rt-tokio\n").is_empty());
    }
}
