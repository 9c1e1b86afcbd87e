//! The pages: functions over a request and its session. Not one of them knows which framework serves it, or where sessions live.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod devices;
pub(crate) mod home;
pub(crate) mod inside;
pub(crate) mod orders;
pub(crate) mod preferences;
pub(crate) mod security;
pub(crate) mod sign_in;

use std::collections::BTreeMap;

use session_core::{Key, Session};

use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::people::{self, Person};

/// Product to number. A typed key: what is read under it is a cart, or the program does not compile.
pub(crate) const CART: Key<BTreeMap<String, u32>> = Key::new("cart");
pub(crate) const THEME: Key<String> = Key::new("theme");
pub(crate) const LANGUAGE: Key<String> = Key::new("language");

/// Returns the signed-in user: the tag of the session, by which a user's sessions are also listed.
pub(crate) fn visitor(session: &Session) -> Option<&'static Person> {
    people::named(&session.user().name()?)
}

/// Returns the signed-in user for a page that is only for users. Strangers go to the sign-in page ([`sign_in_first`]).
pub(crate) fn user(ask: &Ask) -> Result<&'static Person, Problem> {
    visitor(ask.session()).ok_or(Problem::SignedOut)
}

/// Redirects a stranger to the sign-in page, which leads back to this page.
pub(crate) fn sign_in_first(ask: &Ask, page: &str) -> Result<Go, Problem> {
    ask.session().urls().set_intended(page)?;
    Go::to(ask.redirects.to("/sign-in").with("status", "sign_in_first"))
}
