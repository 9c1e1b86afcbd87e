//! Sessions that are bound to their device, over the store: it must keep everything that a proof needs.
//!
//! Each case is a site of the library over the store under trial, and browsers that speak Device Bound Session Credentials.

use std::time::Duration;

use session_core::{
    DeviceBinding, SecretKey, Sessions,
    adapter::{BoxFuture, Spawn},
};
use session_testkit::{DeviceBrowser, DeviceReply, DeviceSite, ManualClock, TestDevice};

use super::Trial;

/// How long a proof lasts, and after which time a copied cookie is rejected. Stores with a time-to-live use real time, so
/// no session may expire meanwhile.
const REFRESH: Duration = Duration::from_secs(60);
const STALE: Duration = Duration::from_secs(91);

#[derive(Debug)]
struct OnTokio;

impl Spawn for OnTokio {
    fn spawn(&self, future: BoxFuture<()>) {
        tokio::spawn(future);
    }
}

/// A site over the store, and its clock.
fn open(t: &Trial) -> (DeviceSite, ManualClock) {
    let clock = ManualClock::at(t.now);
    let sessions = Sessions::builder()
        .shared_store(t.store.clone())
        .key(SecretKey::generate().expect("random bytes"))
        .clock(clock.clone())
        .bind_to_device(DeviceBinding::require().refresh_every(REFRESH))
        .build()
        .expect("these rules agree");
    (DeviceSite::new(sessions, &OnTokio), clock)
}

fn is_refused(reply: &DeviceReply) -> bool {
    reply.status == 403 && reply.header("set-cookie").is_none()
}

fn is_ended(reply: &DeviceReply) -> bool {
    reply.status == 200 && reply.body.contains(r#""continue":false"#)
}

/// A bound session is refreshed several times; copied cookies are rejected once they are stale, and so are proofs with
/// another key.
pub async fn a_bound_session_is_proven_by_its_device_alone(t: Trial) {
    let (site, clock) = open(&t);
    let (mut ada, device, other) = (DeviceBrowser::default(), TestDevice::new(1), TestDevice::new(2));
    site.bound(&mut ada, &device).await;
    for _ in 0..3 {
        let mut thief = ada.clone();
        assert_eq!(site.user(&mut thief).await.as_deref(), Some("ada"), "as long as the cookies are fresh");
        clock.advance(STALE);
        assert_eq!(site.user(&mut thief).await, None);
        assert!(is_refused(&site.proves(&mut thief, &other).await));
        assert_eq!(site.user(&mut thief).await, None);
        assert_eq!(site.proves(&mut ada, &device).await.status, 200);
        assert_eq!(site.user(&mut ada).await.as_deref(), Some("ada"));
    }
}

/// Neither the cookie nor the proof of one binding is accepted for another.
pub async fn a_proof_of_another_session_is_refused(t: Trial) {
    let (site, _clock) = open(&t);
    let (mut ada, mut eve) = (DeviceBrowser::default(), DeviceBrowser::default());
    let (device, other) = (TestDevice::new(1), TestDevice::new(2));
    site.bound(&mut ada, &device).await;
    site.bound(&mut eve, &other).await;
    let mut mixed = ada.clone();
    mixed.jar.insert(SHORT_LIVED.to_owned(), eve.jar[SHORT_LIVED].clone());
    assert_eq!(site.user(&mut mixed).await, None);
    mixed.challenge.clone_from(&eve.challenge);
    assert!(is_refused(&site.proves(&mut mixed, &device).await));
    assert_eq!(site.proves(&mut ada, &device).await.status, 200);
}

/// Also when it was in flight while the id changed.
pub async fn a_new_id_keeps_the_binding(t: Trial) {
    let (site, clock) = open(&t);
    let (mut ada, device) = (DeviceBrowser::default(), TestDevice::new(1));
    site.bound(&mut ada, &device).await;
    let mut late = ada.clone();
    let renewed = site.regenerate(&mut ada).await;
    assert!(
        renewed.header("set-cookie").is_some() && renewed.header("secure-session-registration").is_none()
    );
    // It was sent before the browser got the new id.
    let told = site.proves(&mut late, &device).await;
    assert!(is_refused(&told) && told.header("secure-session-challenge").is_some(), "{told:?}");
    ada.hear(&told);
    clock.advance(STALE);
    assert_eq!(site.user(&mut ada).await, None, "bound as before");
    assert_eq!(site.proves(&mut ada, &device).await.status, 200);
    assert_eq!(site.user(&mut ada).await.as_deref(), Some("ada"));
}

/// A proof for an ended session ends the binding and revives nothing.
pub async fn a_destroyed_session_is_bound_to_nothing(t: Trial) {
    let (site, _clock) = open(&t);
    let (mut ada, device) = (DeviceBrowser::default(), TestDevice::new(1));
    site.bound(&mut ada, &device).await;
    let mut tab = ada.clone();
    site.sign_out(&mut ada).await;
    assert!(ada.jar.is_empty());
    assert!(is_ended(&site.refresh(&mut ada, None).await));
    assert!(is_ended(&site.proves(&mut tab, &device).await));
    assert_eq!(site.user(&mut tab).await, None);
}

/// Both tabs go on, and a proof that both have left behind is refused.
pub async fn two_proofs_at_once_are_both_granted(t: Trial) {
    let (site, clock) = open(&t);
    let (mut ada, device) = (DeviceBrowser::default(), TestDevice::new(1));
    site.bound(&mut ada, &device).await;
    clock.advance(REFRESH);
    let (first, mut tab) = (device.refreshes(ada.challenge.as_deref().unwrap()), ada.clone());
    let (one, two) = tokio::join!(site.proves(&mut ada, &device), site.proves(&mut tab, &device));
    assert_eq!((one.status, two.status), (200, 200));
    let next = site.proves(&mut ada, &device).await;
    let next = if next.status == 403 { site.proves(&mut ada, &device).await } else { next };
    assert_eq!(next.status, 200);
    assert!(is_refused(&site.refresh(&mut tab, Some(&first)).await), "replayed");
    assert_eq!(site.user(&mut ada).await.as_deref(), Some("ada"));
}

const SHORT_LIVED: &str = "__Host-sid.b";
