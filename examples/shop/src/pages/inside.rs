//! What is in the session: the page that shows that there is no magic.

use minijinja::context;
use session_core::Sessions;

use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::words::moment;

pub(crate) fn show(ask: &Ask, sessions: &Sessions) -> Result<Go, Problem> {
    let session = ask.session();
    let values: serde_json::Value = session.extract()?;
    let json = format!("{values:#}");
    let facts = context! {
        handle => session.id()?.to_string(),
        fresh => session.fresh(),
        owner => session.owner(),
        created => session.created().map(moment),
        authenticated => session.authenticated_at().map(moment),
        browser => session.meta::<String>("browser")?,
        place => sessions.store().map_or("cookie", |store| store.name()),
        cookie => sessions.cookie_name(),
    };
    Go::page("inside.html", context! { json, facts })
}
