//! The sans-IO core: session state, decisions, cookie codec, and the driver that awaits a store.
//!
//! Applications use an adapter (`session-axum`, `session-actix`, `session-hyper`), which re-exports what they need from
//! here. This crate is for those who embed sessions in a server of their own, and for those who write a store.
//!
//! # Where to begin
//!
//! - An application: the pages of its adapter, then [`Session`], which is what handlers hold.
//! - A server of your own that is async: [`Sessions::visit`] for each request, and
//!   [`serve`](VisitGuard::serve) around its handler.
//! - One that is not: [`SessionState`](decision::state::SessionState) and [`Commit`](decision::commit::Commit), two plain
//!   values that tell what to load and what to write. The repository's `examples/by-hand` prints each step.
//! - A store: [`SessionStore`], six verbs, and the crate `session-testkit`, which proves them.
//!
//! # Three rings
//!
//! - [`value`]: ids, records, values and their journal, flash, the cookie codec. It computes.
//! - [`decision`]: policy, state, the decision table, commits as step machines. It computes, too.
//! - [`edge`]: the store trait, the handle, the driver. Only here something awaits, locks, or asks for the time.
//!
//! Imports point inwards only. Nothing in this crate's dependency tree is a runtime, a framework or an HTTP library.
//!
//! # What it will not do
//!
//! It will not revive a session that ended, adopt an id that it did not issue, take a store's failure for "no session",
//! or drop a write without an error.

pub mod decision;
#[cfg(doctest)]
mod documents;
pub mod engine;
pub mod value;

pub use async_trait::async_trait;

pub use decision::commit::CommitError;
pub use decision::policy::Policy;
pub use engine::answer::BareResponse;
pub use engine::builder::SessionsBuilder;
pub use engine::csrf::{Refusal as CsrfFailure, Verdict as CsrfDecision};
pub use engine::error::{ConfigError, OpenError, SessionError, UserSessionsError};
pub use engine::event::{Event, Observer};
pub use engine::finish::{BoxFuture, Closing, Finish, Spawn};
pub use engine::head::RequestHead;
pub use engine::middleware::{Adapter, Begun, Middleware, Settling};
pub use engine::owners::{Device, Excess, UserSessions};
pub use engine::redirect::{Finished, Kind as RedirectKind, Redirect, Redirects};
pub use engine::rejection::Rejection;
pub use engine::report::{Failure, HeaderChange, VisitReport};
pub use engine::serve::{Refused, Serve, Served};
pub use engine::session::{FlashMessages, Session};
pub use engine::sessions::Sessions;
pub use engine::sources::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
pub use engine::store::{OwnerIndex, SessionStore, Sweep, Swept};
pub use engine::validation::{self, WithInput};
pub use engine::view::SessionView;
pub use engine::visit::{CookieHeaders, Visit, VisitGuard};
pub use value::age::{Age, NotAnAge};
pub use value::answer::{DEFAULT_MAX_RECORD, Loaded, StoreError, StoreErrorKind, Written};
pub use value::bag::Bag;
pub use value::cookie::builder::{Cookie, CookieError, SameSite};
pub use value::cookie::format::{CookieSpec, CookieTooLarge, MOST_AGE};
pub use value::cookie::key::{KeyError, SecretKey};
pub use value::cookie::keyring::{KeyRing, MOST_KEYS};
pub use value::cookie::parse::Candidates;
pub use value::cookie::reject::{RejectReason, Rejected};
pub use value::cookie::seal::{Binding, Opened, SealKind, Sealed, sealed_len};
pub use value::cookie::select::{CLOCK_SKEW, MOST_COOKIE_BYTES, Rejections, Selection, select};
pub use value::cookie::token::{IdToken, RecordToken, Token};
pub use value::csrf::CsrfRules;
pub use value::error::ValueError;
pub use value::flash::FlashBag;
pub use value::id::{Etag, Handle, NotHex, SessionId, StoreKey};
pub use value::journal::Journal;
pub use value::json::{JsonError, Malformed, Number, NumberTooWide};
pub use value::page::PageRequest;
pub use value::path::{Accepts, AnyKey, Key, Path, Paths, ToPath, ToPaths};
pub use value::record::{Payload, Record};
pub use value::time::Timestamp;
pub use value::values::{Date, Snapshot, Values};
