//! The shop on actix-web: two middlewares, two extractors, two static files. All the rest is the same under any framework.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use session_actix::{Csrf, Input, Redirects, SessionMiddleware};

use crate::ask::Ask;
use crate::shop::{Answer, SECURITY, Shop, asset};

pub(crate) async fn serve(listener: TcpListener, shop: Arc<Shop>) -> io::Result<()> {
    let app = move || {
        let refuse = shop.clone();
        App::new()
            .app_data(Data::from(shop.clone()))
            .route("/style.css", web::get().to(file))
            .route("/favicon.svg", web::get().to(file))
            .default_service(web::to(page))
            // The last one is the outermost.
            .wrap(Csrf::new().on_refused(move |refusal| respond(refuse.refuse(refusal))))
            .wrap(SessionMiddleware::new(shop.sessions.clone()))
    };
    HttpServer::new(app).workers(2).listen(listener)?.run().await
}

async fn page(shop: Data<Shop>, request: HttpRequest, redirects: Redirects, input: Input) -> HttpResponse {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    let ask = Ask::new(redirects.into_inner(), input.into_form(), agent);
    respond(shop.answer(request.method().as_str(), request.path(), &ask).await)
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
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    for header in SECURITY {
        response.insert_header(header);
    }
    if let Some(location) = answer.location {
        response.insert_header(("location", location));
    }
    response.body(answer.html)
}
