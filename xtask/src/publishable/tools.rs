//! The cargo commands that the stages need: found, or installed once into `target/tools`.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::runner::Call;

/// A cargo command that is not part of the toolchain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    Deny,
    Hack,
    PublicApi,
    SemverChecks,
    Fuzz,
    Mutants,
}

impl Tool {
    /// The word behind `cargo`.
    fn command(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Hack => "hack",
            Self::PublicApi => "public-api",
            Self::SemverChecks => "semver-checks",
            Self::Fuzz => "fuzz",
            Self::Mutants => "mutants",
        }
    }

    /// The version that this repository was checked with.
    fn version(self) -> &'static str {
        match self {
            Self::Deny => "0.20.2",
            Self::Hack => "0.6.46",
            Self::PublicApi => "0.52.0",
            Self::SemverChecks => "0.51.0",
            Self::Fuzz => "0.13.2",
            Self::Mutants => "27.1.0",
        }
    }
}

/// A call of the tool, which is installed first if this machine does not have it.
pub(crate) fn call(tool: Tool, words: &str) -> Result<Call, Failure> {
    Ok(found(tool, "")?.args(tool.command()).args(words))
}

/// The same with the nightly compiler.
pub(crate) fn nightly(tool: Tool, words: &str) -> Result<Call, Failure> {
    Ok(found(tool, "+nightly")?.args(tool.command()).args(words))
}

/// A call of cargo that finds the tool.
fn found(tool: Tool, toolchain: &str) -> Result<Call, Failure> {
    let path = path()?;
    let root = root();
    let root = root.to_str().ok_or_else(|| Failure::new("the path in XTASK_TOOLS is not UTF-8"))?;
    let command = tool.command();
    if !answers(command, &path) {
        println!("installing cargo-{command} {} into {root}: minutes, once", tool.version());
        let package = format!("cargo-{command}@{}", tool.version());
        Call::cargo(&format!("install --quiet --locked --root {root} {package}")).run()?;
    }
    Ok(Call::cargo(toolchain).env("PATH", &path))
}

fn answers(command: &str, path: &str) -> bool {
    let mut probe = Command::new("cargo");
    probe.args([command, "--version"]).env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// The search path, and behind it where the tools are installed.
fn path() -> Result<String, Failure> {
    let own = env::current_dir()?.join(root()).join("bin");
    let there = env::var_os("PATH").unwrap_or_default();
    let joined = env::join_paths(env::split_paths(&there).chain([own]))?;
    joined.into_string().map_err(|_| Failure::new("PATH is not UTF-8"))
}

fn root() -> PathBuf {
    env::var_os("XTASK_TOOLS").map_or_else(|| ROOT.into(), PathBuf::from)
}

const ROOT: &str = "target/tools";
