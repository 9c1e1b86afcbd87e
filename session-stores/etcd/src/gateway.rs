//! etcd's JSON gateway: one HTTP request per call, endpoints tried in turn, a login where one is configured.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};
use session_core::store::{StoreError, StoreErrorKind};

use crate::NAME;

/// The way to a cluster.
pub(crate) struct Gateway {
    http: Client<HttpConnector, Full<Bytes>>,
    /// `host:port` of each member.
    endpoints: Vec<String>,
    /// The endpoint that is asked first: the last one that answered.
    preferred: AtomicUsize,
    /// How long one endpoint is waited for.
    patience: Duration,
    /// User and password.
    login: Option<(String, String)>,
    // A std mutex: nothing awaits while it is held.
    token: Mutex<Option<String>>,
}

/// What etcd said when it refused.
#[derive(Debug, thiserror::Error)]
#[error("etcd answered {status}: {message}")]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Gateway {
    pub(crate) fn new(endpoints: Vec<String>, timeout: Duration, login: Option<(String, String)>) -> Self {
        let patience = timeout / u32::try_from(endpoints.len()).unwrap_or(u32::MAX).max(1);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(patience / 2));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Self { http, endpoints, preferred: AtomicUsize::new(0), patience, login, token: Mutex::default() }
    }

    /// Calls a method of the v3 API. The caller's deadline bounds it.
    ///
    /// An endpoint that does not answer is followed by the next one, so a call may take effect twice: callers send
    /// nothing but reads, leases and conditional writes.
    pub(crate) async fn call(&self, method: &str, body: &Value) -> Result<Value, StoreError> {
        let Some((user, password)) = &self.login else { return self.post(method, body, None).await };
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_some() {
            match self.post(method, body, known.as_deref()).await {
                // Tokens expire, and a member that restarts forgets them.
                Err(error) if refusal(&error).is_some_and(Refusal::asks_for_a_login) => {}
                answer => return answer,
            }
        }
        let login = json!({"name": user, "password": password});
        let granted = self.post("auth/authenticate", &login, None).await?;
        let token = granted["token"].as_str().map(str::to_owned);
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&token);
        self.post(method, body, token.as_deref()).await
    }

    /// Asks the endpoints in turn until one answers for the cluster.
    async fn post(&self, method: &str, body: &Value, token: Option<&str>) -> Result<Value, StoreError> {
        let body = Bytes::from(body.to_string());
        let mut last = StoreError::timeout(NAME);
        for _ in &self.endpoints {
            let at = self.preferred.load(Relaxed);
            let asking = self.ask(&self.endpoints[at], method, body.clone(), token);
            match tokio::time::timeout(self.patience, asking).await {
                Ok(Err(error)) if error.kind() == StoreErrorKind::Unavailable => last = error,
                Ok(answer) => return answer,
                Err(_elapsed) => last = StoreError::timeout(NAME),
            }
            // Another call may have moved on already.
            let next = (at + 1) % self.endpoints.len();
            let _moved = self.preferred.compare_exchange(at, next, Relaxed, Relaxed);
        }
        Err(last)
    }

    async fn ask(
        &self,
        endpoint: &str,
        method: &str,
        body: Bytes,
        token: Option<&str>,
    ) -> Result<Value, StoreError> {
        let mut request =
            Request::post(format!("http://{endpoint}/v3/{method}")).header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body)).map_err(unavailable)?;
        let answer = self.http.request(request).await.map_err(unavailable)?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(unavailable)?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).map_err(unavailable)?;
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        let kind = match status.is_server_error() {
            true => StoreErrorKind::Unavailable,
            false => StoreErrorKind::Refused,
        };
        Err(StoreError::new(kind, NAME).because(Refusal { status, message }))
    }
}

impl Refusal {
    fn asks_for_a_login(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED || self.message.contains("revision of auth store is old")
    }
}

/// What etcd said, if it was etcd that failed the call.
pub(crate) fn refusal(error: &StoreError) -> Option<&Refusal> {
    error.source().and_then(|source| source.downcast_ref())
}

pub(crate) fn unavailable(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::unavailable(NAME, error)
}

/// Shows neither the password nor the token.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("Gateway").field("endpoints", &self.endpoints).field("user", &user).finish()
    }
}
