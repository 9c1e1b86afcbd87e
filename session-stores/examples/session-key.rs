//! Prints a fresh key, as a line for the environment: `cargo run -p session-stores --example session-key`.

use session_core::{SecretKey, error::EntropyError};

fn main() -> Result<(), EntropyError> {
    println!("SESSION_KEYS={}", *SecretKey::generate()?.expose_secret_hex());
    Ok(())
}
