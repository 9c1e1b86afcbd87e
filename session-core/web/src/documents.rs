//! The README as a test: the code that it shows compiles and runs.

#[doc = include_str!("../README.md")]
struct Readme;
