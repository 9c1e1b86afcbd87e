//! Nothing that the device of a bound session has not signed is granted at the two endpoints, or changes the session.
//!
//! The first byte chooses: 1 the registration instead of the refresh, 2 the rest as it is instead of three lines (header,
//! payload, signature), 4 a signature by another key instead of the third line, 8 no id of the binding. A `@` in the payload
//! is the challenge of the endpoint, and in the header the public key that signs.
#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_executor::block_on;
use libfuzzer_sys::fuzz_target;
use session_core::adapter::{Adapter, BareResponse, BoxFuture, Middleware, RequestHead, Spawn, VisitReport};
use session_core::{DeviceBinding, SecretKey, Sessions};
use session_store_memory::MemoryStore;
use session_testkit::{DeviceBrowser, DeviceSite, ManualClock, OpLog, TestDevice, Verb};

/// A status, the headers and the body.
type Reply = (u16, Vec<(String, String)>, String);

struct Plain;

impl Adapter<Reply> for Plain {
    type Response = Reply;
    type Output = Reply;

    fn status(answer: &Reply) -> u16 {
        answer.0
    }

    fn content_type(_: &Reply) -> Option<&[u8]> {
        None
    }

    fn finish(answer: Result<Reply, (Reply, Option<Reply>)>, report: VisitReport) -> Reply {
        let mut reply = answer.unwrap_or_else(|(instead, _)| instead);
        let changes = report.headers(|_| []).into_iter().flatten();
        reply.1.extend(changes.map(|change| (change.name().to_owned(), change.value().to_owned())));
        reply
    }
}

#[derive(Debug)]
struct Here;

impl Spawn for Here {
    fn spawn(&self, future: BoxFuture<()>) {
        block_on(future);
    }
}

/// A site, and a browser that is bound there.
struct World {
    middleware: Middleware<Reply>,
    store: OpLog<MemoryStore>,
    cookies: String,
    id: String,
    /// Of the refresh, and of the registration that has been answered.
    challenges: [String; 2],
    thief: TestDevice,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let store = OpLog::new(MemoryStore::new());
    let sessions = Sessions::builder()
        .shared_store(Arc::new(store.clone()))
        .key(SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| at as u8 * 7)).expect("a key"))
        .clock(ManualClock::default())
        .bind_to_device(DeviceBinding::require().allow_rs256())
        .build()
        .expect("a configuration");
    let (site, mut browser) = (DeviceSite::new(sessions.clone(), &Here), DeviceBrowser::default());
    let signed_in = block_on(site.sign_in(&mut browser, "ada"));
    let offer = signed_in.header("secure-session-registration").expect("an offer");
    let offered = TestDevice::parameter(offer, "challenge").expect("a challenge");
    let bound = block_on(site.register(&mut browser, &TestDevice::new(1).registers(&offered)));
    assert_eq!(bound.status, 200);
    let pairs: Vec<_> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let middleware = Middleware::new(sessions, &Here, |failure, _| {
        (BareResponse::from(failure).status(), Vec::new(), String::new())
    })
    .on_own(|own| {
        let headers = own.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        (own.status(), headers, own.into_body())
    });
    store.take();
    World {
        middleware,
        store,
        cookies: pairs.join("; "),
        id: browser.id.expect("a binding"),
        challenges: [browser.challenge.expect("a challenge"), offered],
        thief: TestDevice::new(2),
    }
});

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let world = &*WORLD;
    let proof = if how & 2 > 0 { data.to_vec() } else { jws(world, data, *how) };
    let url = if how & 1 > 0 { "/dbsc/register" } else { "/dbsc/refresh" };
    let header = |name: &'static str| match name {
        "secure-session-response" => Some(proof.as_slice()),
        "sec-secure-session-id" if how & 8 == 0 => Some(world.id.as_bytes()),
        _ => None,
    };
    let head = RequestHead { method: "POST", url, authority: Some("shop.example"), header };
    let begun = world.middleware.begin([world.cookies.as_bytes()], &head);
    let (status, headers, body) =
        block_on(begun.serve::<Plain, _>(async { unreachable!("the layer answers") }));
    assert_eq!((status, body.as_str()), (403, ""), "{headers:?}");
    assert!(!headers.iter().any(|(name, _)| name == "set-cookie"), "{headers:?}");
    assert!(world.store.take().iter().all(|call| call.verb == Verb::Load), "nothing is written");
});

/// Three lines as the parts of a JWS.
fn jws(world: &World, data: &[u8], how: u8) -> Vec<u8> {
    let mut lines = data.splitn(3, |byte| *byte == b'\n').map(String::from_utf8_lossy);
    let mut line = || lines.next().unwrap_or_default();
    let header = line().replace('@', &world.thief.jwk().to_string());
    let payload = line().replace('@', &world.challenges[usize::from(how & 1)]);
    let (header_json, payload_json) = (serde_json::from_str(&header), serde_json::from_str(&payload));
    if let (true, Ok(header), Ok(payload)) = (how & 4 > 0, header_json, payload_json) {
        return world.thief.signs(&header, &payload).into_bytes();
    }
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(&header), part(&payload), line()).into_bytes()
}
