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
    Accepts, Age, AnyKey, CommitError, ConfigError, Cookie, CookieError, Csrf as CsrfToken, Date, DefaultFor,
    Device, EntropyError, Errors, Event, Excess, FlashMessages, Handle, Key, KeyError, KeyRing, Level,
    Lifetime, Messages, NotHex, Notification, Number, Observer, OpenError, Path, Policy, PolicyError,
    SameSite, SecretKey, SessionError, SessionView, Sessions, SessionsBuilder, Snapshot, Timestamp, ToPath,
    ToPaths, TokenFrom, Urls, User, UserSessions, UserSessionsError, ValueError, WithInput,
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
    InputLimit, NotThatForm, OriginRules, RedirectKind, Rejection, RequestError, ValidationErrors,
};

pub use session_core;
#[cfg(feature = "stores")]
pub use session_stores as stores;
