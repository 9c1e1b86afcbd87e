//! Sessions for actix-web.
#![doc = include_str!("../README.md")]

mod csrf;
#[cfg(doctest)]
mod documents;
mod extract;
mod input;
mod middleware;
mod redirect;
mod spawn;
mod words;

pub use csrf::{Csrf, CsrfService};
pub use extract::{ReadOnlySession, Session, SignOut};
pub use input::{Input, InputLimit, InputRejection};
pub use middleware::{ResponseFuture, SessionMiddleware, SessionService};
pub use redirect::{Redirect, Redirects};
pub use words::SessionRejection;

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
