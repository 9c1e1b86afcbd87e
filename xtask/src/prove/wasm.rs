//! The core builds for WebAssembly: it depends on no runtime and on no operating system.

use crate::failure::Failure;
use crate::runner::Call;

pub(crate) fn run() -> Result<(), Failure> {
    let call = Call::cargo("build -p session-core --target wasm32-unknown-unknown --target-dir target/wasm")
        // A host other than a browser brings its own source of random bytes; this one only has to build.
        .env("RUSTFLAGS", "--cfg getrandom_backend=\"custom\"");
    println!("\n==> {}", call.line());
    call.run()
}
