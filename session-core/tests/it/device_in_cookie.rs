//! Sessions in cookies that are bound to their device: what becomes of the binding where a response brings back the cookie
//! from before it.

use session_core::machine::Unproven;
use session_core::{error::*, *};
use session_testkit::TestDevice;

use crate::device_support::{Browser, REFRESH, Site, binding};

const BOUND: &str = "__Host-sid.b";

async fn writes(session: Session) -> String {
    session.increment("pages").unwrap();
    String::new()
}

/// A browser whose key was registered while a page was under way that wrote the session: the page's response came last.
async fn undone(site: &Site, device: &TestDevice) -> Browser {
    let mut browser = Browser::default();
    let response = site.sign_in(&mut browser, "ada").await;
    let mut page = browser.clone();
    let proof = device.registers(&challenge_of_offer(&response));
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
    let late = site.request(&mut page, "POST", "/", &[], writes).await;
    browser.hear(&late);
    site.app.events.take();
    browser
}

#[tokio::test]
async fn a_page_that_writes_while_the_browser_registers_does_not_end_the_binding() {
    for rules in [binding(), DeviceBinding::observe(), DeviceBinding::require_for(["/account"])] {
        let (site, device, other) = (Site::in_cookie(rules), TestDevice::new(1), TestDevice::new(2));
        let mut browser = undone(&site, &device).await;
        let name = async |session: Session| session.user().name().unwrap_or_default();
        let next = site.request(&mut browser, "GET", "/", &[], name).await;
        assert_eq!(next.body, "ada");
        assert!(site.app.events.take().contains(&Event::Unbound));
        let proof = other.registers(&challenge_of_offer(&next));
        assert_eq!(site.register(&mut browser, &proof).await.status, 200);
        assert_eq!(site.proves(&mut browser, &other).await.status, 200);
        // Requests after the next are not asked, once the browser has been.
        let after = site.request(&mut browser, "POST", "/", &[], writes).await;
        assert_eq!(after.header("secure-session-registration"), None);
        browser.jar.remove(BOUND);
        site.user_at(&mut browser, "/account").await;
        assert!(site.app.events.take().contains(&Event::Unproven(Unproven::Missing)), "it is bound");
    }
}

/// An application that only calls `regenerate` at sign-in, and keeps its user among the values.
#[tokio::test]
async fn a_lost_binding_of_a_session_without_a_tag_is_offered_again() {
    let (site, device) = (Site::in_cookie(binding()), TestDevice::new(1));
    let mut browser = Browser::default();
    let sign_in = async |session: Session| {
        session.put("name", "ada").unwrap();
        session.regenerate().unwrap();
        String::new()
    };
    let response = site.request(&mut browser, "POST", "/sign-in", &[], sign_in).await;
    let mut page = browser.clone();
    let proof = device.registers(&challenge_of_offer(&response));
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
    browser.hear(&site.request(&mut page, "POST", "/", &[], writes).await);
    let next = site.request(&mut browser, "GET", "/", &[], writes).await;
    let proof = device.registers(&challenge_of_offer(&next));
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
}

#[tokio::test]
async fn the_offer_after_a_lost_binding_is_made_once_and_again_after_the_next_refresh() {
    let (site, device) = (Site::in_cookie(binding()), TestDevice::new(1));
    let mut browser = undone(&site, &device).await;
    let read = async |session: Session| session.user().name().unwrap_or_default();
    let first = site.request(&mut browser, "GET", "/", &[], read).await;
    assert!(first.header("secure-session-registration").is_some());
    let second = site.request(&mut browser, "GET", "/", &[], read).await;
    assert_eq!(second.header("secure-session-registration"), None);

    // That registration is lost, too. The browser drops the short-lived cookie in time, and proves the key that it has.
    site.app.pass(REFRESH);
    browser.jar.remove(BOUND);
    let ended = site.proves(&mut browser, &device).await;
    assert!(ended.body.contains(r#""continue":false"#), "{ended:?}");
    assert_eq!(ended.header("secure-session-registration"), None, "not to a refresh");
    assert_eq!(site.refusal(), Some(ProofError::OtherBinding));
    let next = site.request(&mut browser, "GET", "/", &[], read).await;
    let proof = device.registers(&challenge_of_offer(&next));
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
    site.app.pass(REFRESH + 31);
    assert_eq!(site.user(&mut browser).await, None, "bound again");
    assert_eq!(site.proves(&mut browser, &device).await.status, 200);
    assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn what_the_refresh_of_a_lost_binding_sets_proves_no_other_session() {
    let (site, device) = (Site::in_cookie(binding()), TestDevice::new(1));
    let mut ada = Browser::default();
    site.bound(&mut ada, &device).await;
    // The thief has her cookies, and a session of their own that is not bound; and asks for a refresh of her binding with it.
    let mut thief = Browser::default();
    site.sign_in(&mut thief, "mallory").await;
    thief.id.clone_from(&ada.id);
    let own = TestDevice::new(2);
    let asked = site.refresh(&mut thief, None).await;
    assert_eq!(asked.status, 403);
    let ended = site.proves(&mut thief, &own).await;
    assert!(ended.body.contains(r#""continue":false"#), "{ended:?}");
    let mut stolen = ada.clone();
    stolen.jar.insert(BOUND.to_owned(), thief.jar[BOUND].clone());
    assert_eq!(site.user(&mut stolen).await, None);
    assert_eq!(site.user(&mut ada).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn nothing_is_offered_again_without_a_proof_to_a_new_session_or_with_a_store() {
    let read = async |session: Session| session.user().name().unwrap_or_default();
    let device = TestDevice::new(1);
    // Before the key is registered, and of a browser that never registers one.
    let site = Site::in_cookie(binding());
    let mut browser = Browser::default();
    site.sign_in(&mut browser, "ada").await;
    let page = site.request(&mut browser, "POST", "/", &[], writes).await;
    assert_eq!(page.header("secure-session-registration"), None);
    // To the session that begins after a sign-out.
    site.bound(&mut browser, &device).await;
    site.sign_out(&mut browser).await;
    site.app.pass(1);
    site.request(&mut browser, "POST", "/", &[], writes).await;
    let ended = site.proves(&mut browser, &device).await;
    assert!(ended.body.contains(r#""continue":false"#), "{ended:?}");
    let page = site.request(&mut browser, "GET", "/", &[], read).await;
    assert_eq!(page.header("secure-session-registration"), None);
    // A store has one record, and knows better than any cookie.
    let site = Site::new(binding());
    let mut browser = undone(&site, &device).await;
    let page = site.request(&mut browser, "GET", "/", &[], read).await;
    assert_eq!(page.header("secure-session-registration"), None);
    site.app.pass(REFRESH + 31);
    assert_eq!(site.user(&mut browser).await, None, "it is bound");
}

fn challenge_of_offer(response: &session_testkit::DeviceReply) -> String {
    let offer = response.header("secure-session-registration").expect("a binding is offered");
    TestDevice::parameter(offer, "challenge").unwrap()
}
