//! A cookie jar with the rules of browsers (RFC 6265bis): scopes, prefixes, limits, replacement and removal.

use std::time::Duration;

use session_core::Timestamp;

/// The origin of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The host name.
    pub host: String,
    /// Whether it was loaded over TLS.
    pub secure: bool,
}

/// The cookies of one browser.
///
/// ```
/// use session_core::Timestamp;
/// use session_conformance::adapter::jar::{Jar, Origin};
///
/// let (mut jar, now) = (Jar::default(), Timestamp::from_millis(0));
/// let page = Origin { host: "app.example".to_owned(), secure: true };
/// assert!(jar.store(b"__Host-sid=1; Path=/; Secure; HttpOnly", &page, "/", now));
/// assert!(!jar.store(b"__Host-sid=2; Path=/admin; Secure", &page, "/", now), "a prefix has its rules");
/// assert_eq!(jar.cookies(&page, "/any", now), [b"__Host-sid=1".to_vec()]);
/// assert!(jar.visible_to_scripts(&page, "/any", now).is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<Stored>,
}

#[derive(Clone, Debug)]
struct Stored {
    name: Vec<u8>,
    value: Vec<u8>,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    http_only: bool,
    expires: Option<Timestamp>,
}

impl Jar {
    /// Applies the value of a `Set-Cookie` header. Returns whether the cookie was stored or, if it is expired, removed.
    pub fn store(&mut self, header: &[u8], origin: &Origin, request_path: &str, now: Timestamp) -> bool {
        let Some(cookie) = parse(header, origin, request_path, now) else { return false };
        let same = |old: &Stored| {
            old.name == cookie.name
                && old.domain == cookie.domain
                && old.path == cookie.path
                && old.host_only == cookie.host_only
        };
        let place = self.cookies.iter().position(same);
        match (place, cookie.is_live(now)) {
            (Some(place), true) => self.cookies[place] = cookie,
            (Some(place), false) => drop(self.cookies.remove(place)),
            (None, true) => self.cookies.push(cookie),
            (None, false) => {}
        }
        true
    }

    /// Returns the pairs of a request in the order of browsers: longer paths first, then older cookies.
    #[must_use]
    pub fn cookies(&self, origin: &Origin, path: &str, now: Timestamp) -> Vec<Vec<u8>> {
        pairs(self.matching(origin, path, now))
    }

    /// Returns the value of `document.cookie`.
    #[must_use]
    pub fn visible_to_scripts(&self, origin: &Origin, path: &str, now: Timestamp) -> Vec<Vec<u8>> {
        pairs(self.matching(origin, path, now).into_iter().filter(|cookie| !cookie.http_only).collect())
    }

    /// Returns the value of this name on a page, the first if there are several.
    #[must_use]
    pub fn value(&self, name: &str, origin: &Origin, now: Timestamp) -> Option<String> {
        let named = self.matching(origin, "/", now).into_iter().find(|cookie| cookie.name == name.as_bytes());
        named.map(|cookie| String::from_utf8_lossy(&cookie.value).into_owned())
    }

    /// Closes the browser: cookies without an expiry are removed.
    pub fn close_browser(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }

    fn matching(&self, origin: &Origin, path: &str, now: Timestamp) -> Vec<&Stored> {
        let mut found: Vec<&Stored> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.is_live(now) && (origin.secure || !cookie.secure))
            .filter(|cookie| match cookie.host_only {
                true => cookie.domain == origin.host,
                false => domain_matches(&origin.host, &cookie.domain),
            })
            .filter(|cookie| path_matches(path, &cookie.path))
            .collect();
        // The sort is stable, so older cookies stay first among paths of equal length.
        found.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        found
    }
}

impl Stored {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|at| at > now)
    }
}

fn pairs(cookies: Vec<&Stored>) -> Vec<Vec<u8>> {
    cookies.into_iter().map(|cookie| [&cookie.name[..], b"=", &cookie.value].concat()).collect()
}

/// Returns `None` for a cookie that browsers drop.
fn parse(header: &[u8], origin: &Origin, request_path: &str, now: Timestamp) -> Option<Stored> {
    if header.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
        return None;
    }
    let mut parts = header.split(|byte| *byte == b';');
    let pair = parts.next()?;
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (trim(&pair[..at]), trim(&pair[at + 1..]));
    if name.is_empty() || name.len() + value.len() > 4_096 {
        return None;
    }
    let mut cookie = Stored {
        name: name.to_vec(),
        value: value.to_vec(),
        domain: origin.host.clone(),
        host_only: true,
        path: default_path(request_path).to_owned(),
        secure: false,
        http_only: false,
        expires: None,
    };
    let (mut max_age, mut none, mut root) = (None, false, false);
    for part in parts {
        let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let attribute = trim(&part[..at]).to_ascii_lowercase();
        let value = std::str::from_utf8(trim(part.get(at + 1..).unwrap_or_default())).ok()?;
        if value.len() > 1_024 {
            continue;
        }
        match attribute.as_slice() {
            b"expires" => cookie.expires = date(value).or(cookie.expires),
            b"max-age" => max_age = value.parse::<i64>().ok().or(max_age),
            b"domain" if !value.is_empty() => {
                cookie.domain = value.trim_start_matches('.').to_ascii_lowercase();
                cookie.host_only = false;
            }
            b"path" => {
                root = value == "/";
                let given = Some(value).filter(|path| path.starts_with('/'));
                given.unwrap_or(default_path(request_path)).clone_into(&mut cookie.path);
            }
            b"secure" => cookie.secure = true,
            b"httponly" => cookie.http_only = true,
            b"samesite" => none = value.eq_ignore_ascii_case("none"),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let most = 400 * 24 * 60 * 60;
        cookie.expires = Some(match u64::try_from(seconds) {
            Ok(seconds @ 1..) => now.plus(Duration::from_secs(seconds.min(most))),
            _ => Timestamp::from_millis(i64::MIN),
        });
    }
    let prefix = |prefix: &str| {
        name.len() >= prefix.len() && name[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
    };
    let refused = (cookie.secure && !origin.secure)
        || (none && !cookie.secure)
        || !domain_matches(&origin.host, &cookie.domain)
        || (prefix("__Secure-") && !cookie.secure)
        || (prefix("__Host-") && !(cookie.secure && cookie.host_only && root));
    (!refused).then_some(cookie)
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

fn default_path(request: &str) -> &str {
    match request.split('?').next().unwrap_or("/").rfind('/') {
        None | Some(0) => "/",
        Some(last) => &request[..last],
    }
}

fn domain_matches(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn path_matches(request: &str, path: &str) -> bool {
    let request = request.split('?').next().unwrap_or("/");
    request
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || path.ends_with('/') || rest.starts_with('/'))
}

/// Parses `Thu, 01 Jan 1970 00:00:00 GMT`, the only form that servers may send.
fn date(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split([' ', ':']).collect();
    let [_, day, month, year, hour, minute, second, "GMT"] = words[..] else { return None };
    let number = |text: &str| text.parse::<i64>().ok();
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    // Days since 1970 in the Gregorian calendar, with March as the year's first month.
    let (year, month) = if month < 3 { (number(year)? - 1, month + 9) } else { (number(year)?, month - 3) };
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + number(day)? - 719_469;
    let seconds = ((days * 24 + number(hour)?) * 60 + number(minute)?) * 60 + number(second)?;
    Some(Timestamp::from_millis(seconds * 1_000))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn page() -> Origin {
        Origin { host: "app.example".to_owned(), secure: true }
    }

    fn plain() -> Origin {
        Origin { secure: false, ..page() }
    }

    fn kept(header: &str, origin: &Origin) -> bool {
        Jar::default().store(header.as_bytes(), origin, "/", NOW)
    }

    #[test]
    fn prefixes_and_flags_are_enforced() {
        assert!(kept("__Host-a=1; Path=/; Secure", &page()));
        for refused in [
            "__Host-a=1; Secure",
            "__host-a=1; Path=/; Secure; Domain=app.example",
            "__Host-a=1; Path=/",
            "__Secure-a=1",
            "a=1; SameSite=None",
            "a=1; Domain=other.example",
            "=1",
            "a",
        ] {
            assert!(!kept(refused, &page()), "{refused}");
        }
        assert!(!kept("a=1; Secure", &plain()));
    }

    #[test]
    fn a_cookie_over_4096_bytes_is_dropped_and_the_old_one_stays() {
        let mut jar = Jar::default();
        assert!(jar.store(b"a=old", &page(), "/", NOW));
        assert!(!jar.store(format!("a={}", "x".repeat(4_096)).as_bytes(), &page(), "/", NOW));
        assert_eq!(jar.value("a", &page(), NOW).as_deref(), Some("old"));
        assert!(jar.store(format!("a={}", "x".repeat(4_095)).as_bytes(), &page(), "/", NOW));
    }

    #[test]
    fn max_age_zero_and_past_dates_remove() {
        for over in ["a=; Max-Age=0", "a=; Max-Age=-1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
            let mut jar = Jar::default();
            assert!(jar.store(b"a=1", &page(), "/", NOW));
            assert!(jar.store(over.as_bytes(), &page(), "/", NOW));
            assert!(jar.cookies(&page(), "/", NOW).is_empty(), "{over}");
        }
        let dated = "a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert!(kept(dated, &page()), "Max-Age wins");
    }

    #[test]
    fn duplicates_live_by_path_and_the_longer_path_comes_first() {
        let mut jar = Jar::default();
        for header in ["a=root; Path=/", "a=deep; Path=/x", "a=root2; Path=/"] {
            assert!(jar.store(header.as_bytes(), &page(), "/", NOW));
        }
        assert_eq!(jar.cookies(&page(), "/x/y", NOW), [b"a=deep".to_vec(), b"a=root2".to_vec()]);
        assert_eq!(jar.cookies(&page(), "/xy", NOW), [b"a=root2".to_vec()]);
    }

    #[test]
    fn secure_cookies_stay_off_plain_http_and_domains_widen() {
        let mut jar = Jar::default();
        jar.store(b"a=1; Secure; Path=/", &page(), "/", NOW);
        jar.store(b"b=2; Domain=.example; Path=/", &page(), "/", NOW);
        let other = Origin { host: "other.example".to_owned(), secure: true };
        assert_eq!(jar.cookies(&other, "/", NOW), [b"b=2".to_vec()]);
        assert_eq!(jar.cookies(&plain(), "/", NOW), [b"b=2".to_vec()]);
    }

    #[test]
    fn dates_are_read() {
        let at = |text: &str| date(text).map(Timestamp::as_millis);
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(at("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800_000));
        assert_eq!(at("soon"), None);
    }
}
