//! The fields of a form: their paths, and the form as one value.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::value::error::ValueError;
use crate::value::json::strict::to_raw;
use crate::value::path::Path;
use crate::value::values::Values;

/// All fields of a form as one value.
pub(super) fn whole(fields: &Map<String, Value>) -> Result<Box<RawValue>, ValueError> {
    to_raw(fields).map_err(|source| ValueError::NotJson { key: "the form".to_owned(), source })
}

/// The segments of a field's name in a form: a literal name first.
pub(crate) fn names(form: &Map<String, Value>, path: Path<'_>) -> Vec<String> {
    path.names(|literal| form.contains_key(literal)).unwrap_or_else(|text| {
        let text = text.strip_suffix("[]").filter(|list| !list.is_empty()).unwrap_or(text);
        field_path(text)
    })
}

/// The fields of a form that was flashed.
pub(super) fn form_of(json: &RawValue) -> Map<String, Value> {
    serde_json::from_str(json.get()).unwrap_or_default()
}

/// The segments of a form field's name: `profile[email]` and `profile.email` are the same field; a name that is no path
/// is one segment.
pub(crate) fn field_path(name: &str) -> Vec<String> {
    Values::default().segments(Path::text(name)).unwrap_or_else(|_| vec![name.to_owned()])
}
