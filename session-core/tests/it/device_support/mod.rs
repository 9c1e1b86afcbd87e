//! A protocol double: a site whose sessions are bound to devices, and browsers that speak the protocol or do not.

use std::collections::BTreeMap;
use std::time::Duration;

use session_core::{adapter::*, *};
use session_testkit::TestDevice;

use crate::driver_support::{App, OnTokio, app_in_cookie, app_with};

/// How long one proof lasts.
pub(crate) const REFRESH: u64 = 300;

pub(crate) fn binding() -> DeviceBinding {
    DeviceBinding::require().refresh_every(Duration::from_secs(REFRESH))
}

/// A response: status, headers, body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

struct Plain;

impl Adapter<Response> for Plain {
    type Response = Response;
    type Output = Response;

    fn status(answer: &Response) -> u16 {
        answer.status
    }

    fn content_type(_: &Response) -> Option<&[u8]> {
        None
    }

    fn finish(answer: Result<Response, (Response, Option<Response>)>, report: VisitReport) -> Response {
        let mut response = answer.unwrap_or_else(|(instead, _)| instead);
        let changes = report.headers(|_| []).into_iter().flatten();
        response.headers.extend(changes.map(|change| (change.name().to_owned(), change.value().to_owned())));
        response
    }
}

pub(crate) struct Site {
    pub(crate) app: App,
    middleware: Middleware<Response>,
}

impl Site {
    pub(crate) fn new(binding: DeviceBinding) -> Self {
        Self::of(app_with(|builder| builder.bind_to_device(binding)))
    }

    pub(crate) fn in_cookie(binding: DeviceBinding) -> Self {
        Self::of(app_in_cookie(|builder, _| builder.bind_to_device(binding)))
    }

    pub(crate) fn of(app: App) -> Self {
        let middleware = Middleware::new(app.sessions.clone(), &OnTokio, |failure, _| {
            let status = BareResponse::from(failure).status();
            Response { status, headers: Vec::new(), body: String::new() }
        });
        let middleware = middleware.on_own(|own| Response {
            status: own.status(),
            headers: own.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: own.into_body(),
        });
        Self { app, middleware }
    }

    /// One request, whose handler gets the session.
    pub(crate) async fn request(
        &self,
        browser: &mut Browser,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        handler: impl AsyncFnOnce(Session) -> String,
    ) -> Response {
        let cookies = browser.header();
        let header = |name: &'static str| {
            headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes())
        };
        let head = RequestHead { method, url: path, authority: Some("shop.example"), header };
        let begun = self.middleware.begin([cookies.as_bytes()], &head);
        let visit = begun.visit().clone();
        let handler = async move {
            let session = visit.session().await.unwrap();
            Response { status: 200, headers: Vec::new(), body: handler(session).await }
        };
        let response = begun.serve::<Plain, _>(handler).await;
        browser.hear(&response);
        response
    }

    /// Returns the user that this page sees.
    pub(crate) async fn user(&self, browser: &mut Browser) -> Option<String> {
        self.user_at(browser, "/").await
    }

    pub(crate) async fn user_at(&self, browser: &mut Browser, path: &str) -> Option<String> {
        let name = async |session: Session| session.user().name().unwrap_or_default();
        let body = self.request(browser, "GET", path, &[], name).await.body;
        Some(body).filter(|name| !name.is_empty())
    }

    pub(crate) async fn sign_in(&self, browser: &mut Browser, user: &str) -> Response {
        let sign_in = async |session: Session| {
            session.regenerate().unwrap();
            session.tag(user).unwrap();
            session.put("name", user).unwrap();
            String::new()
        };
        self.request(browser, "POST", "/sign-in", &[], sign_in).await
    }

    /// Signs in and registers.
    pub(crate) async fn bound(&self, browser: &mut Browser, device: &TestDevice) {
        let response = self.sign_in(browser, "ada").await;
        let offer = response.header("secure-session-registration").unwrap().to_owned();
        let proof = device.registers(&TestDevice::parameter(&offer, "challenge").unwrap());
        assert_eq!(self.register(browser, &proof).await.status, 200);
        self.app.calls();
        self.app.events.take();
    }

    pub(crate) async fn register(&self, browser: &mut Browser, proof: &str) -> Response {
        self.post(browser, "/dbsc/register", &[("secure-session-response", proof)]).await
    }

    /// Asks for a challenge, or answers one.
    pub(crate) async fn refresh(&self, browser: &mut Browser, proof: Option<&str>) -> Response {
        let id = browser.id.clone().unwrap_or_default();
        let mut headers = vec![("sec-secure-session-id", id.as_str())];
        headers.extend(proof.map(|proof| ("secure-session-response", proof)));
        self.post(browser, "/dbsc/refresh", &headers).await
    }

    /// A refresh with the newest challenge that the browser has heard.
    pub(crate) async fn proves(&self, browser: &mut Browser, device: &TestDevice) -> Response {
        let proof = device.refreshes(&browser.challenge.clone().unwrap());
        self.refresh(browser, Some(&proof)).await
    }

    pub(crate) async fn post(&self, browser: &mut Browser, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request(browser, "POST", path, headers, async |_| unreachable!("the layer answers")).await
    }
}

/// A cookie jar, and what a browser keeps about its binding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) id: Option<String>,
    pub(crate) challenge: Option<String>,
}

impl Browser {
    fn header(&self) -> String {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn hear(&mut self, response: &Response) {
        for (name, value) in &response.headers {
            match name.as_str() {
                "set-cookie" => {
                    let (name, rest) = value.split_once('=').unwrap();
                    if value.contains("Max-Age=0") {
                        self.jar.remove(name);
                    } else {
                        self.jar.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
                    }
                }
                "secure-session-challenge" => {
                    self.challenge = TestDevice::challenge(value);
                    self.id = TestDevice::parameter(value, "id");
                }
                _ => {}
            }
        }
    }
}
