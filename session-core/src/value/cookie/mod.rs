//! The cookie codec: keys, the sealed value, what is inside it, the header that sets it and the headers that bring it.
//!
//! Nothing here asks for the time or for randomness; both are arguments. The way out is
//! [`KeyRing::seal`](keyring::KeyRing::seal) and [`CookieSpec::set`](format::CookieSpec::set), the way in is
//! [`select`](select::select).

pub mod builder;
pub mod format;
pub mod key;
pub mod keyring;
pub mod parse;
pub mod reject;
pub mod seal;
pub mod select;
pub mod token;

mod xaes;
