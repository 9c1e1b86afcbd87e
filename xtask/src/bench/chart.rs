//! Bar charts in SVG of CPU times, for `docs/performance.md`.

use std::fmt::Write as _;

use super::http::Row;
use super::table::median;

/// A group's name and its bars.
pub(super) type Group = (String, Vec<Bar>);

/// A bar: a value in microseconds.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    /// Whether it is this project's, which is drawn in another colour.
    pub(super) is_ours: bool,
}

/// Draws these groups of bars.
pub(super) fn bars(title: &str, groups: &[Group]) -> String {
    let most =
        groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let lines: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    let height = HEAD + groups.len() as f64 * GROUP + lines as f64 * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
         <text class=\"ink\" x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"600\">{title}</text>\n"
    );
    let mut y = HEAD;
    for (name, bars) in groups {
        let _ = writeln!(
            svg,
            "<text class=\"ink\" x=\"16\" y=\"{}\" font-weight=\"600\">{name}</text>",
            y + 18.0
        );
        y += GROUP;
        for Bar { label, value, is_ours } in bars {
            let class = if *is_ours { "ours" } else { "other" };
            let width = (value.max(0.0) / most * (WIDTH - LEFT - 80.0)).max(1.0);
            let _ = writeln!(
                svg,
                "<text class=\"ink\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\
                 <rect class=\"{class}\" x=\"{LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"14\" rx=\"2\"/>\
                 <text class=\"ink\" x=\"{:.1}\" y=\"{}\">{value:.1} µs</text>",
                LEFT - 8.0,
                y + 12.0,
                y + 1.0,
                LEFT + width + 6.0,
                y + 12.0,
            );
            y += LINE;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// What each library adds: a group for each store and request, in the order of their first appearance, the smallest bar
/// first.
pub(super) fn libraries(rows: &[Row]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows.iter().filter(|row| row.path != "/none") {
        let Some(value) = median(&row.added()) else { continue };
        let name = format!("{}, {}", row.subject.store, row.path.trim_start_matches('/'));
        let label = row.subject.library.to_owned();
        put(&mut groups, name, Bar { is_ours: label.starts_with("session-"), label, value });
    }
    for (_, bars) in &mut groups {
        bars.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
    groups
}

/// Adds a bar to the group of this name, which may be a new one.
pub(super) fn put(groups: &mut Vec<Group>, name: String, bar: Bar) {
    match groups.iter_mut().find(|group| group.0 == name) {
        Some(group) => group.1.push(bar),
        None => groups.push((name, vec![bar])),
    }
}

const WIDTH: f64 = 720.0;
const HEAD: f64 = 40.0;
const GROUP: f64 = 28.0;
const LINE: f64 = 18.0;
const LEFT: f64 = 150.0;
const STYLE: &str = ".paper{fill:#fff}.ink{fill:#1f2328}.ours{fill:#0969da}.other{fill:#8c959f}\
    @media(prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.ours{fill:#4493f8}.other{fill:#6e7681}}";

#[cfg(test)]
mod tests {
    use super::super::subject;
    use super::*;

    #[test]
    fn bars_stand_in_groups_and_the_longest_is_the_largest() {
        let row = |library, path, added: f64| {
            let mut subject = subject::ours().swap_remove(0);
            subject.library = library;
            Row { subject, path, bare: vec![1.0], with: vec![1.0 + added], store: vec![], rate: vec![] }
        };
        let rows =
            [row("other", "/read", 4.0), row("session-axum", "/read", 2.0), row("other", "/none", 9.0)];
        let groups = libraries(&rows);
        let bar = |label: &str, value, is_ours| Bar { label: label.to_owned(), value, is_ours };
        let sorted = vec![bar("session-axum", 2.0, true), bar("other", 4.0, false)];
        assert_eq!(groups, [("memory, read".to_owned(), sorted)]);
        let svg = bars("Added", &groups);
        assert!(svg.contains("class=\"other\" x=\"150\" y=\"87\" width=\"490.0\""), "{svg}");
        assert!(svg.contains("class=\"ours\" x=\"150\" y=\"69\" width=\"245.0\""), "{svg}");
    }
}
