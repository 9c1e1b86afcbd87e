//! The errors of parts: of a key, a cookie, an age, a number. Most stand in the `source()` of an error of the root.

pub use crate::decision::policy::PolicyError;
pub use crate::engine::sources::EntropyError;
pub use crate::value::age::NotAnAge;
pub use crate::value::cookie::error::CookieError;
pub use crate::value::cookie::key::KeyError;
#[cfg(feature = "dbsc")]
pub use crate::value::device::error::ProofError;
pub use crate::value::id::NotHex;
pub use crate::value::json::{JsonError, Malformed, NumberTooWide};
