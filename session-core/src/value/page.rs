//! Which requests and answers make a page: something that a visitor saw and may be led back to.

/// A request for a page, as far as the request tells.
#[derive(Clone, PartialEq, Eq)]
pub struct PageRequest {
    url: Box<str>,
    loader: Loader,
}

/// What asked for the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loader {
    /// The browser, or a script that puts HTML in its place.
    Html,
    /// Inertia, which gets a page as JSON.
    Inertia,
}

/// Not the URL: a query may hold anything, a token among it.
impl std::fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageRequest").finish_non_exhaustive()
    }
}

impl PageRequest {
    /// A request that a person made by going somewhere: a `GET` for a whole page, neither a frame's nor made ahead of time.
    /// A script's request counts if the script loads pages: Turbo, Inertia, boosted htmx, PJAX. Where no header says what
    /// asked (browsers send `Sec-Fetch-Dest` over HTTPS and to localhost only), a request counts unless it opens a WebSocket
    /// or prefers something else to HTML, as the requests of scripts, images and event streams do. `header` answers with
    /// the value of a request header, asked by its lower-case name.
    ///
    /// ```
    /// use session_core::adapter::PageRequest;
    ///
    /// let none = |_| None;
    /// let page = PageRequest::new("GET", "/cart?step=2", none).unwrap();
    /// assert!(page.is_shown(200, Some(b"text/html; charset=utf-8")));
    /// assert!(!page.is_shown(404, Some(b"text/html")) && !page.is_shown(200, Some(b"application/json")));
    /// assert_eq!(PageRequest::new("POST", "/cart", none), None);
    /// let boosted = |name| matches!(name, "hx-request" | "hx-boosted").then_some(b"true".as_slice());
    /// assert!(PageRequest::new("GET", "/cart", boosted).is_some());
    /// let prefetched = |name| (name == "sec-purpose").then_some(b"prefetch".as_slice());
    /// assert_eq!(PageRequest::new("GET", "/cart", prefetched), None);
    /// let fetched = |name| (name == "accept").then_some(b"application/json, */*".as_slice());
    /// assert_eq!(PageRequest::new("GET", "/cart", fetched), None);
    /// // The URL is not in its `Debug`: a query may hold a token.
    /// assert!(!format!("{page:?}").contains("step"));
    /// ```
    #[must_use]
    pub fn new<'h>(
        method: &str,
        url: &str,
        header: impl Fn(&'static str) -> Option<&'h [u8]>,
    ) -> Option<Self> {
        let seen = method == "GET" && !is_ahead_of_time(&header);
        let loader = seen.then(|| loader(&header)).flatten()?;
        Some(Self { url: url.into(), loader })
    }

    /// Whether an answer of this status and `Content-Type` shows it: a success, and HTML; for Inertia, JSON.
    #[must_use]
    pub fn is_shown(&self, status: u16, content_type: Option<&[u8]>) -> bool {
        let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let is_page = essence.is_some_and(|essence| {
            let essence = essence.trim_ascii();
            essence.eq_ignore_ascii_case(b"text/html")
                || essence.eq_ignore_ascii_case(b"application/xhtml+xml")
                || (self.loader == Loader::Inertia && essence.eq_ignore_ascii_case(b"application/json"))
        });
        (200..300).contains(&status) && is_page
    }

    /// The path and query.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// What loads a whole page by this request; `None` for a part of one, and for anything else that a script asks for.
fn loader<'h>(header: impl Fn(&'static str) -> Option<&'h [u8]>) -> Option<Loader> {
    let is = |name, value: &[u8]| header(name).is_some_and(|there| there.eq_ignore_ascii_case(value));
    let has = |name| header(name).is_some();
    let is_script = has("x-requested-with") || has("hx-request") || is("sec-fetch-dest", b"empty");
    if has("turbo-frame") {
        return None;
    }
    if is("x-inertia", b"true") {
        return Some(Loader::Inertia);
    }
    let loads_pages = has("x-turbo-request-id")
        || has("turbolinks-referrer")
        || is("accept", TURBO)
        || is("hx-boosted", b"true")
        || is("hx-history-restore-request", b"true")
        || has("x-pjax");
    let is_page = match header("sec-fetch-dest") {
        Some(b"document" | b"empty") => true,
        Some(_) => false,
        None => loads_pages || (!has("sec-websocket-key") && header("accept").is_none_or(prefers_html)),
    };
    (is_page && (!is_script || loads_pages)).then_some(Loader::Html)
}

/// Whether an `Accept` header names HTML, or has no preference. Browsers name HTML when they go to a page. A script asks
/// for JSON or an event stream, or says nothing better than `*/*`, which says no more than a client without a browser does.
fn prefers_html(accept: &[u8]) -> bool {
    let mut types = accept.split(|byte| *byte == b',').map(|range| {
        let essence = range.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().to_ascii_lowercase()
    });
    let is_html = |essence: &[u8]| matches!(essence, b"text/html" | b"application/xhtml+xml");
    let Some(first) = types.next() else { return true };
    matches!(&*first, b"" | b"*/*" | b"text/*") || is_html(&first) || types.any(|essence| is_html(&essence))
}

/// Whether a request is made before anybody has gone to the page, perhaps in vain: a prefetch, or the preview of a page.
pub(crate) fn is_ahead_of_time<'h>(header: impl Fn(&'static str) -> Option<&'h [u8]>) -> bool {
    ["sec-purpose", "purpose", "x-sec-purpose", "x-purpose", "x-moz"].into_iter().any(|name| {
        let purpose = header(name).unwrap_or_default().to_ascii_lowercase();
        purpose.starts_with(b"prefetch") || purpose.starts_with(b"preview")
    })
}

/// What Turbo accepts when it loads a page; before version 7.3 nothing else tells it from other scripts.
const TURBO: &[u8] = b"text/html, application/xhtml+xml";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &'static str)]) -> Option<PageRequest> {
        let header =
            |name| headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes());
        PageRequest::new("GET", "/page", header)
    }

    #[test]
    fn a_page_that_a_script_loads_is_a_page() {
        for headers in [
            &[][..],
            &[("sec-fetch-dest", "document")],
            &[("sec-fetch-dest", "empty"), ("x-turbo-request-id", "1")],
            &[("sec-fetch-dest", "empty"), ("accept", "text/html, application/xhtml+xml")],
            &[("x-requested-with", "XMLHttpRequest"), ("turbolinks-referrer", "https://shop.example/")],
            &[("sec-fetch-dest", "empty"), ("hx-request", "true"), ("hx-boosted", "true")],
            &[("hx-request", "true"), ("hx-history-restore-request", "true")],
            &[("x-requested-with", "XMLHttpRequest"), ("x-pjax", "true")],
            &[("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8")],
            &[("accept", "application/xml, Text/HTML;level=1")],
            &[("accept", "*/*")],
            &[("accept", "")],
            &[("sec-fetch-dest", "document"), ("accept", "application/json")],
            &[("accept", "text/vnd.turbo-stream.html, application/json"), ("x-turbo-request-id", "1")],
        ] {
            let page = request(headers);
            assert!(page.is_some_and(|page| page.is_shown(200, Some(b"text/html"))), "{headers:?}");
        }
        let inertia = request(&[("x-requested-with", "XMLHttpRequest"), ("x-inertia", "true")]).unwrap();
        assert!(
            inertia.is_shown(200, Some(b"application/json")) && inertia.is_shown(200, Some(b"text/html"))
        );
    }

    #[test]
    fn a_part_of_a_page_is_no_page() {
        for headers in [
            [("sec-fetch-dest", "iframe"), ("accept", "text/html")],
            [("sec-fetch-dest", "frame"), ("accept", "text/html, application/xhtml+xml")],
            [("sec-fetch-dest", "image"), ("accept", "*/*")],
            [("sec-fetch-dest", "empty"), ("accept", "text/html")],
            [("x-requested-with", "XMLHttpRequest"), ("accept", "text/html, */*; q=0.01")],
            [("hx-request", "true"), ("hx-boosted", "false")],
            [("turbo-frame", "cart"), ("x-turbo-request-id", "1")],
            [("sec-purpose", "prefetch;prerender"), ("x-turbo-request-id", "1")],
            [("purpose", "Prefetch"), ("x-inertia", "true")],
            [("x-moz", "prefetch"), ("sec-fetch-dest", "document")],
            [("x-purpose", "preview"), ("accept", "text/html")],
            [("sec-websocket-key", "AAAA"), ("upgrade", "websocket")],
        ] {
            assert!(request(&headers).is_none(), "{headers:?}");
        }
        for accept in [
            "application/json",
            "application/json, text/plain, */*",
            "Application/Vnd.API+JSON",
            "text/event-stream",
            "image/avif,image/webp,*/*;q=0.8",
            "text/plain",
            "text/htmlx",
        ] {
            assert!(request(&[("accept", accept)]).is_none(), "{accept}");
        }
    }
}
