//! Sessions for HTTP servers, independent of any framework: state, decisions, cookie codec, and the engine that
//! awaits a store.
//!
//! Applications depend on an adapter (`session-axum`, `session-actix`, `session-hyper`) and find there what they need
//! from this crate. Depend on it directly to write an adapter, a store, or a server of your own.
//!
//! # Four doors
//!
//! | module | for | holds |
//! |---|---|---|
//! | this page | applications | [`Session`], [`Sessions`] and its configuration, errors, events |
//! | [`store`] | authors of stores | [`SessionStore`](store::SessionStore) with its six verbs, records, keys |
//! | [`adapter`] | authors of adapters, and async servers | [`Middleware`](adapter::Middleware), visits, response headers |
//! | [`machine`] | servers without async, tools, proofs | the state and the commit as a step machine, the cookie codec |
//!
//! Three modules hold what applications meet and rarely name: the [facets](facet) of a session, what a [key](path) may be,
//! and the [errors](error) of parts. Each name has one path.
//!
//! # Guarantees
//!
//! - No acknowledged write is lost: writes are compare-and-swap, and a conflicting request replays its changes on the
//!   current record.
//! - An ended session stays ended: neither a request in flight, nor a replayed cookie, nor a store can revive it.
//! - An id that this library did not issue is never adopted.
//! - A failing store is an error, never "no session".
//!
//! # Structure
//!
//! Three private modules form rings whose imports point inwards only. `value` holds ids, records, values with their
//! journal, flash, and the cookie codec. `decision` holds policy, state, the decision table and the commit. Both only
//! compute: time and randomness are arguments. `engine` holds the store trait, the handle and the driver; it alone
//! awaits, locks, and reads the clock. No dependency of this crate is a runtime, a framework or an HTTP library.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod decision;
#[cfg(doctest)]
mod documents;
mod engine;
mod value;

pub mod adapter;
pub mod error;
pub mod facet;
pub mod import;
pub mod machine;
pub mod path;
pub mod store;

pub use decision::commit::CommitError;
pub use decision::policy::Policy;
pub use engine::builder::{SessionsBuilder, TokenFrom};
#[cfg(feature = "dbsc")]
pub use engine::device::DeviceBinding;
pub use engine::error::{ConfigError, OpenError, SessionError, UserSessionsError};
pub use engine::event::{Event, Observer};
pub use engine::old_cookie::OldCookie;
pub use engine::owners::{Device, Excess, UserSessions};
#[cfg(feature = "dbsc")]
pub use engine::session::BoundDevice;
pub use engine::session::{FlashMessages, Level, Messages, Notification, Session};
pub use engine::sessions::Sessions;
pub use engine::view::SessionView;
pub use value::age::Age;
pub use value::cookie::builder::Cookie;
pub use value::cookie::key::SecretKey;
pub use value::cookie::keyring::KeyRing;
pub use value::cookie::same_site::SameSite;
pub use value::error::ValueError;
pub use value::id::Handle;
pub use value::json::Number;
pub use value::path::Key;
pub use value::time::Timestamp;
pub use value::values::{Date, Snapshot};
