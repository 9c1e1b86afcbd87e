//! For applications that move from another library: visitors who are signed in there stay signed in.
//!
//! Implement [`Importer`] for the other library's sessions, or take one of the crate `session-import`, and pass it to
//! [`SessionsBuilder::import_from`](crate::SessionsBuilder::import_from).

pub use crate::engine::import::{
    Imported, ImportedError, ImportedFlash, Importer, OldSession, RefusedImport,
};
pub use crate::engine::visit::CookieHeaders;
