//! The laws of the decision table, each over every situation there can be.

use super::*;

fn over_the_whole_table(law: impl Fn(Situation, Decision)) {
    Situation::all().for_each(|now| law(now, decide(now)));
}

const fn has_record(origin: Origin) -> bool {
    matches!(origin, Origin::Stored | Origin::Carried)
}

const fn fails(trigger: Trigger) -> bool {
    matches!(trigger, Trigger::FailedResponse | Trigger::Abandoned)
}

#[test]
fn i2_destroy_never_yields_create_replace_or_touch() {
    over_the_whole_table(|now, then| {
        if now.fate == Fate::Destroy {
            assert!(matches!(then.write, Write::Nothing | Write::Destroy | Write::Revoke), "{now:?}");
        }
    });
}

#[test]
fn i3_only_create_and_rotate_bring_a_new_id_to_the_browser() {
    over_the_whole_table(|now, then| {
        let brings = matches!(then.write, Write::Create | Write::Rotate);
        assert_eq!(brings, then.cookie == CookieAction::SetNew, "{now:?}");
    });
}

#[test]
fn i4_renewing_a_stored_session_kills_the_old_id_in_the_same_write() {
    over_the_whole_table(|now, then| {
        if now.origin == Origin::Stored && now.fate == Fate::Renew {
            match now.trigger {
                Trigger::DetachedCommit => assert_eq!(then.refusal, Some(Refusal::NoResponse), "{now:?}"),
                _ => assert_eq!((then.write, then.cookie), (Write::Rotate, CookieAction::SetNew), "{now:?}"),
            }
        }
        if now.fate == Fate::Renew {
            assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
        }
    });
}

#[test]
fn i4_renewing_a_carried_session_revokes_the_old_id_first_where_there_is_a_list() {
    over_the_whole_table(|now, then| {
        let ends = matches!(now.fate, Fate::Renew | Fate::Destroy) && then.refusal.is_none();
        if now.origin == Origin::Carried && ends {
            assert_eq!(then.write == Write::Revoke, now.revocable, "{now:?}");
        }
    });
}

#[test]
fn i5_no_change_no_refresh_and_a_current_key_mean_no_operation_and_no_header() {
    over_the_whole_table(|now, then| {
        let idle = !now.changed && !now.refresh_due && !now.reissue && now.fate == Fate::Keep;
        if idle && !now.eager && (has_record(now.origin) || !now.something) {
            assert_eq!(then, NOTHING, "{now:?}");
        }
    });
}

#[test]
fn i6_clear_only_when_this_visit_destroyed_the_session() {
    over_the_whole_table(|now, then| {
        if then.cookie == CookieAction::Clear {
            assert_eq!(now.fate, Fate::Destroy, "{now:?}");
            assert!(now.cookie_came, "{now:?}");
        }
    });
}

#[test]
fn i7_a_session_that_nobody_looked_up_is_ended_or_left_alone() {
    over_the_whole_table(|now, then| {
        if now.origin == Origin::Unread && now.fate != Fate::Destroy {
            assert_eq!((then.write, then.cookie), (Write::Nothing, CookieAction::Keep), "{now:?}");
        }
        if now.origin == Origin::Unread && now.fate == Fate::Destroy && now.placement == Placement::Store {
            assert_eq!(then.write, Write::Destroy, "{now:?}");
        }
    });
}

#[test]
fn i9_a_change_to_a_session_is_written_or_refused_with_a_reason() {
    over_the_whole_table(|now, then| {
        let is_kept = has_record(now.origin) && now.changed && now.fate != Fate::Destroy;
        if !is_kept || then.refusal.is_some() || (fails(now.trigger) && !now.wiped) {
            return;
        }
        match now.origin {
            Origin::Stored => assert!(matches!(then.write, Write::Replace | Write::Rotate), "{now:?}"),
            _ => assert_eq!(then.cookie, CookieAction::SetRecord, "{now:?}"),
        }
    });
}

#[test]
fn a_read_never_sends_the_record_of_a_carried_session() {
    over_the_whole_table(|now, then| {
        let is_read = !now.changed && !now.reissue && now.fate == Fate::Keep;
        if now.origin == Origin::Carried && is_read && now.trigger != Trigger::Abandoned {
            let due = (now.refresh_due || now.eager) && now.trigger != Trigger::DetachedCommit;
            let cookie = if due { CookieAction::SetTouch } else { CookieAction::Keep };
            assert_eq!(then, Decision { cookie, ..NOTHING }, "{now:?}");
        }
        if then.cookie == CookieAction::SetTouch {
            assert!(
                now.origin == Origin::Carried && !then.drops_data || is_failure_of_a_read(now),
                "{now:?}"
            );
        }
    });
}

/// What a failure drops leaves a read behind.
fn is_failure_of_a_read(now: Situation) -> bool {
    fails(now.trigger) && now.origin == Origin::Carried && now.fate == Fate::Keep
}

#[test]
fn i11_an_id_without_a_live_record_is_never_set_again() {
    over_the_whole_table(|now, then| {
        if !has_record(now.origin) {
            assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
        }
    });
}

#[test]
fn a_visit_that_followed_its_session_never_sets_an_id_that_it_does_not_know() {
    over_the_whole_table(|now, then| {
        if now.moved {
            assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
            let here = decide(Situation { moved: false, ..now });
            assert_eq!(
                (then.write, then.refusal),
                (here.write, here.refusal),
                "nothing else differs: {now:?}"
            );
        }
    });
}

#[test]
fn e5_a_straggler_says_nothing_about_the_cookie() {
    over_the_whole_table(|now, then| {
        if now.origin == Origin::Ended && now.fate == Fate::Keep {
            assert_eq!((then.write, then.cookie), (Write::Nothing, CookieAction::Keep), "{now:?}");
        }
    });
}

#[test]
fn a_request_that_could_not_show_its_cookie_replaces_none_unless_it_signs_in() {
    over_the_whole_table(|now, then| {
        if now.origin != Origin::Unseen {
            return;
        }
        match now.fate {
            Fate::Keep => {
                assert_eq!((then.write, then.cookie), (Write::Nothing, CookieAction::Keep), "{now:?}");
                let kept_out = now.something && !then.drops_data && now.trigger != Trigger::Abandoned;
                assert_eq!(then.refusal, kept_out.then_some(Refusal::Unseen), "not in silence: {now:?}");
            }
            Fate::Renew if now.something && !then.drops_data && now.trigger != Trigger::DetachedCommit => {
                let set = if now.placement == Placement::Store {
                    CookieAction::SetNew
                } else {
                    CookieAction::SetRecord
                };
                assert_eq!(then.cookie, set, "{now:?}");
            }
            Fate::Renew | Fate::Destroy => assert_eq!(then.cookie, CookieAction::Keep, "{now:?}"),
        }
    });
}

#[test]
fn an_unproven_visit_neither_writes_nor_revives_the_session_of_the_device() {
    over_the_whole_table(|now, then| {
        if now.origin != Origin::Unproven {
            return;
        }
        assert!(
            matches!(then.write, Write::Nothing | Write::Create),
            "the stored session stays as it is: {now:?}"
        );
        assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
        match now.fate {
            Fate::Keep => {
                assert_eq!((then.write, then.cookie), (Write::Nothing, CookieAction::Keep), "{now:?}");
                let kept_out = now.something && !then.drops_data && now.trigger != Trigger::Abandoned;
                assert_eq!(then.refusal, kept_out.then_some(Refusal::Unproven), "not in silence: {now:?}");
            }
            Fate::Renew => {
                let begins = now.something && !then.drops_data && now.trigger != Trigger::DetachedCommit;
                assert_eq!(then.cookie != CookieAction::Keep, begins, "a session of its own: {now:?}");
            }
            Fate::Destroy => assert_eq!(then.write, Write::Nothing, "only the cookie goes: {now:?}"),
        }
    });
}

#[test]
fn a_failure_writes_no_data_and_keeps_what_was_ordered() {
    over_the_whole_table(|now, then| {
        if !fails(now.trigger) {
            assert!(!then.drops_data, "{now:?}");
            return;
        }
        if !now.wiped {
            assert_ne!(then.write, Write::Replace, "{now:?}");
            assert_eq!(then.drops_data, now.changed && now.fate != Fate::Destroy, "{now:?}");
        }
        let answered = decide(Situation { trigger: Trigger::Response, ..now });
        if now.fate == Fate::Destroy || now.wiped {
            assert_eq!(then, answered, "an end is applied whole: {now:?}");
        }
        if now.fate == Fate::Renew && has_record(now.origin) {
            assert_eq!((then.write, then.cookie), (answered.write, answered.cookie), "{now:?}");
        }
    });
}

#[test]
fn an_abandoned_visit_does_what_it_ordered_and_nothing_else() {
    over_the_whole_table(|now, then| {
        if now.trigger == Trigger::Abandoned && now.fate == Fate::Keep {
            assert_eq!(
                (then.write, then.cookie, then.refusal),
                (Write::Nothing, CookieAction::Keep, None),
                "{now:?}"
            );
        }
    });
}

#[test]
fn without_a_response_no_cookie_is_promised() {
    over_the_whole_table(|now, then| {
        if now.trigger == Trigger::DetachedCommit {
            assert_eq!(then.cookie, CookieAction::Keep, "{now:?}");
            assert!(!matches!(then.write, Write::Create | Write::Rotate), "{now:?}");
            if now.origin == Origin::Carried && now.changed {
                let ended = then.write == Write::Revoke && now.fate == Fate::Destroy;
                assert!(ended || then.refusal.is_some(), "never in silence: {now:?}");
            }
        }
    });
}

#[test]
fn what_is_refused_changes_nothing() {
    over_the_whole_table(|now, then| {
        if then.refusal.is_some() {
            assert_eq!((then.write, then.cookie), (Write::Nothing, CookieAction::Keep), "{now:?}");
            let kept_out = matches!(now.origin, Origin::Unseen | Origin::Unproven);
            assert!(now.trigger == Trigger::DetachedCommit || kept_out, "{now:?}");
        }
    });
}

#[test]
fn a_cookie_placement_calls_nothing_but_the_list_of_revocations() {
    over_the_whole_table(|now, then| {
        if now.placement == Placement::Cookie {
            assert!(matches!(then.write, Write::Nothing | Write::Revoke), "{now:?}");
        }
        if then.write == Write::Revoke {
            assert!(now.revocable && now.fate > Fate::Keep, "{now:?}");
        }
    });
}
