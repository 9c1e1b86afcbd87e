//! Reading a stored value as a type, with an error that names its key.

use std::any::type_name;

use serde::de::DeserializeOwned;

use super::super::bag::Bag;
use super::super::error::ValueError;
use super::super::json::view::View;
use super::super::path::Path;

/// Reads a value that may be missing; null counts as missing.
pub(super) fn read<T: DeserializeOwned>(bag: &Bag, path: Path<'_>) -> Result<Option<T>, ValueError> {
    match bag.find(path) {
        Some(view) if !view.is_null() => {
            view.read().map(Some).map_err(|_| wrong_type::<T>(path.to_string(), view))
        }
        Some(_) | None => Ok(None),
    }
}

pub(super) fn wrong_type<T: DeserializeOwned>(key: String, view: View<'_>) -> ValueError {
    let source = view.why::<T>();
    ValueError::WrongType { key, found: view.kind().words(), expected: type_name::<T>(), source }
}

/// The key under which errors name all values together.
pub(super) const WHOLE: &str = "the session";
