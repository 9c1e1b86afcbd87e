//! Flash, row by row, each with a real next visit.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use serde_json::{Map, Value, json};
use session_core::*;

fn form(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// What the next visit of this browser shows: messages, input, errors.
async fn next(app: &App, browser: &mut Browser) -> (String, String, String) {
    app.visit(browser, async |session| {
        let messages = session.flash_messages();
        (messages.all().to_json(), messages.input().to_json(), session.errors().all().to_json())
    })
    .await
}

async fn messages(app: &App, browser: &mut Browser) -> String {
    next(app, browser).await.0
}

#[tokio::test]
async fn i8_a_message_is_shown_in_the_next_visit_and_only_there() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("status", "Saved").unwrap();
        assert!(session.flash_messages().is_empty(), "not in this one");
    })
    .await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"status":"Saved"}"#);
    assert_eq!(messages(&app, &mut browser).await, "{}");
}

#[tokio::test]
async fn peers_23_falsy_messages_are_kept_in_both_forms() {
    let (app, mut browser) = (app(), Browser::new());
    for many in [false, true] {
        app.visit(&mut browser, async |session| {
            if many {
                session.flash_many(&json!({ "a": 0, "b": "", "c": false, "d": null, "e": [] })).unwrap();
            } else {
                session.flash("a", 0).unwrap();
                session.flash("b", "").unwrap();
                session.flash("c", false).unwrap();
                session.flash("d", ()).unwrap();
                session.flash("e", [0_u8; 0]).unwrap();
            }
        })
        .await;
        app.visit(&mut browser, async |session| {
            let shown = session.flash_messages();
            assert_eq!(shown.get::<i64>("a").unwrap(), Some(0));
            assert_eq!(shown.get::<String>("b").unwrap().as_deref(), Some(""));
            assert_eq!(shown.get::<bool>("c").unwrap(), Some(false));
            assert_eq!(shown.get::<bool>("d").unwrap(), None);
            assert!(shown.all().keys().any(|key| key == "d"));
            assert_eq!(shown.get::<Vec<u8>>("e").unwrap(), Some(vec![]));
        })
        .await;
    }
}

#[tokio::test]
async fn peers_23_no_name_is_reserved() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        for name in ["input", "errors", "messages", "old", "__proto__", "v", "data"] {
            session.flash(name, name).unwrap();
        }
        session.set_input(form(json!({ "errors": "x" })));
        session.flash_all().unwrap();
        session.with_errors([("input", "wrong")]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.flash_messages().all().len(), 7);
        assert_eq!(session.flash_messages().get::<String>("input").unwrap().as_deref(), Some("input"));
        assert_eq!(session.old::<String>("errors").unwrap().as_deref(), Some("x"));
        assert_eq!(session.errors().first("input").as_deref(), Some("wrong"));
    })
    .await;
}

#[tokio::test]
async fn peers_23_only_a_visit_that_opens_the_session_ages_flash() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.flash("status", "Saved").unwrap()).await;
    finish(app.arrive(&browser.cookies()), 200).await;
    let guard = app.arrive(&browser.cookies());
    assert!(guard.visit().read_only().await.unwrap().flash_messages().has("status"), "shown and not taken");
    finish(guard, 200).await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"status":"Saved"}"#);
}

#[tokio::test]
async fn flash_of_parallel_requests_is_neither_lost_nor_shown_twice() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.flash("first", 1).unwrap()).await;
    let (one, other) = (app.arrive(&browser.cookies()), app.arrive(&browser.cookies()));
    for (nth, guard) in [&one, &other].into_iter().enumerate() {
        let session = guard.visit().session().await.unwrap();
        assert!(session.flash_messages().has("first"));
        session.flash(format!("left{nth}"), nth).unwrap();
    }
    finish(one, 200).await;
    finish(other, 200).await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"left0":0,"left1":1}"#);
    assert_eq!(messages(&app, &mut browser).await, "{}");
}

#[tokio::test]
async fn messages_are_read_by_path_with_defaults() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("toast", json!({ "level": "info", "a.b": 1 })).unwrap();
        session.flash("deep.name", 2).unwrap();
        session.flash_many(&json!({ "literal.name": 3 })).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        let shown = session.flash_messages();
        assert_eq!(shown.get::<String>("toast.level").unwrap().as_deref(), Some("info"));
        assert_eq!(shown.get::<u8>("deep.name").unwrap(), Some(2));
        assert_eq!(shown.get::<u8>("literal.name").unwrap(), Some(3));
        assert_eq!(shown.get_or("missing", 7).unwrap(), 7);
        assert!(shown.get::<u8>("toast").is_err(), "a wrong type is an error");
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_shown_is_refused_when_it_is_flashed() {
    let session = Session::standalone();
    assert!(session.flash("a..b", 1).is_err());
    assert!(session.flash("a", f64::NAN).is_err());
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert!(session.flash("deep", &deep).is_err());
    assert!(session.flash_many(&json!({ "deep": deep })).is_err());
    assert!(session.flash_now("a..b", 1).is_err());
}

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
async fn reflash_carries_everything_that_is_shown_and_now_values() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("status", "Saved").unwrap();
        session.flash("nothing", ()).unwrap();
        session.set_input(form(json!({ "email": "a@b", "profile": { "city": "X" } })));
        session.flash_all().unwrap();
        session
            .with_errors([("profile.email", "bad"), ("tags", "few"), ("tags.0", "long"), ("", "whole")])
            .unwrap();
    })
    .await;
    let (_, input, errors) = app
        .visit(&mut browser, async |session| {
            session.flash_now("hint", 1).unwrap();
            session.reflash().unwrap();
            session.reflash().unwrap();
            (String::new(), session.flash_messages().input().to_json(), session.errors().all().to_json())
        })
        .await;
    let again = next(&app, &mut browser).await;
    assert_eq!((&again.1, &again.2), (&input, &errors));
    let shown: Value = serde_json::from_str(&again.0).unwrap();
    assert_eq!(shown, json!({ "status": "Saved", "nothing": null, "hint": 1 }));
    let errors: Value = serde_json::from_str(&errors).unwrap();
    assert_eq!(
        errors,
        json!({ "profile.email": ["bad"], "tags": ["few"], "tags.0": ["long"], "": ["whole"] })
    );
    assert_eq!(next(&app, &mut browser).await.0, "{}");
}

#[tokio::test]
async fn reflash_only_adds_up_over_all_three_bags() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash_many(&json!({ "a": 1, "b": 2, "c": { "d": 3, "e": 4 } })).unwrap();
        session.set_input(form(json!({ "a": "in", "z": "no" })));
        session.flash_all().unwrap();
        session.with_errors([("a", "err"), ("profile.email", "bad"), ("profile.name", "no")]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        session.reflash_only("a").unwrap();
        session.reflash_only(["c.d", "profile[email]", "missing"]).unwrap();
    })
    .await;
    let (messages, input, errors) = next(&app, &mut browser).await;
    assert_eq!(messages, r#"{"a":1,"c":{"d":3}}"#);
    assert_eq!(input, r#"{"a":"in"}"#);
    let errors: Value = serde_json::from_str(&errors).unwrap();
    assert_eq!(errors, json!({ "a": ["err"], "profile.email": ["bad"] }));
}

#[tokio::test]
async fn reflash_except_leaves_those_out_of_all_three_bags() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash_many(&json!({ "a": 1, "b": 2 })).unwrap();
        session.set_input(form(json!({ "a": "in", "z": "yes" })));
        session.flash_all().unwrap();
        session.with_errors([("a", "err"), ("b", "kept")]).unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| session.reflash_except(["a"]).unwrap()).await;
    let shown = next(&app, &mut browser).await;
    assert_eq!(shown, (r#"{"b":2}"#.into(), r#"{"z":"yes"}"#.into(), r#"{"b":["kept"]}"#.into()));
}

#[tokio::test]
async fn a_now_message_is_for_this_visit_alone() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash_now("hint", 1).unwrap();
        assert!(session.flash_messages().has("hint"));
    })
    .await;
    assert_eq!((browser.cookie.clone(), messages(&app, &mut browser).await.as_str()), (None, "{}"));
}

#[tokio::test]
async fn a_new_message_wins_over_a_kept_one() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.flash("status", "old").unwrap()).await;
    app.visit(&mut browser, async |session| {
        session.flash("status", "new").unwrap();
        session.reflash().unwrap();
    })
    .await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"status":"new"}"#);
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

#[tokio::test]
async fn flash_follows_a_regenerate_and_not_an_invalidate() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.put("n", 1).unwrap();
        session.flash("status", 1).unwrap();
        session.regenerate().unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert!(session.flash_messages().has("status"));
        session.flash("later", 1).unwrap();
        session.invalidate().unwrap();
        assert!(session.flash_messages().is_empty(), "both generations");
        session.flash("after", 1).unwrap();
    })
    .await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"after":1}"#);
}

#[tokio::test]
async fn lc_9_a_session_that_held_only_a_message_lapses_once_it_is_shown() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.flash("status", 1).unwrap()).await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"status":1}"#);
    app.pass(59);
    app.visit(&mut browser, async |session| assert!(!session.status().fresh())).await;
    app.pass(1);
    app.visit(&mut browser, async |session| assert!(session.status().fresh())).await;
}

#[tokio::test]
async fn a_commit_in_the_middle_keeps_what_was_flashed_before_it_for_the_next_visit() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.flash("shown", 1).unwrap()).await;
    app.visit(&mut browser, async |session| {
        session.flash("one", 1).unwrap();
        session.commit().await.unwrap();
        assert!(session.flash_messages().has("shown"), "still shown");
        session.flash("two", 2).unwrap();
    })
    .await;
    assert_eq!(messages(&app, &mut browser).await, r#"{"one":1,"two":2}"#);
    assert_eq!(messages(&app, &mut browser).await, "{}");
}
