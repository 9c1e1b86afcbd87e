//! Reads the totals that the test runners report.

use std::ops::AddAssign;

/// Counts from the runners' summary lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that were filtered out or ignored.
    pub(crate) skipped: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Totals {
    /// Parses nextest's `Summary [ 1.2s] 17 tests run: 16 passed (1 slow), 1 failed, 3 skipped`. Every test that was
    /// chosen and did not pass (failed, timed out, was not started) counts as failed.
    pub(crate) fn of_nextest(output: &str) -> Option<Self> {
        let output = plain(output);
        let summary = output.lines().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
        let (head, tail) = summary.split_once(" run: ")?;
        // `17 tests`, or `5/17 tests` if twelve were not run.
        let count = head.split_whitespace().rev().nth(1)?;
        let chosen: u64 = count.split('/').next_back()?.parse().ok()?;
        let passed = number_before(tail, "passed");
        Some(Self { passed, failed: chosen.saturating_sub(passed), skipped: number_before(tail, "skipped") })
    }

    /// Sums libtest's `test result: ok. 22 passed; 0 failed; 1 ignored; …`, one line per binary.
    pub(crate) fn of_libtest(output: &str) -> Self {
        let mut sum = Self::default();
        for line in plain(output).lines() {
            let Some(counts) = line.trim_start().strip_prefix("test result:") else { continue };
            sum += Self {
                passed: number_before(counts, "passed"),
                failed: number_before(counts, "failed"),
                skipped: number_before(counts, "ignored") + number_before(counts, "filtered"),
            };
        }
        sum
    }
}

/// Returns the number before the first occurrence of the word.
fn number_before(text: &str, word: &str) -> u64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(2)
        .find(|pair| pair[1].trim_matches([',', ';', ')']) == word)
        .and_then(|pair| pair[0].trim_matches('(').parse().ok())
        .unwrap_or(0)
}

/// Removes terminal colours: an escape, a bracket, and everything up to a letter.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            for skipped in chars.by_ref() {
                if skipped.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(char);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_counts_slow_and_leaky_tests_as_passed() {
        let output =
            "PASS\n     Summary [  10.405s] 17 tests run: 16 passed (2 slow, 1 leaky), 1 failed, 3 skipped\n";
        assert_eq!(Totals::of_nextest(output), Some(Totals { passed: 16, failed: 1, skipped: 3 }));
    }

    #[test]
    fn nextest_with_one_test_and_in_colour_is_read_too() {
        let output = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.619s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \
                      \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m16\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
        assert_eq!(Totals::of_nextest(output), Some(Totals { passed: 1, failed: 0, skipped: 16 }));
    }

    #[test]
    fn a_test_that_timed_out_or_was_not_run_has_failed() {
        let output = "     Summary [ 1.0s] 17 tests run: 15 passed, 1 failed, 1 timed out, 0 skipped";
        assert_eq!(Totals::of_nextest(output), Some(Totals { passed: 15, failed: 2, skipped: 0 }));
        let output = "     Summary [ 1.0s] 5/17 tests run: 5 passed, 0 skipped";
        assert_eq!(Totals::of_nextest(output), Some(Totals { passed: 5, failed: 12, skipped: 0 }));
    }

    #[test]
    fn a_runner_that_said_nothing_has_no_totals() {
        assert_eq!(Totals::of_nextest("error: could not compile"), None);
    }

    #[test]
    fn libtest_binaries_are_added_up() {
        let output = "test result: ok. 22 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.2s\n\
                      x\ntest result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished\n";
        assert_eq!(Totals::of_libtest(output), Totals { passed: 25, failed: 2, skipped: 5 });
    }
}
