//! Writes in flight that follow their session to its new id, one change of id or several.

use session_testkit::Verb;

use super::*;

#[tokio::test]
async fn a_write_in_flight_follows_its_session_to_the_new_id() {
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true))] {
        let mut browser = signed_in(&app, "ada").await;
        let old = browser.clone();
        let slow = adding(&app, &old).await;
        regenerate(&app, &mut browser).await;
        app.calls();
        let report = finish(slow, 200).await;
        assert!(wrote_silently(&report), "{report:?}");
        assert_eq!(app.calls(), [Verb::Replace; 2], "it hears where the session is, and writes there");
        assert_eq!(read(&app, &mut browser, "n").await, Some(2));
        assert_eq!(read::<u8>(&app, &mut old.clone(), "n").await, None, "the old id stays dead");
        assert_eq!(app.memory().stats().sessions(), 1);
    }
}

#[tokio::test]
async fn forty_writers_in_flight_when_the_id_changes_lose_nothing() {
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true))] {
        let mut browser = signed_in(&app, "ada").await;
        let mut slow = Vec::new();
        for nth in 0..40 {
            let guard = adding(&app, &browser).await;
            let session = guard.visit().session().await.unwrap();
            session.push("list", nth).unwrap();
            session.flash("status", nth).unwrap();
            slow.push(guard);
        }
        let renewing = app.arrive(&browser.cookies());
        renewing.visit().session().await.unwrap().regenerate().unwrap();
        // Some commit before the new id, some after it, some while it is made.
        let late = slow.split_off(10);
        let early: Vec<_> = slow.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
        let renewal = tokio::spawn(finish(renewing, 200));
        let late: Vec<_> = late.into_iter().map(|guard| tokio::spawn(finish(guard, 200))).collect();
        for report in early.into_iter().chain(late) {
            let report = report.await.unwrap();
            assert!(wrote_silently(&report), "{report:?}");
        }
        let renewed = renewal.await.unwrap();
        assert!(renewed.error.is_none() && renewed.set_cookie.is_some());
        browser.hear(&renewed);
        assert_eq!(read(&app, &mut browser, "n").await, Some(41));
        let mut list = read::<Vec<u8>>(&app, &mut browser, "list").await.unwrap();
        list.sort_unstable();
        assert_eq!(list, (0..40).collect::<Vec<_>>());
        assert_eq!(app.memory().stats().sessions(), 1);
    }
}

#[tokio::test]
async fn a_chain_of_new_ids_is_followed_to_its_end() {
    for ended in [false, true] {
        let app = app();
        let mut browser = signed_in(&app, "ada").await;
        let mut slow = Vec::new();
        for _ in 0..5 {
            slow.push(adding(&app, &browser).await);
            regenerate(&app, &mut browser).await;
        }
        if ended {
            app.visit(&mut browser.clone(), async |session| session.destroy().unwrap()).await;
        }
        for guard in slow {
            let report = finish(guard, 200).await;
            assert!(if ended { is_gone(&report) } else { wrote_silently(&report) }, "{report:?}");
        }
        assert_eq!(read::<u8>(&app, &mut browser, "n").await, (!ended).then_some(6));
    }
}
