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

pub use session_core::{
    Age, CommitError, ConfigError, Cookie, CookieError, Csrf as CsrfToken, CsrfRules, Date, Device,
    EntropyError, Errors, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Lifetime, Messages,
    NotHex, Number, Observer, OpenError, Path, Policy, PolicyError, SameSite, SecretKey, SessionError,
    SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp, Urls, User, UserSessions, UserSessionsError,
    ValidationErrors, ValueError, WithInput,
    adapter::{CsrfFailure, Failure, RedirectKind, Spawn, Visit, VisitReport},
    store::{SessionStore, StoreError, StoreErrorKind},
};
/// What [`Input`] has read: the form, nested as its names say.
pub use session_forms as forms;
pub use session_stores as stores;
