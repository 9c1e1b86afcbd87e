//! What the tests of the chosen packages need: which servers, and whether a browser.

use std::fs;

use session_test_servers::Kind;

/// Servers and a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) browser: bool,
}

impl Needs {
    /// Everything, as for the whole workspace.
    pub(crate) fn everything() -> Self {
        Self { kinds: Kind::ALL.to_vec(), browser: true }
    }

    /// What these packages need, read from their manifests and sources; without packages, everything.
    pub(crate) fn of(packages: &[String], files: &[String]) -> Self {
        if packages.is_empty() {
            return Self::everything();
        }
        let mut needs = Self { kinds: Vec::new(), browser: false };
        for manifest in files.iter().filter(|file| file.ends_with("Cargo.toml")) {
            let text = fs::read_to_string(manifest).unwrap_or_default();
            if packages.iter().any(|package| text.contains(&format!("name = \"{package}\"\n"))) {
                let folder = manifest.trim_end_matches("Cargo.toml");
                let sources = files
                    .iter()
                    .filter(|file| file.starts_with(folder) && file.ends_with(".rs"))
                    .filter_map(|file| fs::read_to_string(file).ok());
                needs.add(&text, sources);
            }
        }
        needs.kinds.sort_by_key(|kind| Kind::ALL.iter().position(|other| other == kind));
        needs.kinds.dedup();
        needs
    }

    fn add(&mut self, manifest: &str, sources: impl Iterator<Item = String>) {
        self.browser |= manifest.contains("fantoccini");
        if manifest.contains("name = \"session-test-servers\"") {
            self.kinds.extend(Kind::ALL);
        }
        // A package names the servers of its tests by the variants of `Kind`.
        let tests = manifest.split_once("[dev-dependencies]").map_or("", |(_, tests)| tests);
        if !tests.contains("session-test-servers") {
            return;
        }
        for source in sources {
            self.kinds.extend(Kind::ALL.iter().filter(|kind| names(&source, &format!("Kind::{kind:?}"))));
        }
    }
}

/// Whether the text has this word, and not only as the beginning of a longer one.
fn names(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|char: char| char.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| ends(&text[at + word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(manifest: &str, source: &str) -> Needs {
        let mut needs = Needs { kinds: Vec::new(), browser: false };
        needs.add(manifest, [source.to_owned()].into_iter());
        needs
    }

    const TESTS: &str = "[dev-dependencies]\nsession-test-servers.workspace = true\n";

    #[test]
    fn without_packages_everything_is_needed() {
        assert_eq!(Needs::of(&[], &[]), Needs::everything());
    }

    #[test]
    fn a_package_needs_the_servers_that_its_tests_name() {
        assert_eq!(needs(TESTS, "shared(Kind::RedisCluster)").kinds, [Kind::RedisCluster]);
        assert_eq!(needs(TESTS, "shared(Kind::Redis); Kind::MariaDb").kinds, [Kind::Redis, Kind::MariaDb]);
        assert!(needs(TESTS, "no server").kinds.is_empty());
    }

    #[test]
    fn a_package_that_only_has_the_words_needs_nothing() {
        assert!(
            needs("[dependencies]\nsession-test-servers.workspace = true\n", "Kind::Redis").kinds.is_empty()
        );
    }

    #[test]
    fn a_package_with_a_web_driver_needs_a_browser() {
        assert!(needs("[dev-dependencies]\nfantoccini.workspace = true\n", "").browser);
    }

    #[test]
    fn the_real_packages_are_found_by_their_names() {
        let files = ["../session-stores/memory/Cargo.toml", "../session-stores/memcached/Cargo.toml"];
        let sources = ["../session-stores/memcached/tests/conformance.rs"];
        let files: Vec<String> = files.iter().chain(&sources).map(|file| (*file).to_owned()).collect();
        let of = |package: &str| Needs::of(&[package.to_owned()], &files).kinds;
        assert!(of("session-store-memory").is_empty());
        assert_eq!(of("session-store-memcached"), [Kind::Memcached]);
    }
}
