//! Claims about reading `Cookie` headers: a table of cases, and a comparison with a transcription of the standard.

use proptest::prelude::*;
use session_core::machine::cookie::Candidates;

/// A header and the values of `sid` in it.
const TABLE: &[(&[u8], &[&[u8]])] = &[
    // Plain.
    (b"", &[]),
    (b"sid=x", &[b"x"]),
    (b"sid=x;", &[b"x"]),
    (b"sid=x; theme=dark", &[b"x"]),
    (b"theme=dark; sid=x", &[b"x"]),
    (b"theme=dark;sid=x", &[b"x"]),
    (b"a=1; sid=x; b=2", &[b"x"]),
    (b"sid=", &[b""]),
    (b"sid=;", &[b""]),
    (b"sid=x=y=z", &[b"x=y=z"]),
    (b"sid==", &[b"="]),
    (b"sid==x", &[b"=x"]),
    // Several.
    (b"sid=x; sid=y", &[b"x", b"y"]),
    (b"sid=x;sid=x", &[b"x", b"x"]),
    (b"sid=1; a=b; sid=2; c=d; sid=3", &[b"1", b"2", b"3"]),
    (b"sid=1;;sid=2", &[b"1", b"2"]),
    (b";sid=1", &[b"1"]),
    (b";;;", &[]),
    // Spaces and tabs, and nothing else that looks like them.
    (b" sid=x", &[b"x"]),
    (b"\tsid=x", &[b"x"]),
    (b"sid =x", &[b"x"]),
    (b"sid\t =x", &[b"x"]),
    (b"sid= x", &[b"x"]),
    (b"sid=x ", &[b"x"]),
    (b" \t sid \t = \t x \t ; a=b", &[b"x"]),
    (b"sid=x y", &[b"x y"]),
    (b"sid=   ", &[b""]),
    (b"\nsid=x", &[]),
    (b"\x0bsid=x", &[]),
    (b"\x0csid=x", &[]),
    (b"\xc2\xa0sid=x", &[]),
    (b"\xa0sid=x", &[]),
    (b"\xe2\x80\x89sid=x", &[]),
    (b"\xef\xbb\xbfsid=x", &[]),
    (b"sid\xc2\xa0=x", &[]),
    (b"sid=\xc2\xa0x", &[b"\xc2\xa0x"]),
    (b"sid=x\r", &[b"x\r"]),
    (b"\0sid=x", &[]),
    (b"sid\0=x", &[]),
    // Names.
    (b"Sid=x", &[]),
    (b"SID=x; sid=y", &[b"y"]),
    (b"sid2=x", &[]),
    (b"si=x", &[]),
    (b"xsid=x", &[]),
    (b"sid.x=y", &[]),
    (b"sid[]=x", &[]),
    (b"sid[0]=x", &[]),
    (b"%73id=x", &[]),
    (b"s%69d=x", &[]),
    (b"sid%20=x", &[]),
    (b"s.id=x", &[]),
    (b"s id=x", &[]),
    // Nobody's.
    (b"sid", &[]),
    (b"sid; sid=x", &[b"x"]),
    (b"=sid=x", &[]),
    (b"==sid=x", &[]),
    (b"=x", &[]),
    (b"=", &[]),
    (b" = ", &[]),
    (b"a==sid=x; sid=y", &[b"y"]),
    // What means nothing.
    (b"\"sid\"=x", &[]),
    (b"sid=\"x\"", &[b"\"x\""]),
    (b"sid=\"x; sid=y\"", &[b"\"x", b"y\""]),
    (b"a=\"b; sid=x; c=d\"", &[b"x"]),
    (b"a=\"; sid=x", &[b"x"]),
    (b"$Version=1; sid=x; $Path=/", &[b"x"]),
    (b"$Version=\"1\"; sid=\"x\"; $Path=\"/\"", &[b"\"x\""]),
    (b"$sid=x", &[]),
    (b"a=\\; sid=x", &[b"x"]),
    (b"a=b\\; sid=x", &[b"x"]),
    (b"sid=x\\;y", &[b"x\\"]),
    (b"sid=%78", &[b"%78"]),
    (b"sid=x, sid=y", &[b"x, sid=y"]),
    (b"a=b, sid=x", &[]),
    (b"a=b&sid=x", &[]),
    (b"a:b sid=x", &[]),
    // Bytes beyond ASCII.
    (b"a=\xff; sid=x", &[b"x"]),
    (b"a=caf\xe9; sid=x; b=\x80", &[b"x"]),
    (b"\xff\xfe=\xfd; sid=x", &[b"x"]),
    (b"sid=\xff", &[b"\xff"]),
    (b"sid\xff=x", &[]),
];

#[test]
fn pa_1_to_6_the_table_holds() {
    assert!(TABLE.len() >= 60);
    for (header, values) in TABLE {
        assert_eq!(Candidates::find([*header], "sid").values(), *values, "{}", header.escape_ascii());
    }
}

#[test]
fn pa_1_a_neighbour_that_is_not_utf_8_hides_nothing() {
    for byte in 0x80..=0xff {
        let header = [&b"a="[..], &[byte], b"; sid=x; b=", &[byte]].concat();
        assert_eq!(Candidates::find([&header[..]], "sid").values(), [b"x"]);
    }
}

#[test]
fn pa_2_all_header_fields_are_read_and_none_is_joined_to_another() {
    let headers: [&[u8]; 6] = [b"a=b", b"sid=1", b"", b"c=\"d", b"sid=2; e", b"=sid=3"];
    assert_eq!(Candidates::find(headers, "sid").values(), [b"1", b"2"]);
    assert!(Candidates::find([b"si".as_slice(), b"d=x"], "sid").values().is_empty());
}

#[test]
fn pa_3_only_semicolons_separate_and_only_the_first_equals_sign_ends_a_name() {
    for byte in (0..=255).filter(|byte| *byte != b';') {
        let header = [&b"a=b"[..], &[byte], b"sid=x"].concat();
        assert!(Candidates::find([&header[..]], "sid").values().is_empty(), "{byte}");
    }
}

#[test]
fn pa_3_only_space_and_tab_are_trimmed() {
    for byte in 0..=255 {
        let blank = matches!(byte, b' ' | b'\t');
        let separates = byte == b';';
        let found = |header: &[u8]| Candidates::find([header], "sid").values().concat();
        assert_eq!(found(&[&[byte], &b"sid=x"[..]].concat()) == b"x", blank || separates, "{byte} in front");
        assert_eq!(found(&[b"sid=x", &[byte][..]].concat()) == b"x", blank || separates, "{byte} behind");
        assert_eq!(found(&[b"sid", &[byte][..], b"=x"].concat()) == b"x", blank, "{byte} inside");
    }
}

#[test]
fn pa_4_names_are_compared_byte_for_byte() {
    for place in 0..3 {
        for byte in (0..=255).filter(|byte| *byte != b"sid"[place]) {
            let mut header = *b"sid=x";
            header[place] = byte;
            assert!(Candidates::find([&header[..]], "sid").values().is_empty(), "{byte} at {place}");
        }
    }
}

#[test]
fn pa_5_a_nameless_pair_is_not_ours() {
    for header in ["=__Host-sid=x", " =__Host-sid=x", "__Host-sid", "; =; ==__Host-sid=x"] {
        assert!(Candidates::find([header.as_bytes()], "__Host-sid").values().is_empty(), "{header}");
        assert!(Candidates::find([header.as_bytes()], "").values().is_empty(), "{header}");
    }
}

#[test]
fn pa_6_a_quote_never_swallows_the_next_cookie() {
    for before in ["\"", "a=\"", "a=\"b", "a=\\\"", "$Version=\"1", "\"a\"=\"", "a='", "a=\"b\\"] {
        let header = format!("{before}; sid=x; c=\"");
        assert_eq!(Candidates::find([header.as_bytes()], "sid").values(), [b"x"], "{header}");
    }
}

#[test]
fn pa_8_of_many_candidates_eight_are_kept_and_the_rest_counted() {
    for total in [7, 8, 9, 100] {
        let header = "sid=x; ".repeat(total);
        let found = Candidates::find([header.as_bytes()], "sid");
        assert_eq!(found.values().len(), total.min(8));
        assert_eq!(found.ignored(), total.saturating_sub(8));
    }
}

#[test]
fn at_15_a_cookie_is_found_wherever_it_stands_in_what_the_server_accepted() {
    let fat = |nth: usize| format!("fat{nth}={}", "x".repeat(4_090));
    let five_fat = (0..5).map(fat).collect::<Vec<_>>().join("; ");
    let tiny = (0..1_000).map(|nth| format!("t{nth}=1")).collect::<Vec<_>>().join("; ");
    let separators = ";".repeat(100_000);
    let nameless = "x".repeat(1 << 20);
    for before in [&five_fat, &tiny, &separators, &nameless] {
        let header = format!("{before}; sid=x; a=b");
        assert_eq!(Candidates::find([header.as_bytes()], "sid").values(), [b"x"], "in one header");
        let found = Candidates::find([before.as_bytes(), b"sid=x"], "sid");
        assert_eq!(found.values(), [b"x"], "in the next header");
    }
    let many = (0..500).map(|nth| format!("t{nth}=1")).chain(["sid=x".to_owned()]).collect::<Vec<_>>();
    assert_eq!(Candidates::find(many.iter().map(String::as_bytes), "sid").values(), [b"x"], "many headers");
}

/// RFC 6265bis, sections 5.6 (steps 2 to 4, on each pair) and 5.8.3 (what a pair without a name serialises to), word by
/// word: copies, no early end, no limit.
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

fn header() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(prop::sample::select(b"sidSD=;; \t\"\\$%,\xa0\xff\0x".to_vec()), 0..12);
    let piece = prop_oneof![
        3 => noise,
        2 => Just(b"sid=".to_vec()),
        1 => Just(b"; sid = ".to_vec()),
        1 => Just(b"=sid=".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pa_1_to_6_every_header_reads_as_the_standard_says(headers in prop::collection::vec(header(), 0..4)) {
        let expected: Vec<Vec<u8>> =
            headers.iter().flat_map(|header| as_the_standard_says(header, b"sid")).collect();
        let found = Candidates::find(headers.iter().map(Vec::as_slice), "sid");
        prop_assert_eq!(found.values(), &expected[..expected.len().min(8)]);
        prop_assert_eq!(found.ignored(), expected.len().saturating_sub(8));
    }
}

proptest! {
    #[test]
    fn pa_8_any_bytes_at_all_are_read_without_panic(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..4),
        name in "[a-z]{0,3}",
    ) {
        let found = Candidates::find(headers.iter().map(Vec::as_slice), &name);
        prop_assert!(found.values().len() <= 8);
    }
}
