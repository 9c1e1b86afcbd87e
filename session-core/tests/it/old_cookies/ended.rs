//! What ended stays ended, and which cookie counts.

use super::*;

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
