//! Rustdoc with options that are unstable: its JSON, and its pages as the documentation host builds them.
//!
//! Only rustdoc is allowed them: cargo calls this program in the place of rustdoc, which passes the call on. Everything
//! else is compiled as in `cargo doc --workspace --all-features`, and shared with it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::crates::Crate;
use crate::failure::Failure;
use crate::runner::Call;

/// Writes the JSON of every library of the workspace in `root` to `folder`.
pub(super) fn json(root: &Path, folder: &str) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    let absolute = std::path::absolute(folder)?;
    // Cargo knows the pages only. It runs rustdoc again if one is missing.
    for page in pages()? {
        if !absolute.join(format!("{page}.json")).is_file() {
            forget(&page)?;
        }
    }
    call(&root.join("Cargo.toml"), "-Z unstable-options --output-format json --cap-lints allow")?
        .env(FOLDER, &absolute.to_string_lossy())
        .run()
}

/// Writes the pages of every library as the documentation host does, to `target/doc`.
pub(super) fn as_hosted() -> Result<(), Failure> {
    call(Path::new("Cargo.toml"), "--cfg docsrs -D warnings")?.run()
}

fn call(manifest: &Path, flags: &str) -> Result<Call, Failure> {
    let this = env::current_exe()?.to_string_lossy().into_owned();
    let call = Call::cargo("doc --quiet --workspace --lib --all-features --no-deps --target-dir target");
    Ok(call
        .arg("--manifest-path")
        .arg(manifest.to_string_lossy())
        .env("RUSTDOC", &this)
        .env(AS_RUSTDOC, "1")
        .env("RUSTDOCFLAGS", flags))
}

/// The file that `json` wrote for a crate.
pub(super) fn file(folder: &str, each: &Crate) -> PathBuf {
    Path::new(folder).join(format!("{}.json", each.identifier()))
}

/// The crates that have pages in `target/doc`.
fn pages() -> Result<Vec<String>, Failure> {
    let Ok(folders) = fs::read_dir(PAGES) else { return Ok(Vec::new()) };
    let mut pages = Vec::new();
    for folder in folders {
        let folder = folder?;
        if folder.path().join("index.html").is_file() {
            pages.extend(folder.file_name().into_string());
        }
    }
    Ok(pages)
}

fn forget(page: &str) -> Result<(), Failure> {
    Ok(fs::remove_file(Path::new(PAGES).join(page).join("index.html"))?)
}

/// This program in the place of rustdoc: the same call, with unstable options allowed, and with another folder if one is set.
pub(crate) fn stand_in() -> ExitCode {
    let arguments = elsewhere(env::args_os().skip(1).collect(), env::var_os(FOLDER));
    let status = Command::new("rustdoc").args(arguments).env("RUSTC_BOOTSTRAP", "1").status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// The arguments with the folder behind `-o` replaced.
fn elsewhere(mut arguments: Vec<OsString>, folder: Option<OsString>) -> Vec<OsString> {
    let place = arguments.iter().position(|argument| argument == "-o");
    if let (Some(folder), Some(old)) = (folder, place.and_then(|at| arguments.get_mut(at + 1))) {
        *old = folder;
    }
    arguments
}

/// Set where this program stands in for rustdoc.
pub(crate) const AS_RUSTDOC: &str = "XTASK_AS_RUSTDOC";
/// Where that rustdoc writes.
const FOLDER: &str = "XTASK_RUSTDOC_FOLDER";
/// Where cargo expects the pages.
pub(super) const PAGES: &str = "target/doc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_of_a_call_is_replaced() {
        let call = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        let replaced = elsewhere(call("--crate-name a -o target/doc --cfg b"), Some("json".into()));
        assert_eq!(replaced, call("--crate-name a -o json --cfg b"));
        assert_eq!(elsewhere(call("-vV"), Some("json".into())), call("-vV"));
        assert_eq!(elsewhere(call("-o x"), None), call("-o x"));
    }
}
