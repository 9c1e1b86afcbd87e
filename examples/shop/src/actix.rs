//! The shop on actix-web: a middleware, an extractor, two static files. All the rest is the same under any framework.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use session_actix::{Session, SessionMiddleware};
use session_core::{Clock, SystemClock};

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    let app = move || {
        App::new()
            .app_data(Data::from(shop.clone()))
            .route("/style.css", web::get().to(file))
            .route("/favicon.svg", web::get().to(file))
            .default_service(web::to(page))
            .wrap(SessionMiddleware::new(shop.sessions.clone()))
    };
    HttpServer::new(app).workers(2).listen(listener)?.run().await
}

async fn page(shop: Data<Shop>, session: Session, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let asking = Ask::new(request.method().as_str(), request.path(), header, body, SystemClock.now());
    match asking.await {
        Ok(ask) => respond(shop.answer(&session, &ask).await),
        Err(problem) => HttpResponse::build(status(problem.status())).finish(),
    }
}

async fn file(request: HttpRequest) -> HttpResponse {
    match asset(request.path()) {
        Some((kind, content)) => {
            HttpResponse::Ok().content_type(kind).insert_header(("cache-control", "max-age=60")).body(content)
        }
        None => HttpResponse::NotFound().finish(),
    }
}

fn respond(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(status(answer.status));
    response.content_type("text/html; charset=utf-8");
    for header in SECURITY {
        response.insert_header(header);
    }
    if let Some(location) = answer.location {
        response.insert_header(("location", location));
    }
    response.body(answer.html)
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
