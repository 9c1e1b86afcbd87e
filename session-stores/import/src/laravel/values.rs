//! From the attributes of a Laravel session to a session of this library.

use serde_json::{Map, Value};
use session_core::import::{Imported, ImportedError, RefusedImport};

use super::php::{self, Php};
use crate::values::{path_of, take, take_object, take_text, texts};

/// Reads a payload: what `serialize` writes, or JSON (`'serialization' => 'json'`). The validation errors are in the flash.
pub(super) fn read(payload: &[u8]) -> Result<Imported, RefusedImport> {
    let Attributes { data, errors } = match payload.first() {
        Some(b'a') => serialized(payload)?,
        Some(b'{' | b'[') => json(payload)?,
        _ => return Err(RefusedImport::Malformed),
    };
    let mut session = Imported::new(data);
    session.flash.errors = errors;
    Ok(session)
}

/// Moves the flash and the pages to their places. Errors that are not flashed are dropped.
pub(super) fn arrange(session: &mut Imported) {
    let data = &mut session.data;
    let errors = std::mem::take(&mut session.flash.errors);
    let mut marks = take_object(data, "_flash");
    let flashed: Vec<_> = ["old", "new"]
        .iter()
        .flat_map(|age| marks.remove(*age).map(|names| texts(&names)))
        .flatten()
        .collect();
    for name in flashed {
        match name.as_str() {
            "_old_input" => session.flash.input = take_object(data, "_old_input"),
            "errors" => {
                session.flash.errors.clone_from(&errors);
                take(data, "errors");
            }
            _ => {
                if let Some(message) = take(data, &name) {
                    session.flash.messages.insert(name, message);
                }
            }
        }
    }
    session.intended = take_text(data, "url.intended").as_deref().map(path_of);
    session.previous = take_text(data, "_previous.url").as_deref().map(path_of);
    // The new session has a CSRF token of its own, and nothing here compares hashes of passwords.
    data.retain(|name, _| !["_token", "_previous"].contains(&&**name) && !name.starts_with("password_hash_"));
}

struct Attributes {
    data: Map<String, Value>,
    errors: Vec<ImportedError>,
}

fn json(payload: &[u8]) -> Result<Attributes, RefusedImport> {
    let data = match serde_json::from_slice(payload) {
        Ok(Value::Object(data)) => data,
        // An empty array of PHP.
        Ok(Value::Array(items)) if items.is_empty() => Map::new(),
        _ => return Err(RefusedImport::Malformed),
    };
    let bags = data.get("errors").and_then(Value::as_object);
    let errors = bags.into_iter().flatten().flat_map(|(bag, content)| {
        let fields = content.get("messages").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(field, messages)| error(bag, field, messages))
    });
    Ok(Attributes { errors: errors.collect(), data })
}

/// Values with objects in them are left out, except the validation errors.
fn serialized(payload: &[u8]) -> Result<Attributes, RefusedImport> {
    let attributes = php::read(payload).map_err(|_| RefusedImport::Malformed)?;
    let named = attributes.items().iter().filter_map(|(key, value)| Some((key.name()?, value)));
    let mut errors = Vec::new();
    let mut data = Map::new();
    for (name, value) in named {
        if let Some(value) = value.json() {
            data.insert(name, value);
        } else if name == "errors" {
            errors = errors_of(value);
        }
    }
    Ok(Attributes { data, errors })
}

fn errors_of(errors: &Php<'_>) -> Vec<ImportedError> {
    let bags =
        errors.protected("Illuminate\\Support\\ViewErrorBag", "bags").map(Php::items).unwrap_or_default();
    let of_bag = bags.iter().filter_map(|(bag, content)| {
        let messages = content.protected("Illuminate\\Support\\MessageBag", "messages")?;
        Some((bag.name()?, messages.items()))
    });
    of_bag
        .flat_map(|(bag, fields)| {
            let fields = fields.iter().filter_map(|(field, list)| Some((field.name()?, list.json()?)));
            fields.map(move |(field, list)| error(&bag, &field, &list)).collect::<Vec<_>>()
        })
        .collect()
}

/// The bag `default` is that of the page's only form, every other one is a named form.
fn error(bag: &str, field: &str, messages: &Value) -> ImportedError {
    let form = if bag == "default" { "" } else { bag };
    ImportedError { form: form.to_owned(), field: field.to_owned(), messages: texts(messages) }
}
