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
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use session_core::{StoreError, StoreErrorKind};

use crate::NAME;

/// The way to a cluster.
pub(crate) struct Gateway {
    http: Client<HttpConnector, Full<Bytes>>,
    /// `host:port` of each member.
    endpoints: Vec<String>,
    /// The endpoint that is asked first: the last one that answered.
    preferred: AtomicUsize,
    /// How long one endpoint is waited for while there are others.
    patience: Duration,
    login: Option<Login>,
    // A std mutex: nothing awaits while it is held.
    token: Mutex<Option<String>>,
}

/// A user of a cluster with authentication switched on.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// What etcd said when it refused.
#[derive(Debug, thiserror::Error)]
#[error("etcd answered {status}: {message}")]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Gateway {
    pub(crate) fn new(endpoints: Vec<String>, timeout: Duration, login: Option<Login>) -> Self {
        let patience = timeout / u32::try_from(endpoints.len()).unwrap_or(u32::MAX).max(1);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(HttpConnector::new());
        Self { http, endpoints, preferred: AtomicUsize::new(0), patience, login, token: Mutex::default() }
    }

    /// Calls a method of the v3 API. The caller's deadline bounds it.
    ///
    /// An endpoint that does not answer is followed by the next one, so a call may reach the cluster twice: callers
    /// send nothing but reads, leases and conditional writes.
    pub(crate) async fn call<A: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<A, StoreError> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut logged_in = false;
        loop {
            if token.is_none() && self.login.is_some() {
                token = Some(self.log_in().await?);
                logged_in = true;
            }
            match self.post(path, body, token.as_deref()).await {
                Ok(bytes) => return serde_json::from_slice(&bytes).map_err(strange),
                // Tokens expire, and a member that restarts forgets them.
                Err(Failure::Login(_)) if self.login.is_some() && !logged_in => token = None,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn log_in(&self) -> Result<String, StoreError> {
        #[derive(Deserialize)]
        struct Granted {
            token: String,
        }
        let login = self.login.as_ref().map(|login| json!({"name": login.user, "password": login.password}));
        let bytes = self.post("auth/authenticate", &login.unwrap_or_default(), None).await?;
        let Granted { token } = serde_json::from_slice(&bytes).map_err(strange)?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    /// Asks the endpoints in turn until one answers for the cluster.
    async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> Result<Bytes, Failure> {
        let body = Bytes::from(body.to_string());
        let mut last = None;
        for _ in &self.endpoints {
            let at = self.preferred.load(Relaxed) % self.endpoints.len();
            let asking = self.ask(&self.endpoints[at], path, body.clone(), token);
            match tokio::time::timeout(self.patience, asking).await {
                Ok(Err(Failure::Away(error))) => last = Some(error),
                Ok(answer) => return answer,
                Err(_elapsed) => last = Some(StoreError::timeout(NAME)),
            }
            // Another call may have moved on already.
            let _moved = self.preferred.compare_exchange(at, at + 1, Relaxed, Relaxed);
        }
        Err(Failure::Away(last.expect("there is at least one endpoint")))
    }

    async fn ask(
        &self,
        endpoint: &str,
        path: &str,
        body: Bytes,
        token: Option<&str>,
    ) -> Result<Bytes, Failure> {
        let away = |error: Box<dyn Error + Send + Sync>| {
            Failure::Away(StoreError::unavailable(NAME, error))
        };
        let mut request = Request::post(format!("http://{endpoint}/v3/{path}"))
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body)).map_err(|error| away(error.into()))?;
        let answer = self.http.request(request).await.map_err(|error| away(error.into()))?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| away(error.into()))?.to_bytes();
        if status == StatusCode::OK { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }
}

/// Why a call has no answer.
enum Failure {
    /// The endpoint cannot be reached, or cannot speak for the cluster now.
    Away(StoreError),
    /// The token is no longer valid, or there was none.
    Login(StoreError),
    Refused(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(error) | Failure::Login(error) | Failure::Refused(error) => error,
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    #[derive(Deserialize, Default)]
    struct Said {
        #[serde(default)]
        message: String,
    }
    let Said { message } = serde_json::from_slice(body).unwrap_or_default();
    let login = status == StatusCode::UNAUTHORIZED || message.contains("revision of auth store is old");
    let refusal = Refusal { status, message };
    match status {
        _ if login => Failure::Login(StoreError::new(StoreErrorKind::Refused, NAME).because(refusal)),
        status if status.is_server_error() => Failure::Away(StoreError::unavailable(NAME, refusal)),
        _ => Failure::Refused(StoreError::new(StoreErrorKind::Refused, NAME).because(refusal)),
    }
}

/// Whether etcd knows no such lease.
pub(crate) fn is_not_found(error: &StoreError) -> bool {
    let refusal = error.source().and_then(|source| source.downcast_ref::<Refusal>());
    refusal.is_some_and(|refusal| refusal.status == StatusCode::NOT_FOUND)
}

fn strange(error: serde_json::Error) -> StoreError {
    StoreError::unavailable(NAME, error)
}

/// Shows neither the password nor the token.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|login| &login.user);
        f.debug_struct("Gateway").field("endpoints", &self.endpoints).field("user", &user).finish()
    }
}
