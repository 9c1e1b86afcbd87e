//! Several sessions in one application under actix-web: the testkit's claims, on middleware around nested scopes.

use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use session_actix::stores::MemoryStore;
use session_actix::{Session, SessionMiddleware, SessionRejection};
use session_conformance::adapter::Server;
use session_conformance::adapter::several::{Sites, act};
use tokio::sync::oneshot;

async fn start(sites: Sites) -> Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its number");
    let server = HttpServer::new(move || {
        let Sites { shop, admin, deep, api, .. } = sites.clone();
        let deep = web::scope("/deep").wrap(SessionMiddleware::new(deep)).configure(area);
        let admin = web::scope("/admin").wrap(SessionMiddleware::new(admin)).service(deep).configure(area);
        let api = web::scope("/api").wrap(SessionMiddleware::new(api)).configure(area);
        let shop = web::scope("").wrap(SessionMiddleware::new(shop)).service(admin).configure(area);
        App::new().service(api).service(shop)
    });
    let server = server.workers(1).disable_signals().listen(listener).expect("it can be listened on").run();
    let (guard, over) = oneshot::channel::<()>();
    let handle = server.handle();
    tokio::spawn(server);
    tokio::spawn(async move {
        drop(over.await);
        handle.stop(false).await;
    });
    Server::new(address, guard)
}

fn area(config: &mut ServiceConfig) {
    config
        .route("/none", web::get().to(async || "ok"))
        .route("/theme", web::get().to(async |session: Session| answer(&session, "theme")))
        .route(
            "/{route}",
            web::get().to(async |session: Session, route: Path<String>| answer(&session, &route)),
        );
}

fn answer(session: &Session, route: &str) -> Result<HttpResponse, SessionRejection> {
    let answer = act(session, route)?;
    let mut response = HttpResponse::Ok();
    if route == "theme" {
        response.insert_header(("set-cookie", "theme=dark"));
    }
    Ok(response.body(answer.body))
}

session_conformance::several_suite!(start, MemoryStore::default());
