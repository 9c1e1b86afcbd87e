//! A change of the cookie's name, path, domain, or of the place of sessions signs nobody out, and revives nobody.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use crate::old_cookie_support::*;
use session_core::machine::cookie::RejectReason;
use session_core::store::SessionStore as _;
use session_core::{adapter::*, *};
use session_testkit::{Fault, Verb, When};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// All that a session remembers beside its values.
async fn remembered(session: Session) -> (Option<String>, Option<Timestamp>, Option<String>, Option<u64>) {
    let stamp = session.user().authenticated_at();
    let token = session.csrf().token().unwrap();
    let status = session.flash_messages().get::<String>("status").unwrap();
    assert!(session.csrf().verify(&token));
    (session.user().name(), stamp, status, session.get::<u64>("n").unwrap())
}

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
async fn a_sign_out_with_the_old_cookie_ends_the_session_and_both_cookies() {
    for unopened in [true, false] {
        for Change { name, before, after, ends_copies, .. } in changes() {
            let mut jar = signed_in(&before).await;
            let copy = jar.clone();
            let guard = jar.arrive(&after);
            match unopened {
                true => guard.visit().destroy().await.unwrap(),
                false => guard.visit().session().await.unwrap().destroy().unwrap(),
            }
            let report = finish(guard, 200).await;
            jar.hear(&report);
            assert_eq!(jar, Jar::default(), "{name}, unopened: {unopened}");
            for seconds in [0, 61, 400, 3_600].iter().filter(|_| ends_copies) {
                after.pass(*seconds);
                assert_eq!(copy.glimpse(&after).await, None, "{name}, unopened: {unopened}, {seconds} s");
            }
        }
    }
}

#[tokio::test]
async fn a_copied_old_cookie_is_worth_nothing_after_a_sign_out_or_a_new_id() {
    let orders: [fn(&Session); 3] = [
        |session| session.destroy().unwrap(),
        |session| session.regenerate().unwrap(),
        |session| session.tag("grace").unwrap(),
    ];
    for at_once in [true, false] {
        for order in orders {
            for Change { name, before, after, .. } in changes().into_iter().filter(|it| it.ends_copies) {
                let mut jar = signed_in(&before).await;
                let copy = jar.clone();
                if !at_once {
                    assert_eq!(jar.n(&after).await, Some(1), "{name}");
                }
                jar.visit(&after, async |session| order(&session)).await;
                let still = jar.clone();
                for seconds in [0, 30, 40, 300, 3_600] {
                    after.pass(seconds);
                    let guard = copy.arrive(&after);
                    let session = guard.visit().session().await.unwrap();
                    assert_eq!(session.get::<u64>("n").unwrap(), None, "{name}, {seconds} s");
                    assert_eq!(
                        finish(guard, 200).await.set_cookies().count(),
                        0,
                        "{name}: takes nothing away"
                    );
                }
                let kept = if still == Jar::default() { None } else { Some(1) };
                assert_eq!(jar.n(&after).await, kept, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_before_the_change_stays_ended() {
    for Change { name, before, after, .. } in changes().into_iter().filter(|it| it.ends_copies) {
        let mut jar = signed_in(&before).await;
        let copy = jar.clone();
        jar.visit(&before, async |session| session.destroy().unwrap()).await;
        // Without a list, nobody knows of a sign-out before.
        let knows = !matches!(name, "place" | "place and domain") || before.sessions.store().is_some();
        if knows || before.sessions.revocations().is_some() {
            assert_eq!(copy.glimpse(&after).await, None, "{name}");
        }
    }
}

#[tokio::test]
async fn forged_and_expired_old_cookies_are_strangers_and_events() {
    for Change { name, before, after, .. } in changes() {
        let jar = signed_in(&before).await;
        let mut forged = jar.clone();
        forged.0.values_mut().for_each(|value| {
            let last = value.pop().unwrap();
            value.insert(10, if last == 'A' { 'B' } else { 'A' });
        });
        let rejected = async |jar: &mut Jar| {
            after.events.take();
            let (fresh, report) = jar.answer(&after, 200, async |session| session.status().fresh()).await;
            assert!(fresh && report.set_cookies().count() == 0, "{name}: {report:?}");
            let events = after.events.take().into_iter();
            let reasons = events.filter_map(|event| match event {
                Event::RejectedCookie(reason) => Some(reason),
                _ => None,
            });
            reasons.collect::<Vec<_>>()
        };
        assert_eq!(rejected(&mut forged).await.len(), 1, "{name}: told once");
        let mut both = forged.clone();
        both.0.insert(
            (jar.names()[0].to_owned(), "elsewhere".to_owned()),
            jar.cookies()[0].split_once('=').unwrap().1.to_owned(),
        );
        assert_eq!(both.n(&after).await, Some(1), "{name}: the good one among bad ones is found");
        after.pass(19 * 3_600);
        let mut late = jar.clone();
        let reasons = rejected(&mut late).await;
        // An id does not expire with the idle timeout: its record does.
        let expired = if before.sessions.store().is_some() { vec![] } else { vec![RejectReason::Expired] };
        let namesake = before.sessions.cookie_name() == after.sessions.cookie_name();
        assert!(reasons == expired || (namesake && !expired.is_empty()), "{name}: {reasons:?}");
    }
}

#[tokio::test]
async fn after_the_date_and_without_it_no_old_cookie_opens() {
    for Change { name, before, after, alone, .. } in changes() {
        let mut jar = signed_in(&before).await;
        assert_eq!(jar.glimpse(&alone).await, None, "{name}");
        for _ in 0..10 {
            before.pass(7_000);
            jar.n(&before).await;
        }
        after.clock.set(until().minus(Duration::from_millis(1)));
        assert_eq!(jar.glimpse(&after).await, Some(1), "{name}");
        after.clock.set(until());
        assert_eq!(jar.glimpse(&after).await, None, "{name}");
    }
}

#[tokio::test]
async fn a_cookie_of_the_current_configuration_is_preferred_dead_or_alive() {
    for Change { name, before, after, .. } in changes() {
        let old = signed_in(&before).await;
        let mut jar = Jar::default();
        jar.visit(&after, async |session| session.put("n", 2).unwrap()).await;
        let mut both = old.clone();
        both.0.extend(jar.0.clone());
        let is_same_place = both.0.len() == 1;
        assert!(!is_same_place || name == "place");
        after.calls();
        assert_eq!(both.n(&after).await, Some(2), "{name}");
        assert!(after.calls().len() <= 1, "{name}: the old one is not looked at");
        jar.visit(&after, async |session| session.destroy().unwrap()).await;
        if before.sessions.store().is_some() && !is_same_place {
            assert_eq!(both.n(&after).await, None, "{name}");
        }
    }
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

#[tokio::test]
async fn a_store_that_fails_during_a_move_changes_no_cookie() {
    for after_it in [false, true] {
        for verb in [Verb::Load, Verb::Create, Verb::Replace] {
            for Change { name, before, after, .. } in changes().into_iter().filter(|it| it.moves) {
                let mut jar = signed_in(&before).await;
                for nth in 1..4 {
                    let fault = Fault::nth(nth).on(verb);
                    after.fault(if after_it { fault.after() } else { fault });
                    let guard = jar.arrive(&after);
                    let opened = guard.visit().session().await;
                    let failed = opened.is_err();
                    let report = finish(guard, if failed { 503 } else { 200 }).await;
                    assert_eq!(report.set_cookies().count() > 0, !failed, "{name}, {verb:?} {nth}");
                    after.store.inner().heal();
                }
                assert_eq!(jar.n(&after).await, Some(1), "{name}, {verb:?}");
            }
        }
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
async fn requests_with_an_old_cookie_that_arrive_together_lose_no_write_in_a_store() {
    for Change { name, before, after, .. } in changes().into_iter().filter(|it| !it.into_cookie) {
        let mut jar = signed_in(&before).await;
        let guards: Vec<_> = (0..8).map(|_| jar.arrive(&after)).collect();
        let visits = guards.iter().enumerate().map(|(nth, guard)| {
            let visit = guard.visit().clone();
            tokio::spawn(async move {
                let session = visit.session().await.unwrap();
                session.put(&*format!("key{nth}"), nth).unwrap();
                session.increment("n").unwrap();
            })
        });
        for task in visits.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        for guard in guards {
            let report = finish(guard, 200).await;
            assert!(report.error.is_none() && report.set_cookie.is_some(), "{name}");
            jar.hear(&report);
        }
        assert_eq!(jar.n(&after).await, Some(9), "{name}");
        for nth in 0..8_u64 {
            let key = format!("key{nth}");
            let there = jar.visit(&after, async |session| session.get::<u64>(&*key).unwrap()).await;
            assert_eq!(there, Some(nth), "{name}");
        }
        assert_eq!(records(&after.memory(), after.clock.now()).await.len(), 1, "{name}: one session");
    }
}

#[tokio::test]
async fn servers_of_both_configurations_that_know_each_other_share_a_visitor() {
    let host = Cookie::host("sid");
    let domain = Cookie::named("sid").domain("example.com");
    let kinds = [Kept::Store, Kept::Cookie, Kept::Listed];
    for (from, to) in kinds.into_iter().flat_map(|from| kinds.map(|to| (from, to))) {
        let shared = Shared::new();
        let rules = |builder: SessionsBuilder| builder.key(key(1));
        let back = old(to, from, host.clone(), &shared);
        let before = shared.app(|builder| {
            placed(rules(builder), from, domain.clone(), &shared).migrate_from_cookie(back, until())
        });
        let forth = old(from, to, domain.clone(), &shared);
        let after = shared.app(|builder| {
            placed(rules(builder), to, host.clone(), &shared).migrate_from_cookie(forth, until())
        });
        let mut jar = signed_in(&before).await;
        for nth in 1..10 {
            let server = if nth % 2 == 0 { &before } else { &after };
            let n = jar.visit(server, async |session| session.increment("n").unwrap()).await;
            assert_eq!(n, nth + 1);
            assert_eq!(jar.names().len(), 1, "{jar:?}");
            before.pass(30);
        }
        jar.visit(&after, async |session| session.destroy().unwrap()).await;
        assert_eq!(jar, Jar::default());
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
async fn a_request_that_was_stopped_for_longer_than_a_tombstone_revives_nothing() {
    let shared = Shared::new();
    let rules = |builder: SessionsBuilder| builder.key(key(1));
    let old = || OldCookie::new(Cookie::host("old")).in_cookie();
    let before = shared.app(|builder| rules(builder).in_cookie().cookie(Cookie::host("old")));
    let after =
        shared.app(|builder| rules(builder).store(shared.store.clone()).migrate_from_cookie(old(), until()));
    let memory = after.memory();
    let elsewhere =
        shared.app(|builder| rules(builder).store(memory.clone()).migrate_from_cookie(old(), until()));
    let jar = signed_in(&before).await;
    let gate = after.gates().hold(Verb::Create, When::Before);
    let slow = jar.arrive(&after);
    let visit = slow.visit().clone();
    let stopped = tokio::spawn(async move { visit.session().await.is_ok() });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    // Another server moves the session, and its visitor signs out there.
    jar.clone().visit(&elsewhere, async |session| session.destroy().unwrap()).await;
    after.pass(61);
    while memory.sweeper().unwrap().sweep(after.clock.now(), 1_000).await.unwrap().more {}
    gate.release();
    assert!(!stopped.await.unwrap());
    assert_eq!(records(&memory, after.clock.now()).await.len(), 0);
    assert_eq!(jar.glimpse(&after).await, None);
}

#[test]
fn a_contradictory_description_does_not_build() {
    use session_store_memory::MemoryStore;
    let host = || OldCookie::new(Cookie::host("old"));
    let builder = || Sessions::builder().key(key(1));
    let stored = |old| builder().store(MemoryStore::new()).migrate_from_cookie(old, until()).build();
    let in_cookie = |old| builder().in_cookie().migrate_from_cookie(old, until()).build();
    assert!(matches!(stored(host().store(MemoryStore::new())), Err(ConfigError::OldCookiePlace)));
    assert!(matches!(in_cookie(host().revocations(MemoryStore::new())), Err(ConfigError::OldCookiePlace)));
    let current = || OldCookie::new(Cookie::host("sid"));
    assert!(matches!(stored(current()), Err(ConfigError::OldCookieIsCurrent)));
    assert!(matches!(in_cookie(current().in_cookie()), Err(ConfigError::OldCookieIsCurrent)));
    assert!(stored(current().in_cookie()).is_ok() && in_cookie(current().store(MemoryStore::new())).is_ok());
    assert!(stored(current().key(key(2))).is_ok() && stored(current().purpose("before")).is_ok());
    assert!(matches!(
        stored(OldCookie::new(Cookie::named("__Host-a").path("/b"))),
        Err(ConfigError::Cookie(_))
    ));
    assert!(matches!(stored(host().key(key(1)).key(key(1))), Err(ConfigError::Key(_))));
    let header = builder().store(MemoryStore::new()).token_from(TokenFrom::Header("x-session"));
    let header = header.migrate_from_cookie(host(), until()).build();
    assert!(matches!(header, Err(ConfigError::OldCookieNeedsCookie)));
    let off = builder().in_cookie().enabled(false).migrate_from_cookie(current(), until()).build();
    assert!(off.is_ok(), "without sessions nothing is recognised");
}
