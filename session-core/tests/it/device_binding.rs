//! Sessions that are bound to their device: a copied cookie is rejected, and the browser with the key is not disturbed.

use session_core::machine::Unproven;
use session_core::{error::*, *};
use session_testkit::{TestDevice, Verb};

use crate::device_support::{Browser, REFRESH, Site, binding};
use crate::driver_support::app;

const BOUND: &str = "__Host-sid.b";

#[tokio::test]
async fn a_copied_jar_is_a_stranger_after_the_refresh_time_and_the_device_is_not() {
    for site in [Site::new(binding()), Site::in_cookie(binding())] {
        let (mut browser, device) = (Browser::default(), TestDevice::new(1));
        site.bound(&mut browser, &device).await;
        assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));

        let mut thief = browser.clone();
        site.app.pass(REFRESH + 31);
        assert_eq!(site.user(&mut thief).await, None);
        assert!(site.app.events.take().contains(&Event::Unproven(Unproven::Stale)));
        let forged = site.proves(&mut thief, &TestDevice::new(2)).await;
        assert_eq!((forged.status, forged.header("set-cookie")), (403, None));
        assert!(site.app.events.take().contains(&Event::RefusedProof(ProofError::Signature)));
        assert_eq!(site.user(&mut thief).await, None);

        let before = browser.clone();
        assert_eq!(site.proves(&mut browser, &device).await.status, 200);
        assert_ne!(browser.jar[BOUND], before.jar[BOUND], "another cookie each time");
        assert_ne!(browser.challenge, before.challenge, "another challenge each time");
        assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn without_the_short_lived_cookie_nobody_is_the_user_and_nothing_is_written() {
    let site = Site::new(binding());
    let mut browser = Browser::default();
    site.bound(&mut browser, &TestDevice::new(1)).await;
    let mut thief = browser.clone();
    thief.jar.remove(BOUND);
    let intrude = async |session: Session| {
        assert!(session.status().unproven() && session.status().fresh() && session.is_empty());
        session.put("name", "mallory").unwrap();
        assert!(matches!(session.commit().await, Err(CommitError::Unproven)));
        String::new()
    };
    let response = site.request(&mut thief, "GET", "/", &[], intrude).await;
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(site.app.calls(), [Verb::Load]);
    assert!(site.app.events.take().contains(&Event::Unproven(Unproven::Missing)));

    // Signed out from there, the cookie goes and the session stays.
    site.sign_out(&mut thief).await;
    assert!(thief.jar.is_empty());
    let name = async |session: Session| session.get::<String>("name").unwrap().unwrap_or_default();
    assert_eq!(site.request(&mut browser, "GET", "/", &[], name).await.body, "ada");
}

#[tokio::test]
async fn a_browser_without_the_protocol_stays_signed_in() {
    let site = Site::new(binding());
    let mut browser = Browser::default();
    site.sign_in(&mut browser, "ada").await;
    for _ in 0..5 {
        site.app.pass(REFRESH + 31);
        browser.jar.remove(BOUND);
        assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
    }
    let plain = Site::of(app());
    let response = plain.sign_in(&mut Browser::default(), "ada").await;
    assert_eq!(response.header("secure-session-registration"), None, "unless it is asked for");
}

#[tokio::test]
async fn a_request_on_its_way_while_the_session_becomes_bound_is_the_users() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    let response = site.sign_in(&mut browser, "ada").await;
    let mut on_its_way = browser.clone();
    let offer = response.header("secure-session-registration").unwrap();
    let proof = device.registers(&TestDevice::parameter(offer, "challenge").unwrap());
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
    assert_eq!(site.user(&mut on_its_way).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_new_id_keeps_the_binding_and_a_new_user_makes_another() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    let mut thief = browser.clone();
    let response = site.regenerate(&mut thief).await;
    assert!(response.header("set-cookie").is_some());
    assert_eq!(response.header("secure-session-registration"), None, "a thief cannot bind it anew");
    site.app.pass(REFRESH + 31);
    assert_eq!(site.user(&mut thief).await, None);
    // With the id that the thief has, and the key of the device.
    browser.jar.clone_from(&thief.jar);
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
    assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));

    let response = site.sign_in(&mut browser, "grace").await;
    assert!(response.header("secure-session-registration").is_some());
}

#[tokio::test]
async fn who_lost_the_key_signs_in_again() {
    let site = Site::new(binding());
    let mut browser = Browser::default();
    site.bound(&mut browser, &TestDevice::new(1)).await;
    site.app.pass(REFRESH + 31);
    browser.jar.remove(BOUND);
    assert_eq!(site.user(&mut browser).await, None);
    let (old, device) = (browser.clone(), TestDevice::new(2));
    site.bound(&mut browser, &device).await;
    assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
    assert_ne!(browser.jar["__Host-sid"], old.jar["__Host-sid"]);
}

#[tokio::test]
async fn signing_out_ends_the_binding() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    let mut thief = browser.clone();
    site.sign_out(&mut browser).await;
    assert!(browser.jar.is_empty());
    site.app.calls();
    let answer = site.refresh(&mut browser, None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains(r#""continue":false"#), "{}", answer.body);
    assert_eq!(site.app.calls(), [], "no cookie, no question");
    let answer = site.proves(&mut thief, &device).await;
    assert!(answer.body.contains(r#""continue":false"#), "{}", answer.body);
}

#[tokio::test]
async fn tabs_and_lost_answers_may_use_a_challenge_again_until_the_next_is_answered() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    let first = device.refreshes(&browser.challenge.clone().unwrap());
    let (mut tab, mut other) = (browser.clone(), browser.clone());
    site.app.pass(REFRESH);
    assert_eq!(site.refresh(&mut tab, Some(&first)).await.status, 200);
    assert_eq!(site.refresh(&mut other, Some(&first)).await.status, 200, "the other tab");
    assert_eq!(site.proves(&mut other, &device).await.status, 200);
    site.app.events.take();
    let replayed = site.refresh(&mut tab, Some(&first)).await;
    assert_eq!((replayed.status, replayed.header("set-cookie")), (403, None));
    assert!(site.app.events.take().contains(&Event::RefusedProof(ProofError::Replayed)));
    // The browser was told a fresh one, and goes on.
    assert_eq!(site.proves(&mut tab, &device).await.status, 200);
}

#[tokio::test]
async fn a_refresh_costs_a_load_and_a_write_and_a_challenge_nothing() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    site.bound(&mut browser, &device).await;
    let asked = site.refresh(&mut browser, None).await;
    assert_eq!(asked.status, 403);
    assert_eq!(site.app.calls(), []);
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
    assert_eq!(site.app.calls(), [Verb::Load, Verb::Replace]);
}

#[tokio::test]
async fn observe_reports_and_require_for_asks_where_it_is_said() {
    let observed = Site::new(DeviceBinding::observe());
    let covered = Site::new(DeviceBinding::require_for(["/account"]));
    for (site, at_account) in [(&observed, Some("ada")), (&covered, None)] {
        let mut browser = Browser::default();
        site.bound(&mut browser, &TestDevice::new(1)).await;
        browser.jar.remove(BOUND);
        assert_eq!(site.user_at(&mut browser, "/shop").await.as_deref(), Some("ada"));
        assert!(site.app.events.take().contains(&Event::Unproven(Unproven::Missing)), "never in silence");
        assert_eq!(site.user_at(&mut browser, "/account/mail").await.as_deref(), at_account);
        assert_eq!(site.user_at(&mut browser, "/%61ccount").await.as_deref(), at_account);
    }
}

#[tokio::test]
async fn the_session_and_the_list_of_devices_say_that_it_is_bound() {
    let site = Site::new(binding());
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    let bound = async |session: Session| {
        format!("{:?}", session.user().binding().map(|binding| binding.proofs.len()))
    };
    site.sign_in(&mut browser, "ada").await;
    assert_eq!(site.request(&mut browser, "GET", "/", &[], bound).await.body, "None");
    site.bound(&mut browser, &device).await;
    for _ in 0..6 {
        site.app.pass(1);
        site.proves(&mut browser, &device).await;
    }
    assert_eq!(site.request(&mut browser, "GET", "/", &[], bound).await.body, "Some(5)");
    let devices = site.app.sessions.of("ada").list().await.unwrap();
    assert_eq!(devices.iter().filter(|device| device.bound).count(), 1);
}

#[tokio::test]
async fn what_the_browser_is_told_is_what_the_cookie_has() {
    let site = Site::new(binding().path("/session/device"));
    let (mut browser, device) = (Browser::default(), TestDevice::new(1));
    let response = site.sign_in(&mut browser, "ada").await;
    let offer = response.header("secure-session-registration").unwrap();
    assert!(offer.starts_with(r#"(ES256);path="/session/device/register";challenge=""#), "{offer}");
    let proof = device.registers(&TestDevice::parameter(offer, "challenge").unwrap());
    let answer =
        site.post(&mut browser, "/session/device/register", &[("secure-session-response", &proof)]).await;
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let cookie = answer.header("set-cookie").unwrap();
    assert_eq!(json["refresh_url"], "/session/device/refresh");
    assert_eq!(json["credentials"][0]["name"], BOUND);
    let attributes = json["credentials"][0]["attributes"].as_str().unwrap();
    assert!(cookie.contains(attributes) && cookie.contains("; Max-Age=300;"), "{cookie}");
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}
