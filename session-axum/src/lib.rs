//! Sessions for axum and tower.
#![doc = include_str!("../README.md")]

#[cfg(doctest)]
mod documents;
mod extract;
mod future;
mod layer;
mod rejection;
mod service;
mod spawn;

pub use extract::{ReadOnlySession, Session, SignOut};
pub use layer::SessionLayer;
pub use rejection::SessionRejection;
pub use service::SessionService;

/// The core's words that an application needs: configuration, keys, values, errors, events.
pub use session_core::{
    self as core, CommitError, ConfigError, Cookie, Date, Event, FlashMessages, Handle, Key, KeyRing, Number,
    Observer, OpenError, Path, Policy, SameSite, SecretKey, SessionError, SessionStore, Sessions,
    SessionsBuilder, Snapshot, StoreError, Timestamp, ValueError, Visit,
};
pub use session_stores as stores;
