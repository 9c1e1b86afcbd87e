//! Old input and errors: what a form leaves for the next page, without its secrets.

use super::*;

#[tokio::test]
async fn a_name_in_a_message_or_a_form_is_never_an_index() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("order-1.5", "sent").unwrap();
        session.flash("list.5000", 1).unwrap();
        session.set_input(form(json!({ "qty": { "98765": "2", "7": "1" }, "stock[3]": "x" })));
        session.flash_only(["qty[98765]", "qty[7]"]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.flash_messages().get::<String>("order-1.5").unwrap().as_deref(), Some("sent"));
        assert_eq!(session.flash_messages().all().to_json(), r#"{"order-1":{"5":"sent"},"list":{"5000":1}}"#);
        assert_eq!(session.old::<String>("qty[98765]").unwrap().as_deref(), Some("2"));
        assert_eq!(session.flash_messages().input().to_json(), r#"{"qty":{"98765":"2","7":"1"}}"#);
        session.flash_now("order-2.7", 1).unwrap();
        session.reflash_only("list.5000").unwrap();
    })
    .await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"list":{"5000":1}}"#);
}

#[tokio::test]
async fn a_form_has_one_shape_whatever_call_flashes_it() {
    let (app, mut browser) = (app(), Browser::new());
    let rows: Vec<Value> = (0..12).map(|n| json!({ "sku": format!("S{n}"), "qty": "1" })).collect();
    let typed = form(json!({ "items": rows, "opt": { "30": "a", "4": "b" }, "name": "ada" }));
    let all = Value::Object(typed.clone()).to_string();
    let every = (0..12).flat_map(|n| [format!("items[{n}][sku]"), format!("items.{n}.qty")]);
    let every: Vec<String> = every.chain(["opt[30]", "opt.4", "name"].map(str::to_owned)).collect();
    for call in ["all", "only", "only, one by one", "except"] {
        app.visit(&mut browser, async |session| {
            session.set_input(typed.clone());
            match call {
                "all" => session.flash_all().unwrap(),
                "only" => session.flash_only(every.clone()).unwrap(),
                "except" => session.flash_except(["nothing"]).unwrap(),
                _ => every.iter().for_each(|field| session.flash_only(field).unwrap()),
            }
        })
        .await;
        assert_eq!(next(&app, &mut browser).await.1, all, "{call}");
    }
    app.visit(&mut browser, async |session| {
        session.set_input(typed.clone());
        session.flash_only("items[1][sku]").unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.old::<String>("items[1][sku]").unwrap().as_deref(), Some("S1"));
        assert_eq!(session.flash_messages().input().to_json(), r#"{"items":{"1":{"sku":"S1"}}}"#);
    })
    .await;
}

#[tokio::test]
async fn a_flashed_field_costs_its_bytes_and_less_than_ten_more() {
    let session = |fields: usize| async move {
        let (app, mut browser) = (app_in_cookie(|builder, _| builder), Browser::new());
        app.visit(&mut browser, async |session| {
            let fields = (0..fields).map(|n| (format!("field{n:03}"), json!("12345678")));
            session.set_input(fields.collect());
            session.flash_all().unwrap();
        })
        .await;
        // Four characters of a cookie are three bytes.
        browser.cookie.unwrap().len() * 3 / 4
    };
    let (few, many) = (session(10).await, session(110).await);
    assert!((many - few) / 100 < 8 + 8 + 10, "{few} {many}");
}

#[tokio::test]
async fn lc_13_input_is_flashed_without_secrets_at_any_depth() {
    let (app, mut browser) = (app(), Browser::new());
    let typed = form(json!({
        "email": "a@b", "password": "p", "password_confirmation": "p", "_csrf": "t", "_token": "t", "_method": "PUT",
        "user": { "name": "ada", "password": "p" }, "rows": [{ "password": "p", "x": 1 }], "tags": ["a", "b"],
    }));
    let without =
        json!({ "email": "a@b", "user": { "name": "ada" }, "rows": [{ "x": 1 }], "tags": ["a", "b"] });
    app.visit(&mut browser, async |session| {
        session.set_input(typed.clone());
        session.flash_all().unwrap();
    })
    .await;
    let shown: Value = serde_json::from_str(&next(&app, &mut browser).await.1).unwrap();
    assert_eq!(shown, without);
}

#[tokio::test]
async fn lc_13_a_named_field_is_flashed_but_not_the_secrets_inside_of_it() {
    let (app, mut browser) = (app(), Browser::new());
    let typed = form(json!({ "password": "p", "user": { "name": "ada", "password": "q" }, "rest": 1 }));
    app.visit(&mut browser, async |session| {
        session.set_input(typed.clone());
        session.flash_only(["user", "missing"]).unwrap();
    })
    .await;
    assert_eq!(next(&app, &mut browser).await.1, r#"{"user":{"name":"ada"}}"#);
    app.visit(&mut browser, async |session| {
        session.set_input(typed.clone());
        session.flash_only(["password", "user[password]"]).unwrap();
    })
    .await;
    assert_eq!(next(&app, &mut browser).await.1, r#"{"password":"p","user":{"password":"q"}}"#);
    app.visit(&mut browser, async |session| {
        session.set_input(typed.clone());
        session.flash_except(["user.name"]).unwrap();
    })
    .await;
    assert_eq!(next(&app, &mut browser).await.1, r#"{"user":{},"rest":1}"#);
}

#[tokio::test]
async fn old_input_is_read_by_either_way_of_writing_a_field() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.set_input(form(json!({ "profile": { "email": "a@b" }, "tags": ["x"] })));
        session.flash_all().unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        for field in ["profile.email", "profile[email]"] {
            assert_eq!(session.old::<String>(field).unwrap().as_deref(), Some("a@b"));
            assert!(session.has_old(field));
        }
        assert_eq!(session.old::<Vec<String>>("tags").unwrap(), Some(vec!["x".to_owned()]));
        assert!(!session.has_old("password"));
    })
    .await;
}

#[tokio::test]
async fn a_field_without_messages_is_no_error() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        let passed = Vec::<String>::new();
        session.with_errors([("name", passed.clone())]).unwrap();
        session.form("sign-in").with_errors([("email", passed)]).unwrap();
    })
    .await;
    assert_eq!(browser.cookie, None, "nothing was left, so no session begins");
    app.visit(&mut browser, async |session| {
        session.with_errors([("name", vec![]), ("email", vec!["is taken"])]).unwrap();
        session.form("sign-in").with_errors([("email", Vec::<String>::new())]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.errors().all().to_json(), r#"{"email":["is taken"]}"#);
        assert!(!session.form("sign-in").errors().any());
    })
    .await;
}

#[tokio::test]
async fn errors_of_several_calls_add_up_in_order() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.with_errors([("email", "is taken"), ("email", "is long")]).unwrap();
        session.with_errors([("email", vec!["is odd", "is old"])]).unwrap();
        session.with_errors([("profile[city]", "is far")]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert!(session.errors().any());
        assert_eq!(session.errors().of("email"), ["is taken", "is long", "is odd", "is old"]);
        assert_eq!(session.errors().first("email").as_deref(), Some("is taken"));
        for field in ["profile.city", "profile[city]"] {
            assert!(session.errors().has(field), "{field}");
            assert!(session.view().unwrap().has_error_for(field), "{field}");
        }
    })
    .await;
    app.visit(&mut browser, async |session| assert!(!session.errors().any())).await;
}
