//! The facets of a [`Session`](crate::Session): what its methods return that group the rest of it.
//!
//! | call | about |
//! |---|---|
//! | [`session.user()`](crate::Session::user) | the user: name, last authentication, credentials, device |
//! | [`session.lifetime()`](crate::Session::lifetime) | how long the session and its cookie live |
//! | [`session.csrf()`](crate::Session::csrf) | the CSRF token |
//! | [`session.urls()`](crate::Session::urls) | the intended page and the previous page |
//! | [`session.errors()`](crate::Session::errors) | the validation errors that the previous visit left |
//! | [`session.form(name)`](crate::Session::form) | one of several forms on a page |
//! | [`session.status()`](crate::Session::status) | how this request found the session |

pub use crate::engine::session::{Csrf, Errors, Lifetime, NamedForm, Status, Urls, User};
