//! Ring 1: every decision about a session. What a request did goes in, what must now happen comes out; nothing awaits.

pub mod codec;
pub mod commit;
pub mod decide;
pub mod policy;
pub mod state;
