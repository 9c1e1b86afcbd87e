//! The core without async: every step printed.
fn main() {}
