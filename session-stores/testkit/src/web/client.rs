//! A visitor of a [`WebApp`]: keeps the cookie, sends forms, remembers nothing else.

use std::cell::RefCell;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::Value;

use super::{WebApp, json_of};

/// One visitor.
#[derive(Debug)]
pub struct Client<'a, A> {
    app: &'a A,
    cookie: RefCell<Option<String>>,
}

/// What came back.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "for tests")]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl<'a, A: WebApp> Client<'a, A> {
    /// A visitor whom the application has never seen.
    pub fn new(app: &'a A) -> Self {
        Self { app, cookie: RefCell::default() }
    }

    /// Gets a page.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        self.post_with(path, form, &[]).await
    }

    /// Sends a form with more headers.
    pub async fn post_with(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(Method::POST, path, &all, Bytes::copy_from_slice(form.as_bytes())).await
    }

    /// Sends anything. The host is `shop.example`.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "shop.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &*self.cookie.borrow() {
            request = request.header(header::COOKIE, cookie);
        }
        let (parts, body) = self.app.send(request.body(body).unwrap()).await.into_parts();
        if let Some(set) = parts.headers.get(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie.replace(Some(pair));
        }
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// The token that `/page` shows.
    pub async fn csrf(&self) -> String {
        self.get("/page").await.json()["csrf_token"].as_str().unwrap().to_owned()
    }
}

impl Reply {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        json_of(&self.body)
    }

    /// Where it leads; empty if nowhere.
    #[must_use]
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }
}
