//! Finds the tests that tower-sessions publishes with each version, which the tests here include.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let target = env::var("TARGET").expect("cargo sets this");
    let cargo = env::var_os("CARGO").expect("cargo runs this");
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--filter-platform", &target])
        .output()
        .expect("cargo describes this workspace");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    for package in metadata["packages"].as_array().expect("a list") {
        let (Some("tower-sessions"), Some(version)) = (package["name"].as_str(), package["version"].as_str())
        else {
            continue;
        };
        let manifest = package["manifest_path"].as_str().expect("a path");
        let tests = manifest.replace("Cargo.toml", "tests/common/mod.rs");
        let name = version.rsplit_once('.').expect("three numbers").0.replace('.', "_");
        println!("cargo:rustc-env=TOWER_SESSIONS_{name}={tests}");
    }
}
