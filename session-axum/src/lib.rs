//! Sessions for axum and tower.
#![doc = include_str!("../README.md")]

mod csrf;
#[cfg(doctest)]
mod documents;
mod extract;
mod input;
mod layer;
mod redirect;
mod rejection;
mod service;
mod spawn;
mod words;

pub use csrf::{CsrfFuture, CsrfLayer, CsrfService};
pub use extract::{ReadOnlySession, Session, SignOut};
pub use input::{Input, InputLimit, InputRejection};
pub use layer::SessionLayer;
pub use redirect::{Redirect, Redirects};
pub use rejection::SessionRejection;
pub use service::SessionService;

/// The core's words that an application needs: configuration, keys, values, errors, events.
pub use session_core::{
    self as core, CommitError, ConfigError, Cookie, Date, Event, FlashMessages, Handle, Key, KeyRing, Number,
    Observer, OpenError, Path, Policy, SameSite, SecretKey, SessionError, Sessions, SessionsBuilder,
    Snapshot, Timestamp, ValueError,
    adapter::{CsrfFailure, Visit},
    store::{SessionStore, StoreError},
};
/// What [`Input`] has read: the form, nested as its names say.
pub use session_forms as forms;
pub use session_stores as stores;
