//! A reply that is cut off: what was acknowledged is there, and what has ended stays ended.

use std::time::Duration;

use session_test_servers::Kind;
use session_testkit::proxy::Weather;

use crate::line::Line;
use crate::site::{Site, Visitor};

/// The line to the server breaks after so many bytes of what the server says during a write.
pub(crate) async fn a_lost_reply_loses_no_acknowledged_write(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let ada = site.ada().await;
    let (mut hits, mut cuts) = (0, 0);
    for share in 0..=SHARES {
        let whole = bytes_said_during(&line, &ada, "/write").await;
        hits += 1;
        assert_eq!(ada.hits().await, hits);
        line.set(Weather::CutReply(whole * share / SHARES));
        let reply = ada.get("/write").await;
        cuts += u64::from(line.was_cut());
        line.set(Weather::Fine);
        assert!(reply.set_cookies.is_empty(), "{reply:?}");
        let after = ada.hits().await;
        match reply.status {
            200 => assert_eq!(after, hits + 1, "acknowledged, {share} of {SHARES}"),
            503 => assert!((hits..=hits + 1).contains(&after), "{after} after {hits}, {share} of {SHARES}"),
            other => panic!("answered with {other}"),
        }
        hits = after;
    }
    assert!(cuts >= SHARES / 2, "{cuts} cuts");
    assert_eq!(ada.get_soon("/read").await.text, "alice@example.com");
}

/// The line breaks after so many bytes of what the server says during a sign-out; whoever asks again is signed out.
pub(crate) async fn a_lost_reply_to_a_logout_revives_nobody(kind: Kind) {
    let line = Line::to(kind).await;
    let site = Site::open(&line.url, TIMEOUT).await;
    let ada = site.ada().await;
    let whole = bytes_said_during(&line, &ada, "/logout").await;
    let mut cuts = 0;
    for share in 0..=SHARES {
        let ada = site.ada().await;
        line.set(Weather::CutReply(whole * share / SHARES));
        let reply = ada.get("/logout").await;
        cuts += u64::from(line.was_cut());
        line.set(Weather::Fine);
        assert!(matches!(reply.status, 200 | 503), "{reply:?}");
        if reply.status == 503 {
            assert!(reply.set_cookies.is_empty(), "{reply:?}");
            ada.get_soon("/logout").await;
        }
        assert_eq!(ada.get_soon("/read").await.text, "anon", "{share} of {SHARES}");
        // Nor does a write with the old cookie, whose own reply is lost.
        line.set(Weather::CutReply(whole * share / SHARES));
        ada.get("/write").await;
        line.set(Weather::Fine);
        assert_eq!(ada.get_soon("/read").await.text, "anon", "{share} of {SHARES}");
    }
    assert!(cuts >= SHARES / 2, "{cuts} cuts");
}

async fn bytes_said_during(line: &Line, ada: &Visitor, path: &str) -> u64 {
    ada.get_soon("/read").await;
    line.set(Weather::Fine);
    assert_eq!(ada.get(path).await.status, 200);
    line.said()
}

const SHARES: u64 = 12;
const TIMEOUT: Duration = Duration::from_secs(2);
