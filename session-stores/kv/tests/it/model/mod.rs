//! Every interleaving of calls on one session, with a crash at every step, against the sequential specification.
//!
//! The store runs over an engine in memory whose every primitive waits for its turn. The checker gives the turns. It
//! follows each possible order, and checks each state that it reaches: if all pending calls were killed there, some order
//! of the calls must explain all answers so far and what a reader then finds, and a second reader must find the same. So
//! the cases include a crash of any caller at every step.
//!
//! States that were reached before are not followed again, because the store's behaviour depends only on what is stored
//! and on the engine's answers to each call so far.

mod checker;
mod engine;
mod world;

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::spec::{Call, Heard};
use checker::check;

#[test]
fn two_rotations_a_write_and_a_destroy_leave_one_session_or_none() {
    let seen = check(&[FIRST, SECOND, WRITE, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    let applied = |at: usize| seen.endings.iter().any(|heard| heard[at] == Heard::Applied);
    assert!(applied(0) && applied(1) && applied(2), "each of them wins somewhere");
    assert!(seen.endings.iter().all(|heard| heard[0] != Heard::Applied || heard[1] != Heard::Applied));
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Conflict(2)));
}

#[test]
fn a_write_and_a_destroy_under_the_old_key_hear_where_the_session_is() {
    let late = Call::Replace { key: 0, expected: 1, etag: 3 };
    let next = Call::Replace { key: 1, expected: 11, etag: 2 };
    let seen = check(&[FIRST, late, next, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    for heard in [Heard::Moved(1, 11), Heard::Moved(1, 2)] {
        assert!(seen.endings.iter().any(|all| all[1] == heard), "a write hears {heard:?}");
        assert!(seen.endings.iter().any(|all| all[3] == heard), "a destroy hears {heard:?}");
    }
    assert!(seen.endings.iter().any(|all| all[1] == Heard::Applied));
}

#[test]
fn a_write_follows_a_chain_of_rotations_or_finds_its_end() {
    let next = Call::Rotate { old: 1, expected: 11, new: 2, etag: 12 };
    let seen = check(&[FIRST, next, WRITE, Call::Destroy { key: 2 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    for heard in [Heard::Moved(1, 11), Heard::Moved(2, 12), Heard::Gone] {
        assert!(seen.endings.iter().any(|all| all[2] == heard), "a write hears {heard:?}");
    }
}

#[test]
fn a_repeated_rotation_races_with_itself_a_write_and_a_destroy() {
    let seen = check(&[FIRST, FIRST, WRITE, Call::Destroy { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[..2] == [Heard::Applied, Heard::Applied]));
}

#[test]
fn readers_see_a_rotation_as_one_step() {
    let seen = check(&[FIRST, Call::Load { key: 1 }, Call::Load { key: 0 }, Call::Destroy { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Found(11) && heard[2] == Heard::Ended));
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Missing && heard[2] == Heard::Found(1)));
}

#[test]
fn a_chain_of_rotations_with_a_write_on_the_way() {
    let next = Call::Rotate { old: 1, expected: 11, new: 2, etag: 12 };
    let write = Call::Replace { key: 1, expected: 11, etag: 2 };
    let seen = check(&[FIRST, next, write]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[..2] == [Heard::Applied, Heard::Applied]));
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Conflict(2)));
}

#[test]
fn a_touch_revives_nothing() {
    let touch = Call::Touch { key: 0 };
    let seen = check(&[FIRST, touch, Call::Destroy { key: 0 }, Call::Touch { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[1] == Heard::Gone));
    assert!(seen.endings.iter().any(|heard| heard[3] == Heard::Applied));
}

#[test]
fn a_rotation_to_a_key_that_is_created_meanwhile() {
    let seen = check(&[FIRST, Call::Create { key: 1, etag: 3 }, SECOND, Call::Load { key: 1 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Taken));
}

#[test]
fn a_sweep_of_ended_tombstones_among_rotations_and_readers() {
    let seen = check(&[FIRST, Call::Sweep, Call::Load { key: 1 }, Call::Destroy { key: 0 }]);
    println!("{} states, {} endings", seen.states.len(), seen.endings.len());
    assert!(seen.endings.iter().any(|heard| heard[0] == Heard::Applied && heard[2] == Heard::Found(11)));
}

fn hash_of(it: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}

const FIRST: Call = Call::Rotate { old: 0, expected: 1, new: 1, etag: 11 };
const SECOND: Call = Call::Rotate { old: 0, expected: 1, new: 2, etag: 12 };
const WRITE: Call = Call::Replace { key: 0, expected: 1, etag: 2 };
