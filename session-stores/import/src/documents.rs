//! The pages for people who come from the other libraries, as tests: the code that they show compiles, and runs where it can.

#[doc = include_str!("../../../docs/migrating/tower-sessions.md")]
struct FromTowerSessions;

#[doc = include_str!("../../../docs/migrating/actix-session.md")]
struct FromActixSession;

#[cfg(all(feature = "adonisjs", feature = "redis"))]
#[doc = include_str!("../../../docs/migrating/adonisjs.md")]
struct FromAdonisJs;

#[cfg(feature = "laravel")]
#[doc = include_str!("../../../docs/migrating/laravel.md")]
struct FromLaravel;
