//! The handlers: what is shown, and what is ended.

use std::cmp::Reverse;
use std::collections::HashSet;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use minijinja::context;
use minijinja::value::Serde;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use session_axum::{Handle, Input, Redirect, Redirects, Session, SessionRejection, UserSessionsError};

use super::life::{self, moment, relative};
use super::trail::Kind;
use super::{Administrator, Desk, timeline};
use crate::templates::page;

/// A session in a list.
#[derive(Serialize)]
struct Row {
    handle: Handle,
    created: String,
    seen: String,
    expires: String,
    bound: bool,
    own: bool,
}

/// A session of nobody in particular: a census does not say whose it is.
#[derive(Serialize)]
struct Newest {
    created: String,
    handle: Handle,
    expires: String,
}

/// Something that the trail has of a session.
#[derive(Serialize)]
struct Line {
    at: String,
    what: String,
}

#[derive(Deserialize)]
pub(super) struct OfUser {
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
pub(super) struct OfSession {
    user: String,
    handle: String,
}

/// How many sessions there are, and the newest.
pub(super) async fn overview(
    Administrator(admin): Administrator,
    State(desk): State<Desk>,
    session: Session,
) -> Result<Response, SessionRejection> {
    let Some(store) = desk.sessions.store() else {
        return page(&session, "overview.html", context! { admin, store => "cookie" });
    };
    let Some(census) = store.census() else {
        return page(&session, "overview.html", context! { admin, store => store.name() });
    };
    let now = desk.clock.now();
    let (mut seen, mut heads, mut from) = (HashSet::new(), Vec::new(), None);
    let more = loop {
        let found = census.survey(from.as_ref(), 250, now).await.map_err(UserSessionsError::Store)?;
        heads.extend(found.entries.into_iter().filter(|head| seen.insert(head.key)));
        from = found.next;
        // A census reads every session, so this one stops early.
        if from.is_none() || heads.len() >= MOST {
            break from.is_some();
        }
    };
    let live = heads.len();
    heads.sort_by_key(|head| (Reverse(head.created), head.key));
    let newest = heads.iter().take(10).map(|head| Newest {
        created: moment(head.created),
        handle: head.key.handle(),
        expires: relative(head.deadline(), now),
    });
    let newest: Vec<Newest> = newest.collect();
    page(
        &session,
        "overview.html",
        context! { admin, store => store.name(), live, more, newest => Serde(newest) },
    )
}

/// The sessions of a user.
pub(super) async fn user(
    Administrator(admin): Administrator,
    State(desk): State<Desk>,
    session: Session,
    Query(OfUser { user }): Query<OfUser>,
) -> Result<Response, SessionRejection> {
    let (now, own) = (desk.clock.now(), session.id()?);
    let row = |device: session_axum::Device| Row {
        handle: device.handle,
        created: moment(device.created),
        seen: relative(device.last_seen, now),
        expires: relative(device.deadline, now),
        bound: device.bound,
        own: device.handle == own,
    };
    match desk.sessions.of(&user).list().await {
        Ok(devices) => {
            let rows: Vec<Row> = devices.into_iter().map(row).collect();
            let encoded = encode(&user);
            page(&session, "user.html", context! { admin, user, encoded, sessions => Serde(rows) })
        }
        Err(UserSessionsError::NotSupported { store }) => {
            page(&session, "user.html", context! { admin, user, store })
        }
        Err(error) => Err(error.into()),
    }
}

/// The life of one session.
pub(super) async fn session(
    Administrator(admin): Administrator,
    State(desk): State<Desk>,
    redirects: Redirects,
    own: Session,
    Query(OfSession { user, handle }): Query<OfSession>,
) -> Result<Response, SessionRejection> {
    let Ok(handle) = handle.parse::<Handle>() else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let Some((device, life)) = life::of(&desk, &user, handle).await? else {
        // It may have another id since the list was shown.
        return Ok(match desk.trail.successor(handle) {
            Some(now) => redirects.to(session_path(&user, now)).into_response(),
            None => redirects.to(user_path(&user)).with("status", "That session has ended.").into_response(),
        });
    };
    let lines: Vec<Line> = life
        .moments
        .iter()
        .rev()
        .map(|seen| Line {
            at: moment(seen.at),
            what: match seen.kind {
                Kind::Created => "created".to_owned(),
                Kind::Written => "written".to_owned(),
                Kind::Touched => "used: the idle deadline was moved".to_owned(),
                Kind::Rotated { from } => format!("a new id; the handle was {from}"),
            },
        })
        .collect();
    let picture = timeline::draw(&life);
    let facts = context! {
        created => moment(life.created),
        last_seen => moment(life.last_seen),
        idle => moment(life.idle_deadline),
        absolute => life.absolute_deadline.map(moment),
        bound => device.bound,
        own => own.id()? == handle,
    };
    let back = user_path(&user);
    page(
        &own,
        "session.html",
        context! { admin, user, handle => handle.to_string(), back, picture, lines => Serde(lines), ..facts },
    )
}

/// Ends one session.
pub(super) async fn end(
    Administrator(admin): Administrator,
    State(desk): State<Desk>,
    redirects: Redirects,
    input: Input,
) -> Result<Redirect, SessionRejection> {
    let user = input.text("user").unwrap_or_default();
    let handle = input.text("handle").unwrap_or_default().parse::<Handle>();
    let ended = match handle {
        Ok(handle) => desk.sessions.of(user).destroy(handle).await?,
        Err(_) => false,
    };
    println!("{admin} ended {} session of {user:?}", u8::from(ended));
    let status = if ended { "The session has ended." } else { "There was no such session any more." };
    Ok(redirects.to(user_path(user)).with("status", status))
}

/// Ends all sessions of a user.
pub(super) async fn end_all(
    Administrator(admin): Administrator,
    State(desk): State<Desk>,
    redirects: Redirects,
    input: Input,
) -> Result<Redirect, SessionRejection> {
    let user = input.text("user").unwrap_or_default();
    let ended = desk.sessions.of(user).destroy_all().await?;
    println!("{admin} ended {ended} sessions of {user:?}");
    let status =
        if ended == 1 { "1 session has ended.".to_owned() } else { format!("{ended} sessions have ended.") };
    Ok(redirects.to(user_path(user)).with("status", status))
}

fn user_path(user: &str) -> String {
    format!("/admin/user?user={}", encode(user))
}

fn session_path(user: &str, handle: Handle) -> String {
    format!("/admin/session?user={}&handle={handle}", encode(user))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// How many sessions are counted at most.
const MOST: usize = 10_000;
