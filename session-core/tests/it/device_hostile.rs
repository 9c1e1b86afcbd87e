//! Hostile proofs at the two endpoints: refused, with the reason in an event, and without a store call if the challenge
//! is not genuine.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use session_core::error::ProofError;
use session_testkit::{TestDevice, Verb};
use sha2::{Digest as _, Sha256};

use crate::device_support::{Browser, REFRESH, Site, binding, grants_nothing};

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
        assert_eq!(site.refusal(), Some(ProofError::Challenge), "{forged}");
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
        assert_eq!(site.refusal(), Some(reason), "{header}");
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
        assert_eq!(site.refusal(), Some(reason));
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
    assert_eq!(site.refusal(), Some(ProofError::NoSession), "of another session");
    grants_nothing(&site.register(&mut Browser::default(), &device.registers(&challenge)).await);
    assert_eq!(site.refusal(), Some(ProofError::NoSession), "without a cookie");

    browser.id = Some("00".repeat(16));
    grants_nothing(&site.refresh(&mut browser, Some(&device.refreshes(&challenge))).await);
    assert_eq!(site.refusal(), Some(ProofError::Challenge), "of another stage");

    assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200);
    assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200, "a lost answer");
    let thief = TestDevice::new(2);
    grants_nothing(&site.register(&mut browser, &thief.registers(&challenge)).await);
    assert_eq!(site.refusal(), Some(ProofError::AlreadyBound));

    let (mut late, challenge) = offered(&site).await;
    site.app.pass(2 * REFRESH + 300);
    grants_nothing(&site.register(&mut late, &device.registers(&challenge)).await);
    assert_eq!(site.refusal(), Some(ProofError::Expired));
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
    assert_eq!(site.refusal(), Some(ProofError::OwnKey));
    assert_eq!(site.app.calls(), []);

    let none = site.post(&mut browser, "/dbsc/refresh", &[("secure-session-response", &good)]).await;
    grants_nothing(&none);
    assert_eq!(site.refusal(), Some(ProofError::OtherBinding), "without the id");

    grants_nothing(&site.refresh(&mut other, Some(&good)).await);
    assert_eq!(site.refusal(), Some(ProofError::OtherBinding), "of another binding");
    assert_eq!(site.app.calls(), []);

    // The challenge and the id of one binding with the cookie of another session.
    let mut mixed = browser.clone();
    mixed.jar.clone_from(&other.jar);
    let ended = site.refresh(&mut mixed, Some(&good)).await;
    assert!(ended.body.contains(r#""continue":false"#));
    assert_eq!(site.refusal(), Some(ProofError::OtherBinding));

    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")]
    {
        let id = browser.id.clone().unwrap();
        let headers =
            [("sec-secure-session-id", id.as_str()), ("secure-session-response", &good), (name, value)];
        grants_nothing(&site.post(&mut browser, "/dbsc/refresh", &headers).await);
        assert_eq!(site.refusal(), Some(ProofError::OtherOrigin), "{value}");
    }
    site.app.calls();
    assert_eq!(site.refresh(&mut browser, Some(&good)).await.status, 200);
    assert_eq!(site.app.calls(), [Verb::Load, Verb::Replace]);
}

/// HMAC with SHA-256 (RFC 2104), which is what a verifier computes that takes the public key for a secret.
fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let key = if secret.len() > 64 { Sha256::digest(secret).to_vec() } else { secret.to_vec() };
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<_>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[tokio::test]
async fn a_hostile_refresh_is_refused_with_its_reason_and_asks_no_store() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    let challenge = browser.challenge.clone().unwrap();
    let payload = json!({ "jti": challenge });
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let symmetric = |alg: &str| {
        let header = json!({ "alg": alg, "typ": "dbsc+jwt" }).to_string();
        let signed = format!("{}.{}", part(&header), part(&payload.to_string()));
        let jwk = device.jwk().to_string();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac(jwk.as_bytes(), signed.as_bytes())))
    };
    let header = json!({ "alg": "ES256", "typ": "dbsc+jwt" });
    let good = device.signs(&header, &payload);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    // 64 bytes leave four bits over at the end; with them set, it is another text for the same bytes.
    let (start, last) = signature.split_at(signature.len() - 1);
    let last = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    let not_canonical = format!("{signed}.{start}{last}");
    let raw = |header: &str, payload: &str| format!("{}.{}.{signature}", part(header), part(payload));
    let twice = payload.to_string().replace('{', r#"{"jti":"other","#);
    for (bad, reason) in [
        (device.signs(&json!({ "alg": "none", "typ": "dbsc+jwt" }), &payload), ProofError::Algorithm),
        (
            format!("{}.", raw(r#"{"alg":"none","typ":"dbsc+jwt"}"#, "{}").rsplit_once('.').unwrap().0),
            ProofError::Algorithm,
        ),
        (symmetric("HS256"), ProofError::Algorithm),
        (device.signs(&json!({ "alg": "RS256", "typ": "dbsc+jwt" }), &payload), ProofError::Algorithm),
        (device.signs(&json!({ "alg": ["ES256"], "typ": "dbsc+jwt" }), &payload), ProofError::Malformed),
        (device.signs(&json!({ "alg": "ES256", "typ": "JWT" }), &payload), ProofError::Type),
        (device.signs(&json!({ "alg": "ES256" }), &payload), ProofError::Malformed),
        (device.registers(&challenge), ProofError::OwnKey),
        (
            device.signs(&json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": null }), &payload),
            ProofError::Malformed,
        ),
        (
            device.signs(&json!({ "alg": "ES256", "typ": "dbsc+jwt", "crit": null }), &payload),
            ProofError::Malformed,
        ),
        (device.signs(&header, &json!({ "jti": [challenge] })), ProofError::Malformed),
        (
            raw(r#"{"alg":"none","alg":"ES256","typ":"dbsc+jwt"}"#, &payload.to_string()),
            ProofError::Malformed,
        ),
        (raw(&header.to_string(), &twice), ProofError::Malformed),
        (raw(&format!("{header}{header}"), &payload.to_string()), ProofError::Malformed),
        (not_canonical, ProofError::Malformed),
        (format!("{good}="), ProofError::Malformed),
        (format!("{good}, {good}"), ProofError::Malformed),
        (format!("{good}\u{0}"), ProofError::Malformed),
        (format!("\"{good}"), ProofError::Malformed),
        (device.refreshes(&"c".repeat(1 << 20)), ProofError::TooLong),
        (device.refreshes(&browser.jar["__Host-sid.b"]), ProofError::Challenge),
        (device.refreshes(&browser.jar["__Host-sid"]), ProofError::Challenge),
        (device.refreshes(&challenge.to_uppercase()), ProofError::Challenge),
    ] {
        site.app.calls();
        grants_nothing(&site.refresh(&mut browser.clone(), Some(&bad)).await);
        assert_eq!(site.refusal(), Some(reason), "{bad:.200}");
        assert_eq!(site.app.calls(), [], "{reason:?}");
    }
    // Only the signature needs the session's key, which is in the store; nothing is written.
    let by_hmac = symmetric("ES256");
    for bad in [TestDevice::new(2).refreshes(&challenge), by_hmac, format!("{signed}.")] {
        grants_nothing(&site.refresh(&mut browser.clone(), Some(&bad)).await);
        assert_eq!(site.refusal(), Some(ProofError::Signature));
        assert_eq!(site.app.calls(), [Verb::Load]);
    }
    assert_eq!(site.refresh(&mut browser, Some(&good)).await.status, 200, "the challenge itself was good");
}

#[tokio::test]
async fn a_late_answer_is_told_a_fresh_challenge() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    site.app.pass(2 * REFRESH + 300);
    let late = site.proves(&mut browser, &device).await;
    grants_nothing(&late);
    assert_eq!(site.refusal(), Some(ProofError::Expired));
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
