//! Forms and messages that are passed on by redirects, give way, belong to named forms, or are pushed.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use serde_json::{Map, Value, json};
use session_core::machine::FlashBag;
use session_core::{adapter::*, *};

type Leave = fn(&Session) -> Result<(), SessionError>;

fn form(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn bags(session: &Session) -> (String, String, String) {
    let messages = session.flash_messages();
    (messages.all().to_json(), messages.input().to_json(), session.errors().all().to_json())
}

/// One entry in each bag.
async fn leave(app: &App, browser: &mut Browser) {
    app.visit(browser, async |session| {
        session.flash("status", "Saved").unwrap();
        session.set_input(form(json!({ "email": "e" })));
        session.flash_all().unwrap();
        session.with_errors([("email", "is taken")]).unwrap();
    })
    .await;
}

fn left() -> (String, String, String) {
    (r#"{"status":"Saved"}"#.into(), r#"{"email":"e"}"#.into(), r#"{"email":["is taken"]}"#.into())
}

fn nothing() -> (String, String, String) {
    ("{}".into(), "{}".into(), "{}".into())
}

async fn shown(app: &App, browser: &mut Browser) -> (String, String, String) {
    app.visit(browser, async |session| bags(&session)).await
}

#[tokio::test]
async fn i8_a_redirect_that_reads_nothing_passes_all_bags_on() {
    for app in [app(), app_in_cookie(|builder, _| builder)] {
        let mut browser = Browser::new();
        leave(&app, &mut browser).await;
        for status in [301, 302, 303, 307, 308] {
            app.answer(&mut browser, status, async |session| session.get::<u8>("user").unwrap()).await;
        }
        app.answer(&mut browser, 303, async |session| session.flash("more", 1).unwrap()).await;
        let (messages, input, errors) = shown(&app, &mut browser).await;
        assert_eq!(
            (messages.as_str(), input, errors),
            (r#"{"status":"Saved","more":1}"#, left().1, left().2)
        );
        assert_eq!(shown(&app, &mut browser).await, nothing());
    }
}

#[tokio::test]
async fn i8_a_redirect_that_read_messages_takes_them() {
    type Look = fn(&Session);
    let looks: [Look; 5] = [
        |session| drop(session.flash_messages()),
        |session| drop(session.old::<String>("email")),
        |session| drop(session.errors().first("email")),
        |session| drop(session.view()),
        |session| _ = session.has_old("email"),
    ];
    for look in looks {
        let (app, mut browser) = (app(), Browser::new());
        leave(&app, &mut browser).await;
        app.answer(&mut browser, 303, async |session| look(&session)).await;
        assert_eq!(shown(&app, &mut browser).await, nothing());
    }
}

#[tokio::test]
async fn i8_a_redirect_that_keeps_some_keeps_those_once() {
    let (app, mut browser) = (app(), Browser::new());
    leave(&app, &mut browser).await;
    app.answer(&mut browser, 303, async |session| session.reflash().unwrap()).await;
    assert_eq!(shown(&app, &mut browser).await, left());
    leave(&app, &mut browser).await;
    app.answer(&mut browser, 303, async |session| session.reflash_only("status").unwrap()).await;
    assert_eq!(shown(&app, &mut browser).await, (left().0, "{}".into(), "{}".into()));
}

#[tokio::test]
async fn i8_a_head_and_a_prefetch_take_nothing() {
    let prefetch = |value: &'static [u8]| move |name| (name == "sec-purpose").then_some(value);
    for (method, purpose) in [
        ("HEAD", &b""[..]),
        ("GET", b"prefetch"),
        ("GET", b"prefetch;prerender"),
        ("GET", b"prefetch;anonymous-client-ip"),
    ] {
        let (app, mut browser) = (app(), Browser::new());
        leave(&app, &mut browser).await;
        let head = RequestHead { method, url: "/", authority: None, header: prefetch(purpose) };
        let cookies = CookieHeaders::of(browser.cookies(), &head);
        let guard = app.sessions.visit(cookies, &OnTokio);
        let session = guard.visit().session().await.unwrap();
        assert_eq!(bags(&session), left(), "it is shown, to nobody");
        session.commit().await.unwrap();
        session.reflash().unwrap();
        browser.hear(&finish(guard, 200).await);
        assert_eq!(shown(&app, &mut browser).await, left(), "{method}");
        assert_eq!(shown(&app, &mut browser).await, nothing());
    }
}

#[tokio::test]
async fn i8_a_commit_in_the_middle_of_a_redirect_takes_nothing() {
    let (app, mut browser) = (app(), Browser::new());
    leave(&app, &mut browser).await;
    app.answer(&mut browser, 303, async |session| {
        session.flash("more", 1).unwrap();
        session.commit().await.unwrap();
        session.put("n", 1).unwrap();
    })
    .await;
    assert_eq!(shown(&app, &mut browser).await.0, r#"{"status":"Saved","more":1}"#);
    leave(&app, &mut browser).await;
    app.answer(&mut browser, 200, async |session| session.commit().await.unwrap()).await;
    assert_eq!(shown(&app, &mut browser).await, nothing(), "a page shows them, read or not");
}

#[tokio::test]
async fn a_redirect_costs_no_write_for_what_it_passes_on() {
    let (app, mut browser) = (app(), Browser::new());
    leave(&app, &mut browser).await;
    app.calls();
    app.answer(&mut browser, 303, async |_| ()).await;
    assert_eq!(app.calls(), [session_testkit::Verb::Load]);
}

fn gave_way(app: &App) -> Vec<FlashBag> {
    let bags = app.events.take().into_iter().filter_map(|event| match event {
        Event::GaveWay(bag) => Some(bag),
        _ => None,
    });
    bags.collect()
}

#[tokio::test]
async fn what_does_not_fit_gives_way_input_first_then_errors_then_messages() {
    let limited = || app_with(|builder| builder.max_record(3_000));
    for app in [limited(), app_in_cookie(|builder, _| builder)] {
        let text = |bytes| "x".repeat(bytes);
        for (input, errors, message, expected) in [
            (10, 10, 10, &[][..]),
            (5_000, 10, 10, &[FlashBag::Input]),
            (10, 5_000, 10, &[FlashBag::Input, FlashBag::Errors]),
            (10, 10, 5_000, &[FlashBag::Input, FlashBag::Errors, FlashBag::Messages]),
        ] {
            let mut browser = Browser::new();
            let (_, report) = app
                .answer(&mut browser, 303, async |session| {
                    session.put("user", "ada").unwrap();
                    session.set_input(form(json!({ "email": text(input) })));
                    session.flash_all().unwrap();
                    session.with_errors([("email", text(errors))]).unwrap();
                    session.flash("status", text(message)).unwrap();
                })
                .await;
            assert!(report.failure().is_none(), "{:?}", report.error);
            assert_eq!(gave_way(&app), expected);
            app.visit(&mut browser, async |session| {
                assert_eq!(session.has_old("email"), !expected.contains(&FlashBag::Input));
                assert_eq!(session.errors().any(), !expected.contains(&FlashBag::Errors));
                assert_eq!(session.flash_messages().has("status"), !expected.contains(&FlashBag::Messages));
                assert_eq!(session.get::<String>("user").unwrap().as_deref(), Some("ada"));
            })
            .await;
        }
    }
}

#[tokio::test]
async fn what_other_visits_left_gives_way_as_well() {
    let (app, mut browser) = (app_with(|builder| builder.max_record(1_000)), Browser::new());
    app.visit(&mut browser, async |session| {
        session.set_input(form(json!({ "note": "x".repeat(600) })));
        session.flash_all().unwrap();
    })
    .await;
    app.answer(&mut browser, 303, async |session| session.put("data", "y".repeat(600)).unwrap()).await;
    assert_eq!(gave_way(&app), [FlashBag::Input]);
    app.visit(&mut browser, async |session| assert!(session.has("data") && !session.has_old("note"))).await;
}

#[tokio::test]
async fn data_that_does_not_fit_is_an_error_still() {
    let (app, mut browser) = (app_with(|builder| builder.max_record(1_000)), Browser::new());
    let (_, report) = app
        .answer(&mut browser, 200, async |session| {
            session.flash("status", "Saved").unwrap();
            session.put("data", "y".repeat(1_500)).unwrap();
        })
        .await;
    assert!(matches!(report.error, Some(CommitError::TooLarge { .. })));
}

#[tokio::test]
async fn two_hundred_small_fields_fit_a_cookie() {
    let (app, mut browser) = (app_in_cookie(|builder, _| builder), Browser::new());
    app.visit(&mut browser, async |session| {
        let fields = (0..200).map(|n| (format!("f{n}"), json!("1")));
        session.set_input(fields.collect());
        session.flash_all().unwrap();
    })
    .await;
    assert!(gave_way(&app).is_empty());
    app.visit(&mut browser, async |session| assert!(session.has_old("f199"))).await;
}

#[tokio::test]
async fn forms_side_by_side_share_neither_errors_nor_input() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.set_input(form(json!({ "email": "e", "password": "p", "profile": { "name": "n" } })));
        session
            .form("sign-in")
            .with_errors([("email", "is unknown"), ("profile[name]", "is short")])
            .unwrap();
        session.form("sign-in").with_errors([("email", "is odd")]).unwrap();
    })
    .await;
    for again in [true, false] {
        app.visit(&mut browser, async |session| {
            let errors = session.form("sign-in").errors();
            assert_eq!(errors.of("email"), ["is unknown", "is odd"]);
            assert_eq!(errors.first("profile.name").as_deref(), Some("is short"));
            assert!(!session.errors().any() && !session.form("sign-up").errors().any());
            assert_eq!(session.form("sign-in").old::<String>("email").unwrap().as_deref(), Some("e"));
            assert_eq!(session.form("sign-in").old::<String>("profile[name]").unwrap().as_deref(), Some("n"));
            assert_eq!(session.form("sign-in").old::<String>("password").unwrap(), None, "no secret");
            assert_eq!(session.form("sign-up").old::<String>("email").unwrap(), None);
            assert!(!session.has_old("email") && !session.flash_messages().is_empty());
            let view = session.view().unwrap();
            assert_eq!(view.old_in("sign-in", "email"), "e");
            assert_eq!(view.errors_in("sign-in", "email").len(), 2);
            assert_eq!(serde_json::to_value(&view).unwrap()["forms"]["sign-in"]["old"]["email"], "e");
            if again {
                session.reflash().unwrap();
            }
        })
        .await;
    }
    app.visit(&mut browser, async |session| {
        assert!(!session.form("sign-in").errors().any() && session.flash_messages().is_empty());
    })
    .await;
}

#[tokio::test]
async fn messages_pushed_from_two_tabs_are_both_shown_in_order() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.put("n", 1).unwrap();
        session.flash_push("notices", "one").unwrap();
    })
    .await;
    let (first, second) = (app.arrive(&browser.cookies()), app.arrive(&browser.cookies()));
    for (guard, text) in [(&first, "two"), (&second, "three")] {
        let session = guard.visit().session().await.unwrap();
        session.reflash().unwrap();
        session.flash_push("notices", text).unwrap();
    }
    finish(first, 303).await;
    finish(second, 303).await;
    let list: Option<Vec<String>> =
        app.visit(&mut browser, async |session| session.flash_messages().get("notices").unwrap()).await;
    // Both tabs have kept the first one.
    assert_eq!(list.unwrap(), ["one", "two", "one", "three"]);
    app.visit(&mut browser, async |session| assert!(!session.flash_messages().has("notices"))).await;
}

#[tokio::test]
async fn a_pushed_message_makes_a_list_and_a_flashed_one_replaces_it() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.flash("a", "first").unwrap();
        session.flash_push("a", json!({ "n": 2 })).unwrap();
        session.flash_push("b.c", 0).unwrap();
        session.flash_push("d", 1).unwrap();
        session.flash("d", 2).unwrap();
        session.notify(Level::Success, "Saved").unwrap();
        session.notify(Level::Error, "Lost").unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        let shown = session.flash_messages();
        let text = r#"{"a":["first",{"n":2}],"b":{"c":[0]},"d":2,"notifications":[{"level":"success","text":"Saved"},{"level":"error","text":"Lost"}]}"#;
        assert_eq!(shown.all().to_json(), text);
        let notifications = shown.notifications().unwrap();
        assert_eq!((notifications[1].level, notifications[1].text.as_str()), (Level::Error, "Lost"));
    })
    .await;
}

#[tokio::test]
async fn a_field_that_is_left_out_makes_no_gap() {
    let (app, mut browser) = (app(), Browser::new());
    let rows: Vec<Value> = (0..3).map(|n| json!({ "sku": n.to_string(), "qty": "1" })).collect();
    let cases: [(&str, Leave); 4] = [
        (r#"{"1":{"sku":"1"}}"#, |session| session.flash_only("rows[1][sku]")),
        (r#"{"1":{"sku":"1","qty":"1"},"2":{"sku":"2","qty":"1"}}"#, |session| {
            session.flash_except("rows[0]")
        }),
        (r#"[{"sku":"0"},{"sku":"1"}]"#, |session| {
            session.flash_only("rows[1][sku]").and_then(|()| session.flash_only("rows[0][sku]"))
        }),
        (r#"[{"sku":"0","qty":"1"},{"sku":"1","qty":"1"}]"#, |session| session.flash_except("rows.2")),
    ];
    for (expected, flash) in cases {
        app.visit(&mut browser, async |session| {
            session.set_input(form(json!({ "rows": rows })));
            flash(&session).unwrap();
        })
        .await;
        assert_eq!(shown(&app, &mut browser).await.1, format!(r#"{{"rows":{expected}}}"#));
    }
}
