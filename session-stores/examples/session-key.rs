//! Prints a fresh key, as a line for the environment: `cargo run -p session-stores --example session-key`.

use session_core::{EntropyError, SecretKey};

fn main() -> Result<(), EntropyError> {
    println!("SESSION_KEYS={}", *SecretKey::generate()?.expose_secret_hex());
    Ok(())
}
