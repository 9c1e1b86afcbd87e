//! Sign-ins that overlap on one session: a double click on "Sign in", in every order of its requests.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::store::{Loaded, SessionStore as _};
use session_core::{adapter::*, *};
use session_testkit::{Fault, Verb};

/// A request that has opened the session and signs this user in, writing a value of its own.
async fn signing_in(app: &App, browser: &Browser, user: &str, name: &str) -> VisitGuard {
    let guard = app.arrive(&browser.cookies());
    let session = guard.visit().session().await.unwrap();
    session.tag(user).unwrap();
    session.user().confirm().unwrap();
    session.put(name, true).unwrap();
    session.increment("n").unwrap();
    guard
}

/// The browser that has taken these responses in this order.
fn after(browser: &Browser, responses: &[&VisitReport]) -> Browser {
    let mut browser = browser.clone();
    responses.iter().for_each(|report| browser.hear(report));
    browser
}

async fn user(app: &App, browser: &Browser) -> Option<String> {
    app.visit(&mut browser.clone(), async |session| session.user().name()).await
}

async fn keys(app: &App, browser: &Browser) -> Vec<String> {
    let mut keys = app
        .visit(&mut browser.clone(), async |session| {
            session.all().keys().map(str::to_owned).collect::<Vec<_>>()
        })
        .await;
    keys.sort();
    keys
}

fn stored() -> [App; 2] {
    [app(), app_with(|builder| builder.encrypt_at_rest(true))]
}

#[tokio::test]
async fn two_sign_ins_that_overlap_end_in_one_session_whichever_response_is_taken() {
    for app in stored() {
        let browser = known(&app).await;
        let first = signing_in(&app, &browser, "ada", "first").await;
        let second = signing_in(&app, &browser, "ada", "second").await;
        let (first, second) = (finish(first, 200).await, finish(second, 200).await);
        assert!(first.error.is_none() && second.error.is_none(), "{first:?} {second:?}");
        for responses in [&[&first][..], &[&second], &[&first, &second], &[&second, &first]] {
            let mut browser = after(&browser, responses);
            assert_eq!(user(&app, &browser).await.as_deref(), Some("ada"));
            assert_eq!(read(&app, &mut browser, "n").await, Some(3), "both have written");
            assert_eq!(keys(&app, &browser).await, ["first", "n", "second", "user"]);
        }
        assert_eq!(app.sessions.of("ada").count().await.unwrap(), 1, "one device");
        assert_eq!(app.memory().stats().sessions(), 1);
        assert_eq!(user(&app, &browser).await, None, "the old id stays dead");
    }
}

#[tokio::test]
async fn a_second_click_that_comes_after_the_first_is_answered_joins_its_session() {
    for app in stored() {
        let browser = known(&app).await;
        let first = finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
        for name in ["second", "third"] {
            let second = signing_in(&app, &browser, "ada", name).await;
            assert!(second.visit().session().await.unwrap().status().ended());
            let second = finish(second, 200).await;
            for responses in [&[&second][..], &[&first, &second], &[&second, &first]] {
                let browser = after(&browser, responses);
                assert_eq!(user(&app, &browser).await.as_deref(), Some("ada"));
                assert!(keys(&app, &browser).await.contains(&name.to_owned()));
            }
        }
        assert_eq!(app.sessions.of("ada").count().await.unwrap(), 1, "one device");
        // The user goes on, is given new ids, and clicks are late by minutes: the session of the last sign-in is another.
        app.pass(120);
        let late = finish(signing_in(&app, &browser, "ada", "late").await, 200).await;
        assert_eq!(keys(&app, &after(&browser, &[&late])).await, ["late", "n"]);
        assert_eq!(app.sessions.of("ada").count().await.unwrap(), 2);
    }
}

#[tokio::test]
async fn forty_clicks_at_once_are_one_session() {
    for app in stored() {
        let browser = known(&app).await;
        let mut clicks = Vec::new();
        for nth in 0..40 {
            clicks.push(signing_in(&app, &browser, "ada", &format!("k{nth}")).await);
        }
        let clicks: Vec<_> = clicks.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
        for click in clicks {
            let report = click.await.unwrap();
            let mut browser = after(&browser, &[&report]);
            assert_eq!(user(&app, &browser).await.as_deref(), Some("ada"), "{report:?}");
            assert!(read::<u32>(&app, &mut browser, "n").await.unwrap() > 1);
        }
        assert_eq!(app.sessions.of("ada").count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn two_users_on_one_session_get_one_each_and_nothing_of_the_other() {
    for app in stored() {
        for (overlap, order) in [(true, ["ada", "bob"]), (true, ["bob", "ada"]), (false, ["ada", "bob"])] {
            let browser = known(&app).await;
            let first = signing_in(&app, &browser, order[0], "first").await;
            let second = match overlap {
                true => Some(signing_in(&app, &browser, order[1], "second").await),
                false => None,
            };
            let first = finish(first, 200).await;
            let second = match second {
                Some(guard) => finish(guard, 200).await,
                None => finish(signing_in(&app, &browser, order[1], "second").await, 200).await,
            };
            let (one, other) = (after(&browser, &[&first]), after(&browser, &[&first, &second]));
            assert_eq!(user(&app, &one).await.as_deref(), Some(order[0]));
            assert_eq!(user(&app, &other).await.as_deref(), Some(order[1]));
            assert_eq!(keys(&app, &one).await, ["first", "n", "user"]);
            assert_eq!(keys(&app, &other).await, ["n", "second"], "nothing of the old session");
        }
    }
}

/// What may happen to the session between the load of a sign-in and its commit.
type Meanwhile = (&'static str, fn(&Session));

#[tokio::test]
async fn a_sign_in_whose_session_ended_meanwhile_begins_one_with_nothing_of_the_old() {
    let changes: [Meanwhile; 4] = [
        ("destroyed", |session| session.destroy().unwrap()),
        ("invalidated", |session| {
            session.invalidate().unwrap();
            session.put("secret", 1).unwrap();
        }),
        ("regenerated", |session| session.regenerate().unwrap()),
        ("signed in and out again", |session| {
            session.tag("ada").unwrap();
            session.untag().unwrap();
            session.regenerate().unwrap();
        }),
    ];
    let apps =
        || [app(), app_with(|b| b.encrypt_at_rest(true)), app_in_cookie(|b, list| b.revocations(list))];
    for (what, change) in changes {
        for (app, status) in apps().into_iter().zip([200; 3]).chain(apps().into_iter().zip([500; 3])) {
            let browser = known(&app).await;
            let slow = signing_in(&app, &browser, "ada", "own").await;
            let mut other = browser.clone();
            app.visit(&mut other, async |session| change(&session)).await;
            let before = app.memory().stats().sessions();
            let report = finish(slow, status).await;
            if status == 500 {
                assert!(report.set_cookie.is_none(), "{what}: a failed sign-in begins nothing");
                assert_eq!(app.memory().stats().sessions(), before, "{what}");
                continue;
            }
            assert!(report.error.is_none(), "{what}: {report:?}");
            let browser = after(&browser, &[&report]);
            assert_eq!(user(&app, &browser).await.as_deref(), Some("ada"), "{what}");
            assert_eq!(keys(&app, &browser).await, ["n", "own"], "{what}");
            assert_eq!(user(&app, &other).await, None, "{what}: the other one is as it was");
        }
    }
}

#[tokio::test]
async fn a_click_joins_no_session_that_was_ended_or_handed_on_since() {
    let changes: [Meanwhile; 5] = [
        ("signed out", |session| session.destroy().unwrap()),
        ("a new id", |session| session.regenerate().unwrap()),
        ("no user", |session| session.untag().unwrap()),
        ("another user", |session| session.tag("bob").unwrap()),
        ("everything dropped", |session| session.invalidate().unwrap()),
    ];
    for app in stored() {
        for (what, change) in changes {
            for overlap in [true, false] {
                let browser = known(&app).await;
                let early = match overlap {
                    true => Some(signing_in(&app, &browser, "ada", "second").await),
                    false => None,
                };
                let first = finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
                let mut here = after(&browser, &[&first]);
                app.visit(&mut here, async |session| change(&session)).await;
                let had = keys(&app, &here).await;
                let second = match early {
                    Some(guard) => finish(guard, 200).await,
                    None => finish(signing_in(&app, &browser, "ada", "second").await, 200).await,
                };
                let there = after(&browser, &[&second]);
                assert_eq!(user(&app, &there).await.as_deref(), Some("ada"), "{what}, {overlap}");
                assert_eq!(keys(&app, &there).await, ["n", "second"], "{what}, {overlap}");
                assert_eq!(keys(&app, &here).await, had, "{what}, {overlap}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_sign_in_a_session_that_is_gone_stays_gone() {
    let app = app();
    let browser = known(&app).await;
    let slow = app.arrive(&browser.cookies());
    let session = slow.visit().session().await.unwrap();
    session.regenerate().unwrap();
    session.put("own", 1).unwrap();
    finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
    let report = finish(slow, 200).await;
    assert!(matches!(report.error, Some(CommitError::Gone)) && report.set_cookie.is_none());
}

#[tokio::test]
async fn a_sign_in_costs_one_call_more_only_where_its_session_has_ended() {
    let app = app();
    let browser = known(&app).await;
    let second = signing_in(&app, &browser, "ada", "second").await;
    app.calls();
    let six = |app: &App| app.calls().into_iter().filter(|verb| *verb != Verb::Count).collect::<Vec<_>>();
    finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
    assert_eq!(six(&app), [Verb::Load, Verb::Rotate]);
    finish(second, 200).await;
    assert_eq!(six(&app), [Verb::Rotate, Verb::Replace]);
    finish(signing_in(&app, &browser, "ada", "third").await, 200).await;
    assert_eq!(six(&app), [Verb::Load, Verb::Replace, Verb::Replace]);
    finish(signing_in(&app, &browser, "bob", "fourth").await, 200).await;
    assert_eq!(six(&app), [Verb::Load, Verb::Replace, Verb::Create]);
}

#[tokio::test]
async fn a_store_that_fails_on_the_way_is_an_error_and_the_next_attempt_signs_in() {
    for verb in [Verb::Rotate, Verb::Replace, Verb::Create] {
        let app = app();
        let browser = known(&app).await;
        let user_of_second = if verb == Verb::Create { "bob" } else { "ada" };
        let second = signing_in(&app, &browser, user_of_second, "second").await;
        finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
        let session = second.visit().session().await.unwrap();
        app.fault(Fault::nth(1).on(verb));
        assert!(matches!(session.commit().await, Err(CommitError::Store(_))), "{verb:?}");
        let report = finish(second, 200).await;
        assert!(report.error.is_none(), "{verb:?}: {report:?}");
        assert_eq!(
            user(&app, &after(&browser, &[&report])).await.as_deref(),
            Some(user_of_second),
            "{verb:?}"
        );
        assert_eq!(app.sessions.of("ada").count().await.unwrap(), 1, "{verb:?}");
    }
}

/// What the store holds of the only session of this user.
async fn payload(app: &App, user: &str) -> String {
    let devices = app.sessions.of(user).list().await.unwrap();
    let ops = app.store.ops();
    let key = ops
        .iter()
        .filter_map(|op| op.new_key.or(op.key))
        .find(|key| key.handle() == devices[0].handle)
        .unwrap();
    match app.memory().load(&key).await.unwrap() {
        Loaded::Found(record) => String::from_utf8(record.payload.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_record_keeps_its_id_for_siblings_only_until_the_next_new_id() {
    let app = app();
    let browser = known(&app).await;
    let report = finish(signing_in(&app, &browser, "ada", "first").await, 200).await;
    let mut here = after(&browser, &[&report]);
    assert!(payload(&app, "ada").await.contains("sibling"));
    app.visit(&mut here, async |session| session.regenerate().unwrap()).await;
    assert!(!payload(&app, "ada").await.contains("sibling"));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    SignsIn(&'static str),
    Puts,
    Regenerates,
    Destroys,
}

/// All orders in which three requests load and commit: each number stands for its request's next step.
fn orders() -> Vec<[usize; 6]> {
    let mut orders = vec![Vec::new()];
    for _ in 0..6 {
        let longer = |order: &Vec<usize>| {
            let counts = |who: &usize| order.iter().filter(|step| *step == who).count();
            let next = (0..3).filter(|who| counts(who) < 2).collect::<Vec<_>>();
            next.into_iter().map(|who| [&order[..], &[who]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders.into_iter().map(|order| order.try_into().unwrap()).collect()
}

async fn act(guard: &VisitGuard, who: usize, does: Does) {
    let session = guard.visit().session().await.unwrap();
    session.put(format!("by{who}"), who).unwrap();
    match does {
        Does::SignsIn(user) => session.tag(user).unwrap(),
        Does::Puts => {}
        Does::Regenerates => session.regenerate().unwrap(),
        Does::Destroys => session.destroy().unwrap(),
    }
}

/// Runs one schedule, and checks what every response and the store say afterwards.
async fn check(order: [usize; 6], all: [Does; 3]) {
    let app = app();
    let browser = known(&app).await;
    let (mut open, mut heard) = ([None, None, None], [None, None, None]);
    let mut ended_by = None;
    for who in order {
        match open[who].take() {
            None => {
                let guard = app.arrive(&browser.cookies());
                act(&guard, who, all[who]).await;
                open[who] = Some(guard);
            }
            Some(guard) => {
                heard[who] = Some(finish(guard, 200).await);
                if ended_by.is_none() && all[who] != Does::Puts {
                    ended_by = Some(all[who]);
                }
            }
        }
    }
    let told = format!("{order:?} {all:?}");
    assert_eq!(user(&app, &browser).await, None, "{told}");
    assert_eq!(keys(&app, &browser).await.is_empty(), ended_by.is_some(), "{told}: the old id");
    for (who, does) in all.into_iter().enumerate() {
        let Does::SignsIn(name) = does else { continue };
        let report = heard[who].as_ref().unwrap();
        assert!(report.error.is_none() && report.set_cookie.is_some(), "{told}: {report:?}");
        let here = after(&browser, &[report]);
        assert_eq!(user(&app, &here).await.as_deref(), Some(name), "{told}");
        let keys = keys(&app, &here).await;
        assert!(keys.contains(&format!("by{who}")), "{told}: {keys:?}");
        assert!(ended_by == Some(does) || !keys.contains(&"user".to_owned()), "{told}: {keys:?}");
        for (other, written) in all.into_iter().enumerate() {
            let is_foreign = matches!(written, Does::SignsIn(other) if other != name);
            assert!(!is_foreign || !keys.contains(&format!("by{other}")), "{told}: {keys:?}");
        }
        if ended_by == Some(does) {
            assert_eq!(app.sessions.of(name).count().await.unwrap(), 1, "{told}");
        }
    }
}

#[tokio::test]
async fn every_order_of_three_requests_of_which_some_sign_in_ends_signed_in() {
    let does = [Does::SignsIn("ada"), Does::SignsIn("bob"), Does::Puts, Does::Regenerates, Does::Destroys];
    for order in orders() {
        for first in &does[..2] {
            for second in does {
                for third in does {
                    check(order, [*first, second, third]).await;
                }
            }
        }
    }
}
