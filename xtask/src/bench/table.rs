//! The tables in Markdown, as `docs/performance.md` has them.

use super::http::{CONNECTIONS, PATHS, Row};
use super::{Effort, contended};

/// CPU time of every subject and request.
pub(super) fn added(rows: &[Row], effort: Effort) -> String {
    let Effort { rounds, requests } = effort;
    let mut table = format!(
        "\nCPU time of the server per request, one worker thread, {CONNECTIONS} connections, each with its own session,\n\
         {rounds} rounds of {requests} requests each: median (least to most), in microseconds\n\n\
         | store | request | library | bare server | with sessions | added | of the store's server | requests/s |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let [bare, with, added, store] =
            [&row.bare, &row.with, &row.added(), &row.store].map(|values| spread(values));
        let rate = median(&row.rate).map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
        let (store_name, library) = (row.subject.store, row.subject.library);
        table.push_str(&format!(
            "| {store_name} | {} | {library} | {bare} | {with} | {added} | {store} | {rate} |\n",
            row.path
        ));
    }
    table
}

/// What this project's adapters add, divided by what the best peer with the same kind of store adds.
pub(super) fn against_the_best(rows: &[Row]) -> String {
    let mut table = String::from(
        "\nadded CPU time, median, divided by that of the best of the other libraries with such a store\n\n\
         | store | request | best of the others | library | ratio |\n|---|---|---|---|---|\n",
    );
    let is_ours = |row: &&Row| row.subject.program.ends_with("probe");
    for path in PATHS {
        for row in rows.iter().filter(is_ours).filter(|row| row.path == path) {
            let kind = row.subject.store.split(',').next();
            let best = rows
                .iter()
                .filter(|other| !is_ours(other) && other.path == path && Some(other.subject.store) == kind)
                .filter_map(|other| Some((median(&other.added())?, other.subject.library)))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let (Some((best, by)), Some(here)) = (best, median(&row.added())) {
                table.push_str(&format!(
                    "| {} | {path} | {best:.1} ({by}) | {}: {here:.1} | {:.2} |\n",
                    row.subject.store,
                    row.subject.library,
                    here / best
                ));
            }
        }
    }
    table
}

/// Writers of one session.
pub(super) fn one_session(rows: &[contended::Row], effort: Effort) -> String {
    let Effort { rounds, requests } = effort;
    let mut table = format!(
        "\n{CONNECTIONS} connections that write one session, {rounds} rounds of {requests} requests each: median (least to most)\n\n\
         | store | library | writes/s | 99 % answered within, ms | lost of those answered 200 | not answered 200 |\n\
         |---|---|---|---|---|---|\n"
    );
    for row in rows {
        let rate = median(&row.rate).unwrap_or_default();
        let lost = match row.acknowledged {
            0 => "–".to_owned(),
            all => format!("{} ({:.1} %)", row.lost, row.lost as f64 * 100.0 / all as f64),
        };
        table.push_str(&format!(
            "| {} | {} | {rate:.0} | {} | {lost} | {} |\n",
            row.subject.store,
            row.subject.library,
            spread(&row.p99),
            row.refused
        ));
    }
    table
}

/// Formats the median, minimum and maximum.
pub(super) fn spread(values: &[f64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(median), Some(most)) => format!("{median:.1} ({least:.1} to {most:.1})"),
        _ => "–".to_owned(),
    }
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::super::subject;
    use super::*;

    fn row(with: Vec<f64>) -> Row {
        let subject = subject::ours().swap_remove(0);
        let rate = vec![1_000.0; with.len()];
        Row { subject, path: "/read", bare: vec![10.0, 20.0, 11.0], with, store: Vec::new(), rate }
    }

    #[test]
    fn added_time_is_compared_within_its_round() {
        let table = added(&[row(vec![13.0, 22.0, 15.0])], Effort { rounds: 3, requests: 100 });
        let line = "| memory | /read | session-axum | 11.0 (10.0 to 20.0) | 15.0 (13.0 to 22.0) | 3.0 (2.0 to 4.0) | – | 1000 |\n";
        assert!(table.ends_with(line), "{table}");
    }

    #[test]
    fn a_ratio_is_to_the_best_of_the_others_with_such_a_store() {
        let peer = |added: f64| {
            let mut peer = row([10.0, 20.0, 11.0].map(|bare| bare + added).to_vec());
            (peer.subject.library, peer.subject.program) = ("other", "peers".to_owned());
            peer
        };
        let mut near = row(vec![11.0, 21.0, 12.0]);
        near.subject.store = "memory, near cache";
        let table = against_the_best(&[peer(9.0), peer(4.0), row(vec![12.0, 22.0, 13.0]), near]);
        assert!(table.contains("| memory | /read | 4.0 (other) | session-axum: 2.0 | 0.50 |\n"), "{table}");
        assert!(
            table.contains("| memory, near cache | /read | 4.0 (other) | session-axum: 1.0 | 0.25 |\n"),
            "{table}"
        );
    }
}
