//! No secret in any log: captures all targets at TRACE during many requests and searches the lines for secrets.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use session_core::SessionsBuilder;
use session_core::store::StoreErrorKind;

use super::browser::{Browser, Protocol};
use super::server::Server;
use super::stage::{Place, Stage};
use crate::overheard::{Line, Overheard};
use crate::probe::Application;
use session_testkit::Fault;

/// Makes the requests, with sessions in this place and again with sessions in the cookie, over every protocol of the
/// server, and searches the log of all crates, including the framework, the HTTP library and the runtime.
///
/// It captures the log of the whole process: call it in one test, in a separate test program.
///
/// # Panics
/// If a line contains a cookie, a key, a token, an owner, a value or the name of one.
pub fn play<S, P>(start: impl Fn(Application) -> S + 'static, place: impl Fn() -> P + 'static)
where
    S: Future<Output = Server> + 'static,
    P: Future<Output = Place> + 'static,
{
    let heard = Overheard::everything();
    let mut stage = Stage {
        start: Arc::new(move |application| Box::pin(start(application))),
        place: Arc::new(move || Box::pin(place())),
        protocol: Protocol::Http1,
        transcript: Arc::default(),
        http2: false.into(),
        cannot: Mutex::default(),
    };
    let mut secrets = BTreeSet::new();
    super::runtime().block_on(async {
        live(&stage, &mut secrets).await;
        if stage.http2.load(Ordering::Relaxed) {
            stage.protocol = Protocol::Http2;
            live(&stage, &mut secrets).await;
        }
        stage.place = Arc::new(|| Box::pin(async { Place::cookie() }));
        live(&stage, &mut secrets).await;
    });
    log::trace!(target: "a record of log", "is overheard");
    search(&heard.lines(), &secrets);
}

/// Part of every value that is stored.
const CANARY: &str = "canary";

fn search(lines: &[Line], secrets: &BTreeSet<String>) {
    let said = |word: &str| lines.iter().any(|line| line.text.contains(word));
    assert!(said("Created") && said("Migrated") && said("Destroyed"), "there is a log of sessions");
    assert!(said("is overheard"), "and of those who use `log`");
    assert!(secrets.len() > 8, "there is something to look for");
    for Line { target, text } in lines {
        for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
            assert!(!text.contains(secret), "{target} says: {text}");
        }
    }
}

/// Signs in, stores values, fails, sends a forged cookie, signs out; collects every secret that was sent.
async fn live(stage: &Stage, secrets: &mut BTreeSet<String>) {
    let keep =
        |secrets: &mut BTreeSet<String>, browser: &Browser| secrets.extend(browser.cookie("__Host-sid"));
    secrets.insert(super::stage::key(1).expose_secret_hex().to_string());
    let in_cookie = stage.open().await.in_cookie();
    let encrypted = |sessions: SessionsBuilder| sessions.encrypt_at_rest(!in_cookie);
    let world = stage.open_with(encrypted).await;
    let ada = world.browser();
    let fill = [
        (r#""put","key":"canary-key","value":"canary-value""#, "*"),
        (r#""flash","key":"canary-flash","value":{"canary":"canary"}"#, "*"),
        (r#""with_errors","errors":{"canary-field":"canary-message"}"#, "*"),
        (r#""tag","owner":"canary-owner""#, "*"),
        (r#""set_intended_url","url":"/canary""#, "*"),
        (r#""csrf_token""#, "*"),
        (r#""increment","key":"canary-key""#, "!NotANumber"),
        (r#""set_intended_url","url":"//canary""#, "!RefusedUrl"),
        (r#""verify_csrf","token":"canary""#, "*"),
    ];
    let reply = ada.ops(&fill).await;
    secrets.insert(reply.results()[5].trim_matches('"').to_owned());
    keep(secrets, &ada);
    let typed = "canary-name=canary&password=canary";
    ada.submit("application/x-www-form-urlencoded", typed, &[r#""flash_all""#]).await;
    ada.ops(&[(r#""old","key":"canary-name""#, "\"canary\"")]).await;
    ada.submit("multipart/form-data; boundary=canary", "canary", &[r#""flash_all""#]).await;
    if !world.in_cookie() {
        ada.ops(&[(r#""devices""#, "*"), (r#""count_devices""#, "1")]).await;
    }
    let thief = ada.snapshot();
    let reply = ada.ops(&[(r#""regenerate""#, "null"), (r#""csrf_token""#, "*")]).await;
    secrets.insert(reply.results()[1].trim_matches('"').to_owned());
    keep(secrets, &ada);
    thief.ops(&[(r#""put","key":"canary-late","value":"canary""#, "*")]).await;
    let cookie = ada.cookie("__Host-sid").expect("a cookie");
    for forged in
        [format!("__Host-sid={cookie}x; __Host-sid=canary"), "__Host-sid=canary; canary=canary".to_owned()]
    {
        ada.get_with("/read", &[forged.as_bytes()]).await;
    }
    ada.run("canary is no script").await;
    if let Some(doubles) = &world.doubles {
        doubles.faults.fail(Fault::every().kind(StoreErrorKind::Unavailable));
        ada.try_run(&super::browser::script([r#""put","key":"canary-down","value":"canary""#])).await;
        doubles.faults.heal();
    }
    let failing = r#"{"ops":[{"op":"put","key":"canary-key","value":"canary"}],"status":500}"#;
    ada.run(failing).await;
    ada.ops(&[(r#""invalidate""#, "*"), (r#""put","key":"canary-key","value":"canary""#, "*")]).await;
    keep(secrets, &ada);
    ada.ops(&[(r#""destroy""#, "*")]).await;
}
