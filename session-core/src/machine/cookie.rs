//! The steps of the cookie codec: finding candidates in a header, opening and making seals, the tokens inside.
//!
//! [`CookieCodec`](super::CookieCodec) takes them in the right order. They are public for tools that examine cookies, and
//! for the proofs.

pub use crate::value::cookie::format::{CookieSpec, CookieTooLarge, MOST_AGE};
pub use crate::value::cookie::keyring::MOST_KEYS;
pub use crate::value::cookie::parse::{Candidates, MOST_CANDIDATES};
pub use crate::value::cookie::reject::{RejectReason, Rejected};
pub use crate::value::cookie::seal::{Binding, Opened, SealKind, Sealed, sealed_len};
pub use crate::value::cookie::select::{CLOCK_SKEW, MOST_COOKIE_BYTES, Rejections, Selection, select};
pub use crate::value::cookie::token::{IdToken, RecordToken, Token};
