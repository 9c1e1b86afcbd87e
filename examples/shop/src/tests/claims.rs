//! The claims about the shop, which hold under every adapter.

use axum::http::{Request, header};
use serde_json::json;

use super::{EMAIL, FORM, Open, PASSWORD, form};

pub(super) async fn a_wrong_sign_in_shows_errors_and_what_was_typed_but_never_the_password(shop: Open) {
    let mut ada = shop.visitor();
    ada.get("/sign-in").await;
    let reply = ada.post("/sign-in", &[("email", "ada"), ("password", ""), ("remember", "on")]).await;
    assert_eq!((reply.status, reply.location.as_str()), (303, "/sign-in"));
    ada.client.assert_validation_error("email", "email_malformed").await;
    ada.client.assert_validation_error("password", "password_missing").await;
    assert_eq!(ada.session().await.old::<String>("email").unwrap().as_deref(), Some("ada"));
    let page = ada.get("/sign-in").await.html;
    assert!(page.contains("This is not an e-mail address.") && page.contains(r#"value="ada""#));

    ada.post("/sign-in", &[("email", EMAIL), ("password", "a guess")]).await;
    ada.client.assert_validation_error("email", "credentials").await;
    assert!(!ada.session().await.has_old("password"));
    assert!(!ada.get("/sign-in").await.html.contains("a guess"));
    assert!(!ada.get("/sign-in").await.html.contains("aria-invalid"), "errors are shown once");
}

pub(super) async fn signing_in_is_a_new_id_and_leads_where_the_visitor_wanted_to_go(shop: Open) {
    let mut ada = shop.visitor();
    assert_eq!(ada.get("/orders").await.location, "/sign-in");
    ada.client.assert_flash("status", "sign_in_first").await;
    let (before, cookie) = (ada.session().await.id().unwrap(), ada.client.cookie());
    let reply = ada.sign_in().await;
    assert_eq!((reply.status, reply.location.as_str()), (303, "/orders"));
    ada.client.assert_flash("status", "signed_in").await;
    ada.client.assert_flash("about", "Ada").await;
    let session = ada.session().await;
    assert_eq!(session.user().name().as_deref(), Some(EMAIL));
    assert_ne!(session.id().unwrap(), before);

    let mut thief = shop.visitor();
    thief.client.follow([cookie.unwrap()]);
    assert_eq!(thief.session().await.user().name(), None, "the id from before is dead");
}

pub(super) async fn a_remembered_sign_in_outlives_the_browser(shop: Open) {
    let (mut ada, mut bob) = (shop.visitor(), shop.visitor());
    let fields = [("email", EMAIL), ("password", PASSWORD), ("remember", "on")];
    let remembered = ada.post("/sign-in", &fields).await.set_cookie;
    let forgotten = bob.post("/sign-in", &fields[..2]).await.set_cookie;
    let age =
        remembered.split("Max-Age=").nth(1).and_then(|rest| rest.split(';').next()?.parse::<u32>().ok());
    assert!(age.is_some_and(|seconds| seconds > 29 * 24 * 60 * 60), "{remembered}");
    assert!(!forgotten.is_empty() && !forgotten.contains("Max-Age"), "{forgotten}");
}

pub(super) async fn signing_out_ends_the_session_in_every_tab_and_keeps_the_taste(shop: Open) {
    let (mut here, mut other_tab) = (shop.visitor(), shop.visitor());
    here.client.with_session(json!({ "theme": "dark", "cart": { "assam": 1 } })).await;
    here.sign_in().await;
    other_tab.client.follow(here.client.cookie());
    here.post("/sign-out", &[]).await;
    here.client.assert_flash("status", "signed_out").await;
    here.client.assert_session("theme", "dark").await;
    here.client.assert_missing("cart").await;
    // The other tab has not heard of the new cookie.
    assert_eq!(other_tab.get("/orders").await.location, "/sign-in");
}

pub(super) async fn the_cart_keeps_what_was_put_in_and_an_order_empties_it(shop: Open) {
    let mut ada = shop.visitor();
    ada.client.as_user(EMAIL).await;
    for _ in 0..2 {
        assert_eq!(ada.post("/cart/add", &[("sku", "assam")]).await.status, 303);
    }
    ada.client.assert_session("cart.assam", 2).await;
    assert!(ada.get("/cart").await.html.contains("€17.80"));
    assert_eq!(ada.post("/cart/order", &[]).await.location, "/orders");
    ada.client.assert_missing("cart").await;
    ada.client.assert_session("orders.0.total", 1780).await;
    assert_eq!(ada.post("/cart/add", &[("sku", "moon")]).await.status, 422);
}

pub(super) async fn a_number_that_cannot_be_is_refused_and_shown_again(shop: Open) {
    let mut ada = shop.visitor();
    ada.client.with_session(json!({ "cart": { "assam": 3 } })).await;
    let reply = ada.post("/cart/set", &[("sku", "assam"), ("count", "many")]).await;
    assert_eq!(reply.location, "/cart");
    ada.client.assert_validation_error("count", "count_range").await;
    ada.client.assert_session("cart.assam", 3).await;
    let page = ada.get("/cart").await.html;
    assert!(page.contains("A number from 0 to 99") && page.contains(r#"value="many""#));
}

pub(super) async fn a_message_is_shown_once(shop: Open) {
    let mut ada = shop.visitor();
    ada.get("/").await;
    assert_eq!(ada.post("/cart/add", &[("sku", "teapot")]).await.location, "/");
    ada.client.assert_flash("status", "added").await;
    assert!(ada.get("/").await.html.contains("In your cart: Round teapot"));
    assert!(!ada.get("/").await.html.contains("In your cart: Round teapot"));
    assert!(ada.client.flash_messages().await.is_empty());
}

pub(super) async fn a_form_without_the_token_is_refused_and_sets_no_cookie(shop: Open) {
    let mut ada = shop.visitor();
    ada.client.with_flash(json!({ "status": "signed_in", "about": "Ada" })).await;
    for token in ["", "forged"] {
        let reply = ada.post_with(token, "/cart/add", &[("sku", "assam")]).await;
        assert_eq!((reply.status, reply.set_cookie.as_str()), (419, ""));
        assert!(reply.html.contains("This form is out of date"));
    }
    ada.client.assert_missing("cart").await;
    ada.client.assert_flash("about", "Ada").await;

    // From another site it comes without the cookie, and must not be answered with one.
    ada.get("/").await;
    let (mut stranger, token) = (shop.visitor(), ada.session().await.csrf().token().unwrap());
    let reply = stranger.post_with(&token, "/cart/add", &[("sku", "assam")]).await;
    assert_eq!((reply.status, reply.set_cookie.as_str()), (419, ""));
}

pub(super) async fn theme_and_language_stay_and_the_switch_leads_back(shop: Open) {
    let mut ada = shop.visitor();
    ada.get("/cart").await;
    assert_eq!(ada.post("/preferences", &[("theme", "dark")]).await.location, "/cart");
    ada.post("/preferences", &[("language", "de")]).await;
    ada.client.assert_session("theme", "dark").await;
    let page = ada.get("/").await.html;
    assert!(page.contains(r#"<html lang="de" data-theme="dark">"#) && page.contains("Guter Tee"));
    // What the refusal of a form says, it says in the visitor's language, too.
    assert!(ada.post_with("forged", "/sign-out", &[]).await.html.contains("Das Formular ist veraltet"));
}

pub(super) async fn an_address_is_given_only_after_the_password(shop: Open) {
    let mut ada = shop.visitor();
    // Signed in, but nobody proved anything lately.
    ada.client.as_remembered_user(EMAIL).await;
    assert_eq!(ada.get("/account").await.location, "/confirm");
    ada.get("/confirm").await;
    assert_eq!(ada.post("/confirm", &[("password", "a guess")]).await.location, "/confirm");
    ada.client.assert_validation_error("password", "password_wrong").await;
    assert_eq!(ada.post("/confirm", &[("password", PASSWORD)]).await.location, "/account");
    assert_eq!(ada.get("/account").await.status, 200);

    ada.post("/account", &[("address[street]", "Lindenallee 1"), ("address[city]", "")]).await;
    ada.client.assert_validation_error("address.city", "address_missing").await;
    ada.client.assert_missing("address").await;
    assert!(ada.get("/account").await.html.contains(r#"value="Lindenallee 1""#));
    ada.post("/account", &[("address[street]", "Lindenallee 1"), ("address[city]", "Leipzig")]).await;
    ada.client.assert_session("address.city", "Leipzig").await;
}

pub(super) async fn devices_are_listed_and_ended(shop: Open) {
    let (mut here, mut there, mut other) = (shop.visitor(), shop.visitor(), shop.visitor());
    for device in [&mut here, &mut there, &mut other] {
        device.sign_in().await;
    }
    let page = here.get("/devices").await.html;
    assert_eq!(page.matches("Firefox, Linux").count(), 3);
    assert_eq!(page.matches("this device").count(), 1);

    let handle = there.session().await.id().unwrap().to_string();
    assert!(page.contains(&handle));
    here.post("/devices/end", &[("device", &handle)]).await;
    here.client.assert_flash("status", "device_ended").await;
    assert_eq!(there.session().await.user().name(), None);
    here.post("/devices/end", &[("device", &handle)]).await;
    here.client.assert_flash("status", "device_gone").await;

    here.post("/devices/end-others", &[]).await;
    here.client.assert_flash("about", 1).await;
    assert_eq!(other.session().await.user().name(), None);
    assert_eq!(here.session().await.user().name().as_deref(), Some(EMAIL));
}

pub(super) async fn a_double_click_on_sign_in_ends_signed_in_with_one_device(shop: Open) {
    let mut ada = shop.visitor();
    let page = ada.get("/sign-in").await.html;
    let hidden = |name: &str| {
        let value = page.split(&format!(r#"name="{name}" value=""#)).nth(1);
        value.and_then(|rest| rest.split('"').next()).expect("the form has this field").to_owned()
    };
    let (csrf, before) = (hidden("_csrf"), ada.client.cookie().unwrap());
    let fields = [("email", EMAIL), ("password", PASSWORD), ("_csrf", &csrf)];
    assert_eq!(ada.click("/sign-in", &fields).await.location, "/");

    // Over a slow line the second click leaves before the answer to the first has come, with the same cookie.
    ada.client.follow([before]);
    let reply = ada.click("/sign-in", &fields).await;
    assert_eq!((reply.status, reply.location.as_str()), (303, "/"));
    let page = ada.get("/").await.html;
    assert!(page.contains("Welcome, Ada!") && !page.contains("ended"), "{page}");
    assert_eq!(ada.session().await.user().name().as_deref(), Some(EMAIL));
    assert_eq!(shop.sessions.of(EMAIL).list().await.unwrap().len(), 1, "one device");

    // Signing in on purpose, on another device, ends none.
    shop.visitor().sign_in().await;
    assert_eq!(shop.sessions.of(EMAIL).list().await.unwrap().len(), 2);
}

pub(super) async fn a_form_from_another_site_is_refused_even_with_the_token(shop: Open) {
    let mut ada = shop.visitor();
    ada.get("/").await;
    let token = ada.session().await.csrf().token().unwrap();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = Request::post("/cart/add").header(name, value).header(header::CONTENT_TYPE, FORM);
        let reply = ada.send(request, form(&[("sku", "assam"), ("_csrf", &token)])).await;
        assert_eq!((reply.status, reply.set_cookie.as_str()), (419, ""), "{name}");
    }
    ada.client.assert_missing("cart").await;
    let reply = ada.click("/cart/add", &[("sku", "assam")]).await;
    assert_eq!(reply.status, 303, "its own page needs no token");
    ada.client.assert_session("cart.assam", 1).await;
}

pub(super) async fn who_was_signed_out_elsewhere_is_led_to_sign_in_and_may_shop_on(shop: Open) {
    let (mut here, mut there) = (shop.visitor(), shop.visitor());
    here.sign_in().await;
    there.sign_in().await;
    there.get("/").await;
    let token = there.session().await.csrf().token().unwrap();
    here.post("/devices/end-others", &[]).await;

    // The page was open before: its form is not carried out, and not called a forgery. The cookie is left alone.
    let reply = there.post_with(&token, "/cart/add", &[("sku", "assam")]).await;
    let said = (reply.status, reply.location.as_str(), reply.set_cookie.as_str());
    assert_eq!(said, (303, "/sign-in", ""));
    let reply = there.get("/cart").await;
    assert_eq!((reply.location.as_str(), reply.set_cookie.as_str()), ("/sign-in", ""));

    let page = there.get("/sign-in").await.html;
    assert!(page.contains("This session was ended"));
    assert_eq!(there.post("/cart/add", &[("sku", "assam")]).await.status, 303);
    there.client.assert_session("cart.assam", 1).await;
    assert_eq!(there.sign_in().await.location, "/");
}

pub(super) async fn what_a_test_arranges_is_what_the_page_shows(shop: Open) {
    let mut ada = shop.visitor();
    ada.client.with_session(json!({ "language": "de" })).await;
    ada.client.with_input(json!({ "email": "ada@example", "password": "never" })).await;
    ada.client.with_errors([("email", "credentials")]).await;
    ada.client.with_flash(json!({ "status": "signed_out" })).await;
    let page = ada.get("/sign-in").await.html;
    for shown in ["Du bist abgemeldet.", r#"value="ada@example""#, "passen nicht zusammen", r#"lang="de""#] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("never"));
}

pub(super) async fn a_static_file_has_nothing_to_do_with_sessions(shop: Open) {
    let mut ada = shop.visitor();
    ada.client.with_flash(json!({ "status": "signed_out" })).await;
    let reply = ada.get("/style.css").await;
    assert_eq!((reply.status, reply.set_cookie.as_str()), (200, ""));
    ada.client.assert_flash("status", "signed_out").await;
}
