//! Every interleaving of three requests on one session, each of which loads, does one of eight things, and commits:
//! 1,680 orders × 512 choices = 860,160 schedules, each against a sequential specification, and each on a session
//! without a user and on one of a user, in which a request that has loaded the session follows it to a new id.
//!
//! A schedule is a path in a tree of worlds; what two schedules have in common at their beginning runs once.

use crate::interleaving_support::*;

/// Runs every schedule in which the first request does `op`, and says how many there were.
fn run_all(op: Op, owner: Option<&str>) -> u32 {
    let mut run = Run { first: op, ops: [None; 3], known: Known::default(), schedules: 0 };
    run.go(World::new(owner), [0; 3]);
    run.schedules
}

struct Run {
    first: Op,
    ops: [Option<Op>; 3],
    known: Known,
    schedules: u32,
}

impl Run {
    fn go(&mut self, world: World, steps: [u8; 3]) {
        let open: Vec<usize> = (0..3).filter(|who| steps[*who] < 3).collect();
        let Some(last) = open.last().copied() else {
            self.schedules += 1;
            world.check_store(&mut self.known);
            return;
        };
        let mut world = Some(world);
        for who in open {
            // The last branch takes the world; the others take a copy.
            let mut here =
                if who == last { world.take() } else { world.clone() }.expect("taken by the last only");
            let mut next = steps;
            next[who] += 1;
            match steps[who] {
                0 => {
                    here.load(who);
                    self.go(here, next);
                }
                1 => {
                    let choices =
                        if who == 0 { std::slice::from_ref(&self.first).to_vec() } else { OPS.to_vec() };
                    for op in choices {
                        let mut acted = here.clone();
                        acted.act(who, op);
                        self.ops[who] = Some(op);
                        self.go(acted, next);
                    }
                }
                _ => {
                    here.commit(who, self.ops[who].expect("acts before it commits"), None);
                    self.go(here, next);
                }
            }
        }
    }
}

macro_rules! every_schedule_in_which_the_first_request {
    ($($name:ident: $op:ident),+) => {$(
        #[test]
        fn $name() {
            assert_eq!(run_all(Op::$op, None), 860_160 / 8);
        }
    )+

    /// The same on the session of a user.
    mod of_a_user {
        use super::*;
        $(
            #[test]
            fn $name() {
                assert_eq!(run_all(Op::$op, Some("ada")), 860_160 / 8);
            }
        )+
    }};
}

every_schedule_in_which_the_first_request! {
    every_schedule_in_which_the_first_request_puts: PutA,
    every_schedule_in_which_the_first_request_puts_another_key: PutB,
    every_schedule_in_which_the_first_request_counts: Increment,
    every_schedule_in_which_the_first_request_pushes: Push,
    every_schedule_in_which_the_first_request_takes_flash: TakeFlash,
    every_schedule_in_which_the_first_request_flashes: Flash,
    every_schedule_in_which_the_first_request_regenerates: Regenerate,
    every_schedule_in_which_the_first_request_destroys: Destroy
}
