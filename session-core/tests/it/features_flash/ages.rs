//! How long flash is kept: for this visit, for the next one, and across a commit, a new id or an invalidate.

use super::*;

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
async fn i8_a_response_without_a_page_passes_on_what_nobody_read() {
    for status in [101, 103, 200, 201, 204, 205, 302, 303, 304, 308, 400, 404, 422] {
        for reads in [false, true] {
            let (app, mut browser) = (app(), Browser::new());
            app.visit(&mut browser, async |session| {
                session.flash("status", "Saved").unwrap();
                session.with_errors([("email", "is taken")]).unwrap();
            })
            .await;
            app.answer(&mut browser, status, async |session| {
                session.put("beacon", 1).unwrap();
                assert!(!reads || session.flash_messages().has("status"));
            })
            .await;
            let passes_on = !reads && matches!(status, 101 | 103 | 204 | 205 | 302 | 303 | 304 | 308);
            let (left, _, errors) = next(&app, &mut browser).await;
            assert_eq!(left, if passes_on { r#"{"status":"Saved"}"# } else { "{}" }, "{status} {reads}");
            assert_eq!(errors.contains("is taken"), passes_on, "{status} {reads}");
            assert_eq!(messages(&app, &mut browser).await, "{}", "and only there");
        }
    }
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
