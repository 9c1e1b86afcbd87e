//! The figures that the program `scale` prints: a name and a number a line, the same name again for each round.

use std::collections::BTreeMap;

use super::super::table;
use crate::failure::Failure;
use crate::runner::Call;

/// Figures by name, a value for each round.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Figures(BTreeMap<String, Vec<f64>>);

/// A call of the program.
pub(super) fn call(command: &str, url: &str, sessions: usize) -> Call {
    Call::program("target/release/scale")
        .arg(command)
        .arg("--store")
        .arg(url)
        .arg("--sessions")
        .arg(sessions.to_string())
}

impl Figures {
    /// Runs the program and reads what it prints.
    pub(super) fn of(call: &Call) -> Result<Self, Failure> {
        Self::parse(&call.read()?)
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let mut figures = Self::default();
        for line in text.lines() {
            let figure = line.split_once(' ').and_then(|(name, number)| Some((name, number.parse().ok()?)));
            let (name, number) = figure
                .ok_or_else(|| Failure::new(format!("`scale` printed {line:?}, which is no figure")))?;
            figures.0.entry(name.to_owned()).or_default().push(number);
        }
        Ok(figures)
    }

    /// The values of a figure; none if it was not printed.
    pub(super) fn all(&self, name: &str) -> &[f64] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn median(&self, name: &str) -> Option<f64> {
        table::median(self.all(name))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn figures(text: &str) -> Figures {
        Figures::parse(text).unwrap()
    }

    #[test]
    fn a_name_that_is_printed_again_is_another_round_of_the_same_figure() {
        let figures = figures("count-ms 1.5\nend-ms 20\ncount-ms 2.5\ncount-ms 0.5\n");
        assert_eq!((figures.all("count-ms"), figures.all("end-ms")), (&[1.5, 2.5, 0.5][..], &[20.0][..]));
        assert_eq!((figures.median("count-ms"), figures.median("list-ms")), (Some(1.5), None));
    }

    #[test]
    fn a_line_that_is_no_figure_is_refused() {
        for text in ["", "count-ms", "count-ms fast"] {
            assert!(Figures::parse(&format!("end-ms 1\n{text}\n")).is_err(), "{text}");
        }
    }
}
