//! The tests that cannot run on this machine, and how this is reported.

use session_test_servers::Kind;

use super::needs::Needs;
use crate::failure::Failure;
use crate::packages::{self, Need, Package};
use crate::runner::Call;

/// The missing packages, and whether to install them or to skip their tests.
pub(crate) struct Missing {
    packages: Vec<Package>,
    install: bool,
    needs: Needs,
}

impl Missing {
    /// Detects missing packages. Returns an error if they can neither be installed nor skipped.
    pub(crate) fn look(needs: &Needs, skip: bool, ci: bool) -> Result<Self, Failure> {
        Self::judge(packages::missing(), needs, packages::may_install(), skip, ci)
    }

    fn judge(
        mut packages: Vec<Package>,
        needs: &Needs,
        install: bool,
        skip: bool,
        ci: bool,
    ) -> Result<Self, Failure> {
        packages.retain(|package| match package.needed_by {
            Need::Servers(kinds) => kinds.iter().any(|kind| needs.kinds.contains(kind)),
            Need::Browser => needs.browser,
        });
        let missing = Self { packages, install, needs: needs.clone() };
        if missing.packages.is_empty() || install || (skip && !ci) {
            return Ok(missing);
        }
        let advice = if ci {
            "CI never leaves tests out"
        } else {
            "or leave their tests out with: cargo xtask test --skip-missing"
        };
        Err(Failure::new(format!(
            "these packages are missing and this user cannot install them: {names}\n\
             install them as root with: apt-get update && apt-get install --no-install-recommends {names}\n{advice}",
            names = missing.names()
        )))
    }

    /// Returns the packages to install.
    pub(crate) fn installable(&self) -> Vec<Package> {
        if self.install { self.packages.clone() } else { Vec::new() }
    }

    /// Returns the servers that can be started.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let left_out = self.kinds_left_out();
        self.needs.kinds.iter().copied().filter(|kind| !left_out.contains(kind)).collect()
    }

    /// Whether tests drive a browser.
    pub(crate) fn browser(&self) -> bool {
        self.needs.browser && !self.browser_left_out()
    }

    /// Returns a warning about skipped tests, or an empty string.
    pub(crate) fn loudly(&self) -> String {
        if self.left_out().is_empty() {
            return String::new();
        }
        let words: Vec<&str> = self.words();
        format!(
            "NOT A FULL RUN: tests named after {} were LEFT OUT; missing packages: {}\n",
            words.join(", "),
            self.names()
        )
    }

    /// The nextest run without the tests that cannot run: those whose module or name has the word, and those of whole crates.
    pub(crate) fn in_nextest(&self, call: Call) -> Call {
        let words = self.words();
        if words.is_empty() {
            return call;
        }
        let mut filters = vec![format!("test(/{}/)", words.join("|"))];
        for store in ["redis", "dynamodb", "memcached", "etcd"].iter().filter(|store| words.contains(store)) {
            filters.push(format!("package(session-store-{store})"));
        }
        if !self.kinds_left_out().is_empty() {
            // The tests of the servers' crate start every kind of server.
            filters.push("package(session-test-servers)".to_owned());
        }
        call.args("-E").arg(format!("not ({})", filters.join(" | ")))
    }

    /// Excludes the tests that cannot run from a call of libtest, which can filter only by test name.
    pub(crate) fn in_libtest(&self, call: Call) -> Call {
        let words = self.words();
        if words.is_empty() {
            return call;
        }
        words.iter().fold(call.args("--"), |call, word| call.args("--skip").arg(*word))
    }

    fn left_out(&self) -> &[Package] {
        if self.install { &[] } else { &self.packages }
    }

    fn kinds_left_out(&self) -> Vec<Kind> {
        let needs = self.left_out().iter().map(|package| package.needed_by);
        needs
            .flat_map(|need| match need {
                Need::Servers(kinds) => kinds,
                Need::Browser => &[],
            })
            .copied()
            .collect()
    }

    fn browser_left_out(&self) -> bool {
        self.left_out().iter().any(|package| package.needed_by == Need::Browser)
    }

    /// The words in the names of tests that indicate what they need.
    fn words(&self) -> Vec<&'static str> {
        let kinds = self.kinds_left_out();
        let mut words = Vec::new();
        for kind in Kind::ALL {
            if kinds.contains(&kind) {
                words.extend_from_slice(match kind {
                    Kind::Redis => &["redis"],
                    Kind::RedisCluster => &["cluster"],
                    Kind::Postgres => &["postgres"],
                    Kind::MariaDb => &["mysql", "mariadb"],
                    Kind::DynamoDb => &["dynamodb"],
                    Kind::Memcached => &["memcached"],
                    Kind::Etcd => &["etcd"],
                });
            }
        }
        if self.browser_left_out() {
            words.push("browser");
        }
        words
    }

    fn names(&self) -> String {
        self.packages.iter().map(|package| package.name).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::PACKAGES;

    fn judge(packages: Vec<Package>, install: bool, skip: bool, ci: bool) -> Result<Missing, Failure> {
        Missing::judge(packages, &Needs::everything(), install, skip, ci)
    }

    fn package(name: &str) -> Vec<Package> {
        PACKAGES.iter().filter(|package| package.name == name).copied().collect()
    }

    #[test]
    fn a_missing_package_stops_a_user_who_cannot_install_it_and_is_named() {
        let failure = judge(package("postgresql-15"), false, false, false).err().unwrap().to_string();
        assert!(failure.contains("apt-get install --no-install-recommends postgresql-15"), "{failure}");
        assert!(failure.contains("--skip-missing"), "{failure}");
    }

    #[test]
    fn a_package_that_no_chosen_test_needs_is_not_missing() {
        let needs = Needs { kinds: vec![Kind::Redis], browser: false };
        for name in ["postgresql-15", "chromium"] {
            let missing = Missing::judge(package(name), &needs, false, false, true).unwrap();
            assert_eq!(missing.kinds(), [Kind::Redis]);
        }
        assert!(Missing::judge(package("redis-server"), &needs, false, false, true).is_err());
    }

    #[test]
    fn ci_never_leaves_anything_out() {
        assert!(judge(package("chromium"), false, true, true).is_err());
    }

    #[test]
    fn a_missing_browser_is_a_failure_and_leaving_it_out_is_said_loudly() {
        for name in ["chromium", "chromium-driver", "firefox-esr", "webkit2gtk-driver", "xvfb"] {
            let failure = judge(package(name), false, false, false).err().unwrap().to_string();
            assert!(failure.contains(name), "{failure}");
            let missing = judge(package(name), false, true, false).unwrap();
            assert!(!missing.browser() && missing.loudly().contains("named after browser were LEFT OUT"));
            assert!(judge(package(name), true, false, true).unwrap().browser());
        }
    }

    #[test]
    fn what_can_be_installed_is_not_left_out() {
        let missing = judge(package("mariadb-client"), true, false, false).unwrap();
        assert_eq!(missing.installable().len(), 1);
        assert_eq!(missing.kinds(), Kind::ALL);
        assert_eq!(missing.loudly(), "");
    }

    #[test]
    fn left_out_tests_are_filtered_and_said_loudly() {
        let missing = judge(package("redis-server"), false, true, false).unwrap();
        assert_eq!(
            missing.kinds(),
            [Kind::Postgres, Kind::MariaDb, Kind::DynamoDb, Kind::Memcached, Kind::Etcd]
        );
        assert!(
            missing.loudly().starts_with("NOT A FULL RUN: tests named after redis, cluster were LEFT OUT")
        );
        let line = missing.in_nextest(Call::cargo("nextest run")).line();
        let filter =
            "not (test(/redis|cluster/) | package(session-store-redis) | package(session-test-servers))";
        assert_eq!(line, format!("cargo nextest run -E '{filter}'"));
        assert_eq!(
            missing.in_libtest(Call::cargo("test")).line(),
            "cargo test -- --skip redis --skip cluster"
        );
    }

    #[test]
    fn a_complete_machine_runs_everything() {
        let missing = judge(Vec::new(), false, false, true).unwrap();
        assert_eq!(missing.in_nextest(Call::cargo("nextest run")).line(), "cargo nextest run");
        assert_eq!(missing.kinds(), Kind::ALL);
    }
}
