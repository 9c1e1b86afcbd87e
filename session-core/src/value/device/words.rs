//! The headers and the JSON of Device Bound Session Credentials, as they go over the wire.
//!
//! Structured fields (RFC 9651) are written and read here by hand: their strings hold base64url, hexadecimal digits and a
//! checked path, none of which needs escaping.

use serde_json::json;

use super::BindingId;
use super::key::Algorithm;
use super::proof::unquote;

pub(crate) const CHALLENGE: &str = "secure-session-challenge";
pub(crate) const RESPONSE: &str = "secure-session-response";
pub(crate) const SESSION_ID: &str = "sec-secure-session-id";

/// The header that asks the browser to make a key for one of these algorithms and to register it at this path.
pub(crate) fn registration(algorithms: &[Algorithm], path: &str, challenge: &str) -> String {
    let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
    format!("({});path=\"{path}\";challenge=\"{challenge}\"", names.join(" "))
}

/// The header with the challenge that the next proof must answer.
pub(crate) fn challenge(challenge: &str, id: BindingId) -> String {
    format!("\"{challenge}\";id=\"{id}\"")
}

/// Reads the header in which the browser names the binding, as a token or as a string.
pub(crate) fn session_id(value: &[u8]) -> Option<BindingId> {
    let digits = unquote(std::str::from_utf8(value).ok()?.trim_matches([' ', '\t'])).as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |text: u8| match text {
            b'0'..=b'9' => Some(text - b'0'),
            b'a'..=b'f' => Some(text - b'a' + 10),
            _ => None,
        };
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(BindingId::from_bytes(bytes))
}

/// The instructions of a binding: what it covers, where it is refreshed, and which cookie shows it. `attributes` are those
/// of that cookie's `Set-Cookie`, which the browser compares.
pub(crate) fn instructions(id: BindingId, refresh_url: &str, cookie: &str, attributes: &str) -> String {
    json!({
        "session_identifier": id.to_string(),
        "refresh_url": refresh_url,
        "scope": { "include_site": false, "scope_specification": [] },
        "credentials": [{ "type": "cookie", "name": cookie, "attributes": attributes }],
    })
    .to_string()
}

/// The end of a binding.
pub(crate) fn ended(id: BindingId) -> String {
    json!({ "session_identifier": id.to_string(), "continue": false }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_named_by_32_digits_quoted_or_not() {
        let id = BindingId::from_bytes([0xa1; 16]);
        let text = "a1".repeat(16);
        assert_eq!(session_id(text.as_bytes()), Some(id));
        assert_eq!(session_id(format!(" \"{text}\"").as_bytes()), Some(id));
        for bad in ["", "\"\"", "a1", &"A1".repeat(16), &"a1".repeat(17), &format!("\"{text}"), "\u{fc}"] {
            assert_eq!(session_id(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(session_id(&[0xff; 32]), None);
    }

    #[test]
    fn the_headers_are_structured_fields() {
        assert_eq!(
            registration(Algorithm::USUAL, "/dbsc/register", "abc"),
            "(ES256);path=\"/dbsc/register\";challenge=\"abc\""
        );
        let id = BindingId::from_bytes([1; 16]);
        assert_eq!(challenge("abc", id), format!("\"abc\";id=\"{}\"", "01".repeat(16)));
    }
}
