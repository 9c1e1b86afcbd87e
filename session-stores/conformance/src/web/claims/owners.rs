//! Owners and devices: the user of a session, the user's other sessions, and their limit.

use std::time::Duration;

use session_core::{Excess, Session, UserSessionsError, adapter::Clock as _};

use crate::web::{Client, WebApp};

/// Signs in as a page does that limits a user to `most` sessions.
async fn sign_in(
    client: &Client<'_, impl WebApp>,
    most: usize,
    excess: Excess,
) -> Result<(), UserSessionsError> {
    client
        .wait(move |session| async move {
            session.sessions().of("ada").make_room(&session, most, excess).await?;
            session.tag("ada").unwrap();
            session.regenerate().unwrap();
            Ok(())
        })
        .await
}

async fn is_in(client: &Client<'_, impl WebApp>) -> bool {
    client.visit(|session| session.user().name().is_some()).await
}

pub async fn features_6_limits_refuse_one_session_too_many(app: &impl WebApp) {
    let devices = [(); 3].map(|()| Client::new(app));
    for device in &devices[..2] {
        sign_in(device, 2, Excess::Refuse).await.unwrap();
    }
    let refused = sign_in(&devices[2], 2, Excess::Refuse).await;
    assert!(matches!(refused, Err(UserSessionsError::TooMany { most: 2 })), "{refused:?}");
    assert!(!is_in(&devices[2]).await && is_in(&devices[0]).await);
    sign_in(&devices[1], 2, Excess::Refuse).await.expect("who is in already may sign in again");
    devices[0].visit(|session| session.destroy().unwrap()).await;
    sign_in(&devices[2], 2, Excess::Refuse).await.expect("there is room again");
}

pub async fn features_6_limits_end_the_oldest(app: &impl WebApp) {
    let devices = [(); 4].map(|()| Client::new(app));
    for device in &devices {
        sign_in(device, 2, Excess::EndOldest).await.unwrap();
        app.setting().clock.advance(Duration::from_secs(1));
    }
    let mut still = Vec::new();
    for device in &devices {
        still.push(is_in(device).await);
    }
    assert_eq!(still, [false, false, true, true]);
}

pub async fn features_6_metadata_makes_a_page_of_devices(app: &impl WebApp) {
    let (laptop, phone) = (Client::new(app), Client::new(app));
    let clock = &app.setting().clock;
    let began = clock.now();
    for (client, browser) in [(&laptop, "Firefox"), (&phone, "Safari")] {
        let arrive = move |session: &Session| {
            session.tag("ada").unwrap();
            session.put("secret", "value").unwrap();
            session.user().set_meta("browser", browser).unwrap();
        };
        client.visit(arrive).await;
        clock.advance(Duration::from_secs(60));
    }
    clock.advance(Duration::from_secs(3_600));
    phone.visit(|session| session.put("n", 1).unwrap()).await;
    let list = |session: Session| async move {
        assert_eq!(session.user().meta::<String>("browser").unwrap().as_deref(), Some("Firefox"));
        let own = session.id().unwrap();
        let devices = session.sessions().of("ada").list().await.unwrap();
        let shown = |device: session_core::Device| {
            let browser = device.meta.get::<String>("browser").unwrap().unwrap();
            assert_eq!(device.meta.len(), 1, "what the application noted and no value of the session");
            (browser, device.created, device.last_seen, device.handle == own)
        };
        devices.into_iter().map(shown).collect::<Vec<_>>()
    };
    let later = began.plus(Duration::from_secs(60));
    let expected = [
        ("Safari".to_owned(), later, began.plus(Duration::from_secs(3_720)), false),
        ("Firefox".to_owned(), began, began, true),
    ];
    assert_eq!(laptop.wait(list).await, expected, "the latest begun first");
}

pub async fn features_6_a_handle_finds_and_ends_one_session_of_its_owner(app: &impl WebApp) {
    let (ada, eve) = (Client::new(app), Client::new(app));
    ada.visit(|session| session.tag("ada").unwrap()).await;
    eve.visit(|session| session.tag("eve").unwrap()).await;
    let handle = ada.visit(|session| session.id().unwrap()).await;
    let others = move |session: Session| async move {
        let (own, other) = (session.sessions().of("eve"), session.sessions().of("ada"));
        assert!(own.get(handle).await.unwrap().is_none() && !own.destroy(handle).await.unwrap());
        assert_eq!(other.get(handle).await.unwrap().unwrap().handle, handle);
        (own.count().await.unwrap(), other.count().await.unwrap())
    };
    assert_eq!(eve.wait(others).await, (1, 1));
    assert!(is_in(&ada).await, "a handle of somebody else ends nothing");
    assert!(
        eve.wait(move |session| async move { session.sessions().of("ada").destroy(handle).await.unwrap() })
            .await
    );
    assert!(!is_in(&ada).await && is_in(&eve).await);
}

pub async fn features_6_destroy_others_and_destroy_all_end_them_at_once(app: &impl WebApp) {
    let devices = [(); 3].map(|()| Client::new(app));
    for device in &devices {
        device.visit(|session| session.tag("ada").unwrap()).await;
    }
    let others = |session: Session| async move {
        session.sessions().of("ada").destroy_others(&session).await.unwrap()
    };
    assert_eq!(devices[0].wait(others).await, 2);
    assert!(is_in(&devices[0]).await && !is_in(&devices[1]).await && !is_in(&devices[2]).await);
    let all = |session: Session| async move { session.sessions().of("ada").destroy_all().await.unwrap() };
    assert_eq!(Client::new(app).wait(all).await, 1);
    assert!(!is_in(&devices[0]).await);
}

pub async fn features_6_an_owner_follows_a_regenerate_and_leaves_with_untag(app: &impl WebApp) {
    let client = Client::new(app);
    client.visit(|session| session.tag("ada").unwrap()).await;
    client.post("/login", "").await;
    assert!(is_in(&client).await);
    let stranger = Client::new(app);
    let of_ada = |session: Session| async move { session.sessions().of("ada").count().await.unwrap() };
    assert_eq!(stranger.wait(of_ada).await, 1);
    client.visit(|session| session.untag().unwrap()).await;
    assert_eq!(stranger.wait(of_ada).await, 0);
}

pub async fn a_sign_in_leaves_a_planted_id_worthless(app: &impl WebApp) {
    let planted = Client::new(app);
    planted.visit(|session| session.put("cart", 1).unwrap()).await;
    let victim = planted.copy();
    let id = victim.visit(|session| session.id().unwrap()).await;
    victim.visit(|session| session.tag("ada").unwrap()).await;
    assert_eq!(victim.visit(|session| session.get::<u8>("cart").unwrap()).await, Some(1));
    assert_ne!(victim.visit(|session| session.id().unwrap()).await, id);
    assert!(!is_in(&planted).await && is_in(&victim).await);
    let second = victim.visit(|session| session.id().unwrap()).await;
    victim.visit(|session| session.tag("ada").unwrap()).await;
    assert_eq!(victim.visit(|session| session.id().unwrap()).await, second, "the same user again");
    victim.visit(|session| session.tag("eve").unwrap()).await;
    assert_ne!(victim.visit(|session| session.id().unwrap()).await, second, "another user");
}

pub async fn features_6_a_place_without_an_index_names_those_that_have_one(app: &impl WebApp) {
    let count = |session: Session| async move { session.sessions().of("ada").count().await };
    let error = Client::new(app).wait(count).await.unwrap_err();
    assert!(matches!(error, UserSessionsError::NotSupported { store: "cookie" }));
    assert!(error.to_string().contains("redis"), "{error}");
}
