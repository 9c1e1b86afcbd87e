//! Interleavings in which a store call fails once: every 97th of the 860,160 schedules, each of its three requests, the
//! first or the second call of its commit, before its effect or after it: 8,868 × 3 × 4 = 106,416 runs, on a session of
//! nobody and on one of a user.
//!
//! Then the request tries again, and another one follows: no acknowledged write is lost, and no ended session is live.

use crate::interleaving_support::*;

const STRIDE: usize = 97;

/// All orders of nine steps, three of each request.
fn orders() -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..9 {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            (0..3).filter(|who| order.iter().filter(|step| *step == who).count() < 3).map(|who| {
                let mut longer = order.clone();
                longer.push(who);
                longer
            })
        });
        orders = longer.collect();
    }
    orders
}

fn run_all(call: u32, after_effect: bool) -> usize {
    let runs = [None, Some("ada")].map(|owner| run_each(owner, call, after_effect));
    assert_eq!(runs[0], runs[1]);
    runs[0]
}

fn run_each(owner: Option<&str>, call: u32, after_effect: bool) -> usize {
    let (orders, mut known, mut runs) = (orders(), Known::default(), 0);
    for number in (0..orders.len() * 512).step_by(STRIDE) {
        let ops = [number % 8, number / 8 % 8, number / 64 % 8].map(|op| OPS[op]);
        for failing in 0..3 {
            let world = World::new(owner);
            run(world, &orders[number / 512], ops, failing, Break { call, after_effect }, &mut known);
            runs += 1;
        }
    }
    runs
}

fn run(mut world: World, order: &[usize], ops: [Op; 3], failing: usize, broken: Break, known: &mut Known) {
    let mut steps = [0; 3];
    for &who in order {
        match steps[who] {
            0 => world.load(who),
            1 => world.act(who, ops[who]),
            _ => world.commit(who, ops[who], Some(broken).filter(|_| who == failing)),
        }
        steps[who] += 1;
    }
    world.check_store(known);
    if broken.after_effect {
        // What has happened without being heard of may be done twice by who tries again, but it revives nothing.
        let mut again = world.clone();
        again.try_commit(failing, None);
        if again.spec.old.is_none() {
            assert!(!again.is_live(CAME_WITH), "{order:?} {ops:?} {failing}");
        }
    } else if world.has_failed(failing) {
        world.commit(failing, ops[failing], None);
        world.check_store(known);
    }
    // The next request finds a session that works, or none.
    world.load(3);
    world.act(3, Op::Increment);
    world.commit(3, Op::Increment, None);
    world.check_store(known);
}

#[test]
fn a_first_call_that_fails_loses_nothing_and_revives_nothing() {
    assert_eq!(run_all(1, false), 26_604);
}

#[test]
fn a_first_call_whose_answer_is_lost_loses_nothing_and_revives_nothing() {
    assert_eq!(run_all(1, true), 26_604);
}

#[test]
fn a_second_call_that_fails_loses_nothing_and_revives_nothing() {
    assert_eq!(run_all(2, false), 26_604);
}

#[test]
fn a_second_call_whose_answer_is_lost_loses_nothing_and_revives_nothing() {
    assert_eq!(run_all(2, true), 26_604);
}
