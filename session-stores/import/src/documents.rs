//! The pages for people who come from the two libraries, as tests: the code that they show compiles, and runs where it can.

#[doc = include_str!("../../../docs/migrating/tower-sessions.md")]
struct FromTowerSessions;

#[doc = include_str!("../../../docs/migrating/actix-session.md")]
struct FromActixSession;
