//! The documents of the workspace as tests: the code that they show compiles, and runs where it can.

#[doc = include_str!("../../README.md")]
struct Readme;

#[doc = include_str!("../../docs/cookies.md")]
struct Cookies;

#[doc = include_str!("../../docs/concurrency.md")]
struct Concurrency;

#[doc = include_str!("../../docs/stores.md")]
struct Stores;
