//! Sessions for actix-web.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod csrf;
mod extract;
mod input;
mod middleware;
mod origin;
mod redirect;
mod rejection;
mod signed_in;
mod spawn;
mod words;

pub use csrf::{Csrf, CsrfService};
pub use extract::{ReadOnlySession, Session, SignOut};
pub use input::Input;
pub use middleware::{ResponseFuture, SessionMiddleware, SessionService};
pub use origin::SameOrigin;
pub use redirect::{Redirect, Redirects};
pub use rejection::SessionRejection;
pub use signed_in::{Recent, SignedIn};

#[doc(inline)]
pub use session_core::{
    Age, CommitError, ConfigError, Cookie, Date, Device, Event, Excess, FlashMessages, Handle, Key, KeyRing,
    Level, Messages, Notification, Number, Observer, OldCookie, OpenError, Policy, SameSite, SecretKey,
    SessionError, SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp, TokenFrom, UserSessions,
    UserSessionsError, ValueError,
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
    CrossOrigin, CsrfFailure, CsrfReason, CsrfRuleError, CsrfRules, FinishedRedirect, Form, FormError,
    InputLimit, NotThatForm, OriginRules, RedirectKind, Rejection, RequestError, ValidationErrors,
};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
