//! Sessions for hyper, with no framework at all.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod csrf;
mod input;
mod origin;
mod redirect;
mod rejection;
mod request;
mod service;
mod spawn;

pub use csrf::CsrfService;
pub use input::Input;
pub use origin::same_origin;
pub use redirect::{redirects, respond};
pub use rejection::SessionRejection;
pub use request::RequestSession;
pub use service::{ResponseFuture, SessionService, plain};

#[doc(inline)]
pub use session_core::{
    Age, CommitError, ConfigError, Cookie, Date, Device, Event, Excess, FlashMessages, Handle, Key, KeyRing,
    Level, Messages, Notification, Number, Observer, OldCookie, OpenError, Policy, SameSite, SecretKey,
    Session, SessionError, SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp, TokenFrom,
    UserSessions, UserSessionsError, ValueError,
    adapter::{BoxFuture, Failure, Spawn, Visit, VisitReport},
    error, facet,
    machine::Values,
    path,
    store::{SessionStore, StoreError, StoreErrorKind},
};
#[cfg(feature = "dbsc")]
#[doc(inline)]
pub use session_core::{BoundDevice, DeviceBinding};
#[doc(inline)]
pub use session_web::{
    CheckedBody, CrossOrigin, CsrfFailure, CsrfReason, CsrfRuleError, CsrfRules, FinishedRedirect, Form,
    FormError, InputLimit, NotThatForm, OriginRules, Redirect, RedirectKind, Redirects, Rejection,
    RequestError, ValidationErrors,
};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
