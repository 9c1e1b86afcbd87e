//! The core without async and without its driver: two requests on one session over a `HashMap`, every step printed.
//!
//! Ring 0 gives ids, records and times; ring 1 decides; what is missing (a store, a clock, randomness) is this file.

use std::collections::HashMap;
use std::convert::Infallible;

use session_core::Policy;
use session_core::machine::{Arrival, SessionState};
use session_core::{
    CommitError,
    machine::{Commit, CookieOrder, Fresh, StoreOp},
};
use session_core::{
    Timestamp,
    machine::SessionId,
    store::{Loaded, StoreError, StoreKey, Written},
};

/// The whole store: a record, or a tombstone.
type Shelf = HashMap<StoreKey, Loaded>;

/// The clock of this example stands still, and its randomness counts: never do that at home.
const NOW: Timestamp = Timestamp::from_millis(1_893_484_800_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut shelf, mut dice) = (Shelf::new(), 0_u8);

    println!("1. A new visitor puts something in a cart.");
    let mut visit = open(&shelf, None)?;
    visit.data_mut().push("cart", "tea")?;
    let id = commit(&mut shelf, &mut visit, &mut dice).expect("the first write makes a session");

    println!("\n2. Two requests at once: both have loaded the same record.");
    let mut one = open(&shelf, Some(&id))?;
    let mut other = open(&shelf, Some(&id))?;
    one.data_mut().push("cart", "milk")?;
    other.data_mut().push("cart", "bread")?;
    println!("   The first one commits.");
    commit(&mut shelf, &mut one, &mut dice);
    println!("   The second one is late: it replays what it did on what is there now.");
    commit(&mut shelf, &mut other, &mut dice);
    println!("   cart = {:?}", open(&shelf, Some(&id))?.data().get::<Vec<String>>("cart")?);

    println!("\n3. Signing in: a new id. A slow request still holds the old one.");
    let mut slow = open(&shelf, Some(&id))?;
    let mut sign_in = open(&shelf, Some(&id))?;
    sign_in.data_mut().put("user", "ada")?;
    sign_in.regenerate(|| Ok::<_, Infallible>(String::new()))?;
    let new = commit(&mut shelf, &mut sign_in, &mut dice).expect("a new id is set");
    slow.data_mut().push("cart", "stolen")?;
    println!("   The slow one commits.");
    commit(&mut shelf, &mut slow, &mut dice);

    println!("\n4. Signing out.");
    let mut sign_out = open(&shelf, Some(&new))?;
    println!("   user = {:?}", sign_out.data().get::<String>("user")?);
    sign_out.destroy();
    commit(&mut shelf, &mut sign_out, &mut dice);
    println!("   A straggler opens the dead session and writes: nothing is kept, nothing is said.");
    let mut straggler = open(&shelf, Some(&new))?;
    straggler.data_mut().put("late", true)?;
    commit(&mut shelf, &mut straggler, &mut dice);
    Ok(())
}

/// What a driver does first: the cookie's id, one look at the shelf, and a state.
fn open(shelf: &Shelf, id: Option<&SessionId>) -> Result<SessionState, Box<dyn std::error::Error>> {
    let (arrival, loaded) = match id {
        Some(id) => {
            let loaded = shelf.get(&id.store_key()).cloned().unwrap_or(Loaded::Missing);
            (Arrival::with_id(id.clone()), loaded)
        }
        None => (Arrival::without_cookie(), Loaded::Missing),
    };
    let state = SessionState::open(arrival, loaded, NOW)?;
    println!("   open      {:?}", state.origin());
    Ok(state)
}

/// What a driver does last: begin, perform step after step, finish, and obey the cookie order.
fn commit(shelf: &mut Shelf, state: &mut SessionState, dice: &mut u8) -> Option<SessionId> {
    let policy = Policy::default();
    let mut draw = || {
        *dice += 1;
        Ok::<_, Infallible>(Fresh::from_bytes(&[*dice; 64]))
    };
    let mut commit = Commit::begin(state, &policy, NOW, &mut draw).expect("it is small");
    println!("   decide    {:?}", commit.decision());
    while let Some(op) = commit.step() {
        let answer = perform(shelf, op);
        println!("   store     {:<9} -> {}", verb(op), word(&answer));
        commit.answer(Ok::<_, StoreError>(answer), &policy, NOW, &mut draw);
    }
    let outcome = commit.finish(state, &policy);
    match outcome.result {
        Ok(()) => println!("   finish    done, conflicts: {}", outcome.conflicts),
        Err(CommitError::Gone) => println!("   finish    gone: nothing was revived"),
        Err(error) => println!("   finish    {error}"),
    }
    match state.cookie() {
        CookieOrder::Keep => println!("   cookie    keep"),
        CookieOrder::Clear => println!("   cookie    clear"),
        CookieOrder::SetId { id, .. } => {
            println!("   cookie    set, for the session {:.8}…", id.store_key().to_string());
            return Some(id.clone());
        }
        CookieOrder::SetRecord { .. } => println!("   cookie    set, with the whole session"),
    }
    None
}

/// The verbs of a store, as far as one thread needs them; nothing here inserts but `Create` and `Rotate`.
fn perform(shelf: &mut Shelf, op: &StoreOp) -> Written {
    match op {
        StoreOp::Create { key, record, .. } => {
            if shelf.contains_key(key) {
                return Written::Taken;
            }
            shelf.insert(*key, Loaded::Found(record.clone()));
        }
        StoreOp::Replace { key, expected, record, now } => match shelf.get_mut(key) {
            Some(Loaded::Found(there)) if !there.is_live(*now) => return Written::Gone,
            Some(Loaded::Found(there)) if there.etag != *expected => return Written::Conflict(there.clone()),
            Some(Loaded::Found(there)) => *there = record.clone(),
            Some(Loaded::Missing | Loaded::Ended { .. }) | None => return Written::Gone,
        },
        StoreOp::Touch { key, idle_deadline, .. } => match shelf.get_mut(key) {
            Some(Loaded::Found(there)) => there.idle_deadline = there.idle_deadline.max(*idle_deadline),
            Some(Loaded::Missing | Loaded::Ended { .. }) | None => return Written::Gone,
        },
        StoreOp::Destroy { key, tombstone_until } => {
            if let Some(there) = shelf.get_mut(key) {
                *there = Loaded::Ended { until: *tombstone_until };
            }
        }
        StoreOp::Rotate { old, expected, new, record, now, tombstone_until } => {
            let over_old =
                StoreOp::Replace { key: *old, expected: *expected, record: record.clone(), now: *now };
            let written = perform(shelf, &over_old);
            if written != Written::Applied {
                return written;
            }
            shelf.insert(*old, Loaded::Ended { until: *tombstone_until });
            shelf.insert(*new, Loaded::Found(record.clone()));
        }
    }
    Written::Applied
}

fn verb(op: &StoreOp) -> &'static str {
    match op {
        StoreOp::Create { .. } => "Create",
        StoreOp::Replace { .. } => "Replace",
        StoreOp::Touch { .. } => "Touch",
        StoreOp::Destroy { .. } => "Destroy",
        StoreOp::Rotate { .. } => "Rotate",
    }
}

fn word(written: &Written) -> &'static str {
    match written {
        Written::Applied => "applied",
        Written::Conflict(_) => "conflict: another request wrote first, replay",
        Written::Gone => "gone",
        Written::Taken => "taken",
    }
}
