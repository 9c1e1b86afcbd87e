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
pub use input::Input;
pub use layer::SessionLayer;
pub use redirect::{Redirect, Redirects};
pub use rejection::SessionRejection;
pub use service::SessionService;

#[doc(inline)]
pub use session_core::validation;
#[doc(inline)]
pub use session_core::{
    Accepts, Age, AnyKey, BoxFuture, Clock, CommitError, ConfigError, Cookie, CookieError, CsrfReason,
    CsrfRefusal, Date, DefaultFor, Device, Etag, Event, Excess, Failure, FlashMessages, Handle, Key,
    KeyError, KeyRing, Messages, Number, Observer, OpenError, Owner, OwnerError, Path, Policy, RedirectKind,
    Rejection, Report, RequestError, SameSite, SecretKey, SessionError, SessionStore, SessionView, Sessions,
    SessionsBuilder, Snapshot, Spawn, StoreError, Timestamp, ToPath, ToPaths, ValueError, Values, Visit,
    WithInput,
};
#[doc(inline)]
pub use session_forms::{Form, FormError, InputLimit, NotThatForm};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
