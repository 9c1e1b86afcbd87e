//! Session stores over key-value engines.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod blocking;
mod cas;
pub mod codec;
mod delegate;
mod engine;
mod owner;
mod settings;
mod turns;
mod tx;

pub use blocking::Blocking;
pub use cas::CasStore;
pub use engine::{CasEngine, Due, OwnerSet, Owners, Swapped, Turn};
pub use settings::{Limits, Prefix};
pub use turns::Turns;
pub use tx::{Ending, TxEngine, TxRead, TxStore, TxWrite};

/// What [`delegate_session_store!`] expands to; not public API.
#[doc(hidden)]
pub mod __private {
    pub use session_core::{
        Timestamp,
        store::{
            Census, Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Sweep, Written,
            async_trait,
        },
    };
}
