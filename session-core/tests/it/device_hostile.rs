//! Hostile proofs at the two endpoints: refused, with the reason in an event, and without asking the store where the
//! challenge is not one of ours.

use serde_json::json;
use session_core::{error::*, *};
use session_testkit::{TestDevice, Verb};

use crate::device_support::{Browser, REFRESH, Response, Site, binding};

fn refusal(site: &Site) -> Option<ProofError> {
    site.app.events.take().into_iter().find_map(|event| match event {
        Event::RefusedProof(reason) => Some(reason),
        _ => None,
    })
}

fn grants_nothing(response: &Response) {
    assert_ne!(response.status, 200, "{response:?}");
    assert_eq!(response.header("set-cookie"), None, "{response:?}");
}

/// A browser that was offered a binding, and the challenge of the offer.
async fn offered(site: &Site) -> (Browser, String) {
    let mut browser = Browser::default();
    let response = site.sign_in(&mut browser, "ada").await;
    let offer = response.header("secure-session-registration").unwrap();
    let challenge = TestDevice::parameter(offer, "challenge").unwrap();
    site.app.calls();
    site.app.events.take();
    (browser, challenge)
}

#[tokio::test]
async fn a_forged_challenge_asks_no_store() {
    let site = Site::new(binding());
    let device = TestDevice::new(1);
    let (mut browser, challenge) = offered(&site).await;
    let sid = browser.jar["__Host-sid"].clone();
    let bound = browser.jar["__Host-sid.b"].clone();
    for forged in ["", "abc", sid.as_str(), bound.as_str(), &challenge[1..], &format!("{challenge}A")] {
        grants_nothing(&site.register(&mut browser, &device.registers(forged)).await);
        assert_eq!(refusal(&site), Some(ProofError::Challenge), "{forged}");
    }
    assert_eq!(site.app.calls(), []);
}

#[tokio::test]
async fn a_registration_with_another_algorithm_key_or_type_is_refused_without_the_store() {
    let site = Site::new(binding());
    let (device, other) = (TestDevice::new(1), TestDevice::new(2));
    let (mut browser, challenge) = offered(&site).await;
    let payload = json!({ "jti": challenge });
    let mut p384 = device.jwk();
    p384["crv"] = json!("P-384");
    for (header, reason) in [
        (json!({ "alg": "none", "typ": "dbsc+jwt", "jwk": device.jwk() }), ProofError::Algorithm),
        (json!({ "alg": "HS256", "typ": "dbsc+jwt", "jwk": device.jwk() }), ProofError::Algorithm),
        (json!({ "alg": "ES256", "typ": "jwt", "jwk": device.jwk() }), ProofError::Type),
        (json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": p384 }), ProofError::Key),
        (json!({ "alg": "ES256", "typ": "dbsc+jwt" }), ProofError::Key),
        (json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": other.jwk() }), ProofError::Signature),
    ] {
        grants_nothing(&site.register(&mut browser, &device.signs(&header, &payload)).await);
        assert_eq!(refusal(&site), Some(reason), "{header}");
    }
    let proof = device.registers(&challenge);
    let unsigned = format!("{}.", proof.rsplit_once('.').unwrap().0);
    for (bad, reason) in [
        (unsigned, ProofError::Signature),
        (format!("{proof}.{proof}"), ProofError::Malformed),
        ("x".repeat(100_000), ProofError::TooLong),
        (String::new(), ProofError::Malformed),
    ] {
        grants_nothing(&site.register(&mut browser, &bad).await);
        assert_eq!(refusal(&site), Some(reason));
    }
    assert_eq!(site.app.calls(), []);
    assert_eq!(site.register(&mut browser, &proof).await.status, 200, "the challenge itself was good");
}

#[tokio::test]
async fn a_challenge_is_for_one_session_one_stage_and_some_minutes() {
    let site = Site::new(binding());
    let device = TestDevice::new(1);
    let (mut browser, challenge) = offered(&site).await;
    let (mut other, _) = offered(&site).await;
    grants_nothing(&site.register(&mut other, &device.registers(&challenge)).await);
    assert_eq!(refusal(&site), Some(ProofError::NoSession), "of another session");
    grants_nothing(&site.register(&mut Browser::default(), &device.registers(&challenge)).await);
    assert_eq!(refusal(&site), Some(ProofError::NoSession), "without a cookie");

    browser.id = Some("00".repeat(16));
    grants_nothing(&site.refresh(&mut browser, Some(&device.refreshes(&challenge))).await);
    assert_eq!(refusal(&site), Some(ProofError::Challenge), "of another stage");

    assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200);
    assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200, "a lost answer");
    let thief = TestDevice::new(2);
    grants_nothing(&site.register(&mut browser, &thief.registers(&challenge)).await);
    assert_eq!(refusal(&site), Some(ProofError::AlreadyBound));

    let (mut late, challenge) = offered(&site).await;
    site.app.pass(2 * REFRESH + 300);
    grants_nothing(&site.register(&mut late, &device.registers(&challenge)).await);
    assert_eq!(refusal(&site), Some(ProofError::Expired));
}

#[tokio::test]
async fn a_refresh_is_refused_unless_everything_is_the_sessions_own() {
    let site = Site::new(binding());
    let device = TestDevice::new(1);
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    site.bound(&mut browser, &device).await;
    site.bound(&mut other, &device).await;
    let good = device.refreshes(&browser.challenge.clone().unwrap());

    let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": device.jwk() });
    let with_key = device.signs(&header, &json!({ "jti": browser.challenge }));
    grants_nothing(&site.refresh(&mut browser, Some(&with_key)).await);
    assert_eq!(refusal(&site), Some(ProofError::OwnKey));
    assert_eq!(site.app.calls(), []);

    let none = site.post(&mut browser, "/dbsc/refresh", &[("secure-session-response", &good)]).await;
    grants_nothing(&none);
    assert_eq!(refusal(&site), Some(ProofError::OtherBinding), "without the id");

    grants_nothing(&site.refresh(&mut other, Some(&good)).await);
    assert_eq!(refusal(&site), Some(ProofError::OtherBinding), "of another binding");
    assert_eq!(site.app.calls(), []);

    // The challenge and the id of one binding with the cookie of another session.
    let mut mixed = browser.clone();
    mixed.jar.clone_from(&other.jar);
    let ended = site.refresh(&mut mixed, Some(&good)).await;
    assert!(ended.body.contains(r#""continue":false"#));
    assert_eq!(refusal(&site), Some(ProofError::OtherBinding));

    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")]
    {
        let id = browser.id.clone().unwrap();
        let headers =
            [("sec-secure-session-id", id.as_str()), ("secure-session-response", &good), (name, value)];
        grants_nothing(&site.post(&mut browser, "/dbsc/refresh", &headers).await);
        assert_eq!(refusal(&site), Some(ProofError::OtherOrigin), "{value}");
    }
    site.app.calls();
    assert_eq!(site.refresh(&mut browser, Some(&good)).await.status, 200);
    assert_eq!(site.app.calls(), [Verb::Load, Verb::Replace]);
}

#[tokio::test]
async fn a_late_answer_is_told_a_fresh_challenge() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    site.app.pass(2 * REFRESH + 300);
    let late = site.proves(&mut browser, &device).await;
    grants_nothing(&late);
    assert_eq!(refusal(&site), Some(ProofError::Expired));
    assert_eq!(site.app.calls(), []);
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
}

#[tokio::test]
async fn a_store_that_is_down_grants_nothing_and_ends_nothing() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    site.app.fault(session_testkit::Fault::every());
    let down = site.proves(&mut browser, &device).await;
    assert_eq!((down.status, down.header("set-cookie")), (503, None));
}
