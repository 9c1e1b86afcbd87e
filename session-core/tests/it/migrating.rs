//! Every interleaving of visits to a session that moves from one store to another, with a death of each process after
//! each of its store operations.
//!
//! What is checked in every state: the session lives once (or not at all if somebody ended it, and then never again), the
//! index lists exactly what lives, and every acknowledged write and touch is there.

use std::collections::HashSet;

use crate::migrating_support::{Act, Node, World};

/// What happens next in an interleaving.
#[derive(Clone, Copy)]
enum Next {
    Step(usize),
    Death(usize),
}

/// Runs every interleaving of these visits with every death, and returns the number of different states.
fn explore(visits: &[(Act, Node)]) -> usize {
    let (mut seen, mut open) = (HashSet::new(), vec![(Vec::new(), false)]);
    while let Some((path, was_dead)) = open.pop() {
        let world = run(visits, &path);
        if !seen.insert((world.fingerprint(), was_dead)) {
            continue;
        }
        world.check(was_dead);
        let is_dead = world.alive().is_empty();
        for who in world.open() {
            for next in [Next::Step(who), Next::Death(who)] {
                let path = path.iter().copied().chain([next]).collect();
                open.push((path, is_dead));
            }
        }
        if world.open().is_empty() {
            world.check_end();
        }
    }
    seen.len()
}

fn run(visits: &[(Act, Node)], path: &[Next]) -> World {
    let mut world = World::new(visits);
    for next in path {
        match next {
            Next::Step(who) => world.step(*who),
            Next::Death(who) => world.die(*who),
        }
    }
    world
}

const ACTS: [Act; 7] = [Act::Write, Act::Touch, Act::Rotate, Act::SignOut, Act::EndAll, Act::Read, Act::Move];

/// Against each of the others, on processes that all move sessions.
fn against_every(act: Act) {
    for other in ACTS {
        let states = explore(&[(act, Node::Moving), (other, Node::Moving)]);
        println!("{act:?} and {other:?}: {states} states");
        assert!(states > 10);
    }
}

macro_rules! every_interleaving {
    ($($name:ident: $act:ident),+) => {$(
        #[test]
        fn $name() {
            against_every(Act::$act);
        }
    )+};
}

every_interleaving! {
    a_session_that_is_written_while_it_moves_is_one_session: Write,
    a_session_that_is_touched_while_it_moves_is_one_session: Touch,
    a_session_that_is_rotated_while_it_moves_is_one_session: Rotate,
    a_sign_out_while_a_session_moves_is_final: SignOut,
    an_end_of_all_sessions_while_one_moves_is_final: EndAll,
    a_reader_finds_a_session_that_moves: Read,
    moves_of_one_session_are_one_move: Move
}

/// A visit that takes longer than every tombstone: what has ended does not come back, what lives is found.
#[test]
fn no_tombstone_needs_to_outlive_a_move() {
    for (act, other) in [(Act::Write, Act::SignOut), (Act::Move, Act::SignOut), (Act::Move, Act::Rotate)] {
        let visits = [act, other, Act::Sweep].map(|act| (act, Node::Moving));
        println!("{act:?}, {other:?} and a sweep: {} states", explore(&visits));
    }
}

/// While a deployment replaces processes one by one, some leave sessions where they are and some move them.
#[test]
fn processes_on_standby_and_processes_that_move_share_their_sessions() {
    for act in [Act::Write, Act::Touch, Act::Rotate, Act::SignOut] {
        for other in ACTS {
            let states = explore(&[(act, Node::Standby), (other, Node::Moving)]);
            println!("{act:?} on standby, {other:?}: {states} states");
        }
    }
}
