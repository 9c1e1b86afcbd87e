//! Sessions for hyper, with no framework at all.
#![doc = include_str!("../README.md")]

mod csrf;
mod input;
mod redirect;
mod rejection;
mod request;
mod service;
mod spawn;
mod words;

pub use csrf::{CheckedBody, CsrfService};
pub use input::Input;
pub use redirect::{redirects, respond};
pub use rejection::SessionRejection;
pub use request::RequestSession;
pub use service::{ResponseFuture, SessionService};
pub use words::plain;

#[doc(inline)]
pub use session_core::validation;
#[doc(inline)]
pub use session_core::{
    Accepts, Age, AnyKey, CommitError, ConfigError, Cookie, CookieError, CsrfReason, Date, DefaultFor,
    Device, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Messages, Number, Observer,
    OpenError, Owner, Path, Policy, RequestError, SameSite, SecretKey, Session, SessionError, SessionView,
    Sessions, SessionsBuilder, Snapshot, Timestamp, ToPath, ToPaths, UserSessionsError, ValueError,
    WithInput,
    adapter::{
        BoxFuture, Clock, CsrfFailure, Failure, Redirect, RedirectKind, Redirects, Rejection, Spawn, Visit,
        VisitReport,
    },
    machine::Values,
    store::{Etag, SessionStore, StoreError},
};
#[doc(inline)]
pub use session_forms::{Form, FormError, InputLimit, NotThatForm};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
