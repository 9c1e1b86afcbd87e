//! etcd's JSON gateway: one HTTP request per call, endpoints tried in turn, a login where one is configured.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::uri::Authority;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;
use session_core::store::{StoreError, StoreErrorKind};
use tokio::sync::Mutex;

use crate::NAME;

/// The connections to a cluster.
pub(crate) struct Gateway {
    http: Client<HttpConnector, Full<Bytes>>,
    endpoints: Vec<Authority>,
    /// The endpoint that is asked first: the last one that answered.
    preferred: AtomicUsize,
    /// How long one endpoint is waited for.
    patience: Duration,
    /// The body of the request for a token.
    login: Option<Value>,
    token: Mutex<Token>,
}

/// The value of the header that authenticates a call.
type Token = Option<HeaderValue>;

/// What etcd said when it refused.
#[derive(Debug, thiserror::Error)]
#[error("etcd answered {status}: {message}")]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Gateway {
    pub(crate) fn new(endpoints: Vec<Authority>, timeout: Duration, login: Option<Value>) -> Self {
        let patience = timeout / u32::try_from(endpoints.len()).unwrap_or(u32::MAX).max(1);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(patience / 2));
        let http = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { http, endpoints, preferred: AtomicUsize::new(0), patience, login, token: Mutex::default() }
    }

    /// Calls a method of the v3 API, and logs in first if etcd asks for it. The caller's deadline bounds it.
    ///
    /// An endpoint that does not answer is followed by the next one, so a call may take effect twice: callers send
    /// nothing but reads, leases and conditional writes.
    pub(crate) async fn call(&self, method: &str, body: &Value) -> Result<Value, StoreError> {
        let known = self.token.lock().await.clone();
        match (self.post(method, body, known).await, &self.login) {
            (Err(error), Some(login)) if is_refused_with(&error, &NEEDS_TOKEN) => {
                // Without the token: etcd refuses even this call with one that has expired.
                let granted = self.post("auth/authenticate", login, None).await?;
                let token: Token = text(&granted["token"]).parse().ok();
                self.token.lock().await.clone_from(&token);
                self.post(method, body, token).await
            }
            (answer, _) => answer,
        }
    }

    /// Asks the endpoints in turn until one answers for the cluster.
    async fn post(&self, method: &str, body: &Value, token: Token) -> Result<Value, StoreError> {
        let (body, mut last) = (Bytes::from(body.to_string()), StoreError::timeout(NAME));
        let first = self.preferred.load(Relaxed);
        // Once more than there are endpoints: a pooled connection may turn out to be closed.
        for at in (first..=first + self.endpoints.len()).map(|at| at % self.endpoints.len()) {
            let request = Request::post(format!("http://{}/v3/{method}", self.endpoints[at]));
            let request = request.header(CONTENT_TYPE, "application/json").body(Full::new(body.clone()));
            let mut request = request.map_err(unavailable)?;
            request.headers_mut().extend(token.clone().map(|token| (AUTHORIZATION, token)));
            let answer = tokio::time::timeout(self.patience, self.ask(request)).await;
            match answer.unwrap_or_else(|_| Err(StoreError::timeout(NAME))) {
                Err(error) if error.kind() != StoreErrorKind::Refused => last = error,
                answer => {
                    self.preferred.store(at, Relaxed);
                    return answer;
                }
            }
        }
        Err(last)
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Value, StoreError> {
        let response = self.http.request(request).await.map_err(unavailable)?;
        let status = response.status();
        let bytes = response.into_body().collect().await.map_err(unavailable)?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).map_err(unavailable)?;
        let kind = match status {
            StatusCode::OK => return Ok(answer),
            status if status.is_server_error() => StoreErrorKind::Unavailable,
            _ => StoreErrorKind::Refused,
        };
        Err(StoreError::new(kind, NAME).because(Refusal { status, message: text(&answer["message"]) }))
    }
}

/// Returns whether it was etcd that failed the call, with one of these messages.
pub(crate) fn is_refused_with(error: &StoreError, messages: &[&str]) -> bool {
    let refusal = error.source().and_then(|source| source.downcast_ref::<Refusal>());
    refusal.is_some_and(|refusal| messages.iter().any(|message| refusal.message.contains(message)))
}

pub(crate) fn unavailable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::unavailable(NAME, error)
}

/// A text in an answer, which leaves empty ones out. Numbers of 64 bits are texts.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Shows neither the password nor the token.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().and_then(|login| login["name"].as_str());
        f.debug_struct("Gateway")
            .field("endpoints", &self.endpoints)
            .field("user", &user)
            .finish_non_exhaustive()
    }
}

/// The call had no token, or one that has expired or that a restarted member has forgotten.
const NEEDS_TOKEN: [&str; 3] = ["user name is empty", "invalid auth token", "revision of auth store is old"];
