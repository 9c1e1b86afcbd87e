//! Races of tabs around a proof: two at once, during a new id, during a sign-out, with an older challenge, and replays.

use session_core::{error::*, *};
use session_testkit::{Fault, TestDevice, Verb, When};

use crate::device_support::{Browser, REFRESH, Site, binding, grants_nothing};

/// A bound browser whose short-lived cookie has just expired.
async fn due(site: &Site, device: &TestDevice) -> Browser {
    let mut browser = Browser::default();
    site.bound(&mut browser, device).await;
    site.app.pass(REFRESH);
    browser
}

#[tokio::test]
async fn two_tabs_that_prove_at_once_are_both_granted() {
    let device = TestDevice::new(1);
    for when in [When::Before, When::After] {
        let site = Site::new(binding());
        let browser = due(&site, &device).await;
        let (mut one, mut other) = (browser.clone(), browser);
        let mut gate = site.app.gates().hold(Verb::Load, when);
        let (first, second) = tokio::join!(site.proves(&mut one, &device), async {
            gate.arrived().await;
            let second = site.proves(&mut other, &device).await;
            gate.release();
            second
        });
        assert_eq!((first.status, second.status), (200, 200), "{when:?}");
        assert_eq!(site.user(&mut one).await.as_deref(), Some("ada"));
        assert_eq!(site.user(&mut other).await.as_deref(), Some("ada"));
        // Whichever answer the browser heard last, it goes on.
        for mut tab in [one, other] {
            site.app.pass(REFRESH);
            let next = site.proves(&mut tab, &device).await;
            let next = if next.status == 403 { site.proves(&mut tab, &device).await } else { next };
            assert_eq!(next.status, 200, "{when:?}");
        }
    }
    let site = Site::in_cookie(binding());
    let browser = due(&site, &device).await;
    for mut tab in [browser.clone(), browser] {
        assert_eq!(site.proves(&mut tab, &device).await.status, 200);
        assert_eq!(site.user(&mut tab).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn a_proof_in_flight_while_the_id_changes_is_granted_under_the_new_id() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    for (verb, when) in [(Verb::Load, When::After), (Verb::Replace, When::Before)] {
        let mut browser = Browser::default();
        site.bound(&mut browser, &device).await;
        let mut tab = browser.clone();
        let mut gate = site.app.gates().hold(verb, when);
        let (proved, renewed) = tokio::join!(site.proves(&mut tab, &device), async {
            gate.arrived().await;
            let renewed = site.regenerate(&mut browser).await;
            gate.release();
            renewed
        });
        assert_eq!((proved.status, renewed.status), (200, 200), "{verb:?}");
        assert_eq!(renewed.header("secure-session-registration"), None);
        // One jar: what both answers set.
        browser.hear(&proved);
        assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
        site.app.pass(REFRESH + 31);
        assert_eq!(site.user(&mut browser).await, None);
        assert_eq!(site.proves(&mut browser, &device).await.status, 200);
        assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn a_proof_with_the_id_from_before_a_new_one_does_not_end_the_binding() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    let mut browser = due(&site, &device).await;
    let mut late = browser.clone();
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
    site.regenerate(&mut browser).await;
    // It left before the browser had heard of the new id.
    site.app.calls();
    let answer = site.proves(&mut late, &device).await;
    grants_nothing(&answer);
    assert_eq!(site.app.calls(), [Verb::Load, Verb::Replace], "one more question, of an ended session only");
    // By then the browser has the new id, and answers the challenge that it was told.
    browser.hear(&answer);
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
    assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));

    // Once the session has ended under its new id, so has the binding.
    site.sign_out(&mut browser).await;
    let ended = site.proves(&mut late, &device).await;
    assert!(ended.body.contains(r#""continue":false"#), "{ended:?}");
}

#[tokio::test]
async fn a_store_that_fails_when_asked_for_a_new_id_ends_nothing() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    let mut browser = due(&site, &device).await;
    let mut late = browser.clone();
    site.regenerate(&mut browser).await;
    site.app.fault(Fault::every().on(Verb::Replace));
    assert_eq!(site.proves(&mut late, &device).await.status, 503);
}

#[tokio::test]
async fn a_proof_in_flight_while_another_tab_signs_out_grants_nothing_and_then_ends() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    for (verb, when) in [(Verb::Load, When::After), (Verb::Replace, When::Before)] {
        let mut browser = due(&site, &device).await;
        let mut tab = browser.clone();
        let mut gate = site.app.gates().hold(verb, when);
        let (proved, _) = tokio::join!(site.proves(&mut tab, &device), async {
            gate.arrived().await;
            site.sign_out(&mut browser).await;
            gate.release();
        });
        grants_nothing(&proved);
        assert!(proved.header("secure-session-challenge").is_some(), "{verb:?}: it may ask again");
        assert!(!site.app.events.take().iter().any(|event| matches!(event, Event::Proved(_))));
        let ended = site.proves(&mut tab, &device).await;
        assert!(ended.body.contains(r#""continue":false"#), "{ended:?}");
        assert_eq!(site.user(&mut tab).await, None);
    }
}

#[tokio::test]
async fn the_challenge_before_the_newest_is_answered_and_no_older_one() {
    for site in [Site::new(binding()), Site::in_cookie(binding())] {
        let (mut browser, device) = (Browser::default(), TestDevice::new(1));
        site.bound(&mut browser, &device).await;
        let mut proofs = Vec::new();
        for _ in 0..3 {
            proofs.push(device.refreshes(browser.challenge.as_deref().unwrap()));
            site.app.pass(1);
            assert_eq!(site.proves(&mut browser, &device).await.status, 200);
        }
        let mut tab = browser.clone();
        assert_eq!(site.refresh(&mut tab, Some(&proofs[2])).await.status, 200, "the last but one");
        for old in &proofs[..2] {
            let mut tab = browser.clone();
            site.app.events.take();
            let refused = site.refresh(&mut tab, Some(old)).await;
            grants_nothing(&refused);
            assert_eq!(site.refusal(), Some(ProofError::Replayed));
            assert_eq!(
                site.proves(&mut tab, &device).await.status,
                200,
                "with the challenge that it was told"
            );
        }
    }
}

#[tokio::test]
async fn a_copied_proof_is_worth_nothing_once_the_device_has_answered_the_next_challenge() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    let mut browser = due(&site, &device).await;
    let (mut thief, copied) = (browser.clone(), device.refreshes(browser.challenge.as_deref().unwrap()));
    for _ in 0..2 {
        assert_eq!(site.proves(&mut browser, &device).await.status, 200);
        site.app.pass(1);
    }
    for _ in 0..3 {
        grants_nothing(&site.refresh(&mut thief, Some(&copied)).await);
        assert_eq!(site.refusal(), Some(ProofError::Replayed));
    }
    site.app.pass(REFRESH + 31);
    assert_eq!(site.user(&mut thief).await, None);
}

/// The thief's copy of a proof is in flight while the device answers the next challenge.
#[tokio::test]
async fn a_copied_proof_that_is_written_last_does_not_become_good_again() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    for (verb, when) in [(Verb::Load, When::After), (Verb::Replace, When::Before)] {
        let mut browser = Browser::default();
        site.bound(&mut browser, &device).await;
        site.app.pass(1);
        let copied = device.refreshes(browser.challenge.as_deref().unwrap());
        assert_eq!(site.proves(&mut browser, &device).await.status, 200);
        let mut thief = browser.clone();
        site.app.pass(1);
        let mut gate = site.app.gates().hold(verb, when);
        let (late, newest) = tokio::join!(site.refresh(&mut thief, Some(&copied)), async {
            gate.arrived().await;
            let newest = site.proves(&mut browser, &device).await;
            gate.release();
            newest
        });
        assert_eq!((late.status, newest.status), (200, 200), "it was good when it was read: {verb:?}");
        site.app.events.take();
        grants_nothing(&site.refresh(&mut thief, Some(&copied)).await);
        assert_eq!(site.refusal(), Some(ProofError::Replayed), "{verb:?}");
        site.app.pass(REFRESH);
        assert_eq!(site.proves(&mut browser, &device).await.status, 200, "the device goes on: {verb:?}");
    }
}

#[tokio::test]
async fn of_two_keys_that_register_at_once_the_first_counts() {
    let (site, device, other) = (Site::new(binding()), TestDevice::new(1), TestDevice::new(2));
    for (verb, when) in [(Verb::Load, When::After), (Verb::Replace, When::Before)] {
        let mut browser = Browser::default();
        let response = site.sign_in(&mut browser, "ada").await;
        let offer = response.header("secure-session-registration").unwrap();
        let challenge = TestDevice::parameter(offer, "challenge").unwrap();
        let (mut thief, proof) = (browser.clone(), other.registers(&challenge));
        site.app.events.take();
        let mut gate = site.app.gates().hold(verb, when);
        let (late, first) = tokio::join!(site.register(&mut thief, &proof), async {
            gate.arrived().await;
            let first = site.register(&mut browser, &device.registers(&challenge)).await;
            gate.release();
            first
        });
        assert_eq!(first.status, 200, "{verb:?}");
        grants_nothing(&late);
        assert_eq!(site.refusal(), Some(ProofError::AlreadyBound), "{verb:?}");
        site.app.pass(REFRESH);
        assert_eq!(site.proves(&mut browser, &device).await.status, 200, "{verb:?}");
    }
}

#[tokio::test]
async fn a_proof_in_flight_while_the_user_is_removed_binds_nothing() {
    let (site, device) = (Site::new(binding()), TestDevice::new(1));
    let mut browser = due(&site, &device).await;
    let mut tab = browser.clone();
    let mut gate = site.app.gates().hold(Verb::Replace, When::Before);
    let untag = async |session: Session| {
        session.untag().unwrap();
        String::new()
    };
    let (proved, _) = tokio::join!(site.proves(&mut tab, &device), async {
        gate.arrived().await;
        site.request(&mut browser, "POST", "/untag", &[], untag).await;
        gate.release();
    });
    grants_nothing(&proved);
    let bound = async |session: Session| session.user().binding().is_some().to_string();
    assert_eq!(site.request(&mut browser, "GET", "/", &[], bound).await.body, "false");
}
