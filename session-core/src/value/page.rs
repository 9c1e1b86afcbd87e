//! Which requests and answers make a page: something that a visitor saw and may be led back to.

/// A request for a page, as far as the request tells.
#[derive(Clone, PartialEq, Eq)]
pub struct PageRequest {
    url: Box<str>,
}

/// Not the URL: a query may hold anything, a token among it.
impl std::fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageRequest").finish_non_exhaustive()
    }
}

impl PageRequest {
    /// A request that a person made by going somewhere: a `GET` that is neither a script's, nor a frame's, nor made ahead
    /// of time. `header` answers with the value of a request header, asked by its lower-case name.
    ///
    /// ```
    /// use session_core::adapter::PageRequest;
    ///
    /// let none = |_| None;
    /// let page = PageRequest::new("GET", "/cart?step=2", none).unwrap();
    /// assert!(page.is_shown(200, Some(b"text/html; charset=utf-8")));
    /// assert!(!page.is_shown(404, Some(b"text/html")) && !page.is_shown(200, Some(b"application/json")));
    /// assert_eq!(PageRequest::new("POST", "/cart", none), None);
    /// let prefetched = |name| (name == "sec-purpose").then_some(b"prefetch".as_slice());
    /// assert_eq!(PageRequest::new("GET", "/cart", prefetched), None);
    /// // The URL is not in its `Debug`: a query may hold a token.
    /// assert!(!format!("{page:?}").contains("step"));
    /// ```
    #[must_use]
    pub fn new<'h>(
        method: &str,
        url: &str,
        header: impl Fn(&'static str) -> Option<&'h [u8]>,
    ) -> Option<Self> {
        let is = |name, value: &[u8]| header(name).is_some_and(|there| there.eq_ignore_ascii_case(value));
        let ahead =
            |name| header(name).is_some_and(|there| there.to_ascii_lowercase().starts_with(b"prefetch"));
        let elsewhere = header("sec-fetch-dest").is_some_and(|there| there != b"document");
        let seen = method == "GET"
            && !elsewhere
            && !is("x-requested-with", b"xmlhttprequest")
            && !ahead("sec-purpose")
            && !ahead("purpose");
        seen.then(|| Self { url: url.into() })
    }

    /// Whether an answer of this status and `Content-Type` shows it: HTML, and a success.
    #[must_use]
    pub fn is_shown(&self, status: u16, content_type: Option<&[u8]>) -> bool {
        let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let is_html = essence.is_some_and(|essence| {
            let essence = essence.trim_ascii();
            essence.eq_ignore_ascii_case(b"text/html")
                || essence.eq_ignore_ascii_case(b"application/xhtml+xml")
        });
        (200..300).contains(&status) && is_html
    }

    /// The path and query.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}
