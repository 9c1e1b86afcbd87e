//! The guide for people who come from actix-session, as a test: the code that it shows compiles, and runs where it can.

#[doc = include_str!("../../docs/migrating/actix-session.md")]
struct FromActixSession;
