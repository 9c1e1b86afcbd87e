//! Flash that is kept for one more visit.

use super::*;

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
