//! The suite must be seen to fail: stores with one flaw each, and the cases that find it.

mod flawed;

use flawed::{Flaw, Flawed, Scribble};
use session_conformance::crowd::{Crowd, run_counting, run_logout};
use session_conformance::{Fixture, cases};

fn fixture_with(flaw: Flaw) -> Fixture {
    let store = Flawed::with(flaw);
    let again = store.clone();
    let scribble = Scribble(store.clone());
    Fixture::new(store).with_damage(scribble).reopen(move || {
        let again = again.clone();
        async move { again }
    })
}

/// The same store without its flaw passes every case: what fails below fails because of the flaw.
mod without_a_flaw {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_with(Flaw::None)
    }

    session_conformance::store_suite!(fixture);
}

/// Runs a case on a runtime of its own and says whether it failed.
fn fails(flaw: Flaw, name: &str) -> bool {
    let case = cases().iter().find(|case| case.name() == name).expect("there is a case of this name");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let run = tokio::spawn(case.run(fixture_with(flaw)));
        run.await.is_err_and(|error| error.is_panic())
    })
}

macro_rules! found {
    ($($test:ident: $flaw:ident by $($case:ident)+;)+) => {
        $(
            #[test]
            fn $test() {
                $(assert!(fails(Flaw::$flaw, stringify!($case)), "{} must fail", stringify!($case));)+
            }
        )+
    };
}

found! {
    a_replace_that_upserts_is_found: ReplaceUpserts by
        replace_never_creates replace_never_creates_with_its_own_etag;
    a_replace_that_revives_is_found: ReplaceRevives by
        replace_does_not_revive_a_destroyed_session a_slow_writer_does_not_revive_a_destroyed_session;
    a_store_without_tombstones_is_found: ForgetsTombstones by
        destroy_leaves_a_tombstone_with_its_end create_over_a_tombstone_is_taken
        create_asked_again_does_not_revive_a_destroyed_session;
    a_tombstone_for_nothing_is_found: BuriesNothing by destroy_of_nothing_leaves_nothing;
    a_tombstone_that_moves_is_found: MovesTombstones by destroy_twice_keeps_the_first_tombstone;
    a_touch_that_creates_is_found: TouchCreates by touch_never_creates;
    a_touch_that_shortens_is_found: TouchShortens by
        touch_never_shortens touches_out_of_order_leave_the_latest_deadline
        touch_into_the_past_does_not_end_a_session;
    a_touch_that_changes_the_etag_is_found: TouchChangesTheEtag by
        touch_leaves_the_etag_good_for_a_replace touch_moves_the_idle_deadline_and_nothing_else;
    the_last_writer_winning_is_found: IgnoresEtags by
        replace_with_a_stale_etag_brings_the_current_record sixty_four_writers_lose_nothing;
    a_replace_in_two_steps_is_found: ReplaceInTwoSteps by
        sixty_four_writers_lose_nothing of_many_writers_on_one_etag_one_wins of_two_handles_on_one_etag_one_wins;
    a_rotation_in_two_steps_is_found: RotateInTwoSteps by
        a_rotation_is_one_step_to_a_reader of_two_rotations_at_once_one_key_is_alive;
    a_rotation_that_overwrites_is_found: RotateOverwrites by
        rotate_onto_a_session_is_taken rotate_onto_a_tombstone_is_taken;
    a_create_that_overwrites_is_found: CreateOverwrites by
        create_does_not_overwrite_a_session of_many_creates_under_one_key_one_wins;
    a_store_that_does_not_know_its_own_writes_again_is_found: KnowsNoRetries by
        create_asked_again_answers_applied replace_asked_again_answers_applied rotate_asked_again_answers_applied;
    a_store_that_ignores_expiry_is_found: NeverExpires by
        a_session_past_its_idle_deadline_is_gone a_stale_writer_on_an_expired_session_hears_gone;
    a_store_that_ignores_the_absolute_deadline_is_found: NeverExpiresForGood by
        a_session_past_its_absolute_deadline_is_gone touch_does_not_move_the_absolute_deadline;
    a_store_of_text_is_found: TextOnly by invalid_utf_8_comes_back every_byte_value_comes_back;
    a_store_of_whole_seconds_is_found: SecondsOnly by deadlines_are_kept_to_the_millisecond;
    a_store_of_63_bit_etags_is_found: EtagsOf63Bits by etags_of_all_64_bits_are_kept_and_compared;
    a_store_without_a_limit_is_found: NoLimit by
        create_of_a_record_over_the_limit_is_refused replace_by_a_record_over_the_limit_is_refused
        rotate_of_a_record_over_the_limit_is_refused;
    a_store_that_prints_sessions_is_found: PrintsSessions by its_debug_shows_nothing_of_a_session;
    an_index_of_the_dead_is_found: ListsTheDead by the_dead_are_never_listed destroy_all_counts_the_living;
    an_index_that_folds_case_is_found: FoldsOwners by owners_are_compared_exactly;
    an_index_that_forgets_rotations_is_found: IndexForgetsRotations by
        the_index_follows_a_rotation a_rotation_can_give_a_session_its_owner;
    an_index_dropped_whole_is_found: DropsTheIndex by a_create_racing_with_destroy_all_is_never_missed;
    a_sign_out_everywhere_that_ends_this_session_too_is_found: IgnoresTheException by
        destroy_all_spares_the_excepted_session;
    a_sweep_without_bound_is_found: SweepsWithoutBound by a_sweep_is_bounded;
    a_sweep_of_the_living_is_found: SweepsTheLiving by
        a_sweep_removes_the_dead_and_keeps_the_living a_touched_session_survives_the_sweep;
    a_sweep_that_spares_tombstones_is_found: SweepSparesTombstones by
        a_sweep_removes_tombstones_once_they_have_ended;
    a_store_that_reads_spoiled_records_is_found: ReadsAnything by
        a_truncated_record_is_corrupt a_record_with_a_flipped_bit_is_corrupt garbage_is_corrupt
        a_record_of_a_newer_format_is_newer;
    a_store_that_overwrites_newer_records_is_found: OverwritesNewer by a_record_of_a_newer_format_is_left_alone;
    a_store_of_case_insensitive_keys_is_found: MixesKeys by keys_that_differ_in_one_bit_are_two_sessions;
}

#[test]
#[should_panic(expected = "the claim holds")]
fn a_replace_that_revives_is_found_by_a_crowd() {
    run_logout(async || fixture_with(Flaw::ReplaceRevives), FEW);
}

#[test]
#[should_panic(expected = "the claim holds")]
fn a_store_without_tombstones_is_found_by_a_crowd() {
    run_logout(async || fixture_with(Flaw::ForgetsTombstones), FEW);
}

#[test]
#[should_panic(expected = "every acknowledged increment, once")]
fn a_replace_in_two_steps_is_found_by_a_crowd() {
    run_counting(async || fixture_with(Flaw::ReplaceInTwoSteps), 16, 10);
}

#[test]
fn a_store_without_a_flaw_passes_a_crowd() {
    run_logout(async || fixture_with(Flaw::None), FEW);
    run_counting(async || fixture_with(Flaw::None), 16, 10);
}

const FEW: Crowd = Crowd { writers: 16, rounds: 10, at_once: 2, within: None };
