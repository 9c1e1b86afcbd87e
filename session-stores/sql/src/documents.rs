//! The README as a test: the code that it shows compiles.

#[doc = include_str!("../README.md")]
struct Readme;
