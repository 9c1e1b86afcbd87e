//! The cookie codec: keys, the sealed value, what is inside it, the header that sets it and the headers that bring it.
//!
//! Nothing here asks for the time or for randomness; both are arguments. The way out is
//! [`KeyRing::seal`](keyring::KeyRing::seal) and [`CookieSpec::set`](format::CookieSpec::set), the way in is
//! [`select`](select::select).

pub(crate) mod builder;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod key;
pub(crate) mod keyring;
pub(crate) mod parse;
pub(crate) mod reject;
pub(crate) mod same_site;
pub(crate) mod seal;
pub(crate) mod select;
pub(crate) mod token;

mod xaes;
