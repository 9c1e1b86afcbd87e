//! The rows of the feature list about the life of a session, each with a real next visit.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{adapter::*, machine::*, *};
use session_testkit::Verb;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_id_is_a_handle_that_stays_until_a_regenerate() {
    let (app, mut browser) = (app(), Browser::new());
    let first = app
        .visit(&mut browser, async |session| {
            let id = session.id().unwrap();
            session.put("n", 1).unwrap();
            assert_eq!(session.id().unwrap(), id);
            id
        })
        .await;
    let key = app.store.ops()[0].key.unwrap();
    assert_eq!(key.handle(), first, "it is what it said it would be");
    assert_eq!(app.visit(&mut browser, async |session| session.id().unwrap()).await, first);
    let second = app
        .visit(&mut browser, async |session| {
            session.regenerate().unwrap();
            session.id().unwrap()
        })
        .await;
    assert_ne!(second, first);
    assert_eq!(app.visit(&mut browser, async |session| session.id().unwrap()).await, second);
}

#[tokio::test]
async fn fresh_and_has_regenerated_speak_of_stored_sessions() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        assert!(session.status().fresh());
        session.put("n", 1).unwrap();
        session.regenerate().unwrap();
        assert!(session.status().fresh() && !session.status().has_regenerated());
        session.commit().await.unwrap();
        assert!(
            session.status().fresh() && !session.status().has_regenerated(),
            "nothing stood there when it was opened"
        );
        session.regenerate().unwrap();
        assert!(session.status().has_regenerated(), "now a stored one gets a new id");
    })
    .await;
    app.visit(&mut browser, async |session| {
        assert!(!session.status().fresh() && !session.status().has_regenerated());
        session.regenerate().unwrap();
        assert!(!session.status().fresh() && session.status().has_regenerated());
        session.commit().await.unwrap();
        assert!(session.status().has_regenerated());
    })
    .await;
}

#[tokio::test]
async fn peers_24_a_regenerate_keeps_data_tag_and_lifetimes() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.tag("ada").unwrap();
        session.lifetime().remember_me(30 * 24 * HOUR).unwrap();
        session.user().confirm().unwrap();
        session.urls().set_intended("/checkout").unwrap();
    })
    .await;
    let created = app.visit(&mut browser, async |session| session.lifetime().created()).await;
    app.pass(10);
    app.visit(&mut browser, async |session| {
        session.regenerate().unwrap();
        session.regenerate().unwrap();
    })
    .await;
    assert!(browser.heard.clone().unwrap().contains("Max-Age="), "it still outlives the browser");
    app.pass(29 * 24 * 3_600);
    app.visit(&mut browser, async |session| {
        assert_eq!(session.user().name().as_deref(), Some("ada"));
        assert_eq!(session.get::<u8>("n").unwrap(), Some(1));
        assert!(session.user().authenticated_at().is_some());
        assert_eq!(session.lifetime().created(), created);
        assert_eq!(session.urls().intended().as_deref(), Some("/checkout"));
    })
    .await;
}

#[tokio::test]
async fn lc_1_twice_is_once() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.regenerate().unwrap();
        let token = session.csrf().token().unwrap();
        session.regenerate().unwrap();
        assert!(session.csrf().verify(&token));
    })
    .await;
    assert_eq!(app.calls(), [Verb::Load, Verb::Rotate]);
}

#[tokio::test]
async fn an_invalidate_drops_everything_but_what_is_put_afterwards() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    app.visit(&mut browser, async |session| {
        session.tag("ada").unwrap();
        session.lifetime().remember_me(240 * HOUR).unwrap();
        session.urls().set_previous("/a").unwrap();
        session.commit().await.unwrap();
        let token = session.csrf().token().unwrap();
        session.invalidate().unwrap();
        assert!(session.is_empty() && session.user().name().is_none() && session.urls().previous().is_none());
        assert!(!session.csrf().verify(&token));
        session.put("after", 1).unwrap();
    })
    .await;
    assert!(!browser.heard.clone().unwrap().contains("Max-Age="), "its cookie goes with the browser again");
    app.visit(&mut browser, async |session| {
        assert_eq!(session.all().keys().collect::<Vec<_>>(), ["after"]);
        assert!(session.user().name().is_none() && session.user().authenticated_at().is_none());
    })
    .await;
    assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None);
    app.pass(7_200);
    assert_eq!(read::<u8>(&app, &mut browser, "after").await, None, "and its age is the configured one");
}

#[tokio::test]
async fn an_invalidate_wins_over_what_others_write_meanwhile() {
    let app = app();
    let mut browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().invalidate().unwrap();
    app.visit(&mut browser.clone(), async |session| {
        session.put("late", 1).unwrap();
        session.tag("eve").unwrap();
        session.flash("late", 1).unwrap();
    })
    .await;
    browser.hear(&finish(guard, 200).await);
    app.visit(&mut browser, async |session| {
        assert!(session.is_empty() && session.user().name().is_none() && session.flash_messages().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_destroy_ends_it_and_removes_the_cookie_with_all_its_attributes() {
    let app = app();
    let mut browser = known(&app).await;
    let old = browser.clone();
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    let removal = browser.heard.clone().unwrap();
    for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=0", "Expires="] {
        assert!(removal.contains(part), "{removal}");
    }
    app.visit(&mut old.clone(), async |session| assert!(session.status().fresh() && session.is_empty()))
        .await;
}

#[tokio::test]
async fn a_commit_writes_now_and_may_be_called_again() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.put("n", 1).unwrap();
        session.commit().await.unwrap();
        session.commit().await.unwrap();
        assert_eq!(app.calls(), [Verb::Create], "the second had nothing to do");
        session.put("n", 2).unwrap();
        session.commit().await.unwrap();
    })
    .await;
    assert_eq!(app.calls(), [Verb::Replace]);
    assert!(browser.cookie.is_some(), "the response carries what the first commit made");
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
}

#[tokio::test]
async fn a_session_that_is_made_and_destroyed_in_one_visit_leaves_nothing() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| {
        session.put("n", 1).unwrap();
        session.commit().await.unwrap();
        session.destroy().unwrap();
    })
    .await;
    assert_eq!((browser.cookie, app.calls()), (None, vec![Verb::Create, Verb::Destroy]));
}

#[tokio::test]
async fn set_age_is_this_sessions_own() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_age(24 * HOUR).unwrap()).await;
    let (_, report) = app.answer(&mut browser, 200, async |_| {}).await;
    assert!(report.set_cookie.is_none());
    app.pass(20 * 3_600);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    app.visit(&mut browser, async |session| session.lifetime().set_age(Duration::from_secs(60)).unwrap())
        .await;
    app.pass(61);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
}

#[tokio::test]
async fn set_absolute_moves_the_end_both_ways_and_the_cookie_knows() {
    let app = app_with(|builder| builder.age(HOUR).absolute(2 * HOUR));
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.lifetime().set_absolute(Some(100 * HOUR)).unwrap();
        session.lifetime().set_age(100 * HOUR).unwrap();
    })
    .await;
    assert!(browser.heard.is_some(), "the end is sealed in the cookie, so there is a new one");
    app.pass(50 * 3_600);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    app.visit(&mut browser, async |session| session.lifetime().set_absolute(Some(HOUR)).unwrap()).await;
    app.pass(3_600);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
    assert_eq!(app.calls().last(), Some(&Verb::Replace), "a cookie that is over costs no call");
}

#[tokio::test]
async fn closing_with_the_browser_is_a_choice_of_each_session() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.lifetime().set_persistent(true).unwrap()).await;
    assert!(browser.heard.clone().unwrap().contains("Max-Age=7200"));
    app.visit(&mut browser, async |session| session.lifetime().set_persistent(true).unwrap()).await;
    assert_eq!(browser.heard, None, "it is so already");
    app.visit(&mut browser, async |session| session.lifetime().set_persistent(false).unwrap()).await;
    assert!(!browser.heard.clone().unwrap().contains("Max-Age"));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn lc_11_the_time_of_the_confirmation_is_remembered() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.user().confirm().unwrap()).await;
    let then = Clock::now(&app.clock);
    app.pass(100);
    app.visit(&mut browser, async |session| assert_eq!(session.user().authenticated_at(), Some(then))).await;
    app.visit(&mut browser, async |session| session.user().confirm().unwrap()).await;
    app.visit(&mut browser, async |session| {
        assert_eq!(session.user().authenticated_at(), Some(then.plus(Duration::from_secs(100))))
    })
    .await;
}

#[tokio::test]
async fn a_clear_keeps_identity_flash_token_tag_and_lifetimes() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.tag("ada").unwrap();
        session.lifetime().set_age(10 * HOUR).unwrap();
        session.urls().set_intended("/x").unwrap();
        session.flash("status", 1).unwrap();
        let token = session.csrf().token().unwrap();
        session.clear().unwrap();
        assert!(session.is_empty() && session.urls().intended().is_none() && session.csrf().verify(&token));
    })
    .await;
    app.pass(9 * 3_600);
    app.visit(&mut browser, async |session| {
        assert!(!session.status().fresh() && session.is_empty() && session.flash_messages().has("status"));
        assert_eq!(session.user().name().as_deref(), Some("ada"));
    })
    .await;
}

#[tokio::test]
async fn lc_9_an_emptied_session_lapses_within_a_minute() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    app.visit(&mut browser, async |session| session.forget("n").unwrap()).await;
    app.pass(59);
    app.visit(&mut browser, async |session| assert!(!session.status().fresh())).await;
    app.pass(1);
    app.visit(&mut browser, async |session| assert!(session.status().fresh())).await;
}

#[tokio::test]
async fn sessions_that_are_switched_off_say_so() {
    let app = app_with(|builder| builder.enabled(false));
    let guard = app.arrive(&[]);
    assert!(guard.visit().is_off());
    assert!(matches!(guard.visit().session().await, Err(OpenError::Disabled)));
    assert!(finish(guard, 200).await.set_cookie.is_none());
}

#[tokio::test]
async fn ck_1_the_default_cookie_is_a_host_cookie() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    let header = browser.heard.unwrap();
    let (pair, attributes) = header.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-sid="));
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn id_1_id_6_the_id_is_32_random_bytes_and_the_store_never_sees_them() {
    let (app, mut browser) = (app(), Browser::new());
    let mut raw = [0; 32];
    ScriptedTwin::first(&mut raw);
    app.visit(&mut browser, async |session| {
        session.id().unwrap();
        session.put("n", 1).unwrap();
    })
    .await;
    let key = app.store.ops()[0].key.unwrap();
    assert_eq!(key, SessionId::from_bytes(raw).store_key(), "id_1: the id is those bytes of the generator");
    assert_ne!(key.as_bytes(), &raw);
}

struct ScriptedTwin;

impl ScriptedTwin {
    /// What the generator of a new application gives first.
    fn first(bytes: &mut [u8]) {
        session_testkit::ScriptedEntropy::new().fill(bytes).unwrap();
    }
}
