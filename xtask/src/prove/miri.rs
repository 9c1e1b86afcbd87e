//! The unit tests of the core and of the memory store under Miri, which finds undefined behaviour in what they call.

use crate::failure::Failure;
use crate::flags;
use crate::runner::Call;

pub(crate) fn run(flags: &flags::Miri) -> Result<(), Failure> {
    for package in ["session-core", "session-store-memory"] {
        let mut call = Call::cargo("+nightly miri test --lib -p").arg(package);
        // Tests read the time of the machine.
        call = call.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("CARGO_TARGET_DIR", "target/miri");
        if let Some(filter) = &flags.filter {
            call = call.arg(filter);
        }
        println!("\n==> {}", call.line());
        call.run()?;
    }
    Ok(())
}
