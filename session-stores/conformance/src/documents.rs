//! The page for authors of stores, as a test: the code that it shows compiles.

#[doc = include_str!("../../../docs/contributing-a-store.md")]
struct ContributingAStore;
