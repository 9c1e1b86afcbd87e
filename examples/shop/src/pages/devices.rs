//! "Your devices": every session of the user, by the handle that names it and never by its id.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use session_core::{Handle, Sessions, UserSessionsError};

use super::user;
use crate::ask::Ask;
use crate::go::{Go, Problem};
use crate::words::moment;

#[derive(Serialize)]
struct Row {
    handle: Handle,
    browser: String,
    since: String,
    last_seen: String,
    /// To the browser, by its key.
    bound: bool,
    this: bool,
}

pub(crate) async fn show(ask: &Ask, sessions: &Sessions) -> Result<Go, Problem> {
    let person = user(ask)?;
    let devices = match sessions.of(person.email).list().await {
        Ok(devices) => devices,
        // Sessions in cookies are nowhere but in browsers, so nobody can list them. The page says so.
        Err(UserSessionsError::NotSupported { store }) => {
            return Go::page("devices.html", context! { store });
        }
        Err(problem) => return Err(problem.into()),
    };
    let own = ask.session().id()?;
    let rows: Vec<Row> = devices
        .into_iter()
        .map(|device| Row {
            handle: device.handle,
            browser: device.meta.get("browser").ok().flatten().unwrap_or_default(),
            since: moment(device.created),
            last_seen: moment(device.last_seen),
            bound: device.bound,
            this: device.handle == own,
        })
        .collect();
    Go::page("devices.html", context! { devices => Serde(rows) })
}

/// Ends one device. A handle of somebody else's session finds nothing.
pub(crate) async fn end(ask: &Ask, sessions: &Sessions) -> Result<Go, Problem> {
    let person = user(ask)?;
    let Ok(handle) = ask.field("device").parse::<Handle>() else { return Ok(Go::Status(422)) };
    let ended = sessions.of(person.email).destroy(handle).await?;
    let status = if ended { "device_ended" } else { "device_gone" };
    Go::to(ask.redirects.to("/devices").with("status", status))
}

pub(crate) async fn end_others(ask: &Ask, sessions: &Sessions) -> Result<Go, Problem> {
    let person = user(ask)?;
    let ended = sessions.of(person.email).destroy_others(ask.session()).await?;
    Go::to(ask.redirects.to("/devices").with("status", "devices_ended").with("about", ended))
}
