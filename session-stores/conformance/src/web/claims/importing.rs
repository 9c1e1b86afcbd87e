//! Visitors who are signed in with another library.

use http::header;
use session_core::import::RefusedImport;
use session_core::{Event, Session};

use crate::web::{Client, Reply, WebApp};

fn set_cookies(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
}

pub async fn a_visitor_of_another_library_stays_signed_in(app: &impl WebApp) {
    let client = Client::new(app);
    client.wear(Some("old=ada".to_owned()));
    let look = |session: &Session| (session.user().name(), session.get::<String>("theme").unwrap());
    let ada = (Some("ada".to_owned()), Some("dark".to_owned()));
    let (seen, reply) = client.submit("", look).await;
    assert_eq!(seen, ada);
    let set = set_cookies(&reply);
    assert!(set.len() == 2 && set[0].starts_with("__Host-sid=") && set[1].starts_with("old=;"), "{set:?}");
    assert!(reply.varies_by_cookie());
    client.wear(Some(set[0].split(';').next().unwrap().to_owned()));
    let (seen, reply) = client.submit("", look).await;
    assert_eq!((seen, set_cookies(&reply)), (ada, vec![]));
}

pub async fn a_bad_cookie_of_another_library_is_a_stranger(app: &impl WebApp) {
    for bad in ["old=", "old=eve", "old=%FF", "old=\"ada\"x", "old=a; old=b; old"] {
        let client = Client::new(app);
        client.wear(Some(bad.to_owned()));
        let _ = app.setting().events.take();
        let (fresh, reply) = client.submit("", |session| session.status().fresh()).await;
        assert!(fresh && reply.status.is_success() && set_cookies(&reply).is_empty(), "{bad}: {reply:?}");
        assert!(app.setting().events.take().contains(&Event::RefusedImport(RefusedImport::Forged)), "{bad}");
    }
}
