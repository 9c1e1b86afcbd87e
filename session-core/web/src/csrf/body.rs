//! Which bodies may carry the CSRF token, and the token of a JSON body.

use std::borrow::Cow;

use serde::Deserialize;

/// Returns whether a body of this `Content-Type` is a form.
pub(super) fn is_form(content_type: &[u8]) -> bool {
    let essence = essence(content_type);
    essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        || essence.eq_ignore_ascii_case(b"multipart/form-data")
}

/// Returns whether a body of this `Content-Type` is JSON: `application/json`, or a type that ends in `+json`.
pub(super) fn is_json(content_type: &[u8]) -> bool {
    let essence = essence(content_type).to_ascii_lowercase();
    essence == b"application/json" || (essence.starts_with(b"application/") && essence.ends_with(b"+json"))
}

fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The fields of a JSON object that may carry the token.
#[derive(Default, Deserialize)]
pub(super) struct JsonToken<'b> {
    #[serde(borrow, default, rename = "_csrf")]
    csrf: Option<Cow<'b, str>>,
    #[serde(borrow, default, rename = "_token")]
    token: Option<Cow<'b, str>>,
}

impl<'b> JsonToken<'b> {
    /// Looks into a body. What is not an object, or has another value than a string in these fields, has no token.
    pub(super) fn find(body: &'b [u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match name {
            "_csrf" => self.csrf.as_deref(),
            "_token" => self.token.as_deref(),
            _ => None,
        }
    }
}
