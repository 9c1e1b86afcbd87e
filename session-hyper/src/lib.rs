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
    Accepts, Age, AnyKey, BoxFuture, Clock, CommitError, ConfigError, Cookie, CookieError, CsrfReason,
    CsrfRefusal, Date, DefaultFor, Device, Etag, Event, Excess, Failure, FlashMessages, Handle, Key,
    KeyError, KeyRing, Messages, Number, Observer, OpenError, Owner, OwnerError, Path, Policy, Redirect,
    RedirectKind, Redirects, Rejection, Report, RequestError, SameSite, SecretKey, Session, SessionError,
    SessionStore, SessionView, Sessions, SessionsBuilder, Snapshot, Spawn, StoreError, Timestamp, ToPath,
    ToPaths, ValueError, Values, Visit, WithInput,
};
#[doc(inline)]
pub use session_forms::{Form, FormError, InputLimit, NotThatForm};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
