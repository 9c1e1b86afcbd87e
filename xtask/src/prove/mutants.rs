//! Mutation testing with `cargo mutants`: which changes of the code no test notices. `.cargo/mutants.toml` says where.

use super::option;
use crate::failure::Failure;
use crate::flags;
use crate::publishable::tools::{self, Tool};

pub(crate) fn run(flags: &flags::Mutants) -> Result<(), Failure> {
    let mut call = tools::call(Tool::Mutants, "--output target")?;
    let options = [
        option("--file", flags.file.as_ref()),
        option("--in-diff", flags.in_diff.as_ref().map(|diff| diff.display())),
        option("--shard", flags.shard.as_ref()),
    ];
    for argument in options.concat() {
        call = call.arg(argument);
    }
    println!("\n==> {}", call.line());
    call.run()
}
