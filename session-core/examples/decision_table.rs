//! Prints the decision table as `docs/decision-table.md` shows it, from the code that decides.
//!
//! A row stands for every situation with the same answer; a dash in a column means that it does not matter there.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use session_core::machine::table::{
    CookieAction, Decision, Fate, Origin, Placement, Refusal, Situation, Trigger, Write, decide,
};

fn main() -> fmt::Result {
    let mut document = String::new();
    write(&mut document)?;
    print!("{document}");
    Ok(())
}

/// Writes the document; a test compares it with the file.
pub(crate) fn write(out: &mut String) -> fmt::Result {
    writeln!(out, "# The decision table\n")?;
    writeln!(
        out,
        "Printed by `cargo run -p session-core --example decision_table` from `session-core/src/decision/decide.rs`;"
    )?;
    writeln!(
        out,
        "a test fails when the two differ. Each line covers every situation that matches it; `–` means"
    )?;
    writeln!(out, "that the column makes no difference.\n")?;
    writeln!(
        out,
        "A 5xx, and a request that never gets a response, drop the changes to data first, unless the session was wiped"
    )?;
    writeln!(out, "(`invalidate`, `destroy`): their rows show what is done with what stood there before.\n")?;
    writeln!(
        out,
        "*Unseen*: another site sent the request, no cookie came, and `SameSite` would have withheld it. *Unread*: an"
    )?;
    writeln!(
        out,
        "authentic cookie whose session was not looked up. *Revocable*: there is a list of revocations. *Moved*: another request"
    )?;
    writeln!(
        out,
        "has given the session a new id since it was loaded, and this visit has followed it. *Refused*: an explicit"
    )?;
    writeln!(
        out,
        "`commit` answers with the error of that name; a response goes out as it is, and an event tells.\n"
    )?;
    writeln!(
        out,
        "*Renew* is ordered by `regenerate`, by `invalidate`, and by `tag` with another user than before.\n"
    )?;
    for (eager, title) in [(false, "Lazy (the default)"), (true, "Eager")] {
        writeln!(out, "## {title}\n")?;
        writeln!(
            out,
            "| placement | origin | fate | asked by | changed | wiped | something in it | refresh due | persistent | re-issue | cookie came | revocable | moved | store | cookie |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for placement in [Placement::Store, Placement::Cookie] {
            for origin in ORIGINS {
                for fate in [Fate::Keep, Fate::Renew, Fate::Destroy] {
                    write_rows(out, placement, origin, fate, eager)?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

const ORIGINS: [Origin; 8] = [
    Origin::Fresh,
    Origin::Unseen,
    Origin::Unknown,
    Origin::Ended,
    Origin::Unproven,
    Origin::Unread,
    Origin::Stored,
    Origin::Carried,
];

/// The triggers of a cell: those that have the same rows stand in one.
fn write_rows(
    out: &mut String,
    placement: Placement,
    origin: Origin,
    fate: Fate,
    eager: bool,
) -> fmt::Result {
    let mut by_rows: Vec<(Rows, Vec<&str>)> = Vec::new();
    for (trigger, name) in TRIGGERS {
        let matching: Vec<Situation> = Situation::all()
            .filter(|s| (s.placement, s.origin, s.fate, s.eager) == (placement, origin, fate, eager))
            .filter(|s| s.trigger == trigger && can_be(*s))
            .collect();
        if matching.is_empty() {
            return Ok(());
        }
        let rows = rows(matching);
        match by_rows.iter_mut().find(|(same, _)| *same == rows) {
            Some((_, names)) => names.push(name),
            None => by_rows.push((rows, vec![name])),
        }
    }
    for (rows, names) in by_rows {
        let asked_by = if names.len() == TRIGGERS.len() { "–".to_owned() } else { names.join(", ") };
        for (cells, then) in rows {
            writeln!(
                out,
                "| {placement:?} | {origin:?} | {fate:?} | {asked_by} | {} | {} | {} |",
                cells.join(" | "),
                store(then),
                cookie(then.cookie)
            )?;
        }
    }
    Ok(())
}

const TRIGGERS: [(Trigger, &str); 5] = [
    (Trigger::Response, "response"),
    (Trigger::Commit, "commit"),
    (Trigger::DetachedCommit, "commit without response"),
    (Trigger::FailedResponse, "5xx"),
    (Trigger::Abandoned, "no response ever"),
];

type Rows = BTreeMap<Vec<&'static str>, Decision>;

fn rows(matching: Vec<Situation>) -> Rows {
    // A column matters if flipping it alone ever changes the answer.
    let matters: Vec<bool> = (0..COLUMNS.len())
        .map(|column| matching.iter().any(|s| shown(*s) != shown(flipped(*s, column))))
        .collect();
    let mut rows = Rows::new();
    for situation in matching {
        let cells = (0..COLUMNS.len()).map(|column| match (matters[column], get(situation, column)) {
            (false, _) => "–",
            (true, true) => "yes",
            (true, false) => "no",
        });
        rows.insert(cells.collect(), shown(situation));
    }
    rows
}

/// Whether data is dropped is said above the table: it is when a failure changed something that it did not wipe.
fn shown(situation: Situation) -> Decision {
    Decision { drops_data: false, ..decide(situation) }
}

type Column = (fn(&Situation) -> bool, fn(&mut Situation, bool));

const COLUMNS: [Column; 9] = [
    (|s| s.changed, |s, to| s.changed = to),
    (|s| s.wiped, |s, to| s.wiped = to),
    (|s| s.something, |s, to| s.something = to),
    (|s| s.refresh_due, |s, to| s.refresh_due = to),
    (|s| s.persistent, |s, to| s.persistent = to),
    (|s| s.reissue, |s, to| s.reissue = to),
    (|s| s.cookie_came, |s, to| s.cookie_came = to),
    (|s| s.revocable, |s, to| s.revocable = to),
    (|s| s.moved, |s, to| s.moved = to),
];

fn get(situation: Situation, column: usize) -> bool {
    COLUMNS[column].0(&situation)
}

/// Where no record stood there is nothing that this visit did not put there, and nothing to refresh.
fn can_be(situation: Situation) -> bool {
    let has_record = matches!(situation.origin, Origin::Stored | Origin::Carried);
    has_record || (!situation.refresh_due && (situation.changed || !situation.something))
}

/// The same with one column changed, or as it is where there is no such situation.
fn flipped(situation: Situation, column: usize) -> Situation {
    let (mut changed, to) = (situation, !get(situation, column));
    COLUMNS[column].1(&mut changed, to);
    let cookie_fits = match changed.origin {
        Origin::Fresh => true,
        Origin::Unseen => !changed.cookie_came,
        Origin::Unknown
        | Origin::Ended
        | Origin::Unproven
        | Origin::Unread
        | Origin::Stored
        | Origin::Carried => changed.cookie_came,
    };
    let wipe_fits = !changed.wiped || (changed.changed && changed.fate > Fate::Keep);
    let list_fits = !changed.revocable || changed.placement == Placement::Cookie;
    let move_fits = !changed.moved || changed.origin == Origin::Stored;
    if cookie_fits && wipe_fits && list_fits && move_fits && can_be(changed) { changed } else { situation }
}

fn store(then: Decision) -> &'static str {
    match (then.refusal, then.write) {
        (Some(Refusal::NoResponse), _) => "refused: no response",
        (Some(Refusal::Unseen), _) => "refused: unseen",
        (Some(Refusal::Unproven), _) => "refused: unproven",
        (None, Write::Nothing) => "–",
        (None, Write::Create) => "Create(new)",
        (None, Write::Touch) => "Touch(old)",
        (None, Write::Replace) => "Replace(old, expected etag)",
        (None, Write::Rotate) => "Rotate(old, expected etag, new)",
        (None, Write::Destroy) => "Destroy(old)",
        (None, Write::Revoke) => "Revoke(old)",
    }
}

fn cookie(cookie: CookieAction) -> &'static str {
    match cookie {
        CookieAction::Keep => "keep",
        CookieAction::SetNew => "set(new)",
        CookieAction::SetOld => "set(old)",
        CookieAction::SetRecord => "set(sealed record)",
        CookieAction::SetTouch => "set(touch)",
        CookieAction::Clear => "clear",
    }
}
