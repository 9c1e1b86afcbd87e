//! What stands beside the session's cookie when its configuration changes: the token for scripts, tenants, the device.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::device_support::{Browser, REFRESH, Site, binding};
use crate::driver_support::*;
use crate::old_cookie_support::*;
use session_core::adapter::*;
use session_core::*;
use session_testkit::TestDevice;

#[tokio::test]
async fn the_token_for_scripts_moves_with_the_cookie() {
    let domain = || Cookie::named("sid").domain("example.com");
    let rules = |builder: SessionsBuilder| builder.xsrf_cookie(true);
    for (from, to, moves) in [
        ((Kept::Store, domain()), (Kept::Store, Cookie::host("sid")), true),
        ((Kept::Cookie, domain()), (Kept::Store, Cookie::host("sid")), true),
        ((Kept::Store, Cookie::host("a")), (Kept::Store, Cookie::host("b")), false),
    ] {
        let Change { before, after, .. } = changed("", from, to, rules);
        let mut jar = Jar::default();
        let token = async |session: Session| session.csrf().token().unwrap();
        jar.visit(&before, token).await;
        assert_eq!(jar.0.len(), 2);
        jar.visit(&after, async |_| ()).await;
        let scopes: Vec<_> = jar.0.keys().filter(|(name, _)| name == "XSRF-TOKEN").collect();
        assert_eq!(scopes.len(), 1, "{jar:?}");
        assert!(!moves || scopes[0].1 == "Path=/", "{jar:?}");
        let held = jar.0[scopes[0]].clone();
        assert!(jar.visit(&after, async |session| session.csrf().verify(&held)).await);
    }
}

#[tokio::test]
async fn a_touch_cookie_counts_until_the_session_has_moved_and_is_then_removed() {
    for to in [Kept::Store, Kept::Cookie] {
        for name in ["old", "sid"].into_iter().filter(|name| to == Kept::Store || *name == "old") {
            let Change { before, after, .. } =
                change("", (Kept::Cookie, Cookie::host(name)), (to, Cookie::host("sid")));
            let mut jar = signed_in(&before).await;
            before.pass(7_000);
            jar.n(&before).await;
            assert_eq!(jar.0.len(), 2, "{jar:?}");
            before.pass(7_000);
            assert_eq!(jar.n(&after).await, Some(1), "{name}");
            assert_eq!(jar.names(), ["__Host-sid"], "{name}");
        }
    }
}

#[tokio::test]
async fn each_tenants_old_cookie_opens_on_its_own_hosts() {
    let tenants = || Cookie::named("sid").domains(["example.com", "example.org"]);
    for kept in [Kept::Store, Kept::Cookie] {
        let Change { before, after, .. } = change("", (kept, tenants()), (kept, Cookie::host("sid")));
        let at = |app: &App, jar: &Jar, host: &str| {
            let cookies: CookieHeaders = jar.cookies().iter().map(String::as_bytes).collect();
            app.sessions.visit(cookies.with_host(Some(host.as_bytes())), &OnTokio)
        };
        let guard = at(&before, &Jar::default(), "www.example.com");
        guard.visit().session().await.unwrap().put("n", 1).unwrap();
        let mut jar = Jar::default();
        jar.hear(&finish(guard, 200).await);
        for (host, n) in [("example.org", None), ("shop.example.com", Some(1))] {
            let guard = at(&after, &jar, host);
            assert_eq!(guard.visit().session().await.unwrap().get::<u64>("n").unwrap(), n, "{host}");
            let report = finish(guard, 200).await;
            assert_eq!(report.clear_old.is_some(), n.is_some(), "{host}");
            jar.hear(&report);
        }
        assert_eq!(jar.names(), ["__Host-sid"]);
    }
}

fn sites(from: (Kept, Cookie), to: (Kept, Cookie)) -> (Site, Site) {
    let change = changed("", from, to, |builder| builder.bind_to_device(binding()));
    (Site::of(change.before), Site::of(change.after))
}

#[tokio::test]
async fn a_session_stays_bound_to_its_device_and_the_device_notices_nothing() {
    let (old, host) = (|| Cookie::host("old"), || Cookie::host("sid"));
    for (from, to) in [
        ((Kept::Store, old()), (Kept::Store, host())),
        ((Kept::Cookie, old()), (Kept::Cookie, host())),
        ((Kept::Cookie, host()), (Kept::Store, host())),
        ((Kept::Store, host()), (Kept::Cookie, host())),
        ((Kept::Store, old()), (Kept::Cookie, host())),
        ((Kept::Cookie, old()), (Kept::Store, host())),
    ] {
        let (before, after) = sites(from, to);
        let (mut browser, device) = (Browser::default(), TestDevice::new(1));
        before.bound(&mut browser, &device).await;
        let copy = browser.clone();
        before.app.pass(100);
        assert_eq!(after.user(&mut browser).await.as_deref(), Some("ada"));
        assert_eq!(after.user(&mut browser).await.as_deref(), Some("ada"), "with the new cookies alone");

        // Neither cookie outlives the proof.
        let mut thief = browser.clone();
        after.app.pass(REFRESH - 100 + 31);
        assert_eq!(after.user(&mut thief).await, None);
        assert_eq!(after.user(&mut copy.clone()).await, None);
        // The challenge is one of the earlier configuration.
        assert_eq!(after.proves(&mut browser, &device).await.status, 200);
        assert_eq!(after.user(&mut browser).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn a_device_that_renews_its_proof_first_is_recognised_by_the_old_cookie() {
    for (from, to) in [(Kept::Store, Kept::Store), (Kept::Cookie, Kept::Store), (Kept::Store, Kept::Cookie)] {
        let (before, after) = sites((from, Cookie::host("old")), (to, Cookie::host("sid")));
        let (mut browser, device) = (Browser::default(), TestDevice::new(1));
        before.bound(&mut browser, &device).await;
        after.app.pass(REFRESH + 31);
        browser.jar.remove("__Host-old.b");
        let asked = after.refresh(&mut browser, None).await;
        assert_eq!(asked.status, 403, "it gets a challenge: {asked:?}");
        assert_eq!(after.proves(&mut browser, &device).await.status, 200);
        assert_eq!(after.user(&mut browser).await.as_deref(), Some("ada"));
        assert!(browser.jar.contains_key("__Host-sid.b"), "{:?}", browser.jar.keys());
    }
}

#[tokio::test]
async fn who_does_not_prove_the_device_moves_nothing_into_a_cookie() {
    let (before, after) = sites((Kept::Store, Cookie::host("old")), (Kept::Cookie, Cookie::host("sid")));
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    before.bound(&mut browser, &device).await;
    let mut thief = browser.clone();
    thief.jar.remove("__Host-old.b");
    assert_eq!(after.user(&mut thief).await, None);
    assert!(thief.jar.contains_key("__Host-old"));
    after.app.pass(600);
    assert_eq!(after.proves(&mut browser, &device).await.status, 200, "the record was not shortened");
    assert_eq!(after.user(&mut browser).await.as_deref(), Some("ada"));
}
