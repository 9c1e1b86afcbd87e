//! Sessions for actix-web.
#![doc = include_str!("../README.md")]

mod csrf;
#[cfg(doctest)]
mod documents;
mod extract;
mod input;
mod middleware;
mod redirect;
mod rejection;
mod spawn;
mod words;

pub use csrf::{Csrf, CsrfService};
pub use extract::{ReadOnlySession, Session, SignOut};
pub use input::Input;
pub use middleware::{ResponseFuture, SessionMiddleware, SessionService};
pub use redirect::{Redirect, Redirects};
pub use rejection::SessionRejection;

#[doc(inline)]
pub use session_core::validation;
#[doc(inline)]
pub use session_core::{
    Accepts, Age, AnyKey, CommitError, ConfigError, Cookie, CookieError, CsrfReason, Date, DefaultFor,
    Device, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Messages, Number, Observer,
    OpenError, Owner, Path, Policy, RequestError, SameSite, SecretKey, SessionError, SessionView, Sessions,
    SessionsBuilder, Snapshot, Timestamp, ToPath, ToPaths, UserSessionsError, ValueError, WithInput,
    adapter::{BoxFuture, Clock, CsrfFailure, Failure, RedirectKind, Rejection, Spawn, Visit, VisitReport},
    machine::Values,
    store::{Etag, SessionStore, StoreError},
};
#[doc(inline)]
pub use session_forms::{Form, FormError, InputLimit, NotThatForm};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
