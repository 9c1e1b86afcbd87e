//! Where sessions are kept and with which keys: in the cookie, sealed at rest, under rotated keys, for two purposes.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{adapter::*, store::*, *};
use session_store_memory::MemoryStore;
use session_testkit::Verb;

#[tokio::test]
async fn a_session_in_its_cookie_calls_no_store_and_comes_back() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = known(&app).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
    assert_eq!(browser.heard, None, "a read says nothing");
    app.visit(&mut browser, async |session| session.put("n", 2).unwrap()).await;
    assert!(browser.heard.is_some());
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    assert_eq!((browser.cookie, app.calls()), (None, vec![]));
}

#[tokio::test]
async fn cr_4_a_session_in_its_cookie_is_over_when_its_time_is() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = known(&app).await;
    app.pass(7_200);
    assert_eq!(read::<u8>(&app, &mut browser, "n").await, None);
    assert_eq!(browser.heard, None);
}

#[tokio::test]
async fn peers_13_ck_4_a_cookie_that_is_too_large_is_an_error_and_the_old_one_stays() {
    let app = app_in_cookie(|builder, _| builder);
    let mut browser = known(&app).await;
    let (_, report) =
        app.answer(&mut browser, 200, async |session| session.put("big", "x".repeat(4_000)).unwrap()).await;
    let Some(CommitError::TooLarge { size, limit }) = report.error else { panic!("{report:?}") };
    assert!(size > 4_096 && limit == 4_096);
    assert!(report.set_cookie.is_none());
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn peers_14_a_copied_cookie_dies_with_the_sign_out_where_revocations_are_kept() {
    for (sign_out, calls) in [(true, vec![Verb::Create]), (false, vec![Verb::Load, Verb::Create])] {
        let app = app_in_cookie(|builder, store| builder.revocations(store));
        let mut browser = known(&app).await;
        let mut copy = browser.clone();
        app.pass(1_000);
        let mut refreshed = copy.clone();
        assert_eq!(read(&app, &mut refreshed, "n").await, Some(1));
        assert!(refreshed.heard_touch.is_some(), "a later copy of the same session");
        app.calls();
        if sign_out {
            let guard = app.arrive(&browser.cookies());
            guard.visit().destroy().await.unwrap();
            browser.hear(&finish(guard, 200).await);
        } else {
            app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
        }
        assert_eq!((browser.cookie, app.calls()), (None, calls));
        assert_eq!(read::<u8>(&app, &mut copy, "n").await, None);
        // The copy's own time is over by now; that of the refreshed one is not.
        app.pass(6_500);
        assert_eq!(read::<u8>(&app, &mut refreshed, "n").await, None, "nor does a later copy live on");
    }
}

#[tokio::test]
async fn peers_14_a_regenerate_revokes_the_old_cookie_too() {
    let app = app_in_cookie(|builder, store| builder.revocations(store));
    let mut browser = known(&app).await;
    let mut old = browser.clone();
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    assert_eq!(read::<u8>(&app, &mut old, "n").await, None);
    assert_eq!(old.heard, None);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_regenerate_whose_cookie_is_too_large_revokes_nothing() {
    let app = app_in_cookie(|builder, store| builder.revocations(store));
    let mut browser = known(&app).await;
    let too_large = async |session: Session| {
        session.put("big", "x".repeat(4_000)).unwrap();
        session.regenerate().unwrap();
    };
    let (_, report) = app.answer(&mut browser, 200, too_large).await;
    assert!(matches!(report.error, Some(CommitError::TooLarge { .. })), "{report:?}");
    assert_eq!((report.set_cookie, app.calls()), (None, vec![Verb::Load]));
    assert_eq!(read(&app, &mut browser, "n").await, Some(1), "the old cookie is as good as before");

    // In the middle of a visit it is heard of at once, and what is put right is then written.
    app.visit(&mut browser, async |session| {
        too_large(session.clone()).await;
        assert!(matches!(session.commit().await, Err(CommitError::TooLarge { .. })));
        session.put("big", "x").unwrap();
    })
    .await;
    assert!(browser.heard.is_some());
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_revocation_that_fails_is_503_and_no_cookie() {
    let app = app_in_cookie(|builder, store| builder.revocations(store));
    let mut browser = known(&app).await;
    app.fault(session_testkit::Fault::nth(1).on(Verb::Create));
    let (_, report) = app.answer(&mut browser, 200, async |session| session.destroy().unwrap()).await;
    assert_eq!((report.failure().map(Failure::status), report.set_cookie), (Some(503), None));
}

#[tokio::test]
async fn at_rest_the_store_sees_no_plaintext() {
    let app = app_with(|builder| builder.encrypt_at_rest(true));
    let mut browser = Browser::new();
    app.visit(&mut browser, async |session| session.put("secret", "hunter2-canary").unwrap()).await;
    let key = app.store.ops()[0].key.unwrap();
    let Loaded::Found(record) = app.memory().load(&key).await.unwrap() else { panic!("it is there") };
    let text = String::from_utf8_lossy(&record.payload);
    assert!(!text.contains("canary") && !text.contains("secret"));
    assert_eq!(read::<String>(&app, &mut browser, "secret").await.as_deref(), Some("hunter2-canary"));
    let slow = app.arrive(&browser.cookies());
    slow.visit().session().await.unwrap().increment("n").unwrap();
    app.visit(&mut browser, async |session| session.increment("n").unwrap()).await;
    assert!(finish(slow, 200).await.error.is_none(), "a conflict is read, too");
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
}

#[tokio::test]
async fn at_rest_a_record_moved_under_another_key_is_corrupt() {
    let app = app_with(|builder| builder.encrypt_at_rest(true));
    let (mut victim, mut thief) = (Browser::new(), Browser::new());
    app.visit(&mut victim, async |session| session.put("user", "ada").unwrap()).await;
    app.visit(&mut thief, async |session| session.put("user", "eve").unwrap()).await;
    let keys: Vec<StoreKey> = app.store.ops().iter().filter_map(|op| op.key).collect();
    let memory: MemoryStore = app.memory();
    let (Loaded::Found(ada), Loaded::Found(eve)) =
        (memory.load(&keys[0]).await.unwrap(), memory.load(&keys[1]).await.unwrap())
    else {
        panic!("they are there")
    };
    let now = Clock::now(&app.clock);
    assert_eq!(memory.replace(&keys[1], eve.etag, &ada, now).await.unwrap(), Written::Applied);
    assert_eq!(read::<String>(&app, &mut thief, "user").await, None);
    assert!(app.events.take().contains(&Event::Corrupt));
}

/// What somebody who can write to the store does to the head of a record.
#[tokio::test]
async fn at_1_at_rest_a_record_with_another_head_is_corrupt() {
    type Alter = fn(&mut Record);
    let alterations: [Alter; 7] = [
        |record| record.owner = Some("admin".into()),
        |record| record.owner = None,
        |record| record.created = Timestamp::from_millis(0),
        |record| record.absolute_deadline = None,
        |record| record.idle_deadline = record.idle_deadline.plus(Duration::from_millis(1)),
        |record| record.idle_deadline = record.idle_deadline.plus(Duration::from_secs(3_600 * 24 * 3_650)),
        |record| record.etag = Etag::new(7),
    ];
    for (nth, alter) in alterations.into_iter().enumerate() {
        let app = app_with(|builder| builder.encrypt_at_rest(true));
        let mut browser = Browser::new();
        app.visit(&mut browser, async |session| session.tag("eve").unwrap()).await;
        let at = app.store.ops()[0].key.unwrap();
        let Loaded::Found(record) = app.memory().load(&at).await.unwrap() else { panic!("it is there") };
        let mut altered = record.clone();
        alter(&mut altered);
        // A fresh store, since no verb of a store alters a head like this.
        let memory = MemoryStore::new();
        let now = Clock::now(&app.clock);
        assert_eq!(memory.create(&at, &altered, now).await.unwrap(), Written::Applied);
        let keys = KeyRing::new([key(1)]).unwrap();
        let found = EncryptedStore::new(memory, keys).load(&at).await;
        assert_eq!(found.unwrap_err().kind(), StoreErrorKind::Corrupt, "alteration {nth}");
    }
}

/// An idle deadline that was moved in the store makes the record corrupt, however little it was moved.
#[tokio::test]
async fn at_1_at_rest_an_idle_deadline_cannot_be_moved_in_the_store() {
    for moved_by in
        [Duration::from_millis(1), Duration::from_secs(3_600), Duration::from_secs(3_600 * 24 * 3_650)]
    {
        let app = app_with(|builder| builder.encrypt_at_rest(true).absolute(None));
        let mut browser = Browser::new();
        app.visit(&mut browser, async |session| session.tag("eve").unwrap()).await;
        let at = app.store.ops()[0].key.unwrap();
        let Loaded::Found(record) = app.memory().load(&at).await.unwrap() else { panic!("it is there") };
        let later = record.idle_deadline.plus(moved_by);
        let moved = app.memory().touch(&at, later, Clock::now(&app.clock)).await;
        assert_eq!(moved.unwrap(), Written::Applied);
        let user = app.visit(&mut browser, async |session| session.user().name()).await;
        assert_eq!(user, None, "{moved_by:?}");
        assert!(app.events.take().contains(&Event::Corrupt));
    }
}

/// Days of reads and then a write: each touch seals the record again, which is not a conflict for a writer.
#[tokio::test]
async fn at_1_at_rest_a_session_that_is_only_read_lives_on_and_takes_every_write() {
    let app = app_with(|builder| builder.encrypt_at_rest(true).absolute(None));
    let mut browser = known(&app).await;
    let slow = app.arrive(&browser.cookies());
    slow.visit().session().await.unwrap().increment("n").unwrap();
    for visits in 1..60_u32 {
        app.pass(3_600);
        assert_eq!(read::<u32>(&app, &mut browser, "n").await, Some(1), "visit {visits}");
    }
    app.events.take();
    assert!(finish(slow, 200).await.error.is_none());
    assert!(!app.events.take().iter().any(|event| matches!(event, Event::Conflict(_))), "nobody else wrote");
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
    app.pass(2 * 3_600);
    assert_eq!(read::<u32>(&app, &mut browser, "n").await, None, "its idle time is over");
}

#[test]
fn what_is_half_configured_does_not_build() {
    let with_key = || Sessions::builder().key(key(1));
    let two = with_key().store(MemoryStore::new()).in_cookie().build();
    assert!(matches!(two, Err(ConfigError::TwoPlacements)), "{two:?}");
    let list = with_key().store(MemoryStore::new()).revocations(MemoryStore::new()).build();
    assert!(matches!(list, Err(ConfigError::NothingToRevoke)), "{list:?}");
    let sealed = with_key().in_cookie().encrypt_at_rest(true).build();
    assert!(matches!(sealed, Err(ConfigError::NothingAtRest)), "{sealed:?}");
    assert!(with_key().store(MemoryStore::new()).encrypt_at_rest(true).build().is_ok());
    assert!(with_key().in_cookie().revocations(MemoryStore::new()).build().is_ok());
}

#[tokio::test]
async fn cr_5_a_cookie_of_an_old_key_is_issued_again_and_a_removed_key_opens_nothing() {
    let store = new_store();
    let app = app_on(store.clone(), |builder| builder.store(store.clone()));
    let mut browser = known(&app).await;
    let old = browser.clone();
    let (clock, entropy) = (app.clock.clone(), app.entropy.clone());
    let with = |keys: Vec<SecretKey>| {
        let builder = Sessions::builder().store(store.clone()).keys(keys);
        let sessions = builder.clock(clock.clone()).entropy(entropy.clone()).build().unwrap();
        let (store, events) = (store.clone(), Events::default());
        App { sessions, store, clock: clock.clone(), entropy: entropy.clone(), events }
    };
    let rotated = with(vec![key(2), key(1)]);
    assert_eq!(read(&rotated, &mut browser, "n").await, Some(1));
    assert!(browser.heard.is_some() && browser.cookie != old.cookie);
    assert_eq!(rotated.calls(), [Verb::Load], "a new seal costs no call");
    assert_eq!(read(&rotated, &mut browser, "n").await, Some(1));
    assert_eq!(browser.heard, None, "once");
    let removed = with(vec![key(2)]);
    assert_eq!(read(&removed, &mut browser, "n").await, Some(1), "the same session");
    assert_eq!(read::<u8>(&removed, &mut old.clone(), "n").await, None);
}

#[tokio::test]
async fn id_12_two_purposes_and_two_names_never_accept_each_other() {
    let store = new_store();
    let name = |name: &'static str, purpose: &'static str| {
        app_on(store.clone(), |builder| {
            builder.store(store.clone()).cookie(Cookie::host(name)).purpose(purpose)
        })
    };
    let apps = [name("sid", "shop"), name("sid", "admin"), name("other", "shop")];
    for (nth, app) in apps.iter().enumerate() {
        // The doubles count alike; other numbers make other ids.
        (0..nth).for_each(|_| app.entropy.fill(&mut [0; 256]).unwrap());
        let browser = known(app).await;
        let value = browser.cookie.unwrap().split_once('=').unwrap().1.to_owned();
        for (other, elsewhere) in apps.iter().enumerate() {
            let cookie = format!("{}={value}", elsewhere.sessions.cookie_name());
            let mut browser = Browser { cookie: Some(cookie), ..Browser::new() };
            let seen: Option<u8> = read(elsewhere, &mut browser, "n").await;
            assert_eq!(seen.is_some(), nth == other, "{nth} at {other}");
        }
    }
}

#[tokio::test]
async fn eager_opens_makes_and_answers_every_visit() {
    let app = app_with(|builder| builder.eager(true));
    let mut browser = Browser::new();
    app.visit(&mut browser, async |_| {}).await;
    assert_eq!(app.calls(), [Verb::Create]);
    let first = browser.cookie.clone();
    for minute in 0..3 {
        app.pass(59);
        app.visit(&mut browser, async |session| assert!(!session.status().fresh(), "{minute}")).await;
        assert!(browser.heard.is_some(), "a cookie on every response");
    }
    app.pass(1_000);
    app.visit(&mut browser, async |session| assert!(!session.status().fresh(), "an empty session lives on"))
        .await;
    let one = app.arrive(&browser.cookies());
    let other = app.arrive(&browser.cookies());
    app.pass(1_000);
    for guard in [one, other] {
        guard.visit().session().await.unwrap();
        assert!(finish(guard, 200).await.set_cookie.is_some(), "also where another request refreshes it");
    }
    assert!(first.is_some());
}

#[tokio::test]
async fn a_persistent_cookie_is_moved_with_the_session_and_never_beyond_it() {
    let app = app_with(|builder| {
        builder.cookie(Cookie::host("sid").persistent(true)).absolute(Duration::from_secs(8_000))
    });
    let mut browser = Browser::new();
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    assert!(browser.heard.clone().unwrap().contains("Max-Age=7200"));
    app.pass(720);
    read::<u8>(&app, &mut browser, "n").await;
    assert!(browser.heard.clone().unwrap().contains("Max-Age=7200"));
    app.pass(720);
    read::<u8>(&app, &mut browser, "n").await;
    assert!(browser.heard.clone().unwrap().contains(&format!("Max-Age={}", 8_000 - 1_440)));
}
