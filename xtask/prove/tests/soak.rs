//! `prove soak` as a user runs it, for a few seconds and without a server.

use std::process::Command;

/// Runs the command for three seconds, and returns what it prints.
fn soak(store: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prove"));
    let output = command
        .args(["soak", "--store", store, "--minutes", "0.05", "--seed", "7"])
        .output()
        .expect("the program runs");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    said.into_owned()
}

#[test]
fn a_short_soak_of_three_processes_on_files_finds_no_violation() {
    let said = soak("file");
    assert!(said.contains("to 3 process(es)") && said.contains("; 0 violation(s)"), "{said}");
}

#[test]
fn a_short_soak_of_one_process_in_memory_finds_no_violation() {
    let said = soak("memory");
    assert!(said.contains("to 1 process(es)") && said.contains("faults: none"), "{said}");
}
