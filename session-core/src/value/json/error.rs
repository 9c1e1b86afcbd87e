//! Why a value could not be written or read as JSON, without the value itself.

use std::fmt;

use serde::de::DeserializeOwned;

/// The reason that serde gives for a value that could not be read or written, and where in the value it was.
///
/// It names types, fields and positions, and never a value.
///
/// ```
/// use std::error::Error as _;
///
/// let mut values = session_core::machine::Values::default();
/// values.put("cart", serde_json::json!([{ "sku": "A-1", "qty": "two" }]))?;
/// #[derive(Debug, serde::Deserialize)]
/// struct Item {
///     qty: u32,
/// }
/// let error = values.get::<Vec<Item>>("cart").unwrap_err();
/// let reason = error.source().unwrap();
/// assert_eq!(reason.to_string(), "[0].qty: invalid type: string, expected u32");
/// # Ok::<(), session_core::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    path: String,
    reason: String,
}

impl JsonError {
    pub(crate) fn new(reason: &str) -> Self {
        Self { path: String::new(), reason: reason.to_owned() }
    }

    /// Reads a value that could not be read a second time, to find the path at which it fails.
    pub(crate) fn of_reading<T: DeserializeOwned>(text: &[u8]) -> Self {
        let mut json = serde_json::Deserializer::from_slice(text);
        match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Ok(_) => Self::new("it cannot be read as this type"),
            Err(error) => Self::at(error.path(), error.inner()),
        }
    }

    /// The reason for an error of serde that occurred at `path`.
    pub(super) fn at(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Self {
        let path = if path.iter().next().is_some() { path.to_string() } else { String::new() };
        Self { path, reason: without_values(&error.to_string()) }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => f.write_str(&self.reason),
            path => write!(f, "{path}: {}", self.reason),
        }
    }
}

impl std::error::Error for JsonError {}

/// Removes the value that a message of serde quotes. A message that is not serde's own may contain anything, so it is
/// dropped.
fn without_values(message: &str) -> String {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let expected = message.rfind(", expected ").map_or("", |at| &message[at..]);
    if SAFE.iter().any(|safe| message.starts_with(safe)) {
        return message.to_owned();
    }
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(found) = message.strip_prefix(kind) {
            let found = found.strip_suffix(expected).unwrap_or(found);
            // `string "…"`, "integer `…`": the word before the quotes.
            let found = &found[..found.find(['"', '`']).unwrap_or(found.len())];
            let found = FOUND.iter().find(|word| **word == found.trim_end()).unwrap_or(&"another value");
            return format!("{kind}{found}{expected}");
        }
    }
    for kind in ["unknown variant", "unknown field"] {
        if message.starts_with(kind) {
            return format!("{kind}{expected}");
        }
    }
    "the type itself refuses the value".to_owned()
}

/// The prefixes of messages that contain no value.
const SAFE: [&str; 13] = [
    "missing field ",
    "duplicate field ",
    "invalid length ",
    "data did not match any variant of untagged enum ",
    "i128 is not supported",
    "u128 is not supported",
    "can only flatten structs and maps",
    "key must be a string",
    "float key must be finite",
    "number out of range",
    "recursion limit exceeded",
    NOT_FINITE,
    WIDE_IN_TAGGED,
];

/// The words that serde uses for the kinds of values.
const FOUND: [&str; 17] = [
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "null",
    "unit value",
    "Option value",
    "newtype struct",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
    "tuple variant",
    "struct variant",
];

/// Why a float that is not finite is refused.
pub(super) const NOT_FINITE: &str = "JSON has no NaN and no infinity";

/// Why a 128-bit integer in an internally tagged enum is refused.
pub(super) const WIDE_IN_TAGGED: &str = "JSON has no 128-bit integer that serde reads back in an internally tagged enum: give the enum another representation";
