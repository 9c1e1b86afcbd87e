//! A change of the cookie's name, path, domain, or of the place of sessions signs nobody out, and revives nobody.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

mod carried;
mod ended;
mod together;

use std::time::Duration;

use crate::driver_support::*;
use crate::old_cookie_support::*;
use session_core::machine::cookie::RejectReason;
use session_core::store::SessionStore as _;
use session_core::{adapter::*, *};
use session_testkit::{Fault, Verb, When};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// All that a session remembers beside its values.
async fn remembered(session: Session) -> (Option<String>, Option<Timestamp>, Option<String>, Option<u64>) {
    let stamp = session.user().authenticated_at();
    let token = session.csrf().token().unwrap();
    let status = session.flash_messages().get::<String>("status").unwrap();
    assert!(session.csrf().verify(&token));
    (session.user().name(), stamp, status, session.get::<u64>("n").unwrap())
}
