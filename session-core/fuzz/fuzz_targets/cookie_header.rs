//! `Cookie` headers are read as RFC 6265bis says, word by word.
#![no_main]

use libfuzzer_sys::fuzz_target;
use session_core::machine::cookie::{Candidates, MOST_CANDIDATES};

fuzz_target!(|data: &[u8]| {
    // Each line is a header.
    let headers: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let expected: Vec<Vec<u8>> =
        headers.iter().flat_map(|header| as_the_standard_says(header, b"sid")).collect();
    let found = Candidates::find(headers.iter().copied(), "sid");
    assert_eq!(found.values(), &expected[..expected.len().min(MOST_CANDIDATES)]);
    assert_eq!(found.ignored(), expected.len().saturating_sub(MOST_CANDIDATES));
});

/// Sections 5.6 (steps 2 to 4, on each pair) and 5.8.3: copies, no early end, no limit.
fn as_the_standard_says(header: &[u8], wanted: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut unparsed = header.to_vec();
    loop {
        let pair: Vec<u8> = unparsed.iter().copied().take_while(|byte| *byte != b';').collect();
        let rest: Vec<u8> = unparsed.iter().copied().skip(pair.len()).collect();
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            None => (Vec::new(), pair),
            Some(at) => (pair[..at].to_vec(), pair[at + 1..].to_vec()),
        };
        let (name, value) = (without_blanks(name), without_blanks(value));
        if !name.is_empty() && name == wanted {
            values.push(value);
        }
        if rest.is_empty() {
            return values;
        }
        unparsed = rest[1..].to_vec();
    }
}

fn without_blanks(mut text: Vec<u8>) -> Vec<u8> {
    while text.first().is_some_and(|byte| [0x20, 0x09].contains(byte)) {
        text.remove(0);
    }
    while text.last().is_some_and(|byte| [0x20, 0x09].contains(byte)) {
        text.pop();
    }
    text
}
