//! The rows of the feature list about flash, each with a real next visit.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

mod ages;
mod input;
mod messages;
mod reflash;

use crate::driver_support::*;
use serde_json::{Map, Value, json};
use session_core::*;

fn form(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// What the next visit of this browser shows: messages, input, errors.
async fn next(app: &App, browser: &mut Browser) -> (String, String, String) {
    app.visit(browser, async |session| {
        let messages = session.flash_messages();
        (messages.all().to_json(), messages.input().to_json(), session.errors().all().to_json())
    })
    .await
}

async fn messages(app: &App, browser: &mut Browser) -> String {
    next(app, browser).await.0
}
