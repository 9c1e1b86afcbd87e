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

pub use session_core::{
    Age, CommitError, ConfigError, Cookie, CookieError, Csrf as CsrfToken, CsrfRules, Date, Device,
    EntropyError, Errors, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Lifetime, Messages,
    NotHex, Number, Observer, OpenError, Path, Policy, PolicyError, SameSite, SecretKey, Session,
    SessionError, SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp, Urls, User, UserSessions,
    UserSessionsError, ValidationErrors, ValueError, WithInput,
    adapter::{
        CsrfFailure, Failure, Redirect, RedirectKind, Redirects, Rejection as SessionRejection, Spawn, Visit,
        VisitReport,
    },
    store::{SessionStore, StoreError, StoreErrorKind},
};
/// What [`Input`] has read: the form, nested as its names say.
pub use session_forms as forms;
pub use session_stores as stores;
