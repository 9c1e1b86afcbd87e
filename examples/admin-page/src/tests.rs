//! The page over HTTP: who may see it, what it shows, what it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use session_axum::stores::MemoryStore;
use session_axum::{Cookie, SecretKey, Sessions};
use session_testkit::ManualClock;
use tower::ServiceExt as _;

/// The application, with `ada` as its administrator.
struct App {
    router: Router,
    clock: ManualClock,
}

/// A browser, which keeps its cookie.
#[derive(Default)]
struct Browser {
    cookie: String,
}

struct Answer {
    status: u16,
    location: String,
    html: String,
}

impl App {
    fn new(admins: &[&str]) -> Self {
        let clock = ManualClock::default();
        let sessions = Sessions::builder()
            .store(MemoryStore::new())
            .key(SecretKey::generate().unwrap())
            .cookie(Cookie::insecure_http("sid"))
            .clock(clock.clone());
        let admins = admins.iter().map(|&admin| admin.to_owned()).collect();
        Self { router: crate::router(sessions, Arc::new(clock.clone()), admins).unwrap(), clock }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl Browser {
    async fn signed_in(app: &App, user: &str) -> Self {
        let mut browser = Self::default();
        let answer = browser.post(app, "/sign-in", &format!("user={user}")).await;
        assert_eq!((answer.status, &*answer.location), (303, "/"));
        browser
    }

    async fn get(&mut self, app: &App, path: &str) -> Answer {
        self.send(app, Request::get(path).header("sec-fetch-mode", "navigate").body(Body::empty())).await
    }

    async fn post(&mut self, app: &App, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(app, request.body(Body::from(form.to_owned()))).await
    }

    async fn send(&mut self, app: &App, request: axum::http::Result<Request<Body>>) -> Answer {
        let mut request = request.unwrap();
        request.headers_mut().insert("host", "localhost".parse().unwrap());
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        let response: Response<Body> = app.router.clone().oneshot(request).await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        if let Some(cookie) = header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        let (status, location) = (response.status().as_u16(), header("location").unwrap_or_default());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, location, html: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// The name that the home page greets.
    async fn is_signed_in(&mut self, app: &App) -> bool {
        self.get(app, "/").await.html.contains("Hello, ")
    }
}

/// The handles on a page, in their order.
fn handles(html: &str) -> Vec<String> {
    html.split("&amp;handle=").skip(1).map(|rest| rest[..32].to_owned()).collect()
}

#[tokio::test]
async fn without_an_administrator_there_is_no_such_page() {
    let app = App::new(&[]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    for path in ["/admin", "/admin/user?user=ada", "/admin/session?user=ada&handle=x"] {
        assert_eq!(ada.get(&app, path).await.status, 404, "{path}");
        assert_eq!(Browser::default().get(&app, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn strangers_sign_in_first_and_other_users_find_nothing() {
    let app = App::new(&["ada"]);
    let stranger = Browser::default().get(&app, "/admin").await;
    assert_eq!((stranger.status, &*stranger.location), (303, "/sign-in"));
    let mut bob = Browser::signed_in(&app, "bob").await;
    assert_eq!(bob.get(&app, "/admin/user?user=ada").await.status, 404);
    for path in ["/admin/end", "/admin/end-all"] {
        assert_eq!(bob.post(&app, path, "user=ada").await.status, 404, "{path}");
        assert_eq!(Browser::default().post(&app, path, "user=ada").await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn an_administrator_whose_sign_in_is_an_hour_old_signs_in_again() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    assert_eq!(ada.get(&app, "/admin").await.status, 200);
    app.pass(3_601);
    assert_eq!(ada.get(&app, "/admin").await.location, "/sign-in");
}

#[tokio::test]
async fn the_overview_counts_the_sessions_and_names_the_newest() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    for user in ["bob", "eve"] {
        Browser::signed_in(&app, user).await;
    }
    let html = ada.get(&app, "/admin").await.html;
    assert!(html.contains("<b>3</b> live in memory"), "{html}");
    assert_eq!(html.matches("expires in 2 h").count(), 3, "{html}");
}

#[tokio::test]
async fn a_users_sessions_are_listed_and_ended_one_by_one() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let mut phone = Browser::signed_in(&app, "bob").await;
    app.pass(60);
    let mut laptop = Browser::signed_in(&app, "bob").await;
    let html = ada.get(&app, "/admin/user?user=bob").await.html;
    let found = handles(&html);
    assert_eq!(found.len(), 2, "{html}");
    assert!(html.contains("last seen 1 min ago"), "{html}");
    // The newest is the first.
    let ended = ada.post(&app, "/admin/end", &format!("user=bob&handle={}", found[0])).await;
    assert_eq!((ended.status, &*ended.location), (303, "/admin/user?user=bob"));
    let html = ada.get(&app, "/admin/user?user=bob").await.html;
    assert!(html.contains("The session has ended.") && handles(&html) == found[1..], "{html}");
    assert!(!laptop.is_signed_in(&app).await && phone.is_signed_in(&app).await);
}

#[tokio::test]
async fn all_sessions_of_a_user_are_ended_and_nobody_elses() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let (mut phone, mut laptop) =
        (Browser::signed_in(&app, "bob").await, Browser::signed_in(&app, "bob").await);
    ada.post(&app, "/admin/end-all", "user=bob").await;
    let html = ada.get(&app, "/admin/user?user=bob").await.html;
    assert!(html.contains("2 sessions have ended.") && html.contains("bob has no live session"), "{html}");
    assert!(!phone.is_signed_in(&app).await && !laptop.is_signed_in(&app).await);
    assert!(ada.is_signed_in(&app).await);
    // A user who was signed out signs in again.
    phone.get(&app, "/sign-in").await;
    phone.post(&app, "/sign-in", "user=bob").await;
    assert!(phone.is_signed_in(&app).await);
}

#[tokio::test]
async fn a_handle_of_another_user_ends_nothing() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let mut bob = Browser::signed_in(&app, "bob").await;
    let handle = handles(&ada.get(&app, "/admin/user?user=bob").await.html).remove(0);
    ada.post(&app, "/admin/end", &format!("user=eve&handle={handle}")).await;
    assert!(ada.get(&app, "/admin/user?user=eve").await.html.contains("There was no such session any more."));
    assert!(bob.is_signed_in(&app).await);
}

#[tokio::test]
async fn a_sessions_life_is_drawn_with_its_ids_uses_and_deadlines() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let mut bob = Browser::default();
    bob.get(&app, "/").await;
    app.pass(600);
    bob.post(&app, "/sign-in", "user=bob").await;
    let handle = handles(&ada.get(&app, "/admin/user?user=bob").await.html).remove(0);
    app.pass(600);
    bob.get(&app, "/").await;
    app.pass(300);
    let page = ada.get(&app, &format!("/admin/session?user=bob&handle={handle}")).await;
    assert_eq!(page.status, 200);
    for words in [
        "<svg class=\"life\"",
        "Ids that this process has seen: 2",
        "Last seen 5 min ago",
        "Expires unless it is used: in 1 h 55 min",
        "Expires in any case: in 23 h 35 min",
        "<circle class=\"created\" cx=\"0.00%\"",
        "<circle class=\"rotated\" cx=\"40.00%\"",
        "<circle class=\"written\" cx=\"80.00%\"",
    ] {
        assert!(page.html.contains(words), "{words} is not in {}", page.html);
    }
}

#[tokio::test]
async fn a_link_to_an_old_id_leads_to_the_new_one_and_to_an_ended_session_to_the_list() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let mut bob = Browser::signed_in(&app, "bob").await;
    let old = handles(&ada.get(&app, "/admin/user?user=bob").await.html).remove(0);
    // Another user on the same browser: a new id. The list of the old user has nothing any more.
    bob.post(&app, "/sign-in", "user=eve").await;
    let new = handles(&ada.get(&app, "/admin/user?user=eve").await.html).remove(0);
    let moved = ada.get(&app, &format!("/admin/session?user=eve&handle={old}")).await;
    assert_eq!(moved.location, format!("/admin/session?user=eve&handle={new}"));
    ada.post(&app, "/admin/end-all", "user=eve").await;
    let ended = ada.get(&app, &format!("/admin/session?user=eve&handle={new}")).await;
    assert_eq!((ended.status, &*ended.location), (303, "/admin/user?user=eve"));
    assert_eq!(ada.get(&app, "/admin/session?user=eve&handle=nonsense").await.status, 404);
}

#[tokio::test]
async fn names_of_users_are_text_on_every_page() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let name = "%3Cb%3E%26%22x%2F+y";
    let mut odd = Browser::default();
    odd.post(&app, "/sign-in", &format!("user={name}")).await;
    let html = ada.get(&app, &format!("/admin/user?user={name}")).await.html;
    assert!(!html.contains("<b>&\"") && html.contains("&lt;b&gt;"), "{html}");
    let link = html.split("href=\"").find(|link| link.starts_with("/admin/session")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(ada.get(&app, &link).await.status, 200, "{link}");
    assert!(odd.is_signed_in(&app).await);
}

#[tokio::test]
async fn a_form_of_another_site_ends_nothing() {
    let app = App::new(&["ada"]);
    let mut ada = Browser::signed_in(&app, "ada").await;
    let mut bob = Browser::signed_in(&app, "bob").await;
    let request = Request::post("/admin/end-all").header("sec-fetch-site", "cross-site");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(ada.send(&app, request.body(Body::from("user=bob"))).await.status, 419);
    assert!(bob.is_signed_in(&app).await);
}
