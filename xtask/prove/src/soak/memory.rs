//! Resident memory of processes during a run: at the start, in the middle and at the end.

use std::fmt;

/// Samples of one process or one server, in KiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    samples: Vec<u64>,
}

impl Memory {
    /// Adds what these processes hold together. Pages that they share count once. One that has ended counts nothing.
    pub(crate) fn sample(&mut self, pids: &[u32]) {
        let held: u64 = pids.iter().filter_map(|&pid| resident(pid)).sum();
        if held > 0 {
            self.samples.push(held);
        }
    }

    /// Returns the medians of the first, the middle and the last fifth of the samples.
    fn course(&self) -> Option<[u64; 3]> {
        let fifth = self.samples.len().div_ceil(5);
        let middle = (self.samples.len() - fifth) / 2;
        let last = self.samples.len() - fifth;
        let medians = [0, middle, last].map(|from| {
            let mut part = self.samples.get(from..from + fifth)?.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied()
        });
        let [Some(start), Some(middle), Some(end)] = medians else { return None };
        Some([start, middle, end])
    }
}

/// `20.1, 20.4, 20.3 MiB (flat)`.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some([start, middle, end]) = self.course() else { return f.write_str("not sampled") };
        let [from, half, to] = [start, middle, end].map(|held| held as f64 / 1_024.0);
        let verdict = if end <= start + (start / TOLERATED).max(AT_LEAST) { "flat" } else { "grew" };
        write!(f, "{from:.1}, {half:.1}, {to:.1} MiB ({verdict})")
    }
}

/// Returns the share of a process in the memory that it maps, or if that cannot be read its resident memory, in KiB.
fn resident(pid: u32) -> Option<u64> {
    let field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    field("smaps_rollup", "Pss:").or_else(|| field("status", "VmRSS:"))
}

/// Memory is flat if its end is at most a tenth above its start, or 4 MiB.
pub(crate) const FLAT: &str = "flat: at most 10 % or 4 MiB above the start";
const TOLERATED: u64 = 10;
const AT_LEAST: u64 = 4 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_ends_near_its_start_is_flat() {
        let steady = Memory { samples: (0..100).map(|at| 20_480 + at % 7).collect() };
        assert_eq!(steady.to_string(), "20.0, 20.0, 20.0 MiB (flat)");
        let settles = Memory { samples: (0..100).map(|at| if at < 5 { 9_000 } else { 20_480 }).collect() };
        assert!(settles.to_string().ends_with("(flat)"));
    }

    #[test]
    fn memory_that_grows_with_every_request_is_not_flat() {
        let leaks = Memory { samples: (0..100).map(|at| 20_480 + at * 100).collect() };
        assert_eq!(leaks.to_string(), "21.0, 24.9, 28.8 MiB (grew)");
    }

    #[test]
    fn this_process_is_sampled_and_an_ended_one_is_not() {
        let mut memory = Memory::default();
        assert_eq!(memory.to_string(), "not sampled");
        memory.sample(&[std::process::id(), u32::MAX]);
        assert_eq!(memory.samples.len(), 1);
    }
}
