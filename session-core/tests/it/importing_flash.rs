//! What another library kept for the next page comes along, and so do the pages that it remembered.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use serde_json::{Value, json};
use session_core::import::{CookieHeaders, Imported, ImportedError, Importer, OldSession, RefusedImport};
use session_core::store::{StoreError, async_trait};
use session_core::{adapter::*, *};
use session_testkit::ManualClock;

/// Another library whose only session is this one, in two cookies.
#[derive(Clone, Debug)]
struct Old(Quiet);

/// Without its values in `Debug`, which `Imported` does not have.
#[derive(Clone)]
struct Quiet(Imported);

impl std::fmt::Debug for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Imported")
    }
}

#[async_trait]
impl Importer for Old {
    fn name(&self) -> &'static str {
        "old"
    }

    fn cookie(&self) -> &str {
        "old"
    }

    fn clear_cookie(&self) -> String {
        "old=; Max-Age=0".to_owned()
    }

    async fn read(&self, cookie: &[u8], all: &CookieHeaders, _: Timestamp) -> Result<OldSession, StoreError> {
        Ok(match all.get("data") {
            Some(b"whole") => OldSession::Found { token: cookie.to_vec(), session: self.0.0.clone() },
            _ => OldSession::Refused(RefusedImport::Malformed),
        })
    }

    async fn end(&self, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn app(session: Imported) -> App {
    let until = ManualClock::default().now().plus(Duration::from_secs(10_000));
    app_with(|builder| builder.import_from(Old(Quiet(session)), until))
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn session() -> Imported {
    let mut session = Imported::new(object(json!({ "n": 7 }))).with_user("ada");
    session.flash.messages = object(json!({ "status": "Saved", "a.b": 1 }));
    session.flash.input = object(json!({ "title": "Old title", "password": "hunter2" }));
    session.flash.errors = vec![
        ImportedError { form: String::new(), field: "email".into(), messages: vec!["is taken".into()] },
        ImportedError { form: "login".into(), field: "lines[0]".into(), messages: vec!["is empty".into()] },
    ];
    session.intended = Some("/orders?page=2".to_owned());
    session.previous = Some("/cart".to_owned());
    session
}

#[tokio::test]
async fn flash_and_the_remembered_pages_come_along() {
    let app = app(session());
    let guard = app.arrive(&["old=7f; data=whole"]);
    let session = guard.visit().session().await.unwrap();
    assert_eq!(session.get::<u64>("n").unwrap(), Some(7));
    assert_eq!(session.flash_messages().get::<String>("status").unwrap().as_deref(), Some("Saved"));
    assert_eq!(session.flash_messages().get::<u64>("a.b").unwrap(), Some(1));
    assert_eq!(session.old::<String>("title").unwrap().as_deref(), Some("Old title"));
    assert!(!session.has_old("password"), "secrets are left out");
    assert_eq!(session.errors().first("email").as_deref(), Some("is taken"));
    assert_eq!(session.form("login").errors().first("lines.0").as_deref(), Some("is empty"));
    assert_eq!(session.urls().intended().as_deref(), Some("/orders?page=2"));
    assert_eq!(session.urls().previous().as_deref(), Some("/cart"));
    let report = finish(guard, 200).await;
    let mut browser = Browser::new();
    browser.hear(&report);
    let (shown, _) =
        app.answer(&mut browser, 200, async |session| session.flash_messages().has("status")).await;
    assert!(!shown, "flash is shown once");
}

#[tokio::test]
async fn flash_gives_way_where_it_does_not_fit() {
    let mut session = session();
    session.flash.messages.insert("big".to_owned(), "x".repeat(100_000).into());
    let app = app(session);
    let guard = app.arrive(&["old=7f; data=whole"]);
    let session = guard.visit().session().await.unwrap();
    assert_eq!(session.get::<u64>("n").unwrap(), Some(7));
    assert!(!session.flash_messages().has("status") && !session.has_old("title"));
    assert_eq!(session.urls().intended().as_deref(), Some("/orders?page=2"));
}

#[tokio::test]
async fn a_remembered_page_of_another_site_is_left_out() {
    for url in ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"] {
        let mut session = session();
        (session.intended, session.previous) = (Some(url.to_owned()), Some(url.to_owned()));
        let app = app(session);
        let guard = app.arrive(&["old=7f; data=whole"]);
        let session = guard.visit().session().await.unwrap();
        assert_eq!((session.urls().intended(), session.urls().previous()), (None, None), "{url}");
    }
}
