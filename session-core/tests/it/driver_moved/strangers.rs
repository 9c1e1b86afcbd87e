//! Requests that do not follow: without a user, to another user, or with the old id from the beginning.

use super::*;

#[tokio::test]
async fn without_a_user_forty_writers_in_flight_are_gone_and_told_so() {
    let app = app();
    let mut browser = known(&app).await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(adding(&app, &browser).await);
    }
    regenerate(&app, &mut browser).await;
    app.events.take();
    for (nth, guard) in slow.into_iter().enumerate() {
        if nth % 2 == 0 {
            let session = guard.visit().session().await.unwrap();
            assert!(matches!(session.commit().await, Err(CommitError::Gone)));
            assert!(matches!(session.put("n", 9), Err(SessionError::Destroyed)));
            assert!(finish(guard, 200).await.set_cookie.is_none());
        } else {
            assert!(is_gone(&finish(guard, 200).await));
        }
    }
    assert_eq!(app.events.take().iter().filter(|event| **event == Event::Gone).count(), 40);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

/// A request in flight under a planted id writes nothing into the session of the user that signs in.
#[tokio::test]
async fn a_planted_id_gains_nothing_when_its_session_signs_in() {
    for tagged_first in [false, true] {
        let app = app();
        let mut victim = known(&app).await;
        let attacker = victim.clone();
        let slow = adding(&app, &attacker).await;
        app.visit(&mut victim, async |session| {
            if tagged_first {
                session.tag("ada").unwrap();
                session.regenerate().unwrap();
            } else {
                session.regenerate().unwrap();
                session.tag("ada").unwrap();
            }
        })
        .await;
        assert!(is_gone(&finish(slow, 200).await));
        assert_eq!(read(&app, &mut victim, "n").await, Some(1));
    }
}

#[tokio::test]
async fn a_write_does_not_follow_to_another_user() {
    type Change = fn(&Session);
    let changes: [(&str, Change); 4] = [
        ("another user signs in", |session| {
            session.tag("bob").unwrap();
            session.regenerate().unwrap();
        }),
        ("the user signs out and the session goes on", |session| {
            session.untag().unwrap();
            session.regenerate().unwrap();
        }),
        ("everything is dropped", |session| session.invalidate().unwrap()),
        ("everything is dropped, and the same user signs in", |session| {
            session.invalidate().unwrap();
            session.tag("ada").unwrap();
            session.put("n", 1).unwrap();
        }),
    ];
    for (what, change) in changes {
        // The clock stands still: the new session begins in the same millisecond.
        let app = app();
        let mut browser = signed_in(&app, "ada").await;
        let (slow, ending) = (adding(&app, &browser).await, app.arrive(&browser.cookies()));
        ending.visit().session().await.unwrap().destroy().unwrap();
        app.visit(&mut browser, async |session| change(&session)).await;
        assert!(is_gone(&finish(slow, 200).await), "{what}");
        let before = app.memory().stats().sessions();
        assert!(finish(ending, 200).await.error.is_none(), "{what}: the old one has ended");
        assert_eq!(app.memory().stats().sessions(), before, "{what}: and the new one lives");
        assert_ne!(read(&app, &mut browser, "n").await, Some(2), "{what}");
    }
}

#[tokio::test]
async fn a_chain_with_another_user_in_it_is_not_followed() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let slow = adding(&app, &browser).await;
    regenerate(&app, &mut browser).await;
    app.visit(&mut browser, async |session| {
        session.invalidate().unwrap();
        session.tag("bob").unwrap();
    })
    .await;
    app.visit(&mut browser, async |session| {
        session.invalidate().unwrap();
        session.tag("ada").unwrap();
        session.put("n", 7).unwrap();
    })
    .await;
    assert!(is_gone(&finish(slow, 200).await));
    assert_eq!(read(&app, &mut browser, "n").await, Some(7));
}

#[tokio::test]
async fn a_visit_that_arrives_with_the_old_id_is_a_straggler_as_ever() {
    let app = app();
    let mut browser = signed_in(&app, "ada").await;
    let mut old = browser.clone();
    regenerate(&app, &mut browser).await;
    app.visit(&mut old, async |session| {
        assert!(session.status().ended() && session.is_empty());
        session.put("n", 9).unwrap();
    })
    .await;
    assert_eq!(old.heard, None);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    // Nor does a sign-out that has not looked at the session.
    let guard = app.arrive(&old.cookies());
    guard.visit().destroy().await.unwrap();
    finish(guard, 200).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}
