//! Ring 1: every decision about a session. What a request did goes in, what must now happen comes out; nothing awaits.

pub(crate) mod codec;
pub(crate) mod commit;
pub(crate) mod decide;
pub(crate) mod moved;
pub(crate) mod policy;
pub(crate) mod state;
