//! The middleware of a protected area that `docs/recipes.md` shows.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self, TestRequest};
use actix_web::{App, HttpResponse, Responder, web};
use session_actix::stores::MemoryStore;
use session_actix::{Redirects, SecretKey, SessionMiddleware, SessionRejection, Sessions};
use session_testkit::TestClient;

async fn users_only(
    redirects: Redirects,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if redirects.session().user().name().is_some() {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let response = if request.method() == Method::GET {
        let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
        redirects.session().urls().set_intended(url).map_err(SessionRejection::from)?;
        let redirect = redirects.to("/sign-in").with("status", "Please sign in first");
        redirect.respond_to(request.request()).map_into_boxed_body()
    } else {
        HttpResponse::Unauthorized().finish()
    };
    Ok(request.into_response(response).map_into_right_body())
}

#[actix_web::test]
async fn the_middleware_of_the_recipe_lets_only_users_through() {
    let sessions = Sessions::builder()
        .store(MemoryStore::default())
        .key(SecretKey::generate().unwrap())
        .build()
        .unwrap();
    let orders = web::resource("/orders").to(async || "Your orders");
    let app = App::new()
        .service(web::scope("/account").wrap(from_fn(users_only)).service(orders))
        .wrap(SessionMiddleware::new(sessions.clone()));
    let app = test::init_service(app).await;
    let mut visitor = TestClient::new(&sessions);

    let page = TestRequest::get().uri("/account/orders?page=2").to_request();
    let response = test::call_service(&app, page).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers().get("location").unwrap(), "/sign-in");
    visitor.follow(response.headers().get_all("set-cookie"));
    visitor.assert_flash("status", "Please sign in first").await;

    let form = TestRequest::post().uri("/account/orders").to_request();
    assert_eq!(test::call_service(&app, form).await.status(), 401);

    visitor.as_user("ada").await;
    let mut page = TestRequest::get().uri("/account/orders");
    for header in visitor.headers("GET").await {
        page = page.insert_header(header);
    }
    assert_eq!(test::call_and_read_body(&app, page.to_request()).await, "Your orders");
}
