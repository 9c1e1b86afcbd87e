//! The page for authors of stores, as a test: its examples compile.

#[doc = include_str!("../../../docs/contributing-a-store.md")]
struct ContributingAStore;
