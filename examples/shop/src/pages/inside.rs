//! What is in the session: the page that shows that there is no magic.

use minijinja::context;
use session_core::{SessionError, Sessions};

use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::words::moment;

pub(crate) fn show(ask: &Ask, sessions: &Sessions) -> Result<Go, Problem> {
    let session = ask.session();
    let values: serde_json::Value = session.all().to().map_err(SessionError::from)?;
    let json = format!("{values:#}");
    let facts = context! {
        handle => session.id()?.to_string(),
        fresh => session.status().fresh(),
        owner => session.user().name(),
        created => session.lifetime().created().map(moment),
        authenticated => session.user().authenticated_at().map(moment),
        browser => session.user().meta::<String>("browser")?,
        place => sessions.store().map_or("cookie", |store| store.name()),
        cookie => sessions.cookie_name(),
    };
    Go::page("inside.html", context! { json, facts })
}
