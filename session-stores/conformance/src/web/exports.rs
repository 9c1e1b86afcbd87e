//! The names that every adapter exports, checked by the compiler.

/// Imports from an adapter all that an application needs, so that a name which one adapter lacks does not compile.
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
                Accepts, Age, AnyKey, BoxFuture, CommitError, ConfigError, Cookie, CookieError, CsrfFailure,
                CsrfReason, CsrfRules, CsrfToken, Date, DefaultFor, Device, EntropyError, Errors, Event,
                Excess, Failure, FlashMessages, Form, FormError, Handle, Input, InputLimit, Key, KeyError,
                KeyRing, Level, Lifetime, Messages, NotHex, NotThatForm, Notification, Number, Observer,
                OpenError, Path, Policy, PolicyError, Redirect, RedirectKind, Redirects, Rejection,
                RequestError, SameSite, SecretKey, Session, SessionError, SessionRejection, SessionService,
                SessionStore, SessionView, Sessions, SessionsBuilder, Snapshot, Spawn, StoreError,
                StoreErrorKind, Timestamp, ToPath, ToPaths, Urls, User, UserSessions, UserSessionsError,
                ValidationErrors, ValueError, Values, Visit, VisitReport, WithInput, session_core,
            };
        }
    };
}
