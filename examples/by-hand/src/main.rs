//! The core without async: requests on one session over a `HashMap`, every step printed.
//!
//! The core gives [`BlockingSessions`] and decides; what is missing (a store, a clock, randomness) is this example.

mod store;
#[cfg(test)]
mod suite;

use std::error::Error;
use std::sync::atomic::{AtomicU8, Ordering};

use session_core::adapter::{Clock, CookieHeaders, Entropy};
use session_core::machine::{Access, BlockingSessions, BlockingStore, CookieCodec, SessionState, StoreOp};
use session_core::store::{Loaded, StoreError, StoreKey, Written};
use session_core::{Cookie, KeyRing, Policy, SecretKey, Timestamp, error::EntropyError};

use crate::store::Store;

fn main() -> Result<(), Box<dyn Error>> {
    let keys = KeyRing::new([SecretKey::generate()?])?;
    let codec = CookieCodec::new(keys, Cookie::host("sid").build()?, "session");
    let sessions = BlockingSessions::new(codec, Policy::default(), Printing(Store::default()))?;
    let shop = Shop(sessions.clock(Still).entropy(Dice::default()));

    println!("1. A new visitor puts something in a cart.");
    let mut visit = shop.open(None)?;
    visit.data_mut().push("cart", "tea")?;
    let cookie = shop.close(visit).ok_or("the first write makes a session")?;

    println!("\n2. Two requests at once: both have loaded the same record.");
    let mut one = shop.open(Some(&cookie))?;
    let mut other = shop.open(Some(&cookie))?;
    one.data_mut().push("cart", "milk")?;
    other.data_mut().push("cart", "bread")?;
    println!("   The first one commits.");
    shop.close(one);
    println!("   The second one is late: it replays what it did on what is there now.");
    shop.close(other);
    println!("   cart = {:?}", shop.open(Some(&cookie))?.data().get::<Vec<String>>("cart")?);

    println!("\n3. Signing in: a new id. A slow request still holds the old one.");
    let mut slow = shop.open(Some(&cookie))?;
    let mut sign_in = shop.open(Some(&cookie))?;
    sign_in.data_mut().put("user", "ada")?;
    sign_in.regenerate(|| shop.0.token())?;
    let cookie = shop.close(sign_in).ok_or("a new id is set")?;
    slow.data_mut().push("cart", "stolen")?;
    println!("   The slow one commits.");
    shop.close(slow);

    println!("\n4. Signing out.");
    let mut sign_out = shop.open(Some(&cookie))?;
    println!("   user = {:?}", sign_out.data().get::<String>("user")?);
    sign_out.destroy();
    shop.close(sign_out);
    println!("   A straggler opens the dead session and writes: nothing is kept, nothing is said.");
    let mut straggler = shop.open(Some(&cookie))?;
    straggler.data_mut().put("late", true)?;
    shop.close(straggler);
    Ok(())
}

/// Opens and closes, and says what it sees.
struct Shop(BlockingSessions<Printing>);

impl Shop {
    fn open(&self, cookie: Option<&str>) -> Result<SessionState, Box<dyn Error>> {
        let cookies: CookieHeaders = cookie.into_iter().collect();
        let state = self.0.open(&cookies, Access::Full)?;
        println!("   open      {:?}", state.origin());
        Ok(state)
    }

    /// Gives the cookie that the browser sends from now on, if it is told one.
    fn close(&self, state: SessionState) -> Option<String> {
        let report = self.0.close(state, 200);
        match &report.error {
            None => println!("   close     done"),
            Some(error) => println!("   close     {error}: nothing was revived"),
        }
        for header in report.headers(|_| []).into_iter().flatten() {
            println!("   header    {}: {:.24}…", header.name(), header.value());
        }
        report.set_cookie.as_deref()?.split(';').next().map(str::to_owned)
    }
}

/// A store that says what it is asked.
#[derive(Debug)]
struct Printing(Store);

impl BlockingStore for Printing {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        self.0.load(key)
    }

    fn perform(&self, operation: &StoreOp) -> Result<Written, StoreError> {
        let written = self.0.perform(operation)?;
        println!("   store     {:<9} -> {}", verb(operation), word(&written));
        Ok(written)
    }
}

fn verb(operation: &StoreOp) -> &'static str {
    match operation {
        StoreOp::Create { .. } => "Create",
        StoreOp::Replace { .. } => "Replace",
        StoreOp::Touch { .. } => "Touch",
        StoreOp::Destroy { .. } => "Destroy",
        StoreOp::Rotate { .. } => "Rotate",
        StoreOp::Revoke { .. } => "Revoke",
        StoreOp::Prolong { .. } => "Prolong",
    }
}

fn word(written: &Written) -> &'static str {
    match written {
        Written::Applied => "applied",
        Written::Conflict(_) => "conflict: another request wrote first, replay",
        Written::Moved { .. } => "moved: another request gave the session a new id, replay there",
        Written::Gone => "gone",
        Written::Taken => "taken",
    }
}

/// The clock of this example stands still: never do that at home.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_893_484_800_000)
    }
}

/// And its randomness counts.
#[derive(Debug, Default)]
struct Dice(AtomicU8);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(())
    }
}
