//! Life cycle: what a handler can order for its session, and the effects.

use std::time::Duration;

use session_core::{Session, adapter::Clock as _};

use crate::web::{Client, WebApp};

const HOUR: Duration = Duration::from_secs(3_600);

async fn user(client: &Client<'_, impl WebApp>) -> Option<String> {
    client.visit(|session| session.get("user").unwrap()).await
}

async fn signed_in<A: WebApp>(app: &A) -> Client<'_, A> {
    let client = Client::new(app);
    client.visit(|session| session.put("user", "ada").unwrap()).await;
    client
}

pub async fn features_2_remember_me_outlives_the_browser_and_the_usual_lifetime(app: &impl WebApp) {
    let client = signed_in(app).await;
    let (_, reply) =
        client.submit("", |session| session.lifetime().remember_me(30 * 24 * HOUR).unwrap()).await;
    assert!(reply.set_cookie().contains("; Max-Age=2592000; Expires="), "{}", reply.set_cookie());
    app.setting().clock.advance(29 * 24 * HOUR);
    assert_eq!(user(&client).await.as_deref(), Some("ada"), "far beyond two hours unused and a day in all");
    app.setting().clock.advance(24 * HOUR);
    assert_eq!(user(&client).await, None, "and no longer than was said");
}

pub async fn features_2_a_session_may_close_with_its_browser_or_not(app: &impl WebApp) {
    let client = signed_in(app).await;
    let (_, reply) = client.submit("", |session| session.lifetime().set_persistent(true).unwrap()).await;
    assert!(reply.set_cookie().contains("; Max-Age=7200; Expires="), "{}", reply.set_cookie());
    let (_, reply) = client.submit("", |session| session.lifetime().set_persistent(false).unwrap()).await;
    assert!(!reply.set_cookie().is_empty() && !reply.set_cookie().contains("Max-Age"));
    assert_eq!(user(&client).await.as_deref(), Some("ada"));
}

pub async fn features_2_set_absolute_moves_the_end_and_no_activity_does(app: &impl WebApp) {
    let client = signed_in(app).await;
    client.visit(|session| session.lifetime().set_absolute(Some(3 * HOUR)).unwrap()).await;
    for _ in 0..2 {
        app.setting().clock.advance(HOUR);
        client.visit(|session| session.increment("visits").unwrap()).await;
        client.post("/login", "").await;
    }
    app.setting().clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!(user(&client).await.as_deref(), Some("ada"));
    app.setting().clock.advance(Duration::from_secs(1));
    assert_eq!(user(&client).await, None);
}

pub async fn features_2_authenticated_at_is_when_the_user_last_confirmed(app: &impl WebApp) {
    let client = signed_in(app).await;
    let clock = &app.setting().clock;
    assert_eq!(client.visit(|session| session.user().authenticated_at()).await, None);
    client.visit(|session| session.user().confirm().unwrap()).await;
    let then = clock.now();
    clock.advance(HOUR);
    client.post("/login", "").await;
    assert_eq!(
        client.visit(|session| session.user().authenticated_at()).await,
        Some(then),
        "a new id proves nobody"
    );
    client.visit(|session| session.user().confirm().unwrap()).await;
    assert_eq!(client.visit(|session| session.user().authenticated_at()).await, Some(then.plus(HOUR)));
    client.visit(|session| session.invalidate().unwrap()).await;
    assert_eq!(
        client.visit(|session| session.user().authenticated_at()).await,
        None,
        "nor does what is left of a session"
    );
}

pub async fn features_2_invalidate_drops_everything_but_what_is_put_afterwards(app: &impl WebApp) {
    let client = signed_in(app).await;
    let fill = |session: &Session| {
        session.flash("status", "Saved").unwrap();
        session.urls().set_intended("/orders").unwrap();
        session.urls().set_previous("/cart").unwrap();
        session.tag("ada").unwrap();
        session.user().set_meta("browser", "Firefox").unwrap();
        session.lifetime().set_age(10 * HOUR).unwrap();
        session.lifetime().set_persistent(true).unwrap();
        (session.csrf().token().unwrap(), session.id().unwrap())
    };
    let (token, id) = client.visit(fill).await;
    let thief = client.copy();
    let end = |session: &Session| {
        session.flash("lost", 1).unwrap();
        session.invalidate().unwrap();
        session.put("after", 1).unwrap();
        session.flash("hello", 1).unwrap();
    };
    let (_, reply) = client.submit("", end).await;
    assert!(!reply.set_cookie().contains("Max-Age"), "its own persistence is gone: {}", reply.set_cookie());
    let look = move |session: &Session| {
        assert_eq!(session.all().to_json(), r#"{"after":1}"#);
        assert_eq!(session.flash_messages().all().to_json(), r#"{"hello":1}"#);
        assert_eq!(
            (session.urls().intended(), session.urls().previous(), session.user().name()),
            (None, None, None)
        );
        assert_eq!(session.user().meta::<String>("browser").unwrap(), None);
        assert!(!session.csrf().verify(&token) && session.id().unwrap() != id);
    };
    client.visit(look).await;
    assert_eq!(user(&thief).await, None, "the old id is dead");
    app.setting().clock.advance(2 * HOUR);
    assert!(client.visit(|session| session.status().fresh()).await, "its own age is gone");
}

pub async fn features_2_regenerate_keeps_data_flash_tag_and_lifetimes(app: &impl WebApp) {
    let client = signed_in(app).await;
    let fill = |session: &Session| {
        session.tag("ada").unwrap();
        session.lifetime().set_age(10 * HOUR).unwrap();
        session.flash("status", "Saved").unwrap();
        session.regenerate().unwrap();
        session.regenerate().unwrap();
        session.status().has_regenerated()
    };
    assert!(client.visit(fill).await);
    let look = |session: &Session| {
        let status = session.status();
        assert!(!status.has_regenerated() && !status.fresh() && !status.readonly());
        assert_eq!(session.user().name().as_deref(), Some("ada"));
        assert_eq!(session.flash_messages().get::<String>("status").unwrap().as_deref(), Some("Saved"));
    };
    client.visit(look).await;
    app.setting().clock.advance(9 * HOUR);
    assert_eq!(user(&client).await.as_deref(), Some("ada"));
}

pub async fn id_10_an_id_is_taken_from_its_cookie_and_from_nowhere_else(app: &impl WebApp) {
    let client = signed_in(app).await;
    let pair = client.cookie().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let stranger = Client::new(app);
    let key = app.setting().store.take()[0].key.unwrap();
    for path in [format!("/page?{pair}"), format!("/page?sid={value}"), format!("/page;{pair}")] {
        let reply = stranger.get(&path).await;
        assert!(!reply.json()["session"].to_string().contains("ada"), "{path}");
        stranger.wear(None);
    }
    let bearer = format!("Bearer {value}");
    for header in [
        ("authorization", bearer.as_str()),
        ("x-session", value),
        ("x-session-id", pair.as_str()),
        ("set-cookie", pair.as_str()),
        (name, value),
    ] {
        let reply = stranger.post_with("/flash?all", &pair, &[header]).await;
        assert_eq!(reply.status, 204, "{header:?}");
        assert_ne!(stranger.cookie(), Some(pair.clone()), "{header:?}");
        let fresh = stranger.visit(|session| session.get::<String>("user").unwrap()).await;
        assert_eq!(fresh, None, "{header:?}");
        stranger.wear(None);
    }
    let asked = app.setting().store.ops();
    assert!(asked.iter().all(|op| op.key != Some(key)), "ada's session was not even looked for");
}

pub async fn features_2_a_confirmation_lasts_as_long_as_a_page_asks(app: &impl WebApp) {
    let client = signed_in(app).await;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let is_recent = async || client.visit(move |session| session.user().confirmed_within(minutes(15))).await;
    assert!(!is_recent().await, "nobody has confirmed anything");
    client.visit(|session| session.user().confirm().unwrap()).await;
    app.setting().clock.advance(minutes(14));
    assert!(is_recent().await);
    app.setting().clock.advance(minutes(1));
    assert!(!is_recent().await);
}
