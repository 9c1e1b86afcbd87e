//! Sessions bound to the device, over real sockets: registration and refresh are answered by the layer itself.

use std::time::Duration;

use http::header::HeaderName;
use session_core::{DeviceBinding, SessionsBuilder};
use session_testkit::TestDevice;

use crate::adapter::{Browser, Calls, Reply, Stage};

const SHORT_LIVED: &str = "__Host-sid.b";
/// How long a proof lasts, and after which time a copied cookie is rejected.
const REFRESH: Duration = Duration::from_secs(60);
const STALE: Duration = Duration::from_secs(91);

fn bound(sessions: SessionsBuilder) -> SessionsBuilder {
    sessions.bind_to_device(DeviceBinding::require().refresh_every(REFRESH))
}

fn header(reply: &Reply, name: &'static str) -> Option<String> {
    reply.all(HeaderName::from_static(name)).into_iter().next()
}

/// The state of a binding in a browser.
struct Binding {
    device: TestDevice,
    id: String,
    challenge: String,
}

impl Binding {
    /// Signs in and registers a key.
    async fn of(browser: &Browser, seed: u8) -> Self {
        let device = TestDevice::new(seed);
        let offer = header(&browser.get("/login").await, "secure-session-registration").expect("an offer");
        let challenge = TestDevice::parameter(&offer, "challenge").expect("a challenge");
        let proof = device.registers(&challenge);
        let reply = browser.post("/dbsc/register", &[("secure-session-response", &proof)]).await;
        assert_eq!((reply.status.as_u16(), is_for_nobody_else(&reply)), (200, true), "{}", reply.text());
        assert_eq!(header(&reply, "content-type").as_deref(), Some("application/json"));
        let told: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(
            (&told["refresh_url"], &told["credentials"][0]["name"]),
            (&"/dbsc/refresh".into(), &SHORT_LIVED.into())
        );
        let mut binding = Self { device, id: String::new(), challenge };
        binding.hear(&reply);
        binding
    }

    fn hear(&mut self, reply: &Reply) {
        if let Some(text) = header(reply, "secure-session-challenge") {
            self.challenge = TestDevice::challenge(&text).expect("a string");
            self.id = TestDevice::parameter(&text, "id").expect("an id");
        }
    }

    async fn send(&mut self, browser: &Browser, proof: Option<&str>) -> Reply {
        let mut headers = vec![("sec-secure-session-id", self.id.as_str())];
        headers.extend(proof.map(|proof| ("secure-session-response", proof)));
        let reply = browser.post("/dbsc/refresh", &headers).await;
        self.hear(&reply);
        reply
    }

    /// Answers the newest challenge.
    async fn prove(&mut self, browser: &Browser) -> Reply {
        let proof = self.device.refreshes(&self.challenge);
        self.send(browser, Some(&proof)).await
    }
}

fn is_for_nobody_else(reply: &Reply) -> bool {
    header(reply, "cross-origin-resource-policy").as_deref() == Some("same-origin")
        && header(reply, "cache-control").is_some_and(|value| value.contains("no-store"))
}

fn grants_nothing(reply: &Reply) -> bool {
    reply.status == 403 && reply.set_cookies().is_empty() && is_for_nobody_else(reply)
}

/// The browser with the key is not rejected.
pub async fn a_copied_jar_is_a_strangers_once_its_proof_is_stale(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let ada = world.browser();
    let mut binding = Binding::of(&ada, 1).await;
    for _ in 0..3 {
        let thief = ada.snapshot();
        assert_eq!(thief.get("/read").await.text(), USER, "as long as it is fresh");
        world.clock.advance(STALE);
        assert!(ada.cookie(SHORT_LIVED).is_none(), "the browser drops it in time");
        assert_eq!(thief.get("/read").await.text(), "anon");
        let mut stolen = Binding {
            device: TestDevice::new(2),
            id: binding.id.clone(),
            challenge: binding.challenge.clone(),
        };
        assert!(grants_nothing(&stolen.prove(&thief).await));
        assert_eq!(thief.get("/read").await.text(), "anon");
        assert_eq!(binding.prove(&ada).await.status, 200);
        assert_eq!(ada.get("/read").await.text(), USER);
    }
    assert!(world.counted("unproven").await >= 3);
    assert_eq!(world.counted("refused_proofs").await, 3);
}

/// Asking for a challenge, and a proof over a foreign challenge, make no store call; a proof makes one load and one write.
pub async fn a_proof_costs_a_load_and_a_write_and_a_forged_one_nothing(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let ada = world.browser();
    let mut binding = Binding::of(&ada, 1).await;
    let (stored, before) = (u64::from(!world.in_cookie()), world.calls().await);
    let asked = binding.send(&ada, None).await;
    assert!(grants_nothing(&asked) && header(&asked, "secure-session-challenge").is_some());
    let forged = binding.device.refreshes("forged");
    for proof in [forged.as_str(), "x", "", "a.b.c", &"x".repeat(5_000)] {
        assert!(grants_nothing(&binding.send(&ada, Some(proof)).await), "{proof:.40}");
    }
    // If a header occurs twice, the first one counts.
    let good = binding.device.refreshes(&binding.challenge);
    let twice = [
        ("sec-secure-session-id", binding.id.as_str()),
        ("secure-session-response", &forged),
        ("secure-session-response", &good),
    ];
    assert!(grants_nothing(&ada.post("/dbsc/refresh", &twice).await));
    assert_eq!(world.calls().await.since(before), Calls::NONE);
    assert_eq!(binding.prove(&ada).await.status, 200);
    assert_eq!(world.calls().await.since(before), Calls { load: stored, replace: stored, ..Calls::NONE });
    assert_eq!(world.counted("refused_proofs").await, 6);
}

/// A proof of one session is not accepted for another; requests of another origin are refused in any case.
pub async fn a_proof_of_another_session_or_from_another_origin_is_refused(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let (ada, eve) = (world.browser(), world.browser());
    let (mut hers, mut other) = (Binding::of(&ada, 1).await, Binding::of(&eve, 2).await);
    let ended = hers.send(&eve, Some(&hers.device.refreshes(&hers.challenge))).await;
    assert!(ended.text().contains(r#""continue":false"#), "another binding: {}", ended.text());
    let own = hers.id.clone();
    hers.id.clone_from(&other.id);
    assert!(grants_nothing(&hers.prove(&ada).await), "the challenge names its binding");
    hers.id = own;
    let proof = hers.device.refreshes(&hers.challenge);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let headers =
            [("sec-secure-session-id", hers.id.as_str()), ("secure-session-response", &proof), (name, value)];
        assert!(grants_nothing(&ada.post("/dbsc/refresh", &headers).await), "{value}");
    }
    let own = [
        ("sec-secure-session-id", hers.id.as_str()),
        ("secure-session-response", &proof),
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://app.example"),
    ];
    assert_eq!(ada.post("/dbsc/refresh", &own).await.status, 200);
    assert_eq!(other.prove(&eve).await.status, 200);
}

/// The binding continues under the new id; a sign-out removes both cookies and ends the binding.
pub async fn a_binding_follows_a_new_id_and_ends_with_the_session(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let ada = world.browser();
    let mut binding = Binding::of(&ada, 1).await;
    let renewed = ada.ops(&[("\"regenerate\"", "null")]).await;
    assert_eq!(header(&renewed, "secure-session-registration"), None, "a thief cannot bind it anew");
    world.clock.advance(STALE);
    assert_eq!(ada.get("/read").await.text(), "anon");
    assert_eq!(binding.prove(&ada).await.status, 200);
    assert_eq!(ada.get("/read").await.text(), USER);

    let tab = ada.snapshot();
    ada.get("/logout").await;
    assert_eq!((ada.cookie("__Host-sid"), ada.cookie(SHORT_LIVED)), (None, None));
    let ended = binding.send(&ada, None).await;
    assert!(ended.status == 200 && ended.text().contains(r#""continue":false"#), "{}", ended.text());
    if !world.in_cookie() {
        let ended = binding.prove(&tab).await;
        assert!(ended.text().contains(r#""continue":false"#), "{}", ended.text());
        assert_eq!(tab.get("/read").await.text(), "anon");
    }
}

/// Both proofs are accepted, and the challenge that arrives last is answered next.
pub async fn two_tabs_prove_at_once(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let ada = world.browser();
    let mut binding = Binding::of(&ada, 1).await;
    world.clock.advance(REFRESH);
    let (one, other) = (ada.quiet(), ada.quiet());
    let proof = binding.device.refreshes(&binding.challenge);
    let headers = [("sec-secure-session-id", binding.id.as_str()), ("secure-session-response", &proof)];
    let (first, second) =
        tokio::join!(one.post("/dbsc/refresh", &headers), other.post("/dbsc/refresh", &headers));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    binding.hear(&first);
    binding.hear(&second);
    assert_eq!(ada.get("/read").await.text(), USER);
    world.clock.advance(STALE);
    let next = binding.prove(&ada.quiet()).await;
    let next = if next.status == 403 { binding.prove(&ada.quiet()).await } else { next };
    assert_eq!(next.status, 200);
    assert_eq!(ada.get("/read").await.text(), USER);
}

/// A browser without support ignores the offer and works as before.
pub async fn a_browser_without_device_bound_sessions_stays_signed_in(stage: &Stage) {
    let world = stage.open_with(bound).await;
    let ada = world.browser();
    ada.get("/login").await;
    for _ in 0..3 {
        world.clock.advance(STALE);
        assert_eq!(ada.get("/read").await.text(), USER);
    }
    assert_eq!(world.counted("unproven").await, 0);
}

/// The user that `/login` signs in.
const USER: &str = "alice@example.com";
