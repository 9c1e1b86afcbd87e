//! A small shop: what a session does, in a browser.
fn main() {}
