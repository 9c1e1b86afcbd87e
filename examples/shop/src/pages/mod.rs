//! The pages: functions over a request and its session. Not one of them knows which framework serves it, or where sessions live.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod devices;
pub(crate) mod home;
pub(crate) mod inside;
pub(crate) mod orders;
pub(crate) mod preferences;
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

/// Who is signed in. The session's tag says so, which is also what finds all of a user's sessions.
pub(crate) fn visitor(session: &Session) -> Option<&'static Person> {
    people::named(&session.user().name()?)
}

/// Sends strangers to the sign-in page, from where they come back to the page they asked for.
pub(crate) fn ask_to_sign_in(ask: &Ask, page: &str) -> Result<Go, Problem> {
    ask.session().urls().set_intended(page)?;
    Go::to(ask.redirects.to("/sign-in").with("status", "sign_in_first"))
}
