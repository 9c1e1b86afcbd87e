//! Finding where a JSON value ends, and whether it is one, without building anything.
//!
//! Everything that comes from outside passes here once, whole. What has passed is grammatical, nests at most as deep as
//! allowed and has no lone surrogates, so that reading it later can only fail on its type.

use super::{Malformed, Span};

/// The first position at or after `at` that is not white space.
pub(crate) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `at` and has at most `depth` levels.
pub(crate) fn value(bytes: &[u8], at: usize, depth: usize) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b'"') => Ok(string(bytes, at)?.0),
        Some(b'{') => {
            let mut fields = Fields::new(bytes, at, depth)?;
            while fields.next()?.is_some() {}
            Ok(fields.at)
        }
        Some(b'[') => {
            let mut items = Items::new(bytes, at, depth)?;
            while items.next()?.is_some() {}
            Ok(items.at)
        }
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => number(bytes, at),
        _ => Err(Malformed),
    }
}

/// One name and value of an object.
pub(crate) struct Field {
    /// The name, without its quotes.
    pub(crate) name: Span,
    /// Whether the name has escapes, so that its bytes are not yet the name.
    pub(crate) escaped: bool,
    /// The value.
    pub(crate) value: Span,
}

/// Walks the fields of an object in the order they are written.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    /// After the last field: behind the closing brace.
    pub(crate) at: usize,
    depth: usize,
    first: bool,
}

impl<'a> Fields<'a> {
    /// Begins at the opening brace.
    pub(crate) fn new(bytes: &'a [u8], at: usize, depth: usize) -> Result<Self, Malformed> {
        if bytes.get(at) != Some(&b'{') {
            return Err(Malformed);
        }
        Ok(Self { bytes, at: at + 1, depth: depth.checked_sub(1).ok_or(Malformed)?, first: true })
    }

    /// The next field; none behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Field>, Malformed> {
        let Some((name, escaped)) = self.next_name()? else { return Ok(None) };
        Ok(Some(Field { name, escaped, value: self.value()? }))
    }

    /// The next name, and whether there is a backslash in it. What stands at [`at`](Self::at) then is its value, which
    /// the caller reads in whatever way it likes and moves `at` behind, or skips with [`value`](Self::value).
    pub(crate) fn next_name(&mut self) -> Result<Option<(Span, bool)>, Malformed> {
        let Some(at) = next_member(self.bytes, &mut self.at, &mut self.first, b'}')? else { return Ok(None) };
        let (end, escaped) = string(self.bytes, at)?;
        let name = Span::new(at + 1, end - 1)?;
        let colon = blank(self.bytes, end);
        if self.bytes.get(colon) != Some(&b':') {
            return Err(Malformed);
        }
        self.at = blank(self.bytes, colon + 1);
        Ok(Some((name, escaped)))
    }

    /// The value after a name, wherever it ends.
    pub(crate) fn value(&mut self) -> Result<Span, Malformed> {
        let start = self.at;
        self.at = value(self.bytes, start, self.depth)?;
        Span::new(start, self.at)
    }
}

/// Walks the items of an array.
pub(crate) struct Items<'a> {
    bytes: &'a [u8],
    /// After the last item: behind the closing bracket.
    pub(crate) at: usize,
    depth: usize,
    first: bool,
}

impl<'a> Items<'a> {
    /// Begins at the opening bracket.
    pub(crate) fn new(bytes: &'a [u8], at: usize, depth: usize) -> Result<Self, Malformed> {
        if bytes.get(at) != Some(&b'[') {
            return Err(Malformed);
        }
        Ok(Self { bytes, at: at + 1, depth: depth.checked_sub(1).ok_or(Malformed)?, first: true })
    }

    /// The next item; none behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Span>, Malformed> {
        let Some(start) = next_member(self.bytes, &mut self.at, &mut self.first, b']')? else {
            return Ok(None);
        };
        self.at = value(self.bytes, start, self.depth)?;
        Span::new(start, self.at).map(Some)
    }
}

/// Where the next member of a container begins; none when it closes here.
fn next_member(
    bytes: &[u8],
    at: &mut usize,
    first: &mut bool,
    close: u8,
) -> Result<Option<usize>, Malformed> {
    let here = blank(bytes, *at);
    let first = std::mem::take(first);
    match bytes.get(here) {
        Some(byte) if *byte == close => {
            *at = here + 1;
            Ok(None)
        }
        Some(b',') if !first => Ok(Some(blank(bytes, here + 1))),
        Some(_) if first => Ok(Some(here)),
        _ => Err(Malformed),
    }
}

/// The end of the string whose opening quote is at `at`, and whether it has escapes.
fn string(bytes: &[u8], at: usize) -> Result<(usize, bool), Malformed> {
    if bytes.get(at) != Some(&b'"') {
        return Err(Malformed);
    }
    let mut at = at + 1;
    let mut escaped = false;
    loop {
        at = plain(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(bytes, at + 1)?;
            }
            _ => return Err(Malformed),
        }
    }
}

/// Skips what needs no attention inside of a string, eight bytes at a time.
fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found =
            control | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

/// The position behind the escape whose letter is at `at`.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match unit(bytes, at + 1)? {
            0xd800..=0xdbff => {
                let pair = bytes.get(at + 5..at + 7) == Some(b"\\u")
                    && (0xdc00..=0xdfff).contains(&unit(bytes, at + 7)?);
                if pair { Ok(at + 11) } else { Err(Malformed) }
            }
            0xdc00..=0xdfff => Err(Malformed),
            _ => Ok(at + 5),
        },
        _ => Err(Malformed),
    }
}

/// Four hexadecimal digits.
fn unit(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    let digits = bytes.get(at..at + 4).ok_or(Malformed)?;
    digits.iter().try_fold(0, |unit, digit| Ok(unit * 16 + char::from(*digit).to_digit(16).ok_or(Malformed)?))
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Malformed> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Malformed) }
}

fn number(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// At least one digit.
fn digits(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    let end =
        at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if end == at { Err(Malformed) } else { Ok(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> bool {
        value(text.as_bytes(), 0, 64) == Ok(text.len())
    }

    #[test]
    fn json_and_only_json_passes() {
        for good in [
            "0",
            "-0",
            "-1.5e+9",
            "1E2",
            "\"\"",
            "\"a\\u00e9\\ud83d\\ude00\\n\"",
            "[]",
            "[ 1 , [ ] ]",
            "{}",
            "{\"a\" : {} }",
            "true",
            "null",
            "\"eight by\\\"tes\"",
            "\"é😀 longer than eight bytes\"",
        ] {
            assert!(whole(good), "{good}");
        }
        for bad in [
            "",
            "01",
            "-",
            "1.",
            "1e",
            "+1",
            "tru",
            "[1 2]",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "[",
            "{",
            "\"",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12\"",
            "nan",
        ] {
            assert!(!whole(bad), "{bad}");
        }
    }

    #[test]
    fn nesting_stops_where_it_is_told() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(value(nested(64).as_bytes(), 0, 64).is_ok());
        assert!(value(nested(65).as_bytes(), 0, 64).is_err());
        assert!(value(nested(1_000_000).as_bytes(), 0, 64).is_err());
    }
}
