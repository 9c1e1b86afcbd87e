//! What a key may be: a path as text, a list of segments, or a typed [`Key`](crate::Key).
//!
//! Applications rarely name these types: they say what the methods of [`Session`](crate::Session) accept.

pub use crate::engine::session::DefaultFor;
pub use crate::value::path::{Accepts, AnyKey, Path, Paths, ToPath, ToPaths};
