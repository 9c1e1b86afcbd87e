//! A minimal browser over real sockets: HTTP/1.1 or HTTP/2, and one cookie jar for all tabs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use session_core::adapter::Clock as _;
use tokio::net::TcpStream;

use super::jar::{Jar, Origin};
use super::transcript::Transcript;
use session_testkit::ManualClock;

/// The protocol of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// One browser. Its clones are tabs: they share the jar.
#[derive(Clone, Debug)]
pub struct Browser {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) clock: ManualClock,
    pub(super) transcript: Option<Arc<Mutex<Transcript>>>,
    pub(super) jar: Arc<Mutex<Jar>>,
    pub(super) origin: Origin,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Browser {
    /// Requests a page with the cookies of the jar, and keeps those of the response.
    ///
    /// # Panics
    /// If there is no complete response.
    pub async fn get(&self, path: &str) -> Reply {
        self.try_get(path).await.unwrap_or_else(|| panic!("GET {path} is answered"))
    }

    /// Does the same; `None` if the connection ends instead.
    pub async fn try_get(&self, path: &str) -> Option<Reply> {
        self.ask("GET", path, None, "").await
    }

    /// Posts a script.
    ///
    /// # Panics
    /// If there is no complete response.
    pub async fn run(&self, script: &str) -> Reply {
        self.try_run(script).await.expect("the script is answered")
    }

    /// Does the same; `None` if the connection ends instead.
    pub async fn try_run(&self, script: &str) -> Option<Reply> {
        self.ask("POST", "/run", None, script).await
    }

    /// Posts a form of this type and runs operations while it is the request's input, each `"name","field":value…`.
    ///
    /// # Panics
    /// If there is no complete response.
    pub async fn submit(&self, content_type: &str, form: &str, ops: &[&str]) -> Reply {
        let path = at("/form", ops.iter().copied());
        let reply = self.ask("POST", &path, Some(content_type), form).await;
        reply.unwrap_or_else(|| panic!("POST {path} is answered"))
    }

    /// Runs operations, each `"name","field":value…`, and checks each answer: JSON, or `!Kind` for an error.
    ///
    /// # Panics
    /// If an answer differs.
    pub async fn ops(&self, ops: &[(&str, &str)]) -> Reply {
        let reply = self.run(&script(ops.iter().map(|(op, _)| *op))).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let expected: Vec<&str> = ops.iter().map(|(_, expected)| *expected).collect();
        check(ops, &reply.results(), &expected);
        reply
    }

    /// Does the same on a read-only session, or while a body streams.
    ///
    /// # Panics
    /// If an answer differs.
    pub async fn ops_at(&self, path: &str, ops: &[(&str, &str)]) -> Reply {
        let reply = self.get(&at(path, ops.iter().map(|(op, _)| *op))).await;
        let expected: Vec<&str> = ops.iter().map(|(_, expected)| *expected).collect();
        check(ops, &reply.results(), &expected);
        reply
    }

    /// Sends these `Cookie` headers and no others, and ignores the cookies of the response.
    ///
    /// # Panics
    /// If there is no complete response.
    pub async fn get_with(&self, path: &str, cookies: &[&[u8]]) -> Reply {
        let cookies = cookies.iter().map(|cookie| cookie.to_vec()).collect();
        self.send("GET", path, &[], "", cookies).await.expect("the request is answered")
    }

    /// Posts an empty body with these headers, such as a proof of the device.
    ///
    /// # Panics
    /// If there is no complete response.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let cookies = self.cookies_for(path);
        let reply = self.send("POST", path, headers, "", cookies).await.expect("the request is answered");
        self.hear(path, &reply);
        reply
    }

    /// Applies the cookies of a response that arrives late.
    pub fn hear(&self, path: &str, reply: &Reply) {
        let now = self.clock.now();
        for header in reply.headers.get_all(header::SET_COOKIE) {
            self.jar().store(header.as_bytes(), &self.origin, path, now);
        }
    }

    /// Returns a new browser without cookies, with the same protocol.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { jar: Arc::default(), ..self.clone() }
    }

    /// Returns the same browser without transcript, for concurrent requests, whose order differs from run to run.
    #[must_use]
    pub fn quiet(&self) -> Self {
        Self { transcript: None, ..self.clone() }
    }

    /// Returns the value of a cookie.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().value(name, &self.origin, self.clock.now())
    }

    /// Returns a copy of the jar, for a thief or for a slow request.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let jar = self.jar().clone();
        Self { jar: Arc::new(Mutex::new(jar)), ..self.clone() }
    }

    pub(super) fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, method: &str, path: &str, content_type: Option<&str>, body: &str) -> Option<Reply> {
        let headers = content_type.map(|content_type| (header::CONTENT_TYPE.as_str(), content_type));
        let reply = self.send(method, path, headers.as_slice(), body, self.cookies_for(path)).await?;
        self.hear(path, &reply);
        Some(reply)
    }

    fn cookies_for(&self, path: &str) -> Vec<Vec<u8>> {
        let pairs = self.jar().cookies(&self.origin, path, self.clock.now());
        match self.protocol {
            _ if pairs.is_empty() => Vec::new(),
            Protocol::Http1 => vec![pairs.join(&b"; "[..])],
            // As browsers do, each cookie in its own field.
            Protocol::Http2 => pairs,
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        cookies: Vec<Vec<u8>>,
    ) -> Option<Reply> {
        let mut request = Request::builder().method(method);
        request = match self.protocol {
            Protocol::Http1 => request.uri(path).header(header::HOST, &self.origin.host),
            Protocol::Http2 => request.uri(format!("http://{}{path}", self.origin.host)),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for cookie in cookies {
            request = request.header(header::COOKIE, HeaderValue::from_bytes(&cookie).expect("header bytes"));
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a request");
        let answered = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        let reply = answered.expect("an answer within its time");
        if let Some(transcript) = &self.transcript {
            let mut transcript = transcript.lock().unwrap_or_else(PoisonError::into_inner);
            let said: Vec<_> = headers.iter().map(|(_, value)| *value).collect();
            let line = [method, path, &said.join(" "), body].join(" ");
            match &reply {
                Some(reply) if reply.status != 500 || !reply.body.is_empty() => {
                    transcript.exchange(&line, reply.status.as_u16(), &reply.headers, &reply.body);
                }
                _ => transcript.broken(&line),
            }
        }
        reply
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Option<Reply> {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        let io = TokioIo::new(stream);
        // The connection is a task that ends with this call: dropping it hangs up, as a closed tab does.
        let (connection, response);
        match self.protocol {
            Protocol::Http1 => {
                let (mut sender, driver) = hyper::client::conn::http1::handshake(io).await.ok()?;
                connection = HangUp(tokio::spawn(async { drop(driver.await) }));
                response = sender.send_request(request).await.ok()?;
            }
            Protocol::Http2 => {
                let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
                let (mut sender, driver) = shaken.ok()?;
                connection = HangUp(tokio::spawn(async { drop(driver.await) }));
                response = sender.send_request(request).await.ok()?;
            }
        }
        let (head, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        drop(connection);
        Some(Reply { status: head.status, headers: head.headers, body })
    }
}

struct HangUp(tokio::task::JoinHandle<()>);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reply {
    /// Returns the body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the status and the number of cookies.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent { status: self.status.as_u16(), cookies: self.set_cookies().len() }
    }

    /// Returns all `Set-Cookie` values.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<String> {
        self.all(header::SET_COOKIE)
    }

    /// Returns all values of a header.
    #[must_use]
    pub fn all(&self, name: header::HeaderName) -> Vec<String> {
        let values = self.headers.get_all(name);
        values.iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    /// Returns the results of a script, each as JSON, or `!Kind` for an error.
    ///
    /// # Panics
    /// If the body is not the result of a script.
    #[must_use]
    pub fn results(&self) -> Vec<String> {
        let text = self.text();
        let json = text.strip_prefix("started\n").unwrap_or(&text);
        let answer: Results = serde_json::from_str(json).unwrap_or_else(|_| panic!("no results: {text}"));
        let words = answer.results.into_iter().map(|result| match result {
            OneResult::Ok(json) => json.get().to_owned(),
            OneResult::Err { kind } => format!("!{kind}"),
        });
        words.collect()
    }
}

#[derive(serde::Deserialize)]
struct Results {
    results: Vec<OneResult>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum OneResult {
    Ok(Box<serde_json::value::RawValue>),
    Err { kind: String },
}

/// Returns the text of a script of these operations.
#[must_use]
pub fn script<'a>(ops: impl IntoIterator<Item = &'a str>) -> String {
    let ops: Vec<String> = ops.into_iter().map(|op| format!("{{\"op\":{op}}}")).collect();
    format!("{{\"ops\":[{}]}}", ops.join(","))
}

/// Returns the path of a route with a script in the query.
#[must_use]
pub fn at<'a>(path: &str, ops: impl IntoIterator<Item = &'a str>) -> String {
    let encoded: String = script(ops)
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("{path}?script={encoded}")
}

fn check(ops: &[(&str, &str)], got: &[String], expected: &[&str]) {
    assert_eq!(got.len(), expected.len(), "one result per operation");
    for ((op, expected), got) in ops.iter().zip(got) {
        assert!(*expected == "*" || got == expected, "{op}\n  answered {got}\n  expected {expected}");
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

/// The status and the number of cookies of a response. See [`Reply::sent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is compared with what a scene expects")]
pub struct Sent {
    /// The status.
    pub status: u16,
    /// The number of `Set-Cookie` headers.
    pub cookies: usize,
}
