//! Visitors who come with a cookie of an earlier configuration: another name, path, domain, key, or another place of the
//! session.

mod config;
mod find;
mod moves;

pub use config::OldCookie;
pub(crate) use config::{Current, OldSource};
pub(crate) use find::{FromOld, find};
