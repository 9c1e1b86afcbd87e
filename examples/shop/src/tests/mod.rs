//! The shop under each adapter, without a browser, with the testkit's `TestClient`.

mod claims;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use session_axum::stores::MemoryStore;
use session_core::{Cookie, SecretKey, Session, Sessions};
use session_testkit::TestClient;

use crate::config::Adapter;
use crate::shop::Shop;

/// A shop that is open, on one of the adapters, with its sessions in memory.
struct Open {
    address: String,
    sessions: Sessions,
}

/// Somebody in the shop: the test client, and the few lines of HTTP that it leaves to the application's author.
struct Visitor {
    client: TestClient,
    http: Client<HttpConnector, Full<Bytes>>,
    address: String,
    /// The page that was seen last, which a form comes from.
    page: String,
}

/// What the shop answered.
struct Reply {
    status: u16,
    location: String,
    set_cookie: String,
    html: String,
}

impl Open {
    fn on(adapter: Adapter) -> Self {
        let sessions = Sessions::builder()
            .store(MemoryStore::new())
            .key(SecretKey::generate().unwrap())
            .cookie(Cookie::insecure_http("shop"))
            .build()
            .unwrap();
        let shop = Arc::new(Shop::new(sessions.clone(), Duration::from_secs(300)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        // A thread of its own, which ends with the test's process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(crate::serve(adapter, listener, shop)).unwrap();
        });
        Self { address, sessions }
    }

    fn visitor(&self) -> Visitor {
        Visitor {
            client: TestClient::new(&self.sessions),
            http: Client::builder(TokioExecutor::new()).build_http(),
            address: self.address.clone(),
            page: "/".to_owned(),
        }
    }
}

impl Visitor {
    /// Looks at a page.
    async fn get(&mut self, path: &str) -> Reply {
        path.clone_into(&mut self.page);
        self.send(Request::get(path), String::new()).await
    }

    /// Sends a form with the token that the session's pages carry.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = match self.client.session().await.csrf().token() {
            Ok(token) => token,
            // No page has been shown yet, so no token was made.
            Err(_) => {
                self.get("/session").await;
                self.client.session().await.csrf().token().unwrap()
            }
        };
        self.post_with(&token, path, fields).await
    }

    /// Sends a form with this token.
    async fn post_with(&mut self, token: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form(&[fields, &[("_csrf", token)]].concat());
        let referer = format!("http://{}{}", self.address, self.page);
        let request = Request::post(path).header(header::REFERER, referer);
        self.send(request.header(header::CONTENT_TYPE, FORM), body).await
    }

    /// Sends a form as a browser of today does, which says that it comes from a page of the shop.
    async fn click(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let request = Request::post(path).header("sec-fetch-site", "same-origin");
        self.send(request.header(header::CONTENT_TYPE, FORM), form(fields)).await
    }

    async fn sign_in(&mut self) -> Reply {
        self.get("/sign-in").await;
        self.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await
    }

    async fn session(&self) -> Session {
        self.client.session().await
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Reply {
        let mut request = request.body(Full::from(body)).unwrap();
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, "Firefox/140 (X11; Linux)".parse().unwrap());
        if let Some(cookie) = self.client.cookie() {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        *request.uri_mut() = format!("http://{}{}", self.address, request.uri()).parse().unwrap();
        let (parts, body) = Response::into_parts(self.http.request(request).await.unwrap());
        self.client.follow(parts.headers.get_all(header::SET_COOKIE));
        let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Reply {
            status: parts.status.as_u16(),
            location: text(header::LOCATION).unwrap_or_default(),
            set_cookie: text(header::SET_COOKIE).unwrap_or_default(),
            html: String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap(),
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

fn escape(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Each claim as a test on each adapter.
macro_rules! on_each_adapter {
    ($($claim:ident),* $(,)?) => { $(
        mod $claim {
            use crate::{config::Adapter, tests::{Open, claims}};

            #[tokio::test]
            async fn on_axum() {
                claims::$claim(Open::on(Adapter::Axum)).await;
            }

            #[tokio::test]
            async fn on_actix() {
                claims::$claim(Open::on(Adapter::Actix)).await;
            }

            #[tokio::test]
            async fn on_hyper() {
                claims::$claim(Open::on(Adapter::Hyper)).await;
            }
        }
    )* };
}

on_each_adapter![
    a_wrong_sign_in_shows_errors_and_what_was_typed_but_never_the_password,
    signing_in_is_a_new_id_and_leads_where_the_visitor_wanted_to_go,
    a_remembered_sign_in_outlives_the_browser,
    signing_out_ends_the_session_in_every_tab_and_keeps_the_taste,
    the_cart_keeps_what_was_put_in_and_an_order_empties_it,
    a_number_that_cannot_be_is_refused_and_shown_again,
    a_message_is_shown_once,
    a_form_without_the_token_is_refused_and_sets_no_cookie,
    theme_and_language_stay_and_the_switch_leads_back,
    an_address_is_given_only_after_the_password,
    devices_are_listed_and_ended,
    a_double_click_on_sign_in_ends_signed_in_with_one_device,
    a_form_from_another_site_is_refused_even_with_the_token,
    who_was_signed_out_elsewhere_is_led_to_sign_in_and_may_shop_on,
    what_a_test_arranges_is_what_the_page_shows,
    a_static_file_has_nothing_to_do_with_sessions,
];

const FORM: &str = "application/x-www-form-urlencoded";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
