//! How sessions look to a person: a table of them, or one with the names of what is in it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Color, Reset, Style};
use serde_json::{Value, json};
use session_core::{
    Timestamp,
    store::{Record, SessionHead, StoreKey},
};

pub(crate) fn top(
    store: &str,
    live: usize,
    left: Option<(&'static str, usize)>,
    newest: &[SessionHead],
) -> String {
    let mut text = format!("{BOLD}{live}{Reset} live in {store}\n");
    if let Some((old, sessions)) = left {
        text.push_str(&format!("{sessions} of them still in {old}\n"));
    }
    if newest.is_empty() {
        return text;
    }
    text.push_str(&format!("\n{BOLD}{:<32}  {:<20}  {:<20}{Reset}\n", "newest", "begun", "idle until"));
    for head in newest {
        let (begun, until) = (moment(head.created), moment(head.idle_deadline));
        text.push_str(&format!("{}  {begun}  {until}\n", head.key.handle()));
    }
    text
}

pub(crate) fn list(found: &[(StoreKey, Record)]) -> String {
    let mut text =
        format!("{BOLD}{:<32}  {:<20}  {:<20}  {:>6}{Reset}\n", "handle", "begun", "idle until", "bytes");
    for (key, record) in found {
        let (begun, until) = (moment(record.created), moment(record.idle_deadline));
        text.push_str(&format!("{}  {begun}  {until}  {:>6}\n", key.handle(), record.size()));
    }
    text
}

pub(crate) fn session(key: &StoreKey, record: &Record, now: Timestamp, show_values: bool) -> String {
    let owner = record.owner.as_deref().map_or_else(|| "nobody".to_owned(), printable);
    let absolute = record.absolute_deadline.map_or_else(|| "never".to_owned(), moment);
    let state = match record.is_live(now) {
        true => format!("{GREEN}alive{Reset}"),
        false => format!("{RED}expired{Reset}"),
    };
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

pub(crate) fn head_as_json(head: &SessionHead) -> Value {
    json!({
        "handle": head.key.handle(),
        "key": head.key.to_string(),
        "created": head.created,
        "idle_deadline": head.idle_deadline,
        "absolute_deadline": head.absolute_deadline,
    })
}

/// A session as an object; of its content nothing, the names, or the values. Times are milliseconds since 1970.
pub(crate) fn as_json(key: &StoreKey, record: &Record, with_values: Option<bool>) -> Value {
    let mut session = head_as_json(&SessionHead::of(*key, record));
    session["owner"] = json!(record.owner.as_deref());
    session["bytes"] = record.size().into();
    let Some(with_values) = with_values else { return session };
    let payload = serde_json::from_slice::<Value>(&record.payload).ok();
    let names = |part: &Value| part.as_object().map(|values| values.keys().cloned().collect::<Vec<_>>());
    session["content"] = match payload {
        None => json!("sealed"),
        Some(payload) if with_values => payload,
        Some(payload) => json!({"data": names(&payload["data"]), "system": names(&payload["system"])}),
    };
    session
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

const BOLD: Style = Style::new().bold();
const GREEN: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
pub(crate) const RED: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
