//! Ring 0: the values everything else is made of. They compute; they read no clock, no randomness, no environment.

pub(crate) mod age;
pub(crate) mod answer;
pub(crate) mod bag;
pub(crate) mod bound;
pub(crate) mod content;
pub(crate) mod cookie;
pub(crate) mod device;
mod edit;
pub(crate) mod error;
pub(crate) mod flash;
pub(crate) mod form;
pub(crate) mod head;
pub(crate) mod host;
pub(crate) mod id;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod origin;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod record;
pub(crate) mod secret;
pub(crate) mod sibling;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod url;
pub(crate) mod values;
pub(crate) mod wipe;
