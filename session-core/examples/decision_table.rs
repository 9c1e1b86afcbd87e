//! Prints the decision table as `docs/decision-table.md` shows it, from the code that decides.
//!
//! A row stands for every situation with the same answer; a dash in a column means that it does not matter there.

use std::collections::BTreeMap;

use session_core::machine::{CookieAction, Decision, Fate, Origin, Placement, Situation, Write, decide};

fn main() {
    println!("# The decision table\n");
    println!(
        "Printed by `cargo run -p session-core --example decision_table` from `session-core/src/decision/decide.rs`;"
    );
    println!(
        "`cargo xtask tidy` fails when the two differ. Each line covers every situation that matches it; `–` means"
    );
    println!("that the column makes no difference.\n");
    for (eager, title) in [(false, "Lazy (the default)"), (true, "Eager")] {
        println!("## {title}\n");
        println!(
            "| placement | origin | fate | changed | something in it | refresh due | persistent | re-issue | cookie came | store | cookie |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for placement in [Placement::Store, Placement::Cookie] {
            for origin in [Origin::Fresh, Origin::Unknown, Origin::Ended, Origin::Stored, Origin::Carried] {
                for fate in [Fate::Keep, Fate::Renew, Fate::Destroy] {
                    print_rows(placement, origin, fate, eager);
                }
            }
        }
        println!();
    }
}

fn print_rows(placement: Placement, origin: Origin, fate: Fate, eager: bool) {
    let matching: Vec<Situation> = Situation::all()
        .filter(|s| (s.placement, s.origin, s.fate, s.eager) == (placement, origin, fate, eager))
        .collect();
    if matching.is_empty() {
        return;
    }
    // A column matters if flipping it alone ever changes the answer.
    let matters: Vec<bool> = (0..COLUMNS.len())
        .map(|column| matching.iter().any(|s| decide(*s) != decide(flipped(*s, column))))
        .collect();
    let mut rows: BTreeMap<Vec<&str>, Decision> = BTreeMap::new();
    for situation in matching {
        let cells = (0..COLUMNS.len()).map(|column| match (matters[column], get(situation, column)) {
            (false, _) => "–",
            (true, true) => "yes",
            (true, false) => "no",
        });
        rows.insert(cells.collect(), decide(situation));
    }
    for (cells, then) in rows {
        println!(
            "| {placement:?} | {origin:?} | {fate:?} | {} | {} | {} |",
            cells.join(" | "),
            store(then.write),
            cookie(then.cookie)
        );
    }
}

type Column = (fn(&Situation) -> bool, fn(&mut Situation, bool));

const COLUMNS: [Column; 6] = [
    (|s| s.changed, |s, to| s.changed = to),
    (|s| s.something, |s, to| s.something = to),
    (|s| s.refresh_due, |s, to| s.refresh_due = to),
    (|s| s.persistent, |s, to| s.persistent = to),
    (|s| s.reissue, |s, to| s.reissue = to),
    (|s| s.cookie_came, |s, to| s.cookie_came = to),
];

fn get(situation: Situation, column: usize) -> bool {
    COLUMNS[column].0(&situation)
}

fn flipped(mut situation: Situation, column: usize) -> Situation {
    // A cookie that came in cannot be unsaid for any origin but a fresh one.
    if column == COLUMNS.len() - 1 && situation.origin != Origin::Fresh {
        return situation;
    }
    let to = !get(situation, column);
    COLUMNS[column].1(&mut situation, to);
    situation
}

fn store(write: Write) -> &'static str {
    match write {
        Write::Nothing => "–",
        Write::Create => "Create(new)",
        Write::Touch => "Touch(old)",
        Write::Replace => "Replace(old, expected etag)",
        Write::Rotate => "Rotate(old, expected etag, new)",
        Write::Destroy => "Destroy(old)",
    }
}

fn cookie(cookie: CookieAction) -> &'static str {
    match cookie {
        CookieAction::Keep => "keep",
        CookieAction::SetNew => "set(new)",
        CookieAction::SetOld => "set(old)",
        CookieAction::SetRecord => "set(sealed record)",
        CookieAction::Clear => "clear",
    }
}
