//! What a page may know about a request. No framework's word: an adapter brings method, target, headers and body.

use bytes::Bytes;
use session_core::Timestamp;
use session_forms::{Form, FormError};

/// One request, as the pages see it.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The path without a query.
    pub(crate) path: String,
    pub(crate) form: Form,
    pub(crate) now: Timestamp,
    pub(crate) referer: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) user_agent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Other,
}

impl Ask {
    /// Puts a request into words. `header` looks one up by its lower-case name.
    pub(crate) async fn new<'h>(
        method: &str,
        path: &str,
        header: impl Fn(&str) -> Option<&'h str>,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Self, FormError> {
        let method = match method {
            "GET" | "HEAD" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        };
        let form = match method {
            Method::Post => Form::read(header("content-type").unwrap_or_default(), body).await?,
            Method::Get | Method::Other => Form::default(),
        };
        let owned = |name| header(name).map(str::to_owned);
        Ok(Self {
            method,
            path: path.to_owned(),
            form,
            now,
            referer: owned("referer"),
            host: owned("host"),
            user_agent: owned("user-agent"),
        })
    }

    /// A field of the form without the blanks around it; empty when it is missing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.text(name).unwrap_or_default().trim()
    }

    /// A field as it came: for passwords, where blanks count.
    pub(crate) fn secret(&self, name: &str) -> &str {
        self.form.text(name).unwrap_or_default()
    }

    /// The browser in a few words, for a list of devices.
    pub(crate) fn browser(&self) -> String {
        let agent = self.user_agent.as_deref().unwrap_or_default();
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name)
        };
        // In this order, since most browsers also name the ones that they resemble.
        let browsers =
            [("Firefox/", "Firefox"), ("Edg/", "Edge"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
        let systems = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("Windows", "Windows"),
            ("Mac OS", "Mac"),
            ("Linux", "Linux"),
        ];
        match (first(&browsers), first(&systems)) {
            (Some(browser), Some(system)) => format!("{browser}, {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => agent.chars().take(40).collect(),
        }
    }
}

#[cfg(test)]
impl Ask {
    /// A form that was sent, for tests of the pages.
    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let waker = std::task::Waker::noop();
        // None of this needs letters escaped but the blank.
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        let header = |name: &str| (name == "content-type").then_some("application/x-www-form-urlencoded");
        let asking = Self::new("POST", "/", header, body.join("&").into(), Timestamp::from_millis(0));
        match std::pin::pin!(asking).poll(&mut std::task::Context::from_waker(waker)) {
            std::task::Poll::Ready(ask) => ask.unwrap(),
            std::task::Poll::Pending => panic!("a body in memory is read at once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_in_few_words() {
        let mut ask = Ask::form(&[]);
        ask.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0 Safari/537.36".to_owned());
        assert_eq!(ask.browser(), "Chrome, Linux");
        ask.user_agent = Some("curl/8".to_owned());
        assert_eq!(ask.browser(), "curl/8");
    }

    #[test]
    fn blanks_around_a_field_go_and_those_of_a_password_stay() {
        let ask = Ask::form(&[("email", " ada "), ("password", " secret ")]);
        assert_eq!((ask.field("email"), ask.secret("password")), ("ada", " secret "));
    }
}
