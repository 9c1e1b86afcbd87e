//! The names that every adapter exports, checked by the compiler.

/// Imports from an adapter all names that an application needs, so that a missing name does not compile.
///
/// ```text
/// session_conformance::adapter_exports!(session_axum);
/// ```
#[macro_export]
macro_rules! adapter_exports {
    ($adapter:ident) => {
        #[allow(unused_imports, reason = "that they can be imported is the test")]
        mod exports {
            use $adapter::stores::MemoryStore;
            use $adapter::{
                Age, BoxFuture, CommitError, ConfigError, Cookie, CsrfFailure, CsrfReason, CsrfRules, Date,
                Device, Event, Excess, Failure, FlashMessages, Form, FormError, Handle, Input, InputLimit,
                Key, KeyRing, Level, Messages, NotThatForm, Notification, Number, Observer, OldCookie,
                OpenError, Policy, Redirect, RedirectKind, Redirects, Rejection, RequestError, SameSite,
                SecretKey, Session, SessionError, SessionRejection, SessionService, SessionStore,
                SessionView, Sessions, SessionsBuilder, Snapshot, Spawn, StoreError, StoreErrorKind,
                Timestamp, UserSessions, UserSessionsError, ValidationErrors, ValueError, Values, Visit,
                VisitReport,
                error::{CookieError, EntropyError, KeyError, NotHex, PolicyError},
                facet::{Csrf, Errors, Lifetime, NamedForm, Status, Urls, User},
                path::{Accepts, AnyKey, DefaultFor, Path, ToPath, ToPaths},
                session_core,
            };
        }
    };
}
