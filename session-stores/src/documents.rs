//! Compiles the code in `docs/configuration.md` as doctests.

#[doc = include_str!("../../docs/configuration.md")]
struct Configuration;
