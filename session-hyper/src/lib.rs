//! Sessions for hyper, with no framework at all.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod checked;
mod csrf;
mod input;
mod origin;
mod redirect;
mod rejection;
mod request;
mod service;
mod spawn;
mod words;

pub use checked::CheckedBody;
pub use csrf::CsrfService;
pub use input::Input;
pub use origin::same_origin;
pub use redirect::{redirects, respond};
pub use rejection::SessionRejection;
pub use request::RequestSession;
pub use service::{ResponseFuture, SessionService};
pub use words::plain;

#[doc(inline)]
pub use session_core::{
    Accepts, Age, AnyKey, CommitError, ConfigError, Cookie, CookieError, Csrf as CsrfToken, Date, DefaultFor,
    Device, EntropyError, Errors, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Level,
    Lifetime, Messages, NotHex, Notification, Number, Observer, OpenError, Path, Policy, PolicyError,
    SameSite, SecretKey, Session, SessionError, SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp,
    ToPath, ToPaths, TokenFrom, Urls, User, UserSessions, UserSessionsError, ValueError, WithInput,
    adapter::{BoxFuture, Failure, Spawn, Visit, VisitReport},
    machine::Values,
    store::{SessionStore, StoreError, StoreErrorKind},
};
#[cfg(feature = "dbsc")]
#[doc(inline)]
pub use session_core::{BoundDevice, DeviceBinding, ProofError};
#[doc(inline)]
pub use session_web::{
    CrossOrigin, CsrfFailure, CsrfReason, CsrfRuleError, CsrfRules, FinishedRedirect, Form, FormError,
    InputLimit, NotThatForm, OriginRules, Redirect, RedirectKind, Redirects, Rejection, RequestError,
    ValidationErrors,
};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
