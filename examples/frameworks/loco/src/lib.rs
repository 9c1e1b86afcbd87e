//! A Loco application with sessions: the layers go around its router in `after_routes`, the extractors into controllers.

use async_trait::async_trait;
use axum::{Form, Router, routing};
use loco_rs::app::{AppContext, Hooks};
use loco_rs::bgworker::Queue;
use loco_rs::boot::{BootResult, StartMode, create_app};
use loco_rs::config::Config;
use loco_rs::controller::{AppRoutes, Routes};
use loco_rs::environment::Environment;
use loco_rs::task::Tasks;
use loco_rs::{Error, Result};
use session_axum::{CsrfLayer, SecretKey, Session, SessionLayer, SessionRejection, Sessions, SignOut};
use session_store_memory::MemoryStore;

/// The application.
pub struct App;

#[async_trait]
impl Hooks for App {
    fn app_name() -> &'static str {
        env!("CARGO_PKG_NAME")
    }

    async fn boot(mode: StartMode, environment: &Environment, config: Config) -> Result<BootResult> {
        create_app::<Self>(mode, environment, config).await
    }

    /// Where controllers and tests find the sessions of a user: `ctx.shared_store.get::<Sessions>()`.
    async fn after_context(ctx: AppContext) -> Result<AppContext> {
        let key = SecretKey::generate().map_err(Error::wrap)?; // in production: from the configuration
        let sessions = Sessions::builder().store(MemoryStore::new()).key(key);
        ctx.shared_store.insert(sessions.build().map_err(Error::wrap)?);
        Ok(ctx)
    }

    fn routes(_: &AppContext) -> AppRoutes {
        AppRoutes::empty().add_route(
            Routes::new()
                .add("/sign-in", routing::post(sign_in))
                .add("/count", routing::post(count))
                .add("/sign-out", routing::post(sign_out)),
        )
    }

    /// Outside of Loco's own middlewares: a timeout of `server.middlewares` ends a handler inside of the session layer.
    async fn after_routes(router: Router, ctx: &AppContext) -> Result<Router> {
        let sessions: Option<Sessions> = ctx.shared_store.get();
        let sessions = sessions.ok_or_else(|| Error::string("no sessions in the context"))?;
        Ok(router.layer(CsrfLayer::new()).layer(SessionLayer::new(sessions)))
    }

    async fn connect_workers(_: &AppContext, _: &Queue) -> Result<()> {
        Ok(())
    }

    fn register_tasks(_: &mut Tasks) {}
}

/// `axum::response::Result` takes errors of Loco and of sessions.
async fn sign_in(session: Session, Form(fields): Form<Vec<(String, String)>>) -> axum::response::Result<()> {
    let name = fields.into_iter().find(|(field, _)| field == "name").map(|(_, name)| name);
    let name = name.ok_or_else(|| Error::BadRequest("a name is missing".to_owned()))?;
    // After verifying the password:
    session.tag(&name).map_err(SessionRejection::from)?;
    session.put("name", name).map_err(SessionRejection::from)?;
    Ok(())
}

async fn count(session: Session) -> Result<String, SessionRejection> {
    let hits = session.increment("hits")?;
    Ok(format!("{} {hits}", session.get_or("name", "stranger".to_owned())?))
}

async fn sign_out(sign_out: SignOut) -> Result<(), SessionRejection> {
    sign_out.now().await
}
