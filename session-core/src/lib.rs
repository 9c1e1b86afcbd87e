//! The sans-IO core: session state, decisions, cookie codec, and the driver that awaits a store.

#![doc(test(attr(deny(unused_must_use))))]

pub mod edge;
pub mod value;

pub use async_trait::async_trait;

pub use edge::sources::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
pub use edge::store::{
    DEFAULT_MAX_RECORD, Loaded, OwnerIndex, SessionStore, StoreError, StoreErrorKind, Sweep, Swept, Written,
};
pub use value::bag::Bag;
pub use value::error::ValueError;
pub use value::id::{Etag, Handle, NotHex, SessionId, StoreKey};
pub use value::journal::Journal;
pub use value::json::{Malformed, Number, NumberTooWide};
pub use value::path::{Accepts, AnyKey, Key, Path, Paths, ToPath, ToPaths};
pub use value::record::{Payload, Record};
pub use value::time::Timestamp;
pub use value::values::{Date, Snapshot, Values};
