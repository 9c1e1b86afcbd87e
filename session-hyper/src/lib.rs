//! Sessions for hyper, with no framework at all.
#![doc = include_str!("../README.md")]

mod csrf;
mod input;
mod redirect;
mod request;
mod service;
mod spawn;
mod words;

pub use csrf::{CheckedBody, CsrfService};
pub use input::{Input, InputRejection};
pub use redirect::{redirects, respond};
pub use request::RequestSession;
pub use service::{ResponseFuture, SessionService};
pub use words::plain;

/// The core's words that an application needs: configuration, keys, values, errors, events.
pub use session_core::{
    self as core, CommitError, ConfigError, Cookie, Date, Event, FlashMessages, Handle, Key, KeyRing, Number,
    Observer, OpenError, Path, Policy, SameSite, SecretKey, Session, SessionError, Sessions, SessionsBuilder,
    Snapshot, Timestamp, ValueError,
    adapter::{
        CsrfFailure, Failure, Redirect, RedirectKind, Redirects, Rejection as SessionRejection, Spawn, Visit,
        VisitReport,
    },
    store::{SessionStore, StoreError},
};
/// What [`Input`] has read: the form, nested as its names say.
pub use session_forms as forms;
pub use session_stores as stores;
