//! Ring 0: the values everything else is made of. They compute; they read no clock, no randomness, no environment.

pub mod age;
pub mod answer;
pub mod bag;
pub(crate) mod content;
pub mod cookie;
pub mod csrf;
mod edit;
pub mod error;
pub mod flash;
pub mod id;
pub mod journal;
pub mod json;
pub mod page;
pub mod path;
pub mod record;
pub mod time;
pub mod url;
pub mod values;
pub(crate) mod wipe;
