//! A site whose sessions are bound to devices, and browsers that speak the protocol, without a framework and without HTTP.

use std::collections::BTreeMap;

use session_core::{
    Session, Sessions,
    adapter::{Adapter, BareResponse, Middleware, RequestHead, Spawn, VisitReport},
};

use super::TestDevice;

/// A site whose requests are method calls. Only with the feature `dbsc`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{DeviceBinding, SecretKey, Sessions, adapter::{BoxFuture, Spawn}};
/// use session_testkit::{DeviceBrowser, DeviceSite, TestDevice};
///
/// #[derive(Debug)]
/// struct OnTokio;
///
/// impl Spawn for OnTokio {
///     fn spawn(&self, future: BoxFuture<()>) {
///         tokio::spawn(future);
///     }
/// }
///
/// let key = SecretKey::generate()?;
/// let sessions = Sessions::builder().in_cookie().key(key).bind_to_device(DeviceBinding::require()).build()?;
/// let site = DeviceSite::new(sessions, &OnTokio);
/// let (mut ada, device) = (DeviceBrowser::default(), TestDevice::new(1));
/// site.bound(&mut ada, &device).await;
/// assert_eq!(site.user(&mut ada).await.as_deref(), Some("ada"));
///
/// // The cookies of the session, without the short-lived one.
/// let mut copied = ada.clone();
/// copied.jar.remove("__Host-sid.b");
/// assert_eq!(site.user(&mut copied).await, None);
/// assert_eq!(site.proves(&mut ada, &device).await.status, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DeviceSite {
    middleware: Middleware<DeviceReply>,
}

/// A response of a [`DeviceSite`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeviceReply {
    /// The status.
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl DeviceReply {
    /// Returns the first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

/// Responses pass through as they are.
struct Plain;

impl Adapter<DeviceReply> for Plain {
    type Response = DeviceReply;
    type Output = DeviceReply;

    fn status(answer: &DeviceReply) -> u16 {
        answer.status
    }

    fn content_type(_: &DeviceReply) -> Option<&[u8]> {
        None
    }

    fn finish(
        answer: Result<DeviceReply, (DeviceReply, Option<DeviceReply>)>,
        report: VisitReport,
    ) -> DeviceReply {
        let mut response = answer.unwrap_or_else(|(instead, _)| instead);
        let changes = report.headers(|_| []).into_iter().flatten();
        response.headers.extend(changes.map(|change| (change.name().to_owned(), change.value().to_owned())));
        response
    }
}

impl DeviceSite {
    /// Creates a site with these sessions, at `https://shop.example`. `spawn` completes the writes of dropped requests.
    #[must_use]
    pub fn new(sessions: Sessions, spawn: &'static dyn Spawn) -> Self {
        let middleware = Middleware::new(sessions, spawn, |failure, _| {
            let status = BareResponse::from(failure).status();
            DeviceReply { status, headers: Vec::new(), body: String::new() }
        });
        let middleware = middleware.on_own(|own| DeviceReply {
            status: own.status(),
            headers: own.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: own.into_body(),
        });
        Self { middleware }
    }

    /// Sends a request. Its handler gets the session; the body of the response is what the handler returns.
    pub async fn request(
        &self,
        browser: &mut DeviceBrowser,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        handler: impl AsyncFnOnce(Session) -> String,
    ) -> DeviceReply {
        let cookies = browser.header();
        let header = |name: &'static str| {
            headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes())
        };
        let head = RequestHead { method, url: path, authority: Some("shop.example"), header };
        let begun = self.middleware.begin([cookies.as_bytes()], &head);
        let visit = begun.visit().clone();
        let handler = async move {
            let session = visit.session().await.unwrap();
            DeviceReply { status: 200, headers: Vec::new(), body: handler(session).await }
        };
        let response = begun.serve::<Plain, _>(handler).await;
        browser.hear(&response);
        response
    }

    /// Returns the user that the page `/` sees.
    pub async fn user(&self, browser: &mut DeviceBrowser) -> Option<String> {
        self.user_at(browser, "/").await
    }

    /// Returns the user that this page sees.
    pub async fn user_at(&self, browser: &mut DeviceBrowser, path: &str) -> Option<String> {
        let name = async |session: Session| session.user().name().unwrap_or_default();
        let body = self.request(browser, "GET", path, &[], name).await.body;
        Some(body).filter(|name| !name.is_empty())
    }

    /// Signs a user in, whose name is also stored as the value `name`.
    pub async fn sign_in(&self, browser: &mut DeviceBrowser, user: &str) -> DeviceReply {
        let sign_in = async |session: Session| {
            session.regenerate().unwrap();
            session.tag(user).unwrap();
            session.put("name", user).unwrap();
            String::new()
        };
        self.request(browser, "POST", "/sign-in", &[], sign_in).await
    }

    /// Signs the user out.
    pub async fn sign_out(&self, browser: &mut DeviceBrowser) -> DeviceReply {
        let sign_out = async |session: Session| {
            session.destroy().unwrap();
            String::new()
        };
        self.request(browser, "POST", "/sign-out", &[], sign_out).await
    }

    /// Gives the session a new id.
    pub async fn regenerate(&self, browser: &mut DeviceBrowser) -> DeviceReply {
        let renew = async |session: Session| {
            session.regenerate().unwrap();
            String::new()
        };
        self.request(browser, "POST", "/renew", &[], renew).await
    }

    /// Signs `ada` in and registers the key of the device.
    ///
    /// # Panics
    /// If no binding is offered, or the registration is refused.
    pub async fn bound(&self, browser: &mut DeviceBrowser, device: &TestDevice) {
        let response = self.sign_in(browser, "ada").await;
        let offer = response.header("secure-session-registration").expect("a binding is offered").to_owned();
        let proof = device.registers(&TestDevice::parameter(&offer, "challenge").unwrap());
        assert_eq!(self.register(browser, &proof).await.status, 200);
    }

    /// Sends the proof that registers a key.
    pub async fn register(&self, browser: &mut DeviceBrowser, proof: &str) -> DeviceReply {
        self.post(browser, "/dbsc/register", &[("secure-session-response", proof)]).await
    }

    /// Asks for a challenge, or answers one.
    pub async fn refresh(&self, browser: &mut DeviceBrowser, proof: Option<&str>) -> DeviceReply {
        let id = browser.id.clone().unwrap_or_default();
        let mut headers = vec![("sec-secure-session-id", id.as_str())];
        headers.extend(proof.map(|proof| ("secure-session-response", proof)));
        self.post(browser, "/dbsc/refresh", &headers).await
    }

    /// Answers the newest challenge that the browser has heard.
    ///
    /// # Panics
    /// If it has heard none.
    pub async fn proves(&self, browser: &mut DeviceBrowser, device: &TestDevice) -> DeviceReply {
        let proof = device.refreshes(browser.challenge.as_deref().expect("a challenge"));
        self.refresh(browser, Some(&proof)).await
    }

    /// Sends a request that the layer answers itself.
    ///
    /// # Panics
    /// If the handler is called.
    pub async fn post(
        &self,
        browser: &mut DeviceBrowser,
        path: &str,
        headers: &[(&str, &str)],
    ) -> DeviceReply {
        self.request(browser, "POST", path, headers, async |_| unreachable!("the layer answers")).await
    }
}

/// A cookie jar, and the state of a binding in a browser.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DeviceBrowser {
    /// The cookies, by name.
    pub jar: BTreeMap<String, String>,
    /// The `session_identifier` of the binding.
    pub id: Option<String>,
    /// The newest challenge.
    pub challenge: Option<String>,
}

impl DeviceBrowser {
    fn header(&self) -> String {
        let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Applies the cookies and the challenge of a response, which may arrive late.
    pub fn hear(&mut self, response: &DeviceReply) {
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
