//! The demonstration, with every kind of old application: one at a time, since each keeps the machine busy, and a store call
//! that reaches its deadline is an answer that the demonstration does not expect.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

fn deploy(from: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let run = Command::new(env!("CARGO_BIN_EXE_session-import-real"))
        .args(["deploy", from, "--visitors", "1000"])
        .output()
        .unwrap();
    let (said, steps) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}\n{steps}");
}

#[test]
fn a_deployment_after_tower_sessions_on_redis_signs_nobody_out() {
    deploy("tower-redis");
}

#[test]
fn a_deployment_after_tower_sessions_on_postgres_signs_nobody_out() {
    deploy("tower-postgres");
}

#[test]
fn a_deployment_after_actix_session_on_redis_signs_nobody_out() {
    deploy("actix-redis");
}

#[test]
fn a_deployment_after_actix_session_in_cookies_signs_nobody_out() {
    deploy("actix-cookie");
}
