//! Every interleaving of requests that bring one old cookie to servers of their own, with a death of each process after
//! each of its store operations.
//!
//! What is checked in every state: the session is one session for whoever comes next, no acknowledged write is lost where a
//! store keeps them, and what an acknowledged sign-out or renewal has ended is found by no cookie that is older.

use std::collections::HashSet;

use crate::old_cookie_support::Kept;
use crate::old_cookie_support::stepped::{Act, BEFORE, Servers, World};

/// What happens next in an interleaving.
#[derive(Clone, Copy)]
enum Next {
    Step(usize),
    Death(usize),
}

/// Runs every interleaving of these requests, and returns the number of different states.
fn explore(from: Kept, to: Kept, acts: &[Act], with_deaths: bool) -> usize {
    let servers = Servers::new(from, to, acts.len());
    let (mut seen, mut open) = (HashSet::new(), vec![Vec::new()]);
    while let Some(path) = open.pop() {
        let world = run(&servers, acts, &path);
        if !seen.insert(world.fingerprint()) {
            continue;
        }
        for who in world.open() {
            let next = [Some(Next::Step(who)), with_deaths.then_some(Next::Death(who))];
            open.extend(next.into_iter().flatten().map(|next| path.iter().copied().chain([next]).collect()));
        }
        check(&world, to);
    }
    seen.len()
}

fn run<'s>(servers: &'s Servers, acts: &[Act], path: &[Next]) -> World<'s> {
    let mut world = World::new(servers, acts);
    for next in path {
        match next {
            Next::Step(who) => world.step(*who),
            Next::Death(who) => world.die(*who),
        }
    }
    world
}

fn check(world: &World<'_>, to: Kept) {
    let acks: Vec<_> = world.acts.iter().copied().zip(&world.acks).enumerate().collect();
    let done = || {
        acks.iter().filter_map(|(who, (act, ack))| Some((*who, *act, ack.as_ref().filter(|ack| ack.done)?)))
    };
    let may_end = world.acts.iter().any(|act| act.ends());
    let has_ended = done().any(|(_, act, _)| act.ends());
    let signed_out = done().any(|(_, act, _)| act == Act::SignOut);
    if to == Kept::Store {
        assert!(world.alive() <= 1, "it lives twice\n{}", world.story());
        assert!(!signed_out || world.alive() == 0, "a dead session lives\n{}", world.story());
    }
    for (who, (act, ack)) in &acks {
        let missed = ack.as_ref().is_some_and(|ack| !ack.found);
        assert!(!missed || may_end, "{act:?} of {who} finds no session\n{}", world.story());
    }
    // Whoever comes next, with the cookie of each response and with the old one.
    let found = |jar, cookie: &str| {
        let written = world.found_by(jar);
        assert!(written.is_some() || may_end, "{cookie} finds no session\n{}", world.story());
        if let Some(written) = &written {
            assert!(written.contains(&BEFORE), "{cookie} finds another\n{}", world.story());
            let kept = done().filter(|(_, act, _)| *act == Act::Write && to == Kept::Store);
            for (who, ..) in kept {
                assert!(written.contains(&who), "the write of {who} is lost for {cookie}\n{}", world.story());
            }
        }
        written.is_some()
    };
    for (who, act, ack) in done() {
        let is_found = ack.jar != *world.old() && found(&ack.jar, &format!("the cookie of {who}"));
        match act {
            Act::SignOut => assert!(!is_found, "{}", world.story()),
            Act::Renew => assert!(is_found || signed_out || may_end, "{}", world.story()),
            Act::Read | Act::Write => {
                assert!(!has_ended || !is_found, "{who} revives it\n{}", world.story());
            }
        }
    }
    let is_found = found(world.old(), "the old cookie");
    assert!(!has_ended || !is_found, "the old cookie revives it\n{}", world.story());
    for seconds in [61, 600] {
        world.pass(seconds);
        let is_found = world.found_by(world.old()).is_some();
        assert!(!has_ended || !is_found, "it comes back after the tombstones\n{}", world.story());
    }
}

const ACTS: [Act; 4] = [Act::Read, Act::Write, Act::Renew, Act::SignOut];

fn every_two(from: Kept, to: Kept) {
    for (nth, one) in ACTS.into_iter().enumerate() {
        for other in &ACTS[nth..] {
            let states = explore(from, to, &[one, *other], true);
            println!("{one:?} and {other:?}: {states} states");
            assert!(states > 5);
        }
    }
}

fn every_three(from: Kept, to: Kept) {
    for acts in [
        [Act::Write, Act::Write, Act::Write],
        [Act::Write, Act::Read, Act::SignOut],
        [Act::Write, Act::Renew, Act::SignOut],
    ] {
        println!("{acts:?}: {} states", explore(from, to, &acts, false));
    }
}

#[test]
fn a_session_that_keeps_its_store_is_one_session() {
    every_two(Kept::Store, Kept::Store);
}

#[test]
fn a_session_that_moves_from_its_cookie_into_a_store_is_one_session() {
    every_two(Kept::Cookie, Kept::Store);
}

#[test]
fn a_session_that_moves_into_a_store_with_a_list_is_one_session() {
    every_two(Kept::Listed, Kept::Store);
}

#[test]
fn a_session_that_moves_from_a_store_into_its_cookie_is_one_session() {
    every_two(Kept::Store, Kept::Cookie);
}

#[test]
fn a_session_that_moves_into_a_cookie_with_a_list_is_one_session() {
    every_two(Kept::Store, Kept::Listed);
}

#[test]
fn three_requests_move_a_session_once() {
    every_three(Kept::Cookie, Kept::Store);
    every_three(Kept::Store, Kept::Listed);
}
