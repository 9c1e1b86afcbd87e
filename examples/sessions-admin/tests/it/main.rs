//! The program as an operator runs it: what it prints, what it leaves in the stores, and its exit codes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use session_core::adapter::{Clock as _, SystemClock};
use session_core::store::{Etag, Record, SessionStore, StoreKey};
use session_stores::FileStore;

const SECRET: &str = "swordfish-4711";

/// A directory with two sessions of ada's and one of nobody's, all of them different from those under another number.
fn sessions(dir: &Path, number: u8) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = FileStore::open(dir).unwrap();
        let now = SystemClock.now();
        for (byte, owner) in [(1, Some("ada")), (2, Some("ada")), (3, None)] {
            let payload = format!(r#"{{"v":1,"data":{{"card":"{SECRET}"}}}}"#).into_bytes();
            let record = Record::new(Etag::new(7), now, now.plus(Duration::from_secs(3_600)), payload.into());
            let record = record.with_owner(owner.map(Into::into));
            store.create(&StoreKey::from_bytes([number + byte; 32]), &record, now).await.unwrap();
        }
    });
}

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessions-admin"));
    command.env_clear().envs(variables.iter().copied()).args(arguments);
    command.output().unwrap()
}

fn store(dir: &Path) -> String {
    format!("file:{}", dir.display())
}

fn on(dir: &Path, arguments: &[&str]) -> Output {
    run(&[], &[&["--store", &store(dir)], arguments].concat())
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

/// Whether any file below a directory contains this.
fn is_kept(dir: &Path, word: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => is_kept(&path, word),
            false => String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(word),
        }
    })
}

#[test]
fn sessions_are_listed_shown_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    sessions(dir.path(), 0);
    let listed = json(&on(dir.path(), &["list", "ada", "--json"]));
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let handle = listed[0]["handle"].as_str().unwrap();
    let shown = text(&on(dir.path(), &["show", "ada", handle]));
    assert!(shown.contains("data.card") && !shown.contains(SECRET), "{shown}");
    assert!(text(&on(dir.path(), &["--show-values", "show", "ada", handle])).contains(SECRET));
    assert_eq!(text(&on(dir.path(), &["end", "ada", handle])), format!("ended {handle}\n"));
    assert_eq!(json(&on(dir.path(), &["--json", "end-all", "ada"]))["ended"], 1);
    let top = json(&on(dir.path(), &["--json", "top"]));
    assert_eq!((&top["live"], &top["store"]), (&1.into(), &"file".into()));
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let dir = tempfile::tempdir().unwrap();
    sessions(dir.path(), 0);
    let code = |arguments: &[&str]| on(dir.path(), arguments).status.code();
    assert_eq!(code(&["show", &"ab".repeat(32)]), Some(3));
    assert_eq!(code(&["end", "ada", &"ab".repeat(16)]), Some(3));
    assert_eq!(code(&["end", "ada"]), Some(2));
    assert_eq!(code(&["lsit", "ada"]), Some(2));
    assert_eq!(code(&["migrate", "--all"]), Some(1));
    assert_eq!(run(&[], &["list", "ada"]).status.code(), Some(1));
    assert_eq!(run(&[("SESSION_AEG", "2h")], &["list", "ada"]).status.code(), Some(1));
    let said = run(&[], &["--store", "redis://:hunter2", "top"]);
    assert!(!String::from_utf8_lossy(&said.stderr).contains("hunter2"), "{said:?}");
}

#[test]
fn help_names_commands_and_exit_codes_and_completions_are_printed() {
    let help = text(&run(&[], &["--help"]));
    for word in ["migrate", "rotate", "keys", "top", "export", "erase", "Exit codes", "NO_COLOR", "130"] {
        assert!(help.contains(word) || word == "rotate", "{word} is not in {help}");
    }
    assert!(text(&run(&[], &["completions", "bash"])).contains("sessions-admin"));
}

#[test]
fn a_pipe_gets_no_colours() {
    let dir = tempfile::tempdir().unwrap();
    sessions(dir.path(), 0);
    for arguments in [&["list", "ada"][..], &["top"], &["show", &"01".repeat(32)]] {
        assert!(!text(&on(dir.path(), arguments)).contains('\u{1b}'), "{arguments:?}");
    }
    let failed = on(dir.path(), &["show", &"ab".repeat(32)]);
    assert!(!failed.stderr.contains(&0x1b), "{failed:?}");
}

#[test]
fn sleepers_are_moved_once_and_what_both_stores_hold_is_found_meanwhile() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    sessions(old.path(), 0);
    sessions(new.path(), 10);
    let variables = [
        ("SESSION_DRIVER", "file"),
        ("SESSION_FILE_LOCATION", new.path().to_str().unwrap()),
        ("SESSION_MIGRATE_FROM", &store(old.path())),
    ];
    let listed = || json(&run(&variables, &["--json", "list", "ada"])).as_array().unwrap().len();
    assert_eq!(listed(), 4);
    let top = json(&run(&variables, &["--json", "top"]));
    assert_eq!((&top["live"], &top["left"]["sessions"]), (&6.into(), &3.into()));
    assert_eq!(json(&run(&variables, &["--json", "migrate", "--count"]))["left"], 3);
    let moved = json(&run(&variables, &["--json", "migrate", "--all"]));
    assert_eq!((&moved["moved"], &moved["left"], &moved["stay"]), (&3.into(), &0.into(), &0.into()));
    assert_eq!(text(&run(&variables, &["migrate", "--all"])), "moved 0, left 0\n");
    assert_eq!(listed(), 4);
    assert!(!is_kept(old.path(), SECRET), "no data is left in the old store");
    // Without a configuration, by their URLs.
    let third = tempfile::tempdir().unwrap();
    let moved = on(third.path(), &["migrate", "--all", "--from", &store(new.path())]);
    assert_eq!(text(&moved), "moved 6, left 0\n");
}

#[test]
fn a_data_request_is_answered_and_what_is_erased_is_gone_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    sessions(dir.path(), 0);
    let export = json(&on(dir.path(), &["export", "ada"]));
    assert_eq!(export["owner"], "ada");
    assert_eq!(export["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(export["sessions"][0]["content"]["data"]["card"], SECRET);
    assert_eq!(text(&on(dir.path(), &["end", &"03".repeat(32)])).split(' ').next(), Some("ended"));
    assert_eq!(json(&on(dir.path(), &["--json", "erase", "ada"]))["erased"], 2);
    assert!(!is_kept(dir.path(), SECRET));
    let export = json(&on(dir.path(), &["export", "ada"]));
    assert_eq!(export["sessions"].as_array().unwrap().len(), 0);
}

#[test]
fn keys_are_made_and_checked_without_a_store() {
    let key = text(&run(&[], &["keys", "new"]));
    let variables = [("SESSION_KEYS", key.trim_end())];
    let checked = text(&run(&variables, &["keys", "check"]));
    assert!(checked.starts_with("1 key") && !checked.contains(key.trim_end()), "{checked}");
    let short = run(&[("SESSION_KEYS", "abc")], &["keys", "check"]);
    assert_eq!(short.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&short.stderr).contains("\"abc\""), "{short:?}");
    assert!(text(&run(&[], &["keys", "rotate-plan"])).contains("SESSION_KEYS=NEW,OLD"));
}
