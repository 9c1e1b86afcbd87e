//! How sessions look to a person: a table of them, or one with the names of what is in it.

use std::fmt::Write as _;

use serde_json::Value;
use session_core::{
    Timestamp,
    store::{Record, StoreKey},
};

pub(crate) fn list(found: &[(StoreKey, Record)]) -> String {
    let mut text = format!("{:<32}  {:<20}  {:<20}  {:>6}\n", "handle", "begun", "idle until", "bytes");
    for (key, record) in found {
        let (begun, until) = (moment(record.created), moment(record.idle_deadline));
        text.push_str(&format!("{}  {begun}  {until}  {:>6}\n", key.handle(), record.size()));
    }
    text
}

pub(crate) fn session(key: &StoreKey, record: &Record, now: Timestamp, show_values: bool) -> String {
    let owner = record.owner.as_deref().map_or_else(|| "nobody".to_owned(), printable);
    let absolute = record.absolute_deadline.map_or_else(|| "never".to_owned(), moment);
    let state = if record.is_live(now) { "alive" } else { "expired" };
    let mut text = format!(
        "handle       {}\nkey          {key}\nstate        {state}\nowner        {owner}\nbegun        {}\n\
         idle until   {}\nends at      {absolute}\nbytes        {}\n",
        key.handle(),
        moment(record.created),
        moment(record.idle_deadline),
        record.size(),
    );
    match serde_json::from_slice::<Value>(&record.payload) {
        Ok(payload) => names(&payload, show_values, &mut text),
        Err(_) => text.push_str("content      sealed, or not of this library\n"),
    }
    text
}

/// The visitor's values and the library's own, by name; flash by its number.
fn names(payload: &Value, show_values: bool, text: &mut String) {
    for part in ["data", "system"] {
        let Some(values) = payload.get(part).and_then(Value::as_object) else { continue };
        for (name, value) in values {
            let name = printable(name);
            // Writing to a String cannot fail.
            let _ = if show_values {
                writeln!(text, "{part}.{name} = {value}")
            } else {
                writeln!(text, "{part}.{name}")
            };
        }
    }
    if let Some(flash) = payload.get("flash").and_then(Value::as_array) {
        let _ = writeln!(text, "flash        {} entries", flash.len());
        if show_values {
            flash.iter().for_each(|entry| text.push_str(&format!("{entry}\n")));
        }
    }
}

/// Names come from visitors: nothing in them may command the terminal.
fn printable(text: &str) -> String {
    text.escape_debug().to_string()
}

fn moment(at: Timestamp) -> String {
    let at = at.to_offset();
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    format!("{date} {hour:02}:{minute:02}:{second:02}Z")
}
