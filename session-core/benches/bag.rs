//! The cost of the hot paths: reading and changing one value of a session, sealing a cookie, and a whole visit.
//!
//! Each figure is the least of many short runs, in nanoseconds, so that two builds can be compared on a busy machine:
//! run the binary of one revision and of the other in turn.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use session_core::{
    adapter::*,
    machine::{cookie::*, *},
    store::*,
    *,
};
use session_store_memory::MemoryStore;

fn main() {
    bags();
    seals();
    visits();
}

fn measure<T>(name: &str, mut work: impl FnMut() -> T) {
    const EACH: u32 = 200;
    let mut least = f64::MAX;
    for _ in 0..400 {
        let begun = Instant::now();
        for _ in 0..EACH {
            black_box(work());
        }
        least = least.min(begun.elapsed().as_nanos() as f64 / f64::from(EACH));
    }
    println!("{name:<40} {least:>9.0} ns");
}

/// The session of a signed-in visitor: about 300 bytes.
fn small() -> Payload {
    let items: Vec<String> =
        (0..5).map(|n| format!(r#"{{"sku":"SKU-{n:04}","qty":{n},"cents":{}}}"#, n * 995)).collect();
    let text = format!(
        r#"{{"uid":184467440737,"user":"alice@example.com","csrf":"{}","cart":[{}],"hits":0}}"#,
        "x".repeat(43),
        items.join(",")
    );
    text.into_bytes().into()
}

/// The same with sixty names of about 270 bytes each.
fn large() -> Payload {
    let mut values = Values::new(Bag::decode(small()).expect("the small one is an object"));
    for n in 0..60 {
        values.put(&*format!("notes{n}"), "lorem ipsum ".repeat(21)).expect("a string is JSON");
    }
    values.bag().encode().into()
}

fn bags() {
    for (name, payload) in [("300 B", small()), ("16 KB", large())] {
        println!("{name}: {} bytes", payload.len());
        let open = || Values::new(Bag::decode(black_box(payload.clone())).expect("an object"));
        measure(&format!("{name}: decode"), open);
        measure(&format!("{name}: decode, get one"), || open().get::<u64>("uid"));
        measure(&format!("{name}: decode, get one by path"), || open().get::<u32>("cart.3.qty"));
        let mut out = Vec::new();
        measure(&format!("{name}: decode, put one, encode"), || {
            let mut values = open();
            values.put("hits", 1).expect("a number is JSON");
            out.clear();
            values.encode_into(&mut out);
            out.len()
        });
        let mut out = Vec::new();
        measure(&format!("{name}: decode, increment below, encode"), || {
            let mut values = open();
            values.increment("cart.3.qty").expect("a number");
            out.clear();
            values.encode_into(&mut out);
            out.len()
        });
    }
}

fn key() -> SecretKey {
    let bytes: [u8; 32] = std::array::from_fn(|place| (place * 37 + 11) as u8);
    SecretKey::from_bytes(&bytes).expect("a fair key")
}

fn seals() {
    let ring = KeyRing::new([key()]).expect("one key");
    let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    for len in [44, 375, 3018] {
        let text = vec![b'a'; len];
        measure(&format!("seal {len} bytes"), || {
            ring.seal(&binding, SealKind::Record, black_box(&[5; 24]), black_box(&text))
        });
        let sealed = ring.seal(&binding, SealKind::Record, &[5; 24], &text).into_string();
        measure(&format!("open {len} bytes"), || {
            ring.open(&binding, SealKind::Record, black_box(sealed.as_bytes()))
        });
    }
}

fn visits() {
    let in_memory = Sessions::builder().store(MemoryStore::new()).key(key()).build().expect("complete");
    let in_cookie = Sessions::builder().in_cookie().key(key()).build().expect("complete");
    for (place, sessions) in [("memory", in_memory), ("cookie", in_cookie)] {
        let fill = |session: &Session| {
            let values = Bag::decode(small()).expect("an object").encode();
            let values: serde_json::Value = serde_json::from_slice(&values).expect("JSON");
            session.merge(values).expect("an object");
        };
        let cookie = visit(&sessions, "", Some(&fill)).set_cookie.expect("a new session");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        measure(&format!("{place}: visit, unused"), || visit(&sessions, &cookie, None));
        let read = |session: &Session| _ = black_box(session.get::<u64>("uid"));
        measure(&format!("{place}: visit, read"), || visit(&sessions, &cookie, Some(&read)));
        let write = |session: &Session| _ = session.increment("hits");
        measure(&format!("{place}: visit, written"), || visit(&sessions, &cookie, Some(&write)));
    }
}

fn visit(sessions: &Sessions, cookie: &str, handler: Option<&dyn Fn(&Session)>) -> VisitReport {
    let guard = sessions.visit(CookieHeaders::from_iter([cookie]), &Never);
    if let Some(handler) = handler {
        handler(&finished(guard.visit().session()).expect("the store answers"));
    }
    match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => finished(writing),
    }
}

/// The memory store never waits for anything.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the memory store never waits"),
    }
}

#[derive(Debug)]
struct Never;

impl Spawn for Never {
    fn spawn(&self, _: BoxFuture<()>) {
        unreachable!("nothing is left behind here");
    }
}
