//! The sans-IO core: session state, decisions, cookie codec, and the driver that awaits a store.

#![doc(test(attr(deny(unused_must_use))))]

pub mod edge;
pub mod value;

pub use async_trait::async_trait;

pub use edge::sources::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
pub use edge::store::{
    DEFAULT_MAX_RECORD, Loaded, OwnerIndex, SessionStore, StoreError, StoreErrorKind, Sweep, Swept, Written,
};
pub use value::cookie::builder::{Cookie, CookieError, SameSite};
pub use value::cookie::format::{CookieSpec, CookieTooLarge, MOST_AGE};
pub use value::cookie::key::{Key, KeyError};
pub use value::cookie::keyring::{KeyRing, MOST_KEYS};
pub use value::cookie::parse::Candidates;
pub use value::cookie::reject::{RejectReason, Rejected};
pub use value::cookie::seal::{Binding, Opened, SealKind, Sealed, sealed_len};
pub use value::cookie::select::{CLOCK_SKEW, MOST_COOKIE_BYTES, Rejections, Selection, select};
pub use value::cookie::token::{IdToken, RecordToken, Token};
pub use value::error::ValueError;
pub use value::id::{Etag, Handle, NotHex, SessionId, StoreKey};
pub use value::record::{Payload, Record};
pub use value::time::Timestamp;
