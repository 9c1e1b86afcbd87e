//! `cargo xtask instructions`: what a visit costs in instructions, counted by Callgrind, against the counts in a file.
//!
//! Counts do not depend on the load of the machine. They do depend on the compiler and on what the processor offers.

use std::fs;
use std::path::Path;

use xshell::{Shell, cmd};

use crate::failure::Failure;
use crate::flags;
use crate::packages;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Instructions) -> Result<(), Failure> {
    if !flags.bless {
        return check();
    }
    let counts = counts()?;
    let lines: String = counts.iter().map(|(path, count)| format!("{path} {count}\n")).collect();
    let compiler = compiler()?;
    let head = format!(
        "# Instructions of one visit: written by `cargo xtask instructions --bless`, with {compiler}.\n"
    );
    fs::write(FILE, head + &lines)?;
    println!("{lines}wrote {FILE}");
    Ok(())
}

/// Fails if a path costs more than its line in the file says, and the tolerance.
pub(crate) fn check() -> Result<(), Failure> {
    let text = fs::read_to_string(FILE)?;
    let mut wrong = Vec::new();
    for (path, count) in counts()? {
        let before =
            stated(&text, path).ok_or_else(|| Failure::new(format!("{FILE} has no line for {path}")))?;
        println!("{path:14} {before:>8} {count:>8}  {:+.1} %", change(before, count));
        match verdict(before, count) {
            Verdict::Stays => {}
            Verdict::Less => {
                println!("{path} costs less: run `cargo xtask instructions --bless`, so that it stays so")
            }
            Verdict::More => wrong.push(path),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let mut message =
        format!("more than {TOLERANCE} % more instructions than {FILE} says: {}", wrong.join(", "));
    let compiler = compiler()?;
    if !text.contains(&compiler) {
        message.push_str(&format!("\nthe file is from another compiler than {compiler}"));
    }
    message.push_str("\nif they are worth it: cargo xtask instructions --bless");
    Err(Failure::new(message))
}

/// Each path with the instructions of one visit.
fn counts() -> Result<Vec<(&'static str, u64)>, Failure> {
    packages::require("valgrind", "valgrind")?;
    Call::cargo("build --quiet --release --locked -p visits").run()?;
    fs::create_dir_all(FOLDER)?;
    PATHS
        .iter()
        .map(|path| Ok((*path, (counted(path, MANY)? - counted(path, FEW)?) / (MANY - FEW))))
        .collect()
}

/// The instructions of a whole run.
fn counted(path: &str, times: u64) -> Result<u64, Failure> {
    let shell = Shell::new()?;
    let file = Path::new(FOLDER).join(format!("{path}-{times}"));
    let times = times.to_string();
    let command = cmd!(
        shell,
        "valgrind --tool=callgrind --callgrind-out-file={file} --quiet target/release/visits {path} {times}"
    );
    command.quiet().run()?;
    let text = fs::read_to_string(&file)?;
    total(&text).ok_or_else(|| Failure::new(format!("{} has no sum", file.display())))
}

/// The sum in a file of Callgrind.
fn total(text: &str) -> Option<u64> {
    let sum = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    sum("totals: ").or_else(|| sum("summary: "))?.trim().parse().ok()
}

/// The count that the file states for a path.
fn stated(text: &str, path: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(path)?.strip_prefix(' ')?.parse().ok())
}

/// What to say about a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Stays,
    More,
    Less,
}

fn verdict(before: u64, count: u64) -> Verdict {
    if count * 100 > before * (100 + TOLERANCE) {
        Verdict::More
    } else if count * 100 < before * (100 - TOLERANCE) {
        Verdict::Less
    } else {
        Verdict::Stays
    }
}

/// In percent.
fn change(before: u64, count: u64) -> f64 {
    (count as f64 / before as f64 - 1.0) * 100.0
}

fn compiler() -> Result<String, Failure> {
    let shell = Shell::new()?;
    let version = cmd!(shell, "rustc --version").quiet().read()?;
    Ok(version.split(" (").next().unwrap_or(&version).to_owned())
}

const PATHS: [&str; 5] = ["unused-memory", "read-memory", "write-memory", "read-cookie", "write-cookie"];
const FILE: &str = "xtask/visits/instructions.txt";
const FOLDER: &str = "target/callgrind";
const FEW: u64 = 100;
const MANY: u64 = 600;
/// In percent.
const TOLERANCE: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_beyond_the_tolerance_is_more_or_less() {
        assert_eq!(verdict(10_000, 10_300), Verdict::Stays);
        assert_eq!(verdict(10_000, 10_301), Verdict::More);
        assert_eq!(verdict(10_000, 9_699), Verdict::Less);
    }

    #[test]
    fn the_sum_of_a_run_and_the_line_of_a_path_are_found() {
        assert_eq!(total("events: Ir\nsummary: 17\n\ntotals: 4711\n"), Some(4711));
        assert_eq!(total("events: Ir\n"), None);
        let file = "# head\nread-memory 12\nread-cookie 13\n";
        assert_eq!((stated(file, "read-cookie"), stated(file, "read")), (Some(13), None));
    }
}
