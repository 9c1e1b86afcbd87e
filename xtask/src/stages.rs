//! The named stages of a long run: prints the name and time of each, and how to repeat a failed one.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// The stages so far.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Runs a stage. `repeat` is the command that repeats only this stage.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        repeat: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        println!("\n==> {name}: {repeat}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        match outcome {
            Ok(value) => {
                println!("<== {name}: {}", seconds(took));
                self.done.push((name, took));
                Ok(value)
            }
            Err(failure) => Err(Failure::new(format!(
                "stage `{name}` failed after {}: {failure}\nto repeat it: {repeat}",
                seconds(took)
            ))),
        }
    }

    /// Returns a table of the stages and their times, with the sum.
    pub(crate) fn table(&self) -> String {
        let width = self.done.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("total".len());
        let total = self.done.iter().map(|(_, took)| *took).sum();
        self.done
            .iter()
            .chain([&("total", total)])
            .map(|(name, took)| format!("{name:width$}  {:>9}\n", seconds(*took)))
            .collect()
    }
}

pub(crate) fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_stage_says_its_name_and_how_to_repeat_it() {
        let mut stages = Stages::default();
        let failure =
            stages.run("clippy", "cargo clippy", || Err::<(), _>(Failure::new("2 warnings"))).unwrap_err();
        let message = failure.to_string();
        assert!(message.starts_with("stage `clippy` failed after "), "{message}");
        assert!(message.ends_with(": 2 warnings\nto repeat it: cargo clippy"), "{message}");
    }

    #[test]
    fn the_table_has_a_line_for_every_stage_and_one_for_the_sum() {
        let done = vec![("fmt", Duration::from_millis(1500)), ("tests", Duration::from_secs(60))];
        let stages = Stages { done };
        assert_eq!(stages.table(), "fmt        1.5 s\ntests     60.0 s\ntotal     61.5 s\n");
    }
}
