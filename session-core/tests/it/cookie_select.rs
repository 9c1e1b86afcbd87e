//! Claims about choosing among the cookies of a request: which one is used, which are refused, independent of order.

use crate::cookie_support;
use crate::cookie_support::*;
use proptest::prelude::*;
use session_core::{machine::cookie::*, *};

const NOW: i64 = 1_795_000_000_000;

fn choose(ring: &KeyRing, header: &str) -> Selection<IdToken> {
    select(ring, &binding(), "sid", [header.as_bytes()], at(NOW))
}

fn reasons<T>(selection: &Selection<T>) -> Vec<RejectReason> {
    selection.rejected.iter().collect()
}

#[test]
fn no_cookie_of_ours_is_no_session_and_no_reason() {
    let selection = choose(&ring(&[1]), "theme=dark; SID=x; =sid=y");
    assert!(!selection.came_in && selection.token.is_none() && selection.rejected.is_empty());
    assert_eq!(selection.duplicates, 0);
}

#[test]
fn peers_15_junk_before_or_after_the_valid_cookie_changes_nothing() {
    let ring = ring(&[1]);
    let token = id_token(NOW, 1);
    let good = sealed_id(&ring, &token);
    for junk in
        ["junk", "", "a\u{a0}b", "%00", &"A".repeat(120), &good[1..], &good.to_uppercase(), &"x".repeat(5000)]
    {
        for header in [format!("sid={junk}; sid={good}"), format!("sid={good}; sid={junk}")] {
            let selection = choose(&ring, &header);
            assert_eq!(selection.token.as_ref(), Some(&token), "{header}");
            assert_eq!(selection.duplicates, 1);
            assert_eq!(reasons(&selection).len(), 1);
        }
    }
    let sibling = [b"lang=\xff\xfe; sid=", good.as_bytes(), b"; x=\x80"].concat();
    let selection = select::<IdToken>(&ring, &binding(), "sid", [&sibling[..]], at(NOW));
    assert_eq!(selection.token, Some(token), "a sibling with a byte beyond ASCII");
}

#[test]
fn pa_7_the_newest_authentic_one_wins_in_every_order() {
    let ring = ring(&[1, 2]);
    let old_ring = cookie_support::ring(&[2]);
    let tokens = [id_token(NOW - 3_000, 1), id_token(NOW - 2_000, 2), id_token(NOW - 1_000, 3)];
    let values =
        [sealed_id(&ring, &tokens[0]), sealed_id(&ring, &tokens[1]), sealed_id(&old_ring, &tokens[2])];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let header = order.map(|which| format!("sid={}", values[which])).join("; ");
        let selection = choose(&ring, &header);
        assert_eq!(selection.token.as_ref(), Some(&tokens[2]));
        assert!(selection.with_old_key);
        assert_eq!(selection.duplicates, 2);
        assert!(selection.rejected.is_empty());
    }
}

#[test]
fn pa_7_of_two_issued_in_the_same_millisecond_the_same_one_wins_in_both_orders() {
    let ring = ring(&[1]);
    let [one, two] = [1, 2].map(|seed| sealed_id(&ring, &id_token(NOW, seed)));
    let winner = choose(&ring, &format!("sid={one}; sid={two}")).token;
    assert_eq!(choose(&ring, &format!("sid={two}; sid={one}")).token, winner);
}

#[test]
fn the_newest_wins_dead_or_alive() {
    let ring = ring(&[1]);
    let alive = IdToken { absolute_deadline: None, ..id_token(NOW - 5_000, 1) };
    let dead = IdToken { absolute_deadline: Some(at(NOW)), ..id_token(NOW - 1_000, 2) };
    let [alive, dead] = [alive, dead].map(|token| sealed_id(&ring, &token));
    for header in [format!("sid={alive}; sid={dead}"), format!("sid={dead}; sid={alive}")] {
        let selection = choose(&ring, &header);
        assert_eq!(selection.token, None, "an older cookie does not outlive its successor");
        assert_eq!(reasons(&selection), [RejectReason::Expired]);
        assert!(selection.came_in && !selection.with_old_key);
    }
}

#[test]
fn cr_4_an_id_cookie_ends_at_its_absolute_deadline() {
    let ring = ring(&[1]);
    let token = id_token(NOW, 1);
    let header = format!("sid={}", sealed_id(&ring, &token));
    for (later, alive) in
        [(0, true), (86_399_999, true), (86_400_000, false), (86_401_000, false), (i64::MAX - NOW, false)]
    {
        let selection = select::<IdToken>(&ring, &binding(), "sid", [header.as_bytes()], at(NOW + later));
        assert_eq!(selection.token.is_some(), alive, "{later} ms later");
        assert_eq!(reasons(&selection) == [RejectReason::Expired], !alive);
    }
}

#[test]
fn cr_4_peers_14_a_record_cookie_ends_at_its_idle_deadline_and_at_its_absolute_one() {
    let ring = ring(&[1]);
    let mut token = record_token(NOW, b"{}");
    for (idle, absolute, ends) in
        [(7_200_000, Some(86_400_000), 7_200_000), (9_000, Some(5_000), 5_000), (9_000, None, 9_000)]
    {
        token.record.idle_deadline = at(NOW + idle);
        token.record.absolute_deadline = absolute.map(|absolute| at(NOW + absolute));
        let header = format!("sid={}", sealed_record(&ring, &token));
        for (later, alive) in [(0, true), (ends - 1, true), (ends, false), (ends + 1_000, false)] {
            let selection =
                select::<RecordToken>(&ring, &binding(), "sid", [header.as_bytes()], at(NOW + later));
            assert_eq!(selection.token.as_ref(), alive.then_some(&token), "{later} ms later");
        }
    }
}

#[test]
fn cr_4_a_cookie_from_the_future_is_refused_beyond_what_clocks_may_differ() {
    let ring = ring(&[1]);
    for (ahead, accepted) in [(0, true), (60_000, true), (60_001, false), (86_400_000, false)] {
        let selection = choose(&ring, &format!("sid={}", sealed_id(&ring, &id_token(NOW + ahead, 1))));
        assert_eq!(selection.token.is_some(), accepted, "{ahead} ms ahead");
        assert_eq!(reasons(&selection) == [RejectReason::IssuedInFuture], !accepted);
    }
    let [now, future] = [NOW, NOW + 90_000].map(|issued| sealed_id(&ring, &id_token(issued, 1)));
    let selection = choose(&ring, &format!("sid={future}; sid={now}"));
    assert_eq!(selection.token, Some(id_token(NOW, 1)), "and it does not win either");
}

#[test]
fn id_and_record_cookies_are_never_taken_for_each_other() {
    let ring = ring(&[1]);
    let id = format!("sid={}", sealed_id(&ring, &id_token(NOW, 1)));
    let record = format!("sid={}", sealed_record(&ring, &record_token(NOW, b"{}")));
    let as_record = select::<RecordToken>(&ring, &binding(), "sid", [id.as_bytes()], at(NOW));
    let as_id = select::<IdToken>(&ring, &binding(), "sid", [record.as_bytes()], at(NOW));
    assert_eq!(reasons(&as_record), [RejectReason::Kind]);
    assert_eq!(reasons(&as_id), [RejectReason::Kind]);
    assert!(as_record.token.is_none() && as_id.token.is_none());
}

#[test]
fn id_12_layers_with_other_names_or_purposes_do_not_accept_each_others_cookies() {
    let ring = ring(&[1]);
    let value = sealed_id(&ring, &id_token(NOW, 1));
    let header = format!("sid={value}; admin={value}");
    for (binding, name) in [
        (Binding::cookie("sid", "Path=/", "admin"), "sid"),
        (Binding::cookie("admin", "Path=/", "session"), "admin"),
    ] {
        let selection = select::<IdToken>(&ring, &binding, name, [header.as_bytes()], at(NOW));
        assert_eq!(reasons(&selection), [RejectReason::Seal]);
    }
}

#[test]
fn cr_5_an_old_key_still_opens_with_an_event_and_a_removed_one_does_not() {
    let value = format!("sid={}", sealed_id(&ring(&[1]), &id_token(NOW, 1)));
    let rotated = choose(&ring(&[2, 1]), &value);
    assert!(rotated.token.is_some() && rotated.with_old_key);
    let removed = choose(&ring(&[2]), &value);
    assert_eq!((removed.token.is_none(), reasons(&removed)), (true, vec![RejectReason::UnknownKey]));
}

#[test]
fn peers_12_the_host_prefixed_cookie_finds_itself_again() {
    let ring = ring(&[1]);
    let spec = Cookie::host("sid").build().unwrap();
    let token = id_token(NOW, 1);
    let sealed = ring.seal(&spec.binding("session"), SealKind::Id, &[1; 24], &token.encode()[..]);
    let set = spec.set(&sealed, None).unwrap();
    let sent_back = set.split(';').next().unwrap();
    let selection =
        select::<IdToken>(&ring, &spec.binding("session"), spec.name(), [sent_back.as_bytes()], at(NOW));
    assert_eq!(selection.token, Some(token));
}

#[test]
fn authentic_bytes_that_are_no_token_are_malformed() {
    let ring = ring(&[1]);
    for text in [&[0; 43][..], &[0; 45], b""] {
        let value = ring.seal(&binding(), SealKind::Id, &[1; 24], text);
        assert_eq!(reasons(&choose(&ring, &format!("sid={}", value.as_str()))), [RejectReason::Malformed]);
    }
}

#[test]
fn a_value_no_browser_would_keep_is_refused_unread() {
    let ring = ring(&[1]);
    for (len, expected) in [(4092, RejectReason::Base64), (4094, RejectReason::Length)] {
        assert_eq!(reasons(&choose(&ring, &format!("sid={}", "!".repeat(len)))), [expected]);
    }
}

#[test]
fn pa_8_eight_candidates_are_opened_and_the_ninth_is_counted() {
    let ring = ring(&[1]);
    let good = sealed_id(&ring, &id_token(NOW, 1));
    let eighth = choose(&ring, &format!("{}sid={good}", "sid=junk; ".repeat(7)));
    assert!(eighth.token.is_some());
    let ninth = choose(&ring, &format!("{}sid={good}", "sid=junk; ".repeat(8)));
    assert_eq!((ninth.token, ninth.ignored, ninth.duplicates), (None, 1, 8));
    assert_eq!(ninth.rejected.iter().count(), 8);
}

#[test]
fn pa_9_no_decoder_sees_what_did_not_authenticate() {
    // A token that would decode, sealed under the right key for another cookie: the seal refuses before any decoder.
    let ring = ring(&[1]);
    let text = record_token(NOW, b"{}").encode();
    let value = ring.seal(&Binding::cookie("other", "Path=/", "session"), SealKind::Record, &[1; 24], &text);
    let header = format!("sid={}", value.as_str());
    let selection = select::<RecordToken>(&ring, &binding(), "sid", [header.as_bytes()], at(NOW));
    assert_eq!(reasons(&selection), [RejectReason::Seal]);
}

proptest! {
    #[test]
    fn pa_7_any_mix_in_any_order_selects_the_same(
        issued in prop::collection::vec(0_i64..50, 1..5),
        junk in prop::collection::vec("[A-Za-z0-9_-]{0,130}", 0..4),
        shuffle in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let ring = ring(&[1]);
        let tokens: Vec<IdToken> =
            issued.iter().zip(1..).map(|(ago, seed)| id_token(NOW - ago, seed)).collect();
        let mut values: Vec<String> = tokens.iter().map(|token| sealed_id(&ring, token)).collect();
        values.extend(junk);
        let header = |values: &[String]| values.iter().map(|value| format!("sid={value}")).collect::<Vec<_>>().join("; ");
        let first = choose(&ring, &header(&values));
        for (at, index) in shuffle.iter().enumerate() {
            let (at, other) = (at % values.len(), index.index(values.len()));
            values.swap(at, other);
        }
        let second = choose(&ring, &header(&values));
        let newest = tokens.iter().map(|token| token.issued_at).max();
        prop_assert_eq!(first.token.as_ref().map(|token| token.issued_at), newest);
        prop_assert_eq!(first.token, second.token);
        prop_assert_eq!(first.duplicates, second.duplicates);
    }

    #[test]
    fn any_headers_give_a_selection_and_never_a_session(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..4),
    ) {
        let headers: Vec<Vec<u8>> = headers.into_iter().map(|header| [b"sid=", &header[..]].concat()).collect();
        let selection =
            select::<IdToken>(&ring(&[1]), &binding(), "sid", headers.iter().map(Vec::as_slice), at(NOW));
        prop_assert_eq!(selection.token, None);
        prop_assert_eq!(selection.came_in, !headers.is_empty());
    }
}
