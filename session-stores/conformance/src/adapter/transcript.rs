//! The transcript of a run, normalized so that the transcripts of two adapters can be compared byte for byte.

use std::fmt::{self, Write as _};

use http::{HeaderMap, HeaderValue, header};

/// The exchanges of one scenario or of all, as text: one line for the request, one for status and headers, one for the
/// body. Two adapters have the same behaviour if their transcripts are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    text: String,
    secrets: Vec<String>,
}

impl Transcript {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Begins a part.
    pub(super) fn begin(&mut self, title: &str) {
        self.secrets.clear();
        writeln!(self.text, "# {title}").expect("a string takes all");
    }

    pub(super) fn exchange(&mut self, request: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
        let mut line = format!("{}\n  {status}", self.even(request));
        for name in [header::CONTENT_TYPE, header::VARY, header::CACHE_CONTROL, header::SET_COOKIE] {
            for value in headers.get_all(&name) {
                let value = self.even(&String::from_utf8_lossy(HeaderValue::as_bytes(value)));
                write!(line, " [{name}: {value}]").expect("a string takes all");
            }
        }
        let body = self.even(&String::from_utf8_lossy(body));
        writeln!(self.text, "{line}\n  {body}").expect("a string takes all");
    }

    pub(super) fn broken(&mut self, request: &str) {
        let request = self.even(request);
        writeln!(self.text, "{request}\n  no response, or a bare 500").expect("a string takes all");
    }

    /// Replaces ids, tokens and sealed cookies by numbers in the order of their appearance, and the digits of dates and
    /// milliseconds.
    fn even(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for letter in text.chars().chain(['\0']) {
            if letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' {
                word.push(letter);
                continue;
            }
            if is_secret(&word) {
                let known = self.secrets.iter().position(|secret| *secret == word);
                let number = known.unwrap_or_else(|| {
                    self.secrets.push(word.clone());
                    self.secrets.len() - 1
                });
                write!(out, "<{}>", number + 1).expect("a string takes all");
            } else if word.len() == 13 && word.bytes().all(|digit| digit.is_ascii_digit()) {
                out.push_str("<time>");
            } else {
                out.push_str(&word);
            }
            word.clear();
            out.push(letter);
        }
        out.pop();
        match out.split_once("Expires=") {
            Some((start, date)) if !date.contains("1970") => {
                format!("{start}Expires=<date>{}", date.split_once("GMT").map_or("", |(_, rest)| rest))
            }
            _ => out,
        }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns whether it is a token: long, with characters of several kinds, so neither a word nor a number.
fn is_secret(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.bytes().any(|byte| test(&byte));
    let kinds = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase].map(has);
    word.len() >= 24 && kinds.into_iter().filter(|kind| *kind).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_numbers_and_all_else_stays() {
        let mut transcript = Transcript::default();
        let id = "d00e1000be1cb67461f7f7a0f124f1d1";
        let text = format!("{{\"ok\":\"{id}\"}} {id} 170141183460469231731687303715884105727");
        assert_eq!(transcript.even(&text), "{\"ok\":\"<1>\"} <1> 170141183460469231731687303715884105727");
        let dated = "a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/";
        assert_eq!(transcript.even(dated), "a=1; Expires=<date>; Path=/");
    }
}
