//! What a request costs beside how many live sessions: requests go to all of them in a random order.

use std::time::Instant;

use super::super::Effort;
use super::super::chart::{self, Bar, Group};
use super::super::http::{self, CONNECTIONS, Target};
use super::super::subject::{self, Subject};
use super::super::table::median;
use crate::failure::Failure;

/// The cost of one request beside so many live sessions.
pub(super) struct Row {
    pub(super) live: usize,
    pub(super) cost: http::Row,
}

/// A server with sessions, and the same server without.
struct Crowd {
    with: Target,
    bare: Target,
    /// The cookies of all sessions.
    all: Vec<String>,
    random: Random,
}

/// The numbers of live sessions: one, a hundred times as many, and so on.
pub(super) fn sizes(most: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        std::iter::successors(Some(1), |size| Some(size * 100)).take_while(|size| *size < most).collect();
    sizes.push(most.max(1));
    sizes
}

pub(super) fn run(subject: &Subject, sizes: &[usize], effort: Effort) -> Result<Vec<Row>, Failure> {
    let mut subject = subject.clone();
    // A session whose deadline moves is written: not before a tenth of its age, which no run takes.
    subject.arguments.extend(["--age", "7d", "--absolute", "7d"].map(str::to_owned));
    let (with, bare) = (Target::connect(&subject)?, Target::connect(&subject::bare(subject.bare))?);
    let mut crowd = Crowd { with, bare, all: Vec::new(), random: Random(1) };
    let mut rows = Vec::new();
    for &live in sizes {
        let begun = Instant::now();
        let more = live - crowd.all.len();
        crowd.all.extend(crowd.with.load.sign_in(more)?);
        println!("{}: {live} live sessions, {more} of them made in {:.1?}", subject.store, begun.elapsed());
        rows.extend(crowd.measure(&subject, effort)?);
    }
    Ok(rows)
}

impl Crowd {
    fn measure(&mut self, subject: &Subject, effort: Effort) -> Result<Vec<Row>, Failure> {
        let live = self.all.len();
        // Several writers of one session are another measurement.
        let paths = if live < CONNECTIONS { &["/read"][..] } else { &["/read", "/write"] };
        let row = |path: &&'static str| Row { live, cost: http::Row::new(subject.clone(), path) };
        let mut rows: Vec<Row> = paths.iter().map(row).collect();
        // The first round warms up and is not counted.
        for round in 0..=effort.rounds {
            for Row { cost, .. } in &mut rows {
                let asked = effort.requests.min(live);
                self.random.draw(&mut self.all, asked);
                self.with.cookies = self.all[..asked].to_vec();
                self.bare.cookies.clone_from(&self.with.cookies);
                let without = self.bare.measure(cost.path, effort.requests)?;
                let with = self.with.measure(cost.path, effort.requests)?;
                if round > 0 {
                    cost.add(&without, &with);
                }
            }
        }
        // No session was evicted or has expired.
        self.with.check()?;
        Ok(rows)
    }
}

/// The CPU time of server and store together, a group of bars for each store and request.
pub(super) fn groups(rows: &[Row]) -> Vec<Group> {
    let mut groups = Vec::new();
    for row in rows {
        let name = format!("{}, {}", row.cost.subject.store, row.cost.path.trim_start_matches('/'));
        let label = format!("{} sessions", row.live);
        let bar = Bar { label, value: row.in_all(), is_ours: true };
        chart::put(&mut groups, name, bar);
    }
    groups
}

impl Row {
    /// The median CPU time of server and store together.
    pub(super) fn in_all(&self) -> f64 {
        [&self.cost.with, &self.cost.store].into_iter().filter_map(|times| median(times)).sum()
    }
}

/// The generator SplitMix64, so that each run takes the sessions in the same order.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }

    /// Puts `count` random items to the front, in a random order.
    fn draw<T>(&mut self, items: &mut [T], count: usize) {
        for place in 0..count {
            let other = place + self.below(items.len() - place);
            items.swap(place, other);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn row(live: usize, path: &'static str, with: f64, store: f64) -> Row {
        let mut cost = http::Row::new(subject::ours().swap_remove(0), path);
        (cost.bare, cost.with, cost.store, cost.rate) = (vec![5.0], vec![with], vec![store], vec![1_000.0]);
        Row { live, cost }
    }

    #[test]
    fn sizes_go_from_one_to_the_given_one() {
        assert_eq!(sizes(1_000_000), [1, 100, 10_000, 1_000_000]);
        assert_eq!(sizes(5_000), [1, 100, 5_000]);
        assert_eq!((sizes(1), sizes(0)), (vec![1], vec![1]));
    }

    #[test]
    fn the_bars_of_a_store_and_a_request_stand_together_in_the_order_of_size() {
        let rows = [row(1, "/read", 9.0, 2.0), row(100, "/read", 10.0, 2.0), row(100, "/write", 20.0, 4.0)];
        let groups = groups(&rows);
        assert_eq!(
            groups.iter().map(|group| group.0.as_str()).collect::<Vec<_>>(),
            ["memory, read", "memory, write"]
        );
        let bars: Vec<_> = groups[0].1.iter().map(|bar| (bar.label.as_str(), bar.value)).collect();
        assert_eq!(bars, [("1 sessions", 11.0), ("100 sessions", 12.0)]);
    }

    #[test]
    fn all_items_are_still_there_when_some_are_at_the_front() {
        let mut items: Vec<u32> = (0..1_000).collect();
        Random(1).draw(&mut items, 100);
        assert_ne!(items[..100], (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..1_000).collect::<Vec<_>>());
    }
}
