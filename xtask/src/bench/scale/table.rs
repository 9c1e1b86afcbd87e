//! The tables in Markdown, as `docs/performance.md` has them.

use super::super::Effort;
use super::super::http::CONNECTIONS;
use super::super::table::{median, spread};
use super::figures::Figures;
use super::live::Row;

/// The figures of a store, with its name.
type Measured = (&'static str, Figures);

/// Requests beside more and more live sessions.
pub(super) fn live(rows: &[Row], effort: Effort) -> String {
    let Effort { rounds, requests } = effort;
    let mut table = format!(
        "\nCPU time per request to one of so many live sessions, in a random order, one worker thread, {CONNECTIONS} connections,\n\
         {rounds} rounds of {requests} requests each: median (least to most), in microseconds. The last column compares server and\n\
         store together with the fewest sessions\n\n\
         | store | request | live sessions | bare server | with sessions | added | of the store's server | requests/s | to the fewest |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let (cost, live) = (&row.cost, row.live);
        let (store, path) = (cost.subject.store, cost.path);
        let fewest = rows.iter().find(|other| other.cost.subject.store == store && other.cost.path == path);
        let ratio = row.in_all() / fewest.map_or(f64::NAN, Row::in_all);
        let [bare, with, added, own] =
            [&cost.bare, &cost.with, &cost.added(), &cost.store].map(|values| spread(values));
        let rate = median(&cost.rate).unwrap_or_default();
        table.push_str(&format!(
            "| {store} | {path} | {live} | {bare} | {with} | {added} | {own} | {rate:.0} | {ratio:.2} |\n"
        ));
    }
    table
}

/// Visits before, during and after a sweep.
pub(super) fn sweeps(measured: &[Measured]) -> String {
    let mut table = String::from(
        "\nThe time of a visit, which reads or writes one of 1,024 live sessions, 1,000 visits a second, while dead sessions are swept\n\
         in the same process with the default pauses: half of them within, 99 % within, and the longest, in milliseconds\n\n\
         | store | dead sessions swept | in, s | before | during | after | 99 % within, during to before | failed visits |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (store, figures) in measured {
        let number = |name: &str| figures.median(name).unwrap_or(f64::NAN);
        let visits = |when: &str| {
            let [half, most, longest] =
                ["p50", "p99", "longest"].map(|which| number(&format!("{when}-{which}-ms")));
            format!("{half:.3}, {most:.3}, {longest:.1}")
        };
        table.push_str(&format!(
            "| {store} | {} | {:.1} | {} | {} | {} | {:.2} | {} |\n",
            number("removed"),
            number("swept-s"),
            visits("before"),
            visits("during"),
            visits("after"),
            number("during-p99-ms") / number("before-p99-ms"),
            number("failed"),
        ));
    }
    table
}

/// The sessions of one user.
pub(super) fn users(measured: &[Measured], sessions: usize, effort: Effort) -> String {
    let mut table = format!(
        "\nOne user with {sessions} sessions of 4 KiB, {} rounds: median (least to most), in milliseconds. The last three columns are\n\
         the longest `load` of another visitor meanwhile\n\n\
         | store | count all | list a page of 100 | end all | wait while counted | wait while listed | wait while ended |\n\
         |---|---|---|---|---|---|---|\n",
        effort.rounds
    );
    for (store, figures) in measured {
        let columns = ["count-ms", "list-ms", "end-ms", "wait-count-ms", "wait-list-ms", "wait-end-ms"];
        let columns = columns.map(|name| spread(figures.all(name))).join(" | ");
        table.push_str(&format!("| {store} | {columns} |\n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::{figures::tests::figures, live::tests::row};
    use super::*;

    #[test]
    fn server_and_store_together_are_compared_with_the_fewest_sessions_of_the_same_request() {
        let rows = [row(1, "/read", 8.0, 2.0), row(100, "/write", 50.0, 5.0), row(100, "/read", 9.0, 2.0)];
        let table = live(&rows, Effort { rounds: 1, requests: 10 });
        let one =
            "| 5.0 (5.0 to 5.0) | 9.0 (9.0 to 9.0) | 4.0 (4.0 to 4.0) | 2.0 (2.0 to 2.0) | 1000 | 1.10 |\n";
        assert!(table.ends_with(&format!("| memory | /read | 100 {one}")), "{table}");
        assert!(table.contains("| 1000 | 1.00 |\n| memory | /write"), "{table}");
    }

    #[test]
    fn a_sweep_is_compared_with_the_time_before_it() {
        let text = "removed 10\nswept-s 1.26\nfailed 0\nbefore-p50-ms 0.1\nbefore-p99-ms 0.5\nbefore-longest-ms 4\n\
                    during-p50-ms 0.2\nduring-p99-ms 0.6\nduring-longest-ms 5\nafter-p50-ms 0.1\nafter-p99-ms 0.4\nafter-longest-ms 3\n";
        let table = sweeps(&[("SQLite", figures(text))]);
        let line =
            "| SQLite | 10 | 1.3 | 0.100, 0.500, 4.0 | 0.200, 0.600, 5.0 | 0.100, 0.400, 3.0 | 1.20 | 0 |\n";
        assert!(table.ends_with(line), "{table}");
    }

    #[test]
    fn what_was_not_measured_is_shown_as_such() {
        let effort = Effort { rounds: 2, requests: 10 };
        let table = users(&[("files", figures("count-ms 1\ncount-ms 3\n"))], 10_000, effort);
        assert!(table.ends_with("| files | 3.0 (1.0 to 3.0) | – | – | – | – | – |\n"), "{table}");
    }
}
