//! A page for members, with axum-login for who they are and axum-messages for what they are told.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend, UserId, login_required};
use axum_messages::{Messages, MessagesManagerLayer};
use serde::Deserialize;
use tower_sessions_0_14::{Session, SessionManagerLayer, SessionStore};

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    id: i64,
    password: &'static str,
}

impl AuthUser for Member {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

/// The list of members.
#[derive(Clone, Debug)]
pub struct Members(HashMap<i64, Member>);

/// What a member types.
#[derive(Clone, Debug, Deserialize)]
pub struct Credentials {
    id: i64,
    password: String,
}

impl AuthnBackend for Members {
    type User = Member;
    type Credentials = Credentials;
    type Error = Infallible;

    async fn authenticate(&self, typed: Credentials) -> Result<Option<Member>, Infallible> {
        Ok(self.0.get(&typed.id).filter(|member| member.password == typed.password).cloned())
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<Member>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

type AuthSession = axum_login::AuthSession<Members>;

/// The application, with its sessions in this store.
pub fn app(store: impl SessionStore + Clone) -> Router {
    let members = Members(HashMap::from([(1, Member { id: 1, password: "lovelace" })]));
    let sessions = SessionManagerLayer::new(store).with_secure(false);
    Router::new()
        .route("/members", get(members_only))
        .route("/count/{name}", post(count))
        .route_layer(login_required!(Members, login_url = "/"))
        .route("/", get(welcome))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(MessagesManagerLayer)
        .layer(AuthManagerLayerBuilder::new(members, sessions).build())
}

async fn welcome(messages: Messages) -> String {
    messages.into_iter().map(|message| message.to_string()).collect::<Vec<_>>().join("\n")
}

async fn members_only(auth: AuthSession, messages: Messages) -> String {
    let name = auth.user.map(|member| member.id.to_string()).unwrap_or_default();
    let told: Vec<_> = messages.into_iter().map(|message| message.to_string()).collect();
    format!("member {name}: {}", told.join("\n"))
}

async fn sign_in(mut auth: AuthSession, messages: Messages, Form(typed): Form<Credentials>) -> Response {
    let Ok(Some(member)) = auth.authenticate(typed).await else {
        messages.error("Wrong number or password.");
        return Redirect::to("/").into_response();
    };
    if auth.login(&member).await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    messages.success("Welcome back.");
    Redirect::to("/members").into_response()
}

async fn sign_out(mut auth: AuthSession) -> Response {
    match auth.logout().await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Counts under a name of its own, slowly: other requests of the visitor run meanwhile.
async fn count(session: Session, Path(name): Path<String>) -> Result<String, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let count: u64 = session.get(&name).await.map_err(failed)?.unwrap_or(0);
    tokio::task::yield_now().await;
    session.insert(&name, count + 1).await.map_err(failed)?;
    Ok((count + 1).to_string())
}
