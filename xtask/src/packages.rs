//! The programs that the tests need: detects and installs missing ones.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use session_test_servers::Kind;

use crate::failure::Failure;

/// A Debian package, and the file by which it is detected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// A program in `PATH`, or an absolute path.
    probe: &'static str,
    /// The tests that need the package.
    pub(crate) needed_by: Need,
}

/// The reason why a package is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Tests that use these servers.
    Servers(&'static [Kind]),
    /// Tests that drive a browser.
    Browser,
}

const REDIS: Need = Need::Servers(&[Kind::Redis, Kind::RedisCluster]);

/// All packages from the distribution.
pub(crate) const PACKAGES: &[Package] = &[
    Package { name: "redis-server", probe: "redis-server", needed_by: REDIS },
    Package { name: "redis-tools", probe: "redis-cli", needed_by: REDIS },
    Package {
        name: POSTGRES,
        probe: "/usr/lib/postgresql/15/bin/postgres",
        needed_by: Need::Servers(&[Kind::Postgres]),
    },
    Package { name: "mariadb-server-core", probe: "mariadbd", needed_by: Need::Servers(&[Kind::MariaDb]) },
    Package { name: "mariadb-client", probe: "mariadb", needed_by: Need::Servers(&[Kind::MariaDb]) },
    Package { name: "memcached", probe: "memcached", needed_by: Need::Servers(&[Kind::Memcached]) },
    Package { name: "etcd-server", probe: "etcd", needed_by: Need::Servers(&[Kind::Etcd]) },
    Package { name: "chromium", probe: "chromium", needed_by: Need::Browser },
    Package { name: "chromium-driver", probe: "chromedriver", needed_by: Need::Browser },
    Package { name: "firefox-esr", probe: "firefox-esr", needed_by: Need::Browser },
    Package { name: "webkit2gtk-driver", probe: "WebKitWebDriver", needed_by: Need::Browser },
    // WebKitGTK draws nothing without a display.
    Package { name: "xvfb", probe: "Xvfb", needed_by: Need::Browser },
    Package {
        name: "fonts-dejavu-core",
        probe: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        needed_by: Need::Browser,
    },
];

/// Returns the packages that are not installed.
pub(crate) fn missing() -> Vec<Package> {
    PACKAGES.iter().filter(|package| find(package.probe).is_none()).copied().collect()
}

/// Whether this process may install packages.
pub(crate) fn may_install() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    root && find("apt-get").is_some()
}

/// Installs packages from the distribution. The output of apt is written to a file, and shown only on failure.
pub(crate) fn install(packages: &[Package]) -> Result<(), Failure> {
    if packages.is_empty() {
        return Ok(());
    }
    if packages.iter().any(|package| package.name == POSTGRES) {
        keep_debian_from_making_a_cluster()?;
    }
    let mut update = Command::new("apt-get");
    update.args(["update", "-q"]);
    quietly(&mut update, "apt-get update")?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-q", "--no-install-recommends"]);
    install.args(packages.iter().map(|package| package.name)).env("DEBIAN_FRONTEND", "noninteractive");
    quietly(&mut install, "apt-get install")
}

/// Makes sure that a program is there which no test needs: installs its package, or says which one is missing.
pub(crate) fn require(program: &'static str, name: &'static str) -> Result<(), Failure> {
    if find(program).is_some() {
        return Ok(());
    }
    if !may_install() {
        return Err(Failure::new(format!(
            "{program} is missing and this user cannot install it
\
             install it as root with: apt-get update && apt-get install --no-install-recommends {name}"
        )));
    }
    println!("installing {name}");
    install(&[Package { name, probe: program, needed_by: Need::Servers(&[]) }])
}

/// Prevents the package from creating and starting a cluster: the tests use their own data directories.
fn keep_debian_from_making_a_cluster() -> Result<(), Failure> {
    let file = Path::new("/etc/postgresql-common/createcluster.conf");
    let before = fs::read_to_string(file).unwrap_or_default();
    fs::create_dir_all("/etc/postgresql-common")?;
    fs::write(file, without_main_cluster(&before))?;
    Ok(())
}

fn without_main_cluster(before: &str) -> String {
    let kept = before.lines().filter(|line| !line.trim_start().starts_with("create_main_cluster"));
    kept.chain(["create_main_cluster = false"]).map(|line| format!("{line}\n")).collect()
}

/// A program that the distribution does not have, and that cargo builds.
pub(crate) struct Tool {
    program: &'static str,
    /// The crate, its version, and its features.
    install: &'static [&'static str],
}

/// The DynamoDB emulator: about 5 minutes of CPU time.
pub(crate) const DYNOXIDE: Tool = Tool {
    program: "dynoxide",
    install: &["dynoxide-rs@3.2.0", "--no-default-features", "--features", "native-sqlite,http-server,cli"],
};

/// The WebDriver of Firefox: 2 to 3 minutes of CPU time.
pub(crate) const GECKODRIVER: Tool = Tool { program: "geckodriver", install: &["geckodriver@0.37.1"] };

impl Tool {
    /// Returns the path of the program, if it is installed.
    fn path(&self) -> Option<PathBuf> {
        let installed = tools().join("bin").join(self.program);
        if installed.is_file() { Some(installed) } else { find(self.program) }
    }

    /// Builds the program once. The build is killed with this process.
    pub(crate) fn install(&self) -> Result<(), Failure> {
        if self.path().is_some() {
            return Ok(());
        }
        let mut install = Command::new("setpriv");
        install.args(["--pdeathsig", "TERM", "cargo", "install", "--locked"]);
        install.args(self.install).arg("--root").arg(tools());
        quietly(&mut install, &format!("cargo install {}", self.program))
    }
}

fn tools() -> PathBuf {
    env::var_os("XTASK_TOOLS").map_or_else(|| PathBuf::from(TOOLS), PathBuf::from)
}

/// Runs a command with its output in a file under `target/xtask`, and shows the end of the output on failure.
fn quietly(command: &mut Command, name: &str) -> Result<(), Failure> {
    fs::create_dir_all("target/xtask")?;
    let log = PathBuf::from(format!("target/xtask/{}.log", name.replace(' ', "-")));
    let file = File::create(&log)?;
    let status = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).status()?;
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let end = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(Failure::new(format!("{name} ended with {status} (all of it: {}):\n{end}", log.display())))
}

fn find(probe: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Joining an absolute path replaces the base.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(probe))
        .find(|file| file.is_file())
}

const POSTGRES: &str = "postgresql-15";
const TOOLS: &str = "target/tools";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_cluster_is_switched_off_and_other_settings_stay() {
        let before = "data_directory = '/x'\ncreate_main_cluster = true\n";
        assert_eq!(without_main_cluster(before), "data_directory = '/x'\ncreate_main_cluster = false\n");
        assert_eq!(without_main_cluster(""), "create_main_cluster = false\n");
    }

    #[test]
    fn a_program_in_the_path_and_an_absolute_file_are_found() {
        assert!(find("sh").is_some());
        assert_eq!(find("/etc/passwd"), Some(PathBuf::from("/etc/passwd")));
        assert!(find("/no/such/file").is_none());
    }
}
