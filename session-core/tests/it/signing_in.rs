//! A change of the session's user gives the session a new id, from every origin and in both placements.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::*;
use session_testkit::Verb;

fn placements() -> [App; 2] {
    [app(), app_in_cookie(|builder, list| builder.revocations(list))]
}

/// The calls but for those of the index of users, which a sign-in may ask.
fn six_verbs(app: &App) -> Vec<Verb> {
    app.calls().into_iter().filter(|verb| *verb != Verb::Count).collect()
}

async fn user(app: &App, browser: &Browser) -> Option<String> {
    app.visit(&mut browser.clone(), async |session| session.user().name()).await
}

async fn handle(app: &App, browser: &Browser) -> Handle {
    app.visit(&mut browser.clone(), async |session| session.id().unwrap()).await
}

#[tokio::test]
async fn a_sign_in_without_a_regenerate_leaves_a_planted_id_worthless() {
    for app in placements() {
        let planted = known(&app).await;
        let mut victim = planted.clone();
        app.visit(&mut victim, async |session| session.tag("ada").unwrap()).await;
        assert_eq!(user(&app, &victim).await.as_deref(), Some("ada"));
        assert_eq!(read::<u8>(&app, &mut victim, "n").await, Some(1), "its data come along");
        assert_eq!(user(&app, &planted).await, None);
        assert_eq!(read::<u8>(&app, &mut planted.clone(), "n").await, None, "the old id has ended");
    }
}

#[tokio::test]
async fn another_user_gets_another_id_and_the_same_user_keeps_it() {
    for app in placements() {
        let mut browser = known(&app).await;
        app.visit(&mut browser, async |session| session.tag("ada").unwrap()).await;
        let (first, of_ada) = (handle(&app, &browser).await, browser.clone());
        app.visit(&mut browser, async |session| {
            session.tag("ada").unwrap();
            assert!(!session.status().has_regenerated());
        })
        .await;
        assert_eq!((handle(&app, &browser).await, &browser.heard), (first, &None), "nothing changed");
        app.visit(&mut browser, async |session| {
            session.tag("eve").unwrap();
            assert!(session.status().has_regenerated());
        })
        .await;
        assert_ne!(handle(&app, &browser).await, first);
        assert_eq!(user(&app, &of_ada).await, None, "the id of the former user has ended");
        assert_eq!(user(&app, &browser).await.as_deref(), Some("eve"));
    }
}

#[tokio::test]
async fn tag_and_regenerate_in_any_order_are_one_rotation() {
    let orders: [fn(&Session); 4] = [
        |session| session.tag("ada").unwrap(),
        |session| {
            session.regenerate().unwrap();
            session.tag("ada").unwrap();
        },
        |session| {
            session.tag("ada").unwrap();
            session.regenerate().unwrap();
        },
        |session| {
            session.tag("eve").unwrap();
            session.untag().unwrap();
            session.tag("ada").unwrap();
        },
    ];
    for sign_in in orders {
        let app = app();
        let mut browser = known(&app).await;
        let page = app.visit(&mut browser, async |session| session.csrf().token().unwrap()).await;
        app.calls();
        app.visit(&mut browser, async |session| {
            sign_in(&session);
            let token = session.csrf().token().unwrap();
            session.tag("ada").unwrap();
            assert!(session.csrf().verify(&token), "renewed once");
            assert!(!session.csrf().verify(&page));
        })
        .await;
        assert_eq!(six_verbs(&app), [Verb::Load, Verb::Rotate]);
        let accepted = app.visit(&mut browser, async |session| session.csrf().verify(&page)).await;
        assert!(!accepted, "the token of the stranger is not the user's");
    }
}

#[tokio::test]
async fn a_sign_in_begins_a_session_where_none_stands() {
    for app in placements() {
        let mut fresh = Browser::new();
        app.visit(&mut fresh, async |session| session.tag("ada").unwrap()).await;
        assert_eq!(user(&app, &fresh).await.as_deref(), Some("ada"));

        let mut expired = known(&app).await;
        app.pass(3 * 3_600);
        app.visit(&mut expired, async |session| session.tag("ada").unwrap()).await;
        assert_eq!(user(&app, &expired).await.as_deref(), Some("ada"));

        let mut ended = known(&app).await;
        app.visit(&mut ended.clone(), async |session| session.destroy().unwrap()).await;
        app.visit(&mut ended, async |session| {
            assert!(session.status().ended());
            session.tag("ada").unwrap();
        })
        .await;
        assert_eq!(user(&app, &ended).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn a_sign_in_that_was_committed_is_not_done_again() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.tag("ada").unwrap();
        session.commit().await.unwrap();
        session.tag("ada").unwrap();
        session.put("n", 2).unwrap();
    })
    .await;
    assert_eq!(six_verbs(&app), [Verb::Load, Verb::Rotate, Verb::Replace]);
}

#[tokio::test]
async fn an_untag_keeps_the_id_and_nothing_of_the_user_is_left() {
    for app in placements() {
        let mut browser = known(&app).await;
        app.visit(&mut browser, async |session| {
            session.tag("ada").unwrap();
            session.user().confirm().unwrap();
        })
        .await;
        let id = handle(&app, &browser).await;
        app.visit(&mut browser, async |session| {
            session.untag().unwrap();
            assert!(session.user().authenticated_at().is_none());
        })
        .await;
        assert_eq!(handle(&app, &browser).await, id);
        let mut other = browser.clone();
        app.visit(&mut other, async |session| {
            session.tag("eve").unwrap();
            assert!(session.user().authenticated_at().is_none(), "eve has confirmed nothing");
        })
        .await;
        assert_ne!(handle(&app, &other).await, id);
    }
}

#[tokio::test]
async fn another_user_inherits_no_confirmation() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| {
        session.user().confirm().unwrap();
        session.tag("ada").unwrap();
        assert!(session.user().authenticated_at().is_some(), "confirmed in the sign-in itself");
    })
    .await;
    app.visit(&mut browser, async |session| {
        session.tag("eve").unwrap();
        assert!(session.user().authenticated_at().is_none());
    })
    .await;
}
