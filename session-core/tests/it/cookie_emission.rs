//! Claims about `Set-Cookie`: its exact text, what does not build, and what is too large.

use std::time::Duration;

use crate::cookie_support::*;
use proptest::prelude::*;
use session_core::{error::*, machine::cookie::*, *};

fn value(len: usize) -> Sealed {
    (0..=len)
        .rev()
        .find(|text| sealed_len(*text) == len)
        .map(|text| ring(&[1]).seal(&binding(), SealKind::Record, &[1; 24], &vec![0; text]))
        .expect("a length that base64 has")
}

const DAY: Duration = Duration::from_secs(86_400);

/// As patterns for texts: half of them letters, half with what ends an attribute or a header.
const HARMLESS_OR_NOT: &str = r#"[a-z]{1,9}|[a-z;=, /"\\\r\n\t\x00\x7f\u{e9}]{0,9}"#;

#[test]
fn ck_1_the_default_header_is_exactly_this() {
    let spec = Cookie::host("sid").build().unwrap();
    let value = value(120);
    let expected = format!("__Host-sid={}; Path=/; Secure; HttpOnly; SameSite=Lax", value.as_str());
    assert_eq!(spec.set(&value, None).unwrap(), expected);
    let strict = Cookie::host("sid").same_site(SameSite::Strict).build().unwrap();
    assert_eq!(strict.set(&value, None).unwrap(), expected.replace("Lax", "Strict"));
}

#[test]
fn the_plain_http_cookie_has_everything_but_the_prefix_and_secure() {
    let spec = Cookie::insecure_http("sid").build().unwrap();
    let value = value(120);
    let expected = format!("sid={}; Path=/; HttpOnly; SameSite=Lax", value.as_str());
    assert_eq!(spec.set(&value, None).unwrap(), expected);
}

#[test]
fn the_host_prefix_is_not_put_twice() {
    for name in ["sid", "__Host-sid"] {
        assert_eq!(Cookie::host(name).build().unwrap().name(), "__Host-sid");
    }
}

#[test]
fn ck_2_what_browsers_refuse_does_not_build() {
    let named = Cookie::named;
    let secure = |prefix| Err(CookieError::PrefixWithoutSecure { prefix });
    let http_only = |prefix| Err(CookieError::PrefixWithoutHttpOnly { prefix });
    let table = [
        (named("__Host-a").domain("example.com"), Err(CookieError::HostWithDomain)),
        (named("__Host-a").path("/x"), Err(CookieError::HostWithPath)),
        (named("__Host-a").secure(false), secure("__Host-")),
        (named("__HOST-a").domain("example.com"), Err(CookieError::HostWithDomain)),
        (named("__hOsT-a").path("/x"), Err(CookieError::HostWithPath)),
        (named("__host-a").secure(false), secure("__Host-")),
        (named("__Secure-a").secure(false), secure("__Secure-")),
        (named("__SECURE-a").secure(false), secure("__Secure-")),
        (named("__Http-a").secure(false), secure("__Http-")),
        (named("__Http-a").http_only(false), http_only("__Http-")),
        (named("__hTTP-a").http_only(false), http_only("__Http-")),
        (named("__Host-Http-a").http_only(false), http_only("__Host-Http-")),
        (named("__host-http-a").http_only(false), http_only("__Host-Http-")),
        (named("__Host-Http-a").secure(false), secure("__Host-Http-")),
        (named("__Host-Http-a").path("/x"), Err(CookieError::HostWithPath)),
        (Cookie::insecure_http("__Host-a"), secure("__Host-")),
        (Cookie::insecure_http("a").same_site(SameSite::None), Err(CookieError::SameSiteNoneWithoutSecure)),
        (Cookie::insecure_http("a").partitioned(true), Err(CookieError::PartitionedWithoutSecure)),
        // And what they accept does.
        (named("__Host-a"), Ok(())),
        (named("__Host-a").http_only(false), Ok(())),
        (named("__Host-Http-a"), Ok(())),
        (named("__Http-a").path("/x").domain("example.com"), Ok(())),
        (named("__Secure-a").domain("example.com").path("/x"), Ok(())),
        (named("a").same_site(SameSite::None).partitioned(true), Ok(())),
        (named("x__Host-a").secure(false), Ok(())),
    ];
    for (cookie, expected) in table {
        assert_eq!(cookie.clone().build().map(drop), expected, "{cookie:?}");
    }
}

#[test]
fn ck_3_names_are_tokens_and_attributes_cannot_end_early() {
    for byte in 0..=127_u8 {
        let name = format!("a{}b", char::from(byte));
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert_eq!(Cookie::named(&name).build().is_ok(), token, "{name:?} as a name");
        let path = format!("/{}", char::from(byte));
        let printable = (b' '..=b'~').contains(&byte) && byte != b';';
        assert_eq!(Cookie::named("a").path(&path).build().is_ok(), printable, "{path:?} as a path");
    }
    assert_eq!(Cookie::named("").build(), Err(CookieError::NoName));
    assert_eq!(Cookie::named("é").build(), Err(CookieError::BadName));
    for path in ["", "x", " /"] {
        assert_eq!(Cookie::named("a").path(path).build(), Err(CookieError::RelativePath));
    }
    assert_eq!(Cookie::named("a").domain("").build(), Err(CookieError::EmptyDomain));
    for domain in ["a;b", "a b", "a/b", "a\r\nb", "a:80", "é.fr", "a,b"] {
        assert_eq!(Cookie::named("a").domain(domain).build(), Err(CookieError::BadDomain), "{domain}");
    }
}

#[test]
fn ck_3_a_sealed_value_is_cookie_octets_whatever_is_inside() {
    let ring = ring(&[1]);
    for byte in 0..=255 {
        let value = ring.seal(&binding(), SealKind::Record, &[byte; 24], &[byte; 100]);
        assert!(value.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}

#[test]
fn ck_4_name_value_and_attributes_of_4096_bytes_are_sent_and_of_4097_are_not() {
    let cookies = [
        Cookie::host("sid"),
        Cookie::insecure_http("s"),
        Cookie::named("n".repeat(200)).path(format!("/{}", "p".repeat(300))).domain("example.com"),
        Cookie::named("sid").same_site(SameSite::None).partitioned(true),
    ];
    for spec in cookies.map(|cookie| cookie.build().unwrap()) {
        for expiry in [None, Some((400 * DAY, at(1_795_000_000_000)))] {
            let around = spec.set(&value(120), expiry).unwrap().len() - 120;
            for len in (4_096 - around - 20..4_096 - around + 20).filter(|len| len % 4 != 1) {
                let (size, limit) = (around + len, 4_096);
                match spec.set(&value(len), expiry) {
                    Ok(header) => assert!(size <= limit && header.len() == size, "{size}"),
                    Err(error) => assert!(size > limit && error == CookieTooLarge { size, limit }, "{error}"),
                }
            }
        }
    }
}

#[test]
fn ck_4_the_limit_is_a_setting_and_what_browsers_keep_is_none() {
    let room = |spec: &CookieSpec| {
        (64..5_000).filter(|len| len % 4 != 1).take_while(|len| spec.set(&value(*len), None).is_ok()).last()
    };
    let spec = |max_size| Cookie::host("sid").max_size(max_size).build().unwrap();
    assert_eq!(room(&spec(1_000)), Some(948));
    assert_eq!(room(&spec(4_096)), Some(4_044));
    assert_eq!(room(&spec(5_000)), Some(4_096 - 10), "browsers drop a longer one, whatever is allowed");
    let error = spec(5_000).set(&value(4_088), None).unwrap_err();
    assert_eq!(error, CookieTooLarge { size: 4_098, limit: 4_096 });
    for limit in [0, 1, 227] {
        let error = Cookie::host("sid").max_size(limit).build().unwrap_err();
        assert_eq!(error, CookieError::MaxSizeTooSmall { limit, least: 228 });
    }
    assert!(Cookie::host("sid").max_size(228).build().is_ok());
}

#[test]
fn peers_13_size_is_measured_on_what_is_sent_and_said_with_both_numbers() {
    let spec = Cookie::host("sid").build().unwrap();
    let payload = vec![b'a'; 3500]; // fits before encryption, not after
    let sealed = ring(&[1]).seal(&binding(), SealKind::Record, &[1; 24], &payload);
    let error = spec.set(&sealed, None).unwrap_err();
    assert_eq!(error, CookieTooLarge { size: 10 + sealed_len(3500) + 41, limit: 4096 });
    assert_eq!(error.to_string(), "the cookie is 4779 bytes long; at most 4096 are allowed");
}

#[test]
fn ck_4_attributes_and_names_have_their_limits() {
    let long = format!("/{}", "p".repeat(1024));
    assert_eq!(
        Cookie::named("a").path(&long).build(),
        Err(CookieError::LongAttribute { attribute: "Path", length: 1025, limit: 1024 })
    );
    assert!(Cookie::named("a").path(&long[..1024]).build().is_ok());
    let error = Cookie::named("a").domain("d".repeat(1025)).build().unwrap_err();
    assert_eq!(error, CookieError::LongAttribute { attribute: "Domain", length: 1025, limit: 1024 });
    assert_eq!(
        Cookie::named("n".repeat(256)).build(),
        Err(CookieError::LongName { length: 256, limit: 255 })
    );
}

#[test]
fn ck_6_the_removing_cookie_has_the_attributes_of_the_one_it_removes() {
    let cookies = [
        Cookie::host("sid"),
        Cookie::insecure_http("sid"),
        Cookie::named("__Secure-sid")
            .domain("example.com")
            .path("/a")
            .same_site(SameSite::None)
            .partitioned(true),
        Cookie::host("sid").http_only(false).persistent(true).same_site(SameSite::Strict),
    ];
    for cookie in cookies {
        let spec = cookie.build().unwrap();
        let value = value(120);
        let set = spec.set(&value, None).unwrap().replace(value.as_str(), "");
        assert_eq!(spec.clear(), format!("{set}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
    }
}

#[test]
fn ck_7_a_persistent_cookie_says_when_it_ends_in_both_ways() {
    let spec = Cookie::host("sid").persistent(true).build().unwrap();
    for (moment, date) in [
        (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400_999, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_795_000_000_000, "Wed, 18 Nov 2026 11:06:40 GMT"),
        (253_402_300_799_000, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        let header = spec.set(&value(120), Some((Duration::from_millis(7_200_999), at(moment)))).unwrap();
        assert!(header.ends_with(&format!("; SameSite=Lax; Max-Age=7200; Expires={date}")), "{header}");
    }
}

#[test]
fn ck_7_no_cookie_lives_longer_than_400_days() {
    let spec = Cookie::host("sid").persistent(true).build().unwrap();
    let now = at(1_795_000_000_000);
    for age in [400 * DAY, 400 * DAY + Duration::from_secs(1), 4_000 * DAY, Duration::MAX] {
        let header = spec.set(&value(120), Some((age, now.plus(age)))).unwrap();
        assert!(header.contains("; Max-Age=34560000; "), "{header}");
        if age < 4_001 * DAY {
            assert!(header.ends_with("Expires=Thu, 23 Dec 2027 11:06:40 GMT"), "{header}");
        }
    }
}

#[test]
fn ck_8_without_being_asked_no_cookie_outlives_the_browser() {
    let spec = Cookie::host("sid").build().unwrap();
    assert!(!spec.is_persistent());
    let header = spec.set(&value(120), None).unwrap();
    assert!(!header.contains("Max-Age") && !header.contains("Expires"));
    let persistent = Cookie::host("sid").persistent(true).build().unwrap();
    assert!(!persistent.set(&value(120), None).unwrap().contains("Max-Age"));
}

proptest! {
    /// Every other text is harmless, so that many combinations do build and are looked at.
    #[test]
    fn ck_3_no_configuration_injects_an_attribute_or_a_header(
        name in HARMLESS_OR_NOT,
        path in HARMLESS_OR_NOT,
        domain in HARMLESS_OR_NOT,
    ) {
        let harmful = |text: &str| text.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || byte == b';');
        let any = [&name, &path, &domain].into_iter().any(|text| harmful(text));
        match Cookie::named(name).path(format!("/{path}")).domain(domain).build() {
            Ok(spec) => {
                let header = spec.clear();
                prop_assert!(!any, "{header:?}");
                prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert_eq!(header.matches(';').count(), 7);
            }
            Err(error) => prop_assert!(!error.to_string().contains(['\r', '\n'])),
        }
    }
}
