//! Requests and servers at the same time, and a store that fails.

use super::*;

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
