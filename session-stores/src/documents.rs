//! The page of all settings, as a test: the code that it shows compiles, and runs where it can.

#[doc = include_str!("../../docs/configuration.md")]
struct Configuration;
