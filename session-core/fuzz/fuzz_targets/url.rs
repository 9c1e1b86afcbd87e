//! No redirect leaves the site, as a browser reads its target (the `url` crate implements the URL standard).
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use session_core::Session;
use session_web::Redirects;
use url::Url;

static HERE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://shop.example/cart/").expect("a URL"));

fuzz_target!(|data: &str| {
    // A target from a request, and a `Referer`. The fallback is the application's own.
    let (target, referer) = data.split_once('\n').unwrap_or((data, data));
    let redirects = Redirects::new(Session::standalone(), Some(referer.as_bytes()), Some(b"shop.example"));
    for target in [redirects.to(target), redirects.back("/")] {
        let Ok(finished) = target.finish() else { continue };
        let location = finished.location();
        assert!(location.bytes().all(|byte| matches!(byte, b'!'..=b'~')), "{location:?}");
        let there = HERE.join(location).expect("a browser can follow it");
        assert_eq!(there.origin(), HERE.origin(), "{location:?} leads to {there}");
        // A server in between may decode once more.
        let mut decoded = location.to_owned();
        for _ in 0..3 {
            decoded = percent_decoded(&decoded);
            if let Ok(there) = HERE.join(&decoded) {
                assert_eq!(there.origin(), HERE.origin(), "{location:?} decodes to {decoded:?}");
            }
        }
    }
});

fn percent_decoded(text: &str) -> String {
    // The query does not name a host.
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let bytes = path.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
