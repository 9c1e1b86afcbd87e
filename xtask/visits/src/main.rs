//! Visits of one session through the core, without a framework, for `cargo xtask instructions`: `visits read-memory 1000`.
//!
//! The difference between two runs is the cost of the visits that one has and the other has not, without that of the start.

use std::env;
use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn, VisitReport};
use session_core::{SecretKey, Session, Sessions};
use session_store_memory::MemoryStore;

/// What a handler does with its session.
type Handler = fn(&Session) -> Result<(), Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let [path, times] = env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| USAGE)?;
    let times: u32 = times.parse()?;
    let (what, place) = path.split_once('-').ok_or(USAGE)?;
    let sessions = match place {
        "memory" => Sessions::builder().store(MemoryStore::new()),
        "cookie" => Sessions::builder().in_cookie(),
        _ => return Err(USAGE.into()),
    };
    let key: [u8; 32] = std::array::from_fn(|place| (place * 37 + 11) as u8);
    let sessions = sessions.key(SecretKey::from_bytes(&key)?).build()?;
    let handler: Option<Handler> = match what {
        "unused" => None,
        "read" => Some(read),
        "write" => Some(write),
        _ => return Err(USAGE.into()),
    };
    let set_cookie = visit(&sessions, "", Some(fill))?.set_cookie.ok_or("a new session sets a cookie")?;
    let cookie = set_cookie.split(';').next().unwrap_or_default().to_owned();
    for _ in 0..times {
        black_box(visit(&sessions, black_box(&cookie), handler)?);
    }
    Ok(())
}

/// About 320 bytes of values.
fn fill(session: &Session) -> Result<(), Box<dyn Error>> {
    session.put("user", "alice@example.com")?;
    session.put("cart", ["SKU-0001 1 piece of 12.99 each, ready to be sent in two days"; 4])?;
    session.put("hits", 0)?;
    Ok(())
}

fn read(session: &Session) -> Result<(), Box<dyn Error>> {
    let user: Option<String> = session.get("user")?;
    black_box(user).ok_or("the session is there")?;
    Ok(())
}

fn write(session: &Session) -> Result<(), Box<dyn Error>> {
    black_box(session.increment("hits")?);
    Ok(())
}

fn visit(sessions: &Sessions, cookie: &str, handler: Option<Handler>) -> Result<VisitReport, Box<dyn Error>> {
    let guard = sessions.visit(CookieHeaders::from_iter([cookie]), &Never);
    if let Some(handler) = handler {
        handler(&finished(guard.visit().session())??)?;
    }
    match guard.close(200) {
        Closing::Ready(report) => Ok(report),
        Closing::Pending(writing) => finished(writing),
    }
}

/// The output of a future that never waits: the memory store answers at once.
fn finished<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Error>> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("the memory store waits".into()),
    }
}

/// For work that outlives its request, of which there is none.
#[derive(Debug)]
struct Never;

impl Spawn for Never {
    fn spawn(&self, _: BoxFuture<()>) {
        unreachable!("no visit is cancelled here");
    }
}

const USAGE: &str = "usage: visits (unused|read|write)-(memory|cookie) TIMES";
