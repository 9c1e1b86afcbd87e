//! The test client works in both placements, and reads what the next request will get.

use serde_json::json;
use session_core::{
    Cookie, SecretKey, Session, Sessions,
    adapter::{BoxFuture, Closing, Spawn},
};
use session_store_memory::MemoryStore;
use session_testkit::TestClient;

#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}

fn places() -> [Sessions; 3] {
    let key = || SecretKey::generate().unwrap();
    let domain = Cookie::named("app").domain("example.com").path("/admin");
    [
        Sessions::builder().store(MemoryStore::new()).key(key()).build().unwrap(),
        Sessions::builder().in_cookie().key(key()).build().unwrap(),
        Sessions::builder().store(MemoryStore::new()).key(key()).cookie(domain).build().unwrap(),
    ]
}

/// A request to the application under test.
async fn request(sessions: &Sessions, client: &mut TestClient, handler: impl FnOnce(&Session)) {
    let guard = sessions.visit(client.cookie().into_iter().collect(), &Nowhere);
    handler(&guard.visit().session().await.unwrap());
    let report = match guard.close(200) {
        Closing::Ready(report) => report,
        Closing::Pending(writing) => writing.await,
    };
    client.follow(report.set_cookies());
}

#[tokio::test]
async fn the_application_finds_what_was_arranged() {
    for sessions in places() {
        let mut ada = TestClient::new(&sessions);
        ada.with_flash(json!({ "status": "Saved" })).await;
        ada.with_input(json!({ "email": "ada@example.com", "password": "hunter2" })).await;
        ada.with_errors([("email", "is taken"), ("email", "is odd")]).await;
        ada.with_session(json!({ "cart.items": 2 })).await;
        ada.as_user("ada").await;
        ada.assert_flash("status", "Saved").await;
        ada.assert_validation_error("email", "is odd").await;
        request(&sessions, &mut ada, |session| {
            assert_eq!(session.get("cart.items").unwrap(), Some(2));
            assert_eq!(session.user().name().as_deref(), Some("ada"));
            assert_eq!(session.old::<String>("email").unwrap().as_deref(), Some("ada@example.com"));
            assert!(!session.has_old("password"), "secrets are not kept");
            assert_eq!(session.errors().first("email").as_deref(), Some("is taken"));
            assert!(session.flash_messages().has("status"));
        })
        .await;
        assert!(ada.flash_messages().await.is_empty(), "it was shown");
    }
}

#[tokio::test]
async fn a_user_has_just_confirmed_and_a_remembered_user_has_not() {
    for sessions in places() {
        let (mut ada, mut bob) = (TestClient::new(&sessions), TestClient::new(&sessions));
        ada.as_user("ada").await;
        bob.as_remembered_user("bob").await;
        let minute = std::time::Duration::from_secs(60);
        assert!(ada.session().await.user().confirmed_within(minute));
        assert!(!bob.session().await.user().confirmed_within(minute));
        assert_eq!(bob.session().await.user().name().as_deref(), Some("bob"));
    }
}

#[tokio::test]
async fn the_client_follows_a_new_id_and_a_sign_out() {
    for sessions in places() {
        let mut ada = TestClient::new(&sessions);
        ada.with_session(json!({ "user": "ada" })).await;
        let before = ada.cookie();
        request(&sessions, &mut ada, |session| session.regenerate().unwrap()).await;
        assert_ne!(ada.cookie(), before);
        ada.assert_session("user", "ada").await;
        ada.assert_missing("admin").await;
        request(&sessions, &mut ada, |session| session.destroy().unwrap()).await;
        assert_eq!(ada.cookie(), None);
        ada.assert_missing("user").await;
    }
}

#[tokio::test]
#[should_panic(expected = "\"user\" holds \"ada\", not \"eve\"")]
async fn a_wrong_claim_panics_with_what_is_there() {
    let [sessions, ..] = places();
    let mut ada = TestClient::new(&sessions);
    ada.with_session(json!({ "user": "ada" })).await;
    ada.assert_session("user", "eve").await;
}
