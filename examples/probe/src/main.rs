//! A server whose requests are scripts.
fn main() {}
