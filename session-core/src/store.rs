//! For authors of stores: the trait, what it is given, and what it answers.
//!
//! Implement [`SessionStore`]; add [`OwnerIndex`] if the store can find sessions by their user, [`Sweep`] if its
//! server does not expire records by itself, and [`Census`] if it can go through all its sessions. The crate `session-store-kv` implements all three over four primitives,
//! and the suite in `session-conformance` checks a store against the rules stated on the trait.
//!
//! Implement [`StoreWrapper`] for a store around another one, such as one that measures its calls.

pub use async_trait::async_trait;

pub use crate::engine::encrypted::EncryptedStore;
pub use crate::engine::migrating::MigratingStore;
pub use crate::engine::store::{Census, OwnerIndex, SessionStore, Sweep, Swept};
pub use crate::engine::wrapper::{StoreAnswer, StoreCall, StoreWrapper, Verb};
pub use crate::value::answer::{DEFAULT_MAX_RECORD, Loaded, StoreError, StoreErrorKind, Written};
pub use crate::value::head::{Cursor, Page, SessionHead};
pub use crate::value::id::{Etag, StoreKey};
pub use crate::value::record::{Payload, Record};
