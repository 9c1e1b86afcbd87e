//! What is carried over to the new cookie, and what the first request costs.

use super::*;

#[tokio::test]
async fn a_change_of_the_configuration_signs_nobody_out() {
    for Change { name, before, after, alone, .. } in changes() {
        let mut jar = Jar::default();
        let token = jar
            .visit(&before, async |session| {
                session.tag("ada").unwrap();
                session.put("n", 7).unwrap();
                session.flash("status", "Saved").unwrap();
                session.user().confirm().unwrap();
                session.lifetime().remember_me(10 * DAY).unwrap();
                session.csrf().token().unwrap()
            })
            .await;
        let old = jar.clone();
        after.pass(60);
        let began = after.clock.now().minus(Duration::from_secs(60));
        let ((seen, fits), report) = jar
            .answer(&after, 200, async |session| {
                let fits = session.csrf().verify(&token);
                (remembered(session).await, fits)
            })
            .await;
        let all = (Some("ada".to_owned()), Some(began), Some("Saved".to_owned()), Some(7));
        assert_eq!((seen, fits), (all, true), "{name}");
        let set = report.set_cookie.unwrap();
        assert!(set.contains("Max-Age=863") || set.contains("Max-Age=864"), "{name}: remembered, {set}");
        assert!(
            old.0.keys().all(|place| !jar.0.contains_key(place) || jar.0[place] != old.0[place]),
            "{name}"
        );
        assert_eq!(jar.names().len(), 1, "{name}: {:?}", jar.names());
        let events = after.events.take();
        assert_eq!(events.iter().filter(|event| matches!(event, Event::OldCookie(_))).count(), 1, "{name}");
        assert!(!events.iter().any(|event| matches!(event, Event::RejectedCookie(_))), "{name}: {events:?}");

        // The new cookie alone does, and the flash was shown once; its lifetime is the session's own.
        assert_eq!(
            jar.visit(&alone, remembered).await,
            (Some("ada".to_owned()), Some(began), None, Some(7)),
            "{name}"
        );
        alone.pass(9 * 24 * 3_600);
        assert_eq!(jar.n(&alone).await, Some(7), "{name}");
        alone.pass(2 * 24 * 3_600);
        assert_eq!(jar.n(&alone).await, None, "{name}: the absolute deadline did not move");
    }
}

#[tokio::test]
async fn a_lost_response_leaves_the_old_cookie_good() {
    for Change { name, before, after, .. } in changes() {
        let mut jar = signed_in(&before).await;
        for _ in 0..3 {
            assert_eq!(jar.glimpse(&after).await, Some(1), "{name}");
            after.pass(99);
        }
        assert_eq!(jar.n(&after).await, Some(1), "{name}");
        after.pass(600);
        assert_eq!(jar.n(&after).await, Some(1), "{name}");
    }
}

#[tokio::test]
async fn a_reader_and_a_failed_response_are_carried_over_as_well() {
    for Change { name, before, after, .. } in changes() {
        let mut jar = signed_in(&before).await;
        jar.visit(&before, async |session| session.flash("status", "Saved").unwrap()).await;
        let status = async |jar: &mut Jar| {
            jar.visit(&after, async |session| session.flash_messages().get::<String>("status").unwrap()).await
        };
        let mut reader = jar.clone();
        let guard = reader.arrive(&after);
        let session = guard.visit().read_only().await.unwrap();
        assert_eq!(session.get::<u64>("n").unwrap(), Some(1), "{name}");
        reader.hear(&finish(guard, 200).await);
        assert_ne!(reader.cookies(), jar.cookies(), "{name}: a reader gets the new cookie");
        assert_eq!(status(&mut reader).await.as_deref(), Some("Saved"), "{name}: and leaves the message");

        let mut failed = signed_in(&before).await;
        let (_, report) = failed.answer(&after, 500, async |session| session.put("n", 2).unwrap()).await;
        assert!(report.set_cookie.is_some(), "{name}");
        assert_eq!(failed.n(&after).await, Some(1), "{name}: the change is dropped");
    }
}

#[tokio::test]
async fn a_head_passes_the_flash_on_and_a_cross_site_request_with_the_old_cookie_is_the_visitors() {
    let site = |name: &'static str| match name {
        "sec-fetch-site" => Some(b"cross-site".as_slice()),
        _ => None,
    };
    for Change { name, before, after, .. } in changes() {
        let mut jar = signed_in(&before).await;
        jar.visit(&before, async |session| session.flash("status", "Saved").unwrap()).await;
        let asked = async |jar: &mut Jar, head: CookieHeaders| {
            let guard = after.sessions.visit(head, &OnTokio);
            let session = guard.visit().session().await.unwrap();
            let seen = (session.get::<u64>("n").unwrap(), session.status().unseen());
            jar.hear(&finish(guard, 200).await);
            seen
        };
        let head = RequestHead { method: "HEAD", url: "/", authority: None, header: |_| None };
        let sent = CookieHeaders::of(jar.cookies(), &head);
        assert_eq!(asked(&mut jar, sent).await, (Some(1), false), "{name}");
        let status = async |session: Session| session.flash_messages().get::<String>("status").unwrap();
        assert_eq!(jar.visit(&after, status).await.as_deref(), Some("Saved"), "{name}");

        let mut jar = signed_in(&before).await;
        let post = RequestHead { method: "POST", url: "/", authority: None, header: site };
        let sent = CookieHeaders::of(jar.cookies(), &post);
        assert_eq!(asked(&mut jar, sent).await, (Some(1), false), "{name}");
        let nobody: [&[u8]; 0] = [];
        let stranger = asked(&mut Jar::default(), CookieHeaders::of(nobody, &post)).await;
        assert_eq!(stranger, (None, true), "{name}: the cookie may have been withheld");
    }
}

#[tokio::test]
async fn a_detached_session_is_found_where_it_stays_and_moves_nothing() {
    for Change { name, before, after, moves, .. } in changes() {
        let mut jar = signed_in(&before).await;
        let guard = jar.arrive(&after);
        let session = guard.visit().detached().await.unwrap();
        assert_eq!(session.get::<u64>("n").unwrap(), (!moves).then_some(1), "{name}");
        assert_eq!(finish(guard, 200).await.set_cookies().count(), 0, "{name}");
        assert_eq!(jar.n(&after).await, Some(1), "{name}");
    }
}

#[tokio::test]
async fn the_keys_and_the_purpose_may_change_with_the_cookie() {
    let shared = Shared::new();
    let store = || shared.store.clone();
    let before = shared.app(|builder| builder.store(store()).key(key(1)).purpose("before"));
    let after = |old: OldCookie| {
        shared.app(|builder| builder.store(store()).key(key(2)).migrate_from_cookie(old, until()))
    };
    let jar = signed_in(&before).await;
    let old = || OldCookie::new(Cookie::host("sid"));
    for (old, opens) in [
        (old().key(key(1)).purpose("before"), true),
        (old().key(key(3)).key(key(1)).purpose("before"), true),
        (old().key(key(1)), false),
        (old().purpose("before"), false),
    ] {
        assert_eq!(jar.glimpse(&after(old)).await, opens.then_some(1));
    }
}

#[tokio::test]
async fn a_session_too_large_for_the_cookie_stays_where_it_is() {
    let Change { before, after, .. } =
        change("", (Kept::Store, Cookie::host("old")), (Kept::Listed, Cookie::host("sid")));
    let mut jar = signed_in(&before).await;
    jar.visit(&before, async |session| session.put("big", "x".repeat(5_000)).unwrap()).await;
    let (fresh, report) = jar.answer(&after, 200, async |session| session.status().fresh()).await;
    assert!(fresh && report.set_cookies().count() == 0);
    assert!(after.events.take().iter().any(|event| matches!(event, Event::TooLarge { limit: 4_096, .. })));
    after.pass(3_600);
    assert_eq!(jar.n(&before).await, Some(1));
    // What is shown once gives way.
    jar.visit(&before, async |session| {
        session.forget("big").unwrap();
        session.flash("status", "x".repeat(5_000)).unwrap();
    })
    .await;
    let guard = jar.arrive(&after);
    let reader = guard.visit().read_only().await.unwrap();
    assert_eq!(reader.get::<u64>("n").unwrap(), Some(1));
    assert!(finish(guard, 200).await.set_cookie.is_some());
    assert!(after.events.take().iter().any(|event| matches!(event, Event::GaveWay(_))));
}

#[tokio::test]
async fn the_first_request_with_an_old_cookie_costs_what_the_page_says() {
    for (name, change, first) in [
        (
            "name",
            change("", (Kept::Store, Cookie::host("old")), (Kept::Store, Cookie::host("sid"))),
            vec![Verb::Load],
        ),
        (
            "into a store",
            change("", (Kept::Cookie, Cookie::host("old")), (Kept::Store, Cookie::host("sid"))),
            vec![Verb::Load, Verb::Create, Verb::Create],
        ),
        (
            "into the cookie",
            change("", (Kept::Store, Cookie::host("old")), (Kept::Listed, Cookie::host("sid"))),
            vec![Verb::Load, Verb::Replace],
        ),
    ] {
        let mut jar = signed_in(&change.before).await;
        let other = jar.clone();
        assert_eq!(jar.n(&change.after).await, Some(1));
        assert_eq!(change.after.calls(), first, "{name}");
        assert_eq!(jar.n(&change.after).await, Some(1));
        let usual = if name == "into the cookie" { vec![] } else { vec![Verb::Load] };
        assert_eq!(change.after.calls(), usual, "{name}: the next request");
        other.glimpse(&change.after).await;
        assert!(change.after.calls().len() <= 2, "{name}: a request that arrived with the first");
        Jar::default().n(&change.after).await;
        assert_eq!(change.after.calls(), [], "{name}: a stranger");
        let guard = jar.arrive(&change.after);
        finish(guard, 200).await;
        assert_eq!(change.after.calls(), [], "{name}: a visit that nobody opens");
    }
}
