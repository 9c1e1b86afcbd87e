//! URL-encoded query parameters.

/// Returns the decoded value of a query parameter, or `None` if it is missing or not UTF-8.
#[must_use]
pub fn param(query: Option<&str>, name: &str) -> Option<String> {
    pairs(query?).find(|(key, _)| key == name).map(|(_, value)| value)
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    })
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        (rest, bytes) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let byte = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
                (tail, push(bytes, u8::try_from(byte).ok()?))
            }
            (b'+', tail) => (tail, push(bytes, b' ')),
            (byte, tail) => (tail, push(bytes, *byte)),
        };
    }
    String::from_utf8(bytes).ok()
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}
