//! Which redirect targets stay on this site, judged as a browser reads a URL.
//!
//! A path is accepted if, however often it is percent-decoded, a browser could not take its beginning for another
//! authority; an absolute URL if its host is on the application's list. Everything else is refused: `//host`, `/\host`,
//! `https://evil`, `javascript:`, `data:`, control characters (which browsers drop), raw non-ASCII.

use percent_encoding::percent_decode;

use super::host::Host;
use super::origin::Origin;

/// The hosts that a redirect may lead to besides this site.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedirectHosts {
    origins: Vec<Origin>,
}

impl RedirectHosts {
    /// Of a list of `host` and `host:port`; over `https`, and over `http` if that is said.
    ///
    /// # Errors
    /// The position of the first entry that is no host, counted from 1.
    pub(crate) fn new(hosts: &[String], over_http: bool) -> Result<Self, usize> {
        if let Some(bad) = hosts.iter().position(|host| Host::listed(host).is_none()) {
            return Err(bad + 1);
        }
        let schemes: &[&str] = if over_http { &["https", "http"] } else { &["https"] };
        let urls =
            hosts.iter().flat_map(|host| schemes.iter().map(move |scheme| format!("{scheme}://{host}")));
        Ok(Self { origins: urls.filter_map(|url| Origin::parse(&url)).collect() })
    }

    fn allow(&self, url: &str) -> bool {
        let start = url.find("://").map_or(url.len(), |colon| colon + 3);
        let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
        Origin::parse(&url[..end]).is_some_and(|origin| self.origins.contains(&origin))
    }
}

/// Returns whether a redirect to `url` stays on this site or goes to one of `hosts`.
#[must_use]
pub(crate) fn stays(url: &str, hosts: &RedirectHosts) -> bool {
    // Browsers remove tabs and line ends before they look, and read a backslash as a slash.
    let clean = |byte: u8| matches!(byte, b'!'..=b'~') && byte != b'\\';
    if url.len() > MOST_BYTES || !url.bytes().all(clean) {
        return false;
    }
    match url.strip_prefix('/') {
        Some(_) => is_path(path_of(url)),
        None => hosts.allow(url),
    }
}

/// Returns the path and query of a `Referer` if its page was served at `host`; a port that is not written is the scheme's.
#[must_use]
pub(crate) fn path_on<'u>(url: &'u str, host: &str) -> Option<&'u str> {
    let (origin, path) = split_referer(url)?;
    (origin.is_at(host) && stays(path, &RedirectHosts::default())).then_some(path)
}

/// Splits a `Referer` into its origin and its path with the query. `None` for what no page of a web site has.
fn split_referer(url: &str) -> Option<(Origin, &str)> {
    let start = url.find("://")?;
    let scheme = &url[..start];
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let start = start + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    let (origin, path) = (Origin::parse(&url[..end])?, &url[end..]);
    Some((origin, if path.is_empty() { "/" } else { path }))
}

/// Returns whether no percent-decoding turns the beginning of the path into an authority.
fn is_path(path: &str) -> bool {
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..MOST_DECODINGS {
        let visible: Vec<u8> = decoded.iter().copied().filter(|byte| *byte > b' ').collect();
        if visible.first() != Some(&b'/') || begins_with_nothing(&visible[1..]) {
            return false;
        }
        let next: Vec<u8> = percent_decode(&decoded).collect();
        if next == decoded {
            return true;
        }
        decoded = next;
    }
    false
}

/// Returns whether a path without its first slash begins with an empty segment, once its `.` and `..` are resolved: what
/// `/.//evil` becomes is another authority to whoever redirects to it again.
fn begins_with_nothing(path: &[u8]) -> bool {
    // An authority is read before dots are resolved: the host of `//evil/..` is `evil`.
    if matches!(path.first(), Some(b'/' | b'\\')) {
        return true;
    }
    let mut segments = Vec::new();
    for segment in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment {
            b"." => {}
            b".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.len() > 1 && segments[0].is_empty()
}

fn path_of(url: &str) -> &str {
    &url[..url.find(['?', '#']).unwrap_or(url.len())]
}

/// The longest accepted redirect target, in bytes.
const MOST_BYTES: usize = 2_048;
/// A path that still changes after this many decodings is refused.
const MOST_DECODINGS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn ok_example(over_http: bool) -> RedirectHosts {
        RedirectHosts::new(&["ok.example".to_owned()], over_http).unwrap()
    }

    #[test]
    fn an_authority_is_refused_whatever_dots_are_behind_it() {
        for url in [
            "//evil/..",
            "//evil/../",
            "//evil/a/../..",
            "//.",
            "//..",
            "/%2fevil/..",
            "/%2f%2e",
            "/%5cevil/%2e%2e",
        ] {
            assert!(!stays(url, &RedirectHosts::default()), "{url}");
        }
    }

    #[test]
    fn at_14_another_host_is_led_to_over_https_only_unless_said() {
        for (url, with_http) in [
            ("https://ok.example/", true),
            ("https://ok.example:443/", true),
            ("http://ok.example/", true),
            ("http://ok.example:80/", true),
            ("http://ok.example:443/", false),
            ("https://ok.example:80/", false),
        ] {
            assert_eq!(stays(url, &ok_example(true)), with_http, "{url}");
            assert_eq!(stays(url, &ok_example(false)), with_http && url.starts_with("https"), "{url}");
        }
    }

    #[test]
    fn at_14_an_empty_authority_is_no_host_and_an_entry_that_is_none_is_refused() {
        for bad in ["", " ", "*", "*.example", "https://ok.example", "ok.example/a", "ok.example:"] {
            let hosts = ["ok.example", bad].map(str::to_owned);
            assert_eq!(RedirectHosts::new(&hosts, true).unwrap_err(), 2, "{bad:?}");
        }
        for url in
            ["https://", "https:///evil", "https://?evil", "https://#evil", "https://:443/", "https://@evil/"]
        {
            assert!(!stays(url, &ok_example(true)) && !stays(url, &RedirectHosts::default()), "{url}");
        }
    }

    #[test]
    fn peers_25_what_leads_elsewhere_is_refused() {
        for url in [
            "",
            " ",
            "cart",
            "./cart",
            "?x",
            "#x",
            "//evil",
            "///evil",
            "/\\evil",
            "\\/evil",
            "\\\\evil",
            "/\t/evil",
            "/\n/evil",
            "/\r\n/evil",
            "\t//evil",
            " //evil",
            "/ /evil",
            "https://evil",
            "http://evil",
            "HTTPS://evil",
            "https:/evil",
            "https:evil",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:x",
            "/%2fevil",
            "/%2Fevil",
            "/%5cevil",
            "/%5Cevil",
            "%2f%2fevil",
            "/%09/evil",
            "/%0a/evil",
            "/%0d%0a/evil",
            "/%00/evil",
            "/%252fevil",
            "/%255cevil",
            "/%25252fevil",
            "/\u{ff0f}evil",
            "/caf\u{e9}",
            "/.//evil",
            "/..//evil",
            "/././/evil",
            "/a/..//evil",
            "/a/../..//evil",
            "/%2e//evil",
            "/.%2f%2fevil",
            "/a/%2e%2e/%2fevil",
            "/.//",
            "//\u{65}vil",
            "/\u{2028}/evil",
            "/\0/evil",
            "/\u{7f}evil",
            "https://ok.example@evil/",
            "https://evil/ok.example",
            "https://ok.example.evil/",
            "https://ok.example:1/",
            "https://ok.example\\@evil/",
            "ftp://ok.example/",
        ] {
            assert!(!stays(url, &ok_example(true)), "{url:?}");
        }
    }

    #[test]
    fn what_stays_is_accepted() {
        for url in [
            "/",
            "/cart",
            "/cart/",
            "/a//b",
            "/./cart",
            "/a/../b",
            "/a/..",
            "/../cart",
            "/.well-known/x",
            "/..a//b",
            "/search?q=a%0Ab",
            "/search?next=//evil",
            "/a%2fb",
            "/a%20b",
            "/100%",
            "/%E4%BD%A0",
            "/x#//evil",
            "/:/x",
            "/@evil",
            "https://ok.example",
            "https://ok.example/a",
            "HTTP://OK.example?x",
        ] {
            assert!(stays(url, &ok_example(true)), "{url:?}");
        }
    }

    #[test]
    fn a_referer_counts_only_on_our_own_host() {
        assert_eq!(path_on("http://shop:3000/cart", "shop:3000"), Some("/cart"));
        assert_eq!(path_on("http://shop:3000", "shop:3000"), Some("/"));
        assert_eq!(path_on("https://shop/cart?x=1", "shop"), Some("/cart?x=1"));
        for (url, host) in [
            ("https://shop.example/cart", "shop.example:443"),
            ("http://shop.example:80/cart", "SHOP.example"),
            ("HTTPS://Shop.example/cart", "shop.example"),
            ("http://[::1]/cart", "[::1]:80"),
            ("http://[::1]:3000/cart", "[::1]:3000"),
            ("https://shop.example./cart", "shop.example."),
        ] {
            assert_eq!(path_on(url, host), Some("/cart"), "{url} at {host}");
        }
        for (url, host) in [
            ("https://shop.example/cart", "shop.example:80"),
            ("http://shop.example/cart", "shop.example:443"),
            ("http://[::1]/cart", "[::2]"),
            ("ftp://shop.example/cart", "shop.example"),
            ("https://shop.example./cart", "shop.example"),
            ("https:///cart", ""),
        ] {
            assert_eq!(path_on(url, host), None, "{url} at {host}");
        }
        for other in [
            "http://shop:3000.evil/cart",
            "http://shop:3001/cart",
            "http://shop:3000@evil/",
            "//shop:3000/cart",
            "http://evil/?http://shop:3000/",
        ] {
            assert_eq!(path_on(other, "shop:3000"), None, "{other}");
        }
    }
}
