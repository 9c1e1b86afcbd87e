//! The negative control: the program `control` of `xtask/peers` records histories of another library's store.

use super::option;
use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Peers) -> Result<(), Failure> {
    let call = Call::cargo("run --quiet --manifest-path xtask/peers/Cargo.toml -p control --");
    let call = option("--histories", flags.histories).into_iter().fold(call, Call::arg);
    println!("\n==> {}", call.line());
    call.run()
}
