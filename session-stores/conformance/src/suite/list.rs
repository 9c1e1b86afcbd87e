//! The list of all cases: the macro makes a test of each, [`cases`] returns them as values.

use super::{Case, Trial};

/// Defines a test for every case of the store suite, in the module where it is called.
///
/// It takes the path of a function `async fn() -> Fixture`, which is called once for every case. The store's crate
/// needs only `session-conformance` among its dev-dependencies: each test runs on its own runtime.
///
/// ```
/// mod a_store_in_memory {
///     use session_conformance::Fixture;
///
///     async fn fixture() -> Fixture {
///         Fixture::new(session_store_memory::MemoryStore::new())
///             .without_reopen()
///             .without_damage()
///             .without_owner_entries()
///             .without_stall()
///     }
///
///     session_conformance::store_suite!(fixture);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    ($fixture:path) => {
        $crate::store_suite! { @each tests [$fixture] }
    };
    (@tests [$fixture:path] $($module:ident: $($case:ident)* ;)*) => {
        $($(
            #[test]
            fn $case() {
                const TEST: &str = concat!(module_path!(), "::", stringify!($case));
                $crate::run_case(TEST, $fixture, $crate::suite::$module::$case);
            }
        )*)*
    };
    (@values [] $($module:ident: $($case:ident)* ;)*) => {
        &[$($(
            Case { name: stringify!($case), run: |trial: Trial| Box::pin(super::$module::$case(trial)) }
        ),*),*]
    };
    (@each $what:ident [$($with:tt)*]) => {
        $crate::store_suite! { @$what [$($with)*]
            store:
                its_name_is_a_short_word
                a_key_nobody_used_is_missing
                its_debug_shows_nothing_of_a_session
                its_errors_name_it_and_hide_the_session
                keys_that_differ_in_one_bit_are_two_sessions
                keys_of_any_bytes_work
                many_sessions_do_not_mix
            ;
            create:
                create_stores_a_new_session
                create_does_not_overwrite_a_session
                create_asked_again_answers_applied
                create_asked_again_late_does_not_undo_a_replace
                create_over_a_tombstone_is_taken
                create_asked_again_does_not_revive_a_destroyed_session
                create_over_a_rotated_key_is_taken
            ;
            replace:
                replace_stores_over_the_expected_etag
                replace_with_a_stale_etag_brings_the_current_record
                replace_with_the_etag_of_a_conflict_applies
                replace_asked_again_answers_applied
                replace_asked_again_late_does_not_undo_a_newer_write
                replace_never_creates
                replace_never_creates_with_its_own_etag
                replace_does_not_revive_a_destroyed_session
                replace_does_not_revive_a_rotated_key
                etags_of_all_64_bits_are_kept_and_compared
            ;
            touch:
                touch_moves_the_idle_deadline_and_nothing_else
                touch_never_shortens
                touch_into_the_past_does_not_end_a_session
                touches_out_of_order_leave_the_latest_deadline
                touch_never_creates
                touch_does_not_revive_a_destroyed_session
                touch_leaves_the_etag_good_for_a_replace
                a_touched_session_outlives_its_first_deadline
            ;
            destroy:
                destroy_leaves_a_tombstone_with_its_end
                destroy_of_nothing_leaves_nothing
                destroy_twice_keeps_the_first_tombstone
                destroy_of_a_rotated_key_keeps_its_tombstone
                destroy_with_a_tombstone_of_the_past_still_destroys
                a_long_tombstone_keeps_its_end
                destroy_ends_one_session_only
                rotate_does_not_revive_a_destroyed_session
                a_tombstone_is_the_same_whatever_died
            ;
            rotate:
                rotate_moves_a_session_and_leaves_a_tombstone
                rotate_asked_again_answers_applied
                rotate_with_a_stale_etag_brings_the_current_record
                rotate_of_nothing_creates_nothing
                rotate_onto_a_session_is_taken
                rotate_onto_a_tombstone_is_taken
                rotate_of_a_rotated_key_creates_nothing
                rotate_asked_again_after_another_write_is_not_applied
                a_chain_of_rotations_leaves_one_live_key
                a_rotated_session_can_be_written_touched_and_destroyed
                rotate_onto_itself_loses_nothing
                rotate_with_a_tombstone_of_the_past_still_kills_the_old_key
            ;
            moved:
                a_write_under_the_old_key_hears_where_the_session_is
                a_session_that_was_rotated_several_times_is_followed_to_its_end
                a_rotated_session_that_was_destroyed_is_gone
                a_rotated_session_that_has_expired_is_gone
                a_destroy_under_the_old_key_hears_where_the_session_is
                neither_a_load_nor_a_touch_follows_a_rotation
                a_rotation_by_one_handle_is_followed_by_the_other
                forty_writers_that_follow_a_rotation_lose_nothing
                writers_that_follow_rotations_in_a_row_lose_nothing
                a_destroy_that_follows_a_rotation_ends_the_session
            ;
            sign_in:
                sign_ins_at_once_end_in_one_session
            ;
            expiry:
                a_session_past_its_idle_deadline_is_gone
                a_session_past_its_absolute_deadline_is_gone
                a_session_dead_for_a_year_is_gone
                a_session_is_alive_until_the_last_millisecond
                touch_and_rotate_work_until_the_last_millisecond
                touch_does_not_move_the_absolute_deadline
                a_stale_writer_on_an_expired_session_hears_gone
                a_record_is_not_forgotten_before_its_deadline
                a_record_born_dead_is_never_alive
                a_replace_may_end_a_session_early
                destroy_of_an_expired_session_is_no_error
            ;
            census:
                a_census_finds_every_live_session
                a_census_leaves_out_the_dead
                a_census_finds_every_session_that_stays
            ;
            bytes:
                an_empty_payload_comes_back
                st_8_keys_that_text_would_confuse_are_told_apart
                every_byte_value_comes_back
                invalid_utf_8_comes_back
                zero_bytes_come_back
                text_that_looks_like_syntax_comes_back
                payloads_of_boundary_sizes_come_back
                owners_of_any_text_come_back
                an_owner_can_be_given_and_taken_away
                the_record_of_a_conflict_comes_back_whole
            ;
            limits:
                a_record_at_the_limit_is_stored
                a_record_at_the_limit_with_its_owner_is_stored
                create_of_a_record_over_the_limit_is_refused
                replace_by_a_record_over_the_limit_is_refused
                rotate_of_a_record_over_the_limit_is_refused
                a_record_over_the_limit_is_refused_before_any_look
                deadlines_in_a_hundred_years_are_kept
                no_absolute_deadline_is_kept_as_none
                deadlines_at_the_end_of_time_are_kept
                any_moment_of_creation_is_kept
                deadlines_are_kept_to_the_millisecond
                a_broken_clock_does_not_panic
            ;
            histories:
                histories_of_one_handle_are_linearizable
                histories_of_two_handles_are_linearizable
            ;
            races:
                sixty_four_writers_lose_nothing
                of_many_writers_on_one_etag_one_wins
                of_many_creates_under_one_key_one_wins
                a_slow_writer_does_not_revive_a_destroyed_session
                a_slow_writer_does_not_revive_a_rotated_key
                of_two_rotations_at_once_one_key_is_alive
                a_rotation_is_one_step_to_a_reader
                a_destroy_racing_with_a_rotation_leaves_the_old_key_dead
                touches_among_writers_lose_nothing
                readers_never_see_half_a_record
                many_sessions_at_once_do_not_mix
                a_dropped_call_leaves_one_record_or_the_other
            ;
            reopen:
                a_second_handle_sees_every_write
                a_handle_opened_later_finds_what_was_stored
                of_two_handles_on_one_etag_one_wins
                a_destroy_by_one_handle_is_final_for_the_other
                of_two_handles_that_rotate_one_wins
            ;
            process:
                another_process_sees_every_write
                of_two_processes_no_increment_is_lost
            ;
            stall:
                a_stalled_store_ends_every_call_at_its_deadline
            ;
            damage:
                a_truncated_record_is_corrupt
                a_record_with_a_flipped_bit_is_corrupt
                garbage_is_corrupt
                a_record_of_a_newer_format_is_newer
                a_record_of_a_newer_format_is_left_alone
                a_destroy_of_a_newer_record_keeps_its_word
                a_corrupt_record_can_be_destroyed
                a_destroyed_corrupt_record_leaves_a_tombstone
                a_write_to_a_corrupt_record_fails_or_heals_it
            ;
            owners:
                list_gives_all_sessions_of_an_owner
                an_unknown_owner_has_no_sessions
                owners_are_compared_exactly
                the_dead_are_never_listed
                the_index_follows_a_rotation
                a_rotation_can_give_a_session_its_owner
                the_index_follows_a_change_of_owner
                a_refused_write_leaves_the_index_alone
                a_touched_session_stays_listed
                destroy_all_ends_every_session_of_an_owner
                destroy_all_spares_the_excepted_session
                destroy_all_with_a_foreign_exception_spares_nobody
                destroy_all_counts_the_living
                an_owner_of_many_sessions_is_listed_whole
                a_create_racing_with_destroy_all_is_never_missed
                a_rotation_racing_with_destroy_all_is_never_missed
                the_owner_entry_of_a_destroyed_session_is_removed
                the_owner_entry_of_a_rotated_key_is_removed
                the_owner_entry_of_a_former_owner_is_removed
                the_owner_entries_of_an_ended_user_are_removed
            ;
            sweep:
                a_sweep_removes_the_dead_and_keeps_the_living
                a_sweep_removes_tombstones_once_they_have_ended
                a_sweep_of_the_living_removes_nothing
                a_sweep_is_bounded
                a_sweep_of_none_removes_none
                a_touched_session_survives_the_sweep
                an_acknowledged_touch_is_never_swept_away
                a_replaced_session_that_dies_is_swept
                a_touched_session_that_dies_is_swept
                a_rotated_session_that_dies_is_swept
                the_owner_index_forgets_the_swept
                a_key_used_again_is_listed_for_its_new_owner_only
            ;
            device:
                a_bound_session_is_proven_by_its_device_alone
                a_proof_of_another_session_is_refused
                a_new_id_keeps_the_binding
                a_destroyed_session_is_bound_to_nothing
                two_proofs_at_once_are_both_granted
            ;
        }
    };
}

/// Returns all cases as values, in the order of the list, for another harness.
///
/// ```
/// assert!(session_conformance::cases().len() >= 60);
/// ```
#[must_use]
pub fn cases() -> &'static [Case] {
    crate::store_suite! { @each values [] }
}
