//! `cargo xtask bench --scale`: what many sessions cost: live ones, dead ones that are swept, and those of one user.
//!
//! Requests to live sessions go over HTTP to the probe, as in the other measurements. Sweeps and the sessions of one user
//! are measured by the program `scale` (`xtask/scale`), on the store and the core.

mod figures;
mod live;
mod table;

use session_test_servers::Kind;

use super::chart;
use super::subject::{self, Subject};
use super::{Effort, Scratch, build, machine, with_servers};
use crate::failure::Failure;
use figures::Figures;

/// A store that may be chosen.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    /// Its name on the command line.
    word: &'static str,
    /// Its name in the tables.
    store: &'static str,
    /// Its server.
    kind: Option<Kind>,
    /// Whether dead sessions must be swept, because it has no expiry of its own.
    is_swept: bool,
}

/// Measures these stores, or all if none is named.
pub(super) fn run(stores: &[String], sessions: usize, effort: Effort) -> Result<(), Failure> {
    let chosen = chosen(stores)?;
    build("build --release -p probe -p scale --features probe/redis,probe/sql,probe/redb")?;
    println!("\n{}", machine::describe());
    let mut failed = Vec::new();

    let sizes = live::sizes(sessions);
    let mut rows = Vec::new();
    each(&chosen, &mut failed, |subject| {
        rows.extend(live::run(subject, &sizes, effort)?);
        Ok(())
    })?;
    print!("{}", table::live(&rows, effort));
    let path = "target/bench-scale.svg";
    std::fs::write(path, chart::bars("CPU time of server and store per request", &live::groups(&rows)))?;
    println!("\nchart: {path}");

    let mut swept = Vec::new();
    let dead: Vec<&Choice> = chosen.iter().copied().filter(|choice| choice.is_swept).collect();
    each(&dead, &mut failed, |subject| {
        println!("{}: a sweep of {sessions} dead sessions", subject.store);
        let call = figures::call("sweep", subject.url(), sessions).args("--visits");
        swept.push((subject.store, Figures::of(&call.arg(effort.requests.to_string()))?));
        Ok(())
    })?;
    print!("{}", table::sweeps(&swept));

    let of_one = sessions.min(MOST_OF_ONE_USER);
    let mut users = Vec::new();
    each(&chosen, &mut failed, |subject| {
        println!("{}: {of_one} sessions of one user", subject.store);
        let call = figures::call("user", subject.url(), of_one).args("--rounds");
        users.push((subject.store, Figures::of(&call.arg(effort.rounds.to_string()))?));
        Ok(())
    })?;
    print!("{}", table::users(&users, of_one, effort));
    match &failed[..] {
        [] => Ok(()),
        _ => Err(Failure::new(format!("not measured: {}", failed.join("; ")))),
    }
}

/// Measures each store in turn, with servers that were started for this measurement. A store that fails leaves the others
/// theirs.
fn each(
    chosen: &[&Choice],
    failed: &mut Vec<String>,
    mut measure: impl FnMut(&Subject) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for choice in chosen {
        let kinds: Vec<Kind> = choice.kind.into_iter().collect();
        with_servers(&kinds, |servers| {
            let directory = Scratch::make()?;
            let subjects = subject::stores(servers, &directory.0);
            let subject = subjects.iter().find(|subject| subject.store == choice.store);
            if let Err(failure) = measure(subject.expect("every choice is one of the stores")) {
                eprintln!("{}: {failure}", choice.store);
                failed.push(format!("{}: {failure}", choice.store));
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn chosen(words: &[String]) -> Result<Vec<&'static Choice>, Failure> {
    if let Some(unknown) = words.iter().find(|word| CHOICES.iter().all(|choice| choice.word != **word)) {
        let known: Vec<_> = CHOICES.iter().map(|choice| choice.word).collect();
        return Err(Failure::new(format!("--store {unknown:?} is not one of {}", known.join(", "))));
    }
    Ok(CHOICES
        .iter()
        .filter(|choice| words.is_empty() || words.iter().any(|word| word == choice.word))
        .collect())
}

const CHOICES: &[Choice] = &[
    Choice { word: "memory", store: "memory", kind: None, is_swept: true },
    Choice { word: "sqlite", store: "SQLite", kind: None, is_swept: true },
    Choice { word: "redb", store: "redb", kind: None, is_swept: true },
    Choice { word: "file", store: "files", kind: None, is_swept: true },
    Choice { word: "redis", store: "Redis", kind: Some(Kind::Redis), is_swept: false },
    Choice { word: "postgres", store: "Postgres", kind: Some(Kind::Postgres), is_swept: true },
];

/// The default limit of a user's sessions is a tenth of it.
const MOST_OF_ONE_USER: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_chosen_by_name_and_all_of_them_if_none_is_named() {
        let choose = |words: &[&str]| chosen(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        let stores = |words| choose(words).unwrap().iter().map(|choice| choice.store).collect::<Vec<_>>();
        assert_eq!(stores(&["redis", "file"]), ["files", "Redis"]);
        assert_eq!(stores(&[]).len(), CHOICES.len());
        assert!(choose(&["disk"]).unwrap_err().to_string().contains("memory, sqlite"));
    }

    #[test]
    fn every_choice_without_a_server_is_one_of_the_measured_stores() {
        let subjects = subject::stores(&[], "scratch".as_ref());
        for choice in CHOICES.iter().filter(|choice| choice.kind.is_none()) {
            let subject = subjects.iter().find(|subject| subject.store == choice.store).unwrap();
            assert!(subject.url().starts_with(choice.word), "{}", subject.url());
        }
    }
}
