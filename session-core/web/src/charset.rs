//! Text in the charset that a form declares: by the parameter of its type, by its field `_charset_`, else UTF-8.

use encoding_rs::{Encoding, UTF_8};

use crate::FormError;

/// The field that browsers fill with the charset of the form (HTML, RFC 7578 section 4.6).
pub(crate) const FIELD: &[u8] = b"_charset_";

/// Decodes the fields of a form, each with the charset that it declares itself, if it does.
pub(crate) struct Charset(&'static Encoding);

impl Charset {
    /// The charset of a form with this `Content-Type` and this value of the field `_charset_`.
    pub(crate) fn of(content_type: &str, field: Option<&[u8]>) -> Result<Self, FormError> {
        let field = field.filter(|label| !label.is_empty());
        match parameter(content_type).map(str::as_bytes).or(field) {
            Some(label) => named(label).map(Self),
            None => Ok(Self(UTF_8)),
        }
    }

    /// The charset of a part of a form with this `Content-Type`.
    pub(crate) fn of_part(&self, content_type: &str) -> Result<Self, FormError> {
        match parameter(content_type) {
            Some(label) => named(label.as_bytes()).map(Self),
            None => Ok(Self(self.0)),
        }
    }

    /// The text, unless the bytes are not of this charset.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<String, FormError> {
        let text = self.0.decode_without_bom_handling_and_without_replacement(bytes);
        text.map(Into::into).ok_or(FormError::Malformed)
    }
}

fn named(label: &[u8]) -> Result<&'static Encoding, FormError> {
    Encoding::for_label(label).ok_or(FormError::UnknownCharset)
}

/// The parameter `charset` of a media type, unless it is empty.
fn parameter(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"')).filter(|label| !label.is_empty())
}
