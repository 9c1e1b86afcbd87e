//! Flash: messages, input and errors of one visit, shown in the next, and what keeps them longer.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use session_core::machine::FlashBag;
use session_core::{Event, Level, Session, SessionError};

use crate::web::{Client, WebApp};

/// Returns what the page shows of the three bags.
async fn shown(client: &Client<'_, impl WebApp>) -> (Value, Value, Value) {
    let mut page = client.get("/page").await.json();
    (page["flash_messages"].take(), page["old"].take(), page["errors"].take())
}

fn nothing() -> (Value, Value, Value) {
    (json!({}), json!({}), json!({}))
}

/// Leaves one entry in each bag, and a second message.
async fn leave(client: &Client<'_, impl WebApp>) {
    let leave = |session: &Session| {
        session.flash_many(&json!({ "status": "Saved", "hint": "red" }))?;
        session.flash_all()?;
        session.with_errors([("email", "is taken"), ("name", "is missing")])
    };
    client.submit("email=e&name=n", leave).await.0.unwrap();
}

pub async fn features_3_flash_and_flash_many_keep_falsy_values(app: &impl WebApp) {
    let client = Client::new(app);
    let falsy = json!({ "zero": 0, "empty": "", "no": false, "list": [], "null": null });
    let (many, one_by_one) = (falsy.clone(), falsy.clone());
    client.visit(move |session| session.flash_many(&many).unwrap()).await;
    assert_eq!(shown(&client).await.0, falsy);
    assert_eq!(shown(&client).await, nothing(), "next visit only");
    let each = move |session: &Session| {
        for (key, value) in one_by_one.as_object().unwrap() {
            session.flash(key, value).unwrap();
        }
    };
    client.visit(each).await;
    assert_eq!(shown(&client).await.0, falsy);
}

pub async fn features_3_flash_messages_are_read_by_path_with_defaults(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| assert!(session.flash_messages().is_empty())).await;
    client
        .visit(|session| session.flash("order", json!({ "lines": [{ "sku": "A" }], "note": null })).unwrap())
        .await;
    let look = |session: &Session| {
        let messages = session.flash_messages();
        assert_eq!(messages.get::<String>("order.lines[0].sku").unwrap().as_deref(), Some("A"));
        assert_eq!(messages.get_or("order.note", "none".to_owned()).unwrap(), "none", "null is nothing");
        assert_eq!(messages.get::<u8>("missing").unwrap(), None);
        assert!(messages.has("order.lines") && !messages.has("order.note") && !messages.has("missing"));
        assert_eq!(messages.all().to_json(), r#"{"order":{"lines":[{"sku":"A"}],"note":null}}"#);
        assert!(!messages.is_empty());
        let wrong = messages.get::<u8>("order.lines[0].sku");
        assert!(matches!(wrong, Err(SessionError::Value(_))), "another type is an error, no default");
    };
    client.visit(look).await;
}

pub async fn features_3_reflash_carries_all_three_bags_once_more(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    let first = client.visit(|session| {
        session.reflash().unwrap();
        (session.flash_messages().all().to_json(), session.errors().first("email"))
    });
    assert_eq!(first.await, (r#"{"hint":"red","status":"Saved"}"#.to_owned(), Some("is taken".to_owned())));
    let carried = (
        json!({ "status": "Saved", "hint": "red" }),
        json!({ "email": "e", "name": "n" }),
        json!({ "email": ["is taken"], "name": ["is missing"] }),
    );
    assert_eq!(shown(&client).await, carried);
    assert_eq!(shown(&client).await, nothing());
}

pub async fn features_3_reflash_only_and_keep_choose_keys_of_all_bags_and_add_up(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    let choose = |session: &Session| {
        session.reflash_only("email").unwrap();
        session.reflash_only(["status"]).unwrap();
    };
    client.visit(choose).await;
    let carried = (json!({ "status": "Saved" }), json!({ "email": "e" }), json!({ "email": ["is taken"] }));
    assert_eq!(shown(&client).await, carried);
    assert_eq!(shown(&client).await, nothing());
}

pub async fn features_3_reflash_except_leaves_those_keys_out_of_all_bags(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    client.visit(|session| session.reflash_except(["email", "hint"]).unwrap()).await;
    let carried = (json!({ "status": "Saved" }), json!({ "name": "n" }), json!({ "name": ["is missing"] }));
    assert_eq!(shown(&client).await, carried);
    assert_eq!(shown(&client).await, nothing());
}

pub async fn features_3_with_errors_of_several_calls_add_up_in_order(app: &impl WebApp) {
    let client = Client::new(app);
    let leave = |session: &Session| {
        session.with_errors([("email", vec!["is taken", "is odd"])]).unwrap();
        session.with_errors([("email", "is long"), ("profile[city]", "is missing")]).unwrap();
    };
    client.visit(leave).await;
    let look = |session: &Session| {
        assert!(session.errors().any() && session.errors().has("profile.city"));
        assert_eq!(session.errors().first("email").as_deref(), Some("is taken"), "the first");
        assert_eq!(session.errors().of("email"), ["is taken", "is odd", "is long"]);
        assert_eq!(session.errors().of("profile[city]"), ["is missing"]);
        assert_eq!(session.errors().first("age"), None);
    };
    client.visit(look).await;
    assert!(!client.visit(|session| session.errors().any()).await);
}

pub async fn features_3_flash_validation_errors_come_with_the_input_or_without(app: &impl WebApp) {
    let client = Client::new(app);
    for (with_input, old) in [(true, json!({ "profile": { "email": "e" } })), (false, json!({}))] {
        let refuse = move |session: &Session| {
            session.with_errors([("profile.email", "is taken")]).unwrap();
            if with_input {
                session.flash_all().unwrap();
            }
        };
        client.submit("profile[email]=e&password=p", refuse).await;
        let errors = json!({ "profile.email": ["is taken"] });
        assert_eq!(shown(&client).await, (json!({}), old, errors), "{with_input}");
    }
}

pub async fn features_3_flash_all_takes_a_form_that_is_given(app: &impl WebApp) {
    let client = Client::new(app);
    let given = |session: &Session| {
        let Value::Object(form) = json!({ "email": "e", "password": "p", "user": { "password": "q" } })
        else {
            panic!("an object")
        };
        session.set_input(form);
        session.flash_all().unwrap();
    };
    client.visit(given).await;
    let old = shown(&client).await.1;
    assert_eq!(old["email"], "e");
    assert!(!old.to_string().contains("\"p\"") && !old.to_string().contains("\"q\""), "no secret: {old}");
}

pub async fn features_3_old_input_is_the_text_that_was_typed(app: &impl WebApp) {
    let client = Client::new(app);
    client.submit("profile[email]=e&tags[]=x&tags[]=y&count=3", |session| session.flash_all().unwrap()).await;
    let look = |session: &Session| {
        for field in ["profile.email", "profile[email]"] {
            assert_eq!(session.old::<String>(field).unwrap().as_deref(), Some("e"), "{field}");
        }
        assert_eq!(session.old::<Vec<String>>("tags").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(session.old::<String>("count").unwrap().as_deref(), Some("3"));
        assert_eq!(session.old::<u8>("count").ok(), None, "the text that was typed is not yet a number");
        assert_eq!(session.old::<String>("age").unwrap(), None, "so that the page's default applies");
        assert!(session.has_old("count") && !session.has_old("age"));
    };
    client.visit(look).await;
    assert!(!client.visit(|session| session.has_old("count")).await, "for one visit only");
}

pub async fn features_3_a_look_that_changes_nothing_takes_no_message_of_others(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    for path in ["/plain", "/echo", "/missing", "/guarded/echo"] {
        client.get(path).await;
    }
    assert_eq!(shown(&client).await.0["status"], "Saved", "it waits for a page");
}

pub async fn features_3_secret_fields_are_those_that_the_application_names(app: &impl WebApp) {
    let client = Client::new(app);
    let typed = "iban=1&password=p&user[homeIban]=2&user[name]=u";
    client.submit(typed, |session| session.flash_all().unwrap()).await;
    assert_eq!(shown(&client).await.1, json!({ "user": { "name": "u" } }));
}

pub async fn at_7_the_application_may_replace_the_secret_fields(app: &impl WebApp) {
    let client = Client::new(app);
    client.submit("pin=1&password=p&user[pin]=2&user[name]=u", |session| session.flash_all().unwrap()).await;
    assert_eq!(shown(&client).await.1, json!({ "password": "p", "user": { "name": "u" } }));
}

pub async fn features_4_a_page_shows_what_the_last_visit_left(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    let look = |session: &Session| {
        let view = session.csrf().view().unwrap();
        assert_eq!((view.old("email"), view.old("age")), ("e".to_owned(), String::new()));
        assert!(view.has_old("name") && view.has_errors() && view.has_error_for("email"));
        assert_eq!(
            (view.get_error_for("email"), view.flash_message("status")),
            ("is taken".to_owned(), "Saved".to_owned())
        );
        assert_eq!(view.input_error("name"), ["is missing"]);
        let token = view.csrf_token().expect("a view for pages with forms");
        assert!(session.csrf().verify(token));
        assert!(view.csrf_field().contains(&format!("value=\"{token}\"")), "{}", view.csrf_field());
        assert!(session.view().unwrap().csrf_field().is_empty(), "only in a view for pages with forms");
        serde_json::to_value(&view).unwrap()
    };
    let seen = client.visit(look).await;
    assert_eq!(seen["flash_messages"], json!({ "status": "Saved", "hint": "red" }));
    assert_eq!(seen["errors"]["email"], json!(["is taken"]));
}

pub async fn features_3_a_redirect_passes_all_bags_on(app: &impl WebApp) {
    let client = Client::new(app);
    leave(&client).await;
    for _ in 0..2 {
        assert_eq!(client.post("/intended", "").await.location(), "/fallback");
    }
    client.send(Method::HEAD, "/page", &[], Bytes::new()).await;
    for (name, value) in
        [("sec-purpose", "prefetch"), ("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")]
    {
        let seen = client.send(Method::GET, "/page", &[(name, value)], Bytes::new()).await.json();
        assert_eq!(seen["flash_messages"]["status"], "Saved", "it is answered as ever");
    }
    let (messages, old, errors) = shown(&client).await;
    assert_eq!(messages, json!({ "status": "Saved", "hint": "red" }));
    assert_eq!(old, json!({ "email": "e", "name": "n" }));
    assert_eq!(errors, json!({ "email": ["is taken"], "name": ["is missing"] }));
    assert_eq!(shown(&client).await, nothing());
}

pub async fn features_3_a_redirect_passes_all_bags_on_in_a_cookie(app: &impl WebApp) {
    features_3_a_redirect_passes_all_bags_on(app).await;
}

pub async fn features_3_a_failed_validation_is_never_a_500(app: &impl WebApp) {
    let client = Client::new(app);
    let small: String = (0..37).map(|n| format!("field{n}=value{n}&")).collect();
    assert_eq!(client.post("/back", &small).await.status, 303);
    assert_eq!(client.get("/page").await.json()["old"]["field36"], "value36", "they fit");
    drop(app.setting().events.take());
    let reply = client.post("/back", &format!("note={}&email=e", "x".repeat(100_000))).await;
    assert_eq!(reply.status, 303);
    let told: Vec<_> = app.setting().events.take().into_iter().filter(Event::is_trouble).collect();
    assert_eq!(told, [Event::GaveWay(FlashBag::Input)]);
    let (messages, old, errors) = shown(&client).await;
    assert_eq!(messages, json!({ "status": "Saved" }));
    assert_eq!((old, errors), (json!({}), json!({ "email": ["is taken"] })));
}

pub async fn features_3_a_failed_validation_is_never_a_500_in_a_cookie(app: &impl WebApp) {
    features_3_a_failed_validation_is_never_a_500(app).await;
}

pub async fn features_3_forms_side_by_side_have_their_own_errors_and_input(app: &impl WebApp) {
    let client = Client::new(app);
    let refuse = |session: &Session| session.form("sign-in").with_errors([("email", "is unknown")]).unwrap();
    client.submit("email=e&password=p", refuse).await;
    let look = |session: &Session| {
        assert_eq!(session.form("sign-in").errors().first("email").as_deref(), Some("is unknown"));
        assert_eq!(session.form("sign-in").old::<String>("email").unwrap().as_deref(), Some("e"));
        assert_eq!(session.form("sign-in").old::<String>("password").unwrap(), None);
        assert!(
            !session.form("sign-up").errors().any() && !session.errors().any() && !session.has_old("email")
        );
    };
    client.visit(look).await;
    assert!(!client.visit(|session| session.form("sign-in").errors().any()).await, "for one visit only");
}

pub async fn features_3_messages_with_levels_come_in_order(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.notify(Level::Success, "Saved").unwrap()).await;
    let again = |session: &Session| {
        session.reflash().unwrap();
        session.notify(Level::Warning, "Almost full").unwrap();
    };
    client.visit(again).await;
    let expected =
        json!([{ "level": "success", "text": "Saved" }, { "level": "warning", "text": "Almost full" }]);
    assert_eq!(shown(&client).await.0["notifications"], expected);
}
