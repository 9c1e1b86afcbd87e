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
    // The next requests, with the cookie of each response and with the old one.
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
    let is_found = found(world.old(), "the old cookie");
    assert!(!has_ended || !is_found, "the old cookie revives it\n{}", world.story());
    if !world.open().is_empty() {
        return;
    }
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
    for seconds in [61, 600] {
        world.pass(seconds);
        let is_found = world.found_by(world.old()).is_some();
        assert!(!has_ended || !is_found, "it comes back after the tombstones\n{}", world.story());
    }
}

/// Requests that keep the session, two at a time.
fn keeping(from: Kept, to: Kept) {
    every(from, to, &[[Act::Read, Act::Read], [Act::Read, Act::Write], [Act::Write, Act::Write]]);
}

/// Requests of which one ends the session, or its id.
fn ending(from: Kept, to: Kept) {
    every(from, to, &[[Act::Write, Act::Renew], [Act::Write, Act::SignOut], [Act::Read, Act::SignOut]]);
}

/// Requests that both end it.
fn ending_twice(from: Kept, to: Kept) {
    every(from, to, &[[Act::Renew, Act::Renew], [Act::Renew, Act::SignOut], [Act::SignOut, Act::SignOut]]);
}

fn every(from: Kept, to: Kept, pairs: &[[Act; 2]]) {
    for acts in pairs {
        let states = explore(from, to, acts, true);
        println!("{acts:?}: {states} states");
        assert!(states > 5);
    }
}

fn three(from: Kept, to: Kept, acts: [Act; 3]) {
    println!("{acts:?}: {} states", explore(from, to, &acts, false));
}

#[test]
fn a_session_that_keeps_its_store_is_one_session() {
    keeping(Kept::Store, Kept::Store);
    ending(Kept::Store, Kept::Store);
    ending_twice(Kept::Store, Kept::Store);
}

#[test]
fn a_session_that_moves_from_its_cookie_into_a_store_is_one_session() {
    keeping(Kept::Cookie, Kept::Store);
}

#[test]
fn a_session_that_ends_while_it_moves_into_a_store_stays_ended() {
    ending(Kept::Cookie, Kept::Store);
}

#[test]
fn two_ends_of_a_session_that_moves_into_a_store_are_one() {
    ending_twice(Kept::Cookie, Kept::Store);
}

#[test]
fn a_session_that_moves_into_a_store_with_a_list_is_one_session() {
    keeping(Kept::Listed, Kept::Store);
}

#[test]
fn a_session_with_a_list_that_ends_while_it_moves_into_a_store_stays_ended() {
    ending(Kept::Listed, Kept::Store);
}

#[test]
fn a_session_that_moves_from_a_store_into_its_cookie_is_one_session() {
    keeping(Kept::Store, Kept::Cookie);
    ending(Kept::Store, Kept::Cookie);
}

#[test]
fn a_session_that_moves_into_a_cookie_with_a_list_is_one_session() {
    keeping(Kept::Store, Kept::Listed);
    ending(Kept::Store, Kept::Listed);
    ending_twice(Kept::Store, Kept::Listed);
}

#[test]
fn three_requests_move_a_session_into_a_store_once() {
    three(Kept::Cookie, Kept::Store, [Act::Read, Act::Read, Act::Write]);
}

#[test]
fn three_requests_of_which_one_signs_out_end_the_session() {
    three(Kept::Cookie, Kept::Store, [Act::Read, Act::Read, Act::SignOut]);
}

#[test]
fn three_requests_move_a_session_into_its_cookie() {
    three(Kept::Store, Kept::Listed, [Act::Write, Act::Renew, Act::SignOut]);
}
