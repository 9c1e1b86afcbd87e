//! The fuzz targets of `session-core/fuzz`, with libFuzzer, from the corpus that is kept with them.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::flags;
use crate::publishable::tools::{self, Tool};
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Fuzz) -> Result<(), Failure> {
    let targets = match &flags.target {
        Some(target) => vec![target.clone()],
        None => targets()?,
    };
    each(targets, flags.minutes.unwrap_or(1.0))
}

/// Every target for this long.
pub(crate) fn all(minutes: f64) -> Result<(), Failure> {
    each(targets()?, minutes)
}

fn each(targets: Vec<String>, minutes: f64) -> Result<(), Failure> {
    let version = Call::cargo("+nightly --version").read();
    version
        .map_err(|_| Failure::new("libFuzzer needs a nightly compiler: rustup toolchain install nightly"))?;
    let seconds = (minutes * 60.0).ceil() as u64;
    for target in targets {
        // What is found goes to the first corpus; the kept one is only read.
        let found = format!("target/fuzz-corpus/{target}");
        fs::create_dir_all(&found)?;
        let words = format!(
            "run --fuzz-dir {FOLDER} {target} {found} {FOLDER}/corpus/{target} -- \
             -max_total_time={seconds} -max_len=4096 -timeout=10 -print_final_stats=1 -verbosity=0"
        );
        let call = tools::nightly(Tool::Fuzz, &words)?;
        println!("\n==> {}", call.line());
        call.run()?;
    }
    Ok(())
}

/// All targets, by name.
fn targets() -> Result<Vec<String>, Failure> {
    let mut targets = Vec::new();
    for file in fs::read_dir(Path::new(FOLDER).join("fuzz_targets"))? {
        let path = file?.path();
        targets.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

const FOLDER: &str = "session-core/fuzz";
