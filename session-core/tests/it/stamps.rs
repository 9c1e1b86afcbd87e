//! A change of the user's credentials ends every session with the former stamp, in both placements.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::store::{Loaded, SessionStore as _};

const OLD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$b2xk";
const NEW: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$bmV3";

fn placements() -> [App; 3] {
    [app(), app_in_cookie(|builder, _| builder), app_in_cookie(|builder, list| builder.revocations(list))]
}

async fn signed_in(app: &App) -> Browser {
    let mut browser = Browser::new();
    app.visit(&mut browser, async |session| {
        session.tag("ada").unwrap();
        session.user().set_stamp(OLD).unwrap();
        session.put("n", 1).unwrap();
    })
    .await;
    browser
}

/// What a page does first: who is it, with the hash as it is in the table of users today?
async fn passes(app: &App, browser: &mut Browser, today: &str) -> bool {
    app.visit(browser, async |session| session.user().check_stamp(today).unwrap()).await
}

#[tokio::test]
async fn a_password_change_ends_all_other_sessions_and_keeps_this_one() {
    for app in placements() {
        let (mut laptop, mut phone, mut tablet) =
            (signed_in(&app).await, signed_in(&app).await, signed_in(&app).await);
        assert!(passes(&app, &mut laptop, OLD).await && passes(&app, &mut phone, OLD).await);
        let copy = phone.clone();
        app.visit(&mut laptop, async |session| {
            assert!(session.user().check_stamp(OLD).unwrap());
            session.user().set_stamp(NEW).unwrap();
        })
        .await;
        assert!(passes(&app, &mut laptop, NEW).await, "this one goes on");
        assert_eq!(read::<u8>(&app, &mut laptop, "n").await, Some(1));
        for other in [&mut phone, &mut tablet, &mut copy.clone()] {
            app.visit(other, async |session| {
                assert!(!session.user().check_stamp(NEW).unwrap());
                assert!(session.user().name().is_none() && session.is_empty(), "nothing of it is left");
            })
            .await;
            assert_eq!(read::<u8>(&app, other, "n").await, None);
            assert!(!passes(&app, other, OLD).await, "also for the former hash");
        }
        assert!(!passes(&app, &mut copy.clone(), NEW).await, "a copied cookie passes no more");
    }
}

#[tokio::test]
async fn a_session_that_ended_by_its_stamp_can_keep_a_message_for_the_sign_in_page() {
    for app in placements() {
        let mut browser = signed_in(&app).await;
        app.visit(&mut browser, async |session| {
            assert!(!session.user().check_stamp(NEW).unwrap());
            session.flash("status", "Your password was changed").unwrap();
            session.urls().set_intended("/account").unwrap();
        })
        .await;
        app.visit(&mut browser, async |session| {
            assert_eq!(
                session.flash_messages().get::<String>("status").unwrap().unwrap(),
                "Your password was changed"
            );
            assert_eq!(session.urls().intended().as_deref(), Some("/account"));
        })
        .await;
    }
}

#[tokio::test]
async fn who_has_no_stamp_does_not_pass_and_a_stranger_loses_nothing() {
    for app in placements() {
        let mut stranger = known(&app).await;
        assert!(!passes(&app, &mut stranger, OLD).await);
        assert_eq!(read::<u8>(&app, &mut stranger, "n").await, Some(1), "there was nothing to end");
        app.visit(&mut stranger, async |session| session.tag("ada").unwrap()).await;
        assert!(!passes(&app, &mut stranger, OLD).await, "signed in before there were stamps");
        assert_eq!(app.visit(&mut stranger, async |session| session.user().name()).await, None);
    }
}

#[tokio::test]
async fn a_stamp_is_kept_by_a_regenerate_and_is_not_the_next_user_s() {
    for app in placements() {
        let mut browser = signed_in(&app).await;
        app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
        assert!(passes(&app, &mut browser, OLD).await);
        app.visit(&mut browser, async |session| session.tag("eve").unwrap()).await;
        assert!(!passes(&app, &mut browser, OLD).await);
        let mut early = Browser::new();
        app.visit(&mut early, async |session| {
            session.user().set_stamp(OLD).unwrap();
            session.tag("ada").unwrap();
        })
        .await;
        assert!(passes(&app, &mut early, OLD).await, "in either order at a sign-in");
    }
}

#[tokio::test]
async fn a_read_only_handle_answers_and_ends_nothing() {
    let app = app();
    let browser = signed_in(&app).await;
    let guard = app.arrive(&browser.cookies());
    let view = guard.visit().read_only().await.unwrap();
    assert!(view.user().check_stamp(OLD).unwrap() && !view.user().check_stamp(NEW).unwrap());
    assert_eq!(view.user().name().as_deref(), Some("ada"));
    finish(guard, 200).await;
    assert!(passes(&app, &mut browser.clone(), OLD).await);
}

#[tokio::test]
async fn only_a_hash_of_the_credentials_is_stored() {
    let app = app();
    signed_in(&app).await;
    let key = app.store.ops()[0].key.unwrap();
    let Loaded::Found(record) = app.memory().load(&key).await.unwrap() else { panic!("it is there") };
    let text = String::from_utf8_lossy(&record.payload).into_owned();
    assert!(text.contains("\"stamp\"") && !text.contains("argon2id") && !text.contains("b2xk"), "{text}");
}
