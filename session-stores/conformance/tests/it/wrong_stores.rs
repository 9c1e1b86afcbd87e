//! Stores with one flaw each, and the cases of the suite that find it.

pub(crate) mod flawed;

use flawed::{Flaw, Flawed, Scribble};
use std::collections::BTreeMap;
use std::time::Duration;

use session_conformance::crowd::{Crowd, run_counting, run_logout};
use session_conformance::{Case, Fixture, cases, run_case, suite};
use session_core::store::StoreErrorKind;
use session_testkit::{Fault, FaultyStore};

fn fixture_with(flaw: Flaw) -> Fixture {
    let store = Flawed::with(flaw);
    let again = store.clone();
    let scribble = Scribble(store.clone());
    let index = store.clone();
    Fixture::new(store)
        .with_damage(scribble)
        .owner_entries(move |owner| std::future::ready(index.entries(&owner)))
        .reopen(move || std::future::ready(again.clone()))
        .in_one_process()
        .without_stall()
}

/// The same store without a flaw passes every case, so the failures below are due to the flaws.
mod without_a_flaw {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_with(Flaw::None)
    }

    session_conformance::store_suite!(fixture);
}

/// Runs a case on its own runtime, and returns whether it failed.
fn fails(flaw: Flaw, name: &str) -> bool {
    let case = case(name);
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
    a_store_that_forgets_where_sessions_go_is_found: ForgetsSuccessors by
        a_write_under_the_old_key_hears_where_the_session_is replace_does_not_revive_a_rotated_key
        forty_writers_that_follow_a_rotation_lose_nothing;
    a_store_that_follows_one_rotation_is_found: FollowsOneRotation by
        a_session_that_was_rotated_several_times_is_followed_to_its_end;
    a_store_that_follows_to_the_dead_is_found: FollowsToTheDead by a_rotated_session_that_has_expired_is_gone;
    a_destroy_that_does_not_follow_is_found: DestroyFollowsNothing by
        a_destroy_under_the_old_key_hears_where_the_session_is;
    a_destroy_that_ends_another_key_is_found: DestroyEndsTheSuccessor by
        a_destroy_under_the_old_key_hears_where_the_session_is destroy_of_a_rotated_key_keeps_its_tombstone;
    a_load_that_follows_is_found: LoadFollows by neither_a_load_nor_a_touch_follows_a_rotation;
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
    a_sweep_that_misses_the_replaced_is_found: NeverSweepsTheReplaced by a_replaced_session_that_dies_is_swept;
    a_sweep_that_misses_the_touched_is_found: NeverSweepsTheTouched by a_touched_session_that_dies_is_swept;
    a_sweep_that_misses_the_rotated_is_found: NeverSweepsTheRotated by a_rotated_session_that_dies_is_swept;
    an_index_that_keeps_the_destroyed_is_found: KeepsEntriesOfTheDestroyed by
        the_owner_entry_of_a_destroyed_session_is_removed;
    an_index_that_keeps_rotated_keys_is_found: KeepsEntriesOfTheRotated by
        the_owner_entry_of_a_rotated_key_is_removed;
    an_index_that_keeps_former_owners_is_found: KeepsEntriesOfFormerOwners by
        the_owner_entry_of_a_former_owner_is_removed;
    an_index_that_keeps_what_it_ended_is_found: KeepsEntriesOfTheEnded by
        the_owner_entries_of_an_ended_user_are_removed;
    an_index_that_trusts_its_entries_is_found: TrustsItsEntries by
        a_key_used_again_is_listed_for_its_new_owner_only;
    a_destroy_that_removes_the_corrupt_is_found: RemovesTheCorrupt by
        a_destroyed_corrupt_record_leaves_a_tombstone;
    a_store_of_case_insensitive_keys_is_found: MixesKeys by keys_that_differ_in_one_bit_are_two_sessions;
}

fn stalled(store: impl Fn() -> Flawed + Send + Sync + 'static) -> Fixture {
    let deadline = Duration::from_millis(100);
    let open = move || {
        let store = store();
        async move { Fixture::new(store) }
    };
    fixture_with(Flaw::None).stalled(deadline, open)
}

/// Runs the case about a store that stalls, with a clock that advances when all tasks are idle.
fn run_stalled(fixture: Fixture) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let case = case("a_stalled_store_ends_every_call_at_its_deadline");
    runtime.block_on(case.run(fixture));
}

#[test]
#[should_panic(expected = "load does not end: the store's deadline is 100ms")]
fn a_store_that_waits_for_ever_is_found() {
    run_stalled(stalled(|| Flawed::with(Flaw::NeverEnds)));
}

#[test]
#[should_panic(expected = "does not stall")]
fn a_fixture_whose_stalled_store_answers_is_found() {
    run_stalled(stalled(|| Flawed::with(Flaw::None)));
}

/// Every process has its own map.
async fn unshared() -> Fixture {
    fixture_with(Flaw::None).shared("a place", async |_| Flawed::with(Flaw::None))
}

#[test]
#[should_panic(expected = "the other process failed")]
fn a_store_that_another_process_does_not_see_is_found() {
    const TEST: &str = concat!(module_path!(), "::a_store_that_another_process_does_not_see_is_found");
    run_case(TEST, unshared, suite::process::another_process_sees_every_write);
}

#[test]
#[should_panic(expected = "the other process failed")]
fn increments_that_another_process_does_not_see_are_found() {
    const TEST: &str = concat!(module_path!(), "::increments_that_another_process_does_not_see_are_found");
    run_case(TEST, unshared, suite::process::of_two_processes_no_increment_is_lost);
}

/// Returns the message with which a case panics.
fn message(name: &str, fixture: Fixture) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let run = async { tokio::spawn(case(name).run(fixture)).await };
    let panic = runtime.block_on(run).err()?.into_panic();
    let text = panic.downcast_ref::<String>().map(String::as_str);
    Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned())
}

/// With a fixture that neither provides nor declares anything, the cases that need more fail and say what to call. They
/// pass once the fixture declares that there is nothing.
#[test]
fn what_a_fixture_does_not_declare_fails() {
    let bare = || Fixture::new(Flawed::with(Flaw::HasNoCapabilities)).rounds(2);
    let mut told = BTreeMap::<String, usize>::new();
    for name in cases().iter().map(Case::name) {
        let Some(message) = message(name, bare()) else { continue };
        let (_, method) = message.split_once("say `.").unwrap_or_else(|| panic!("{name}: {message}"));
        *told.entry(method.split('(').next().unwrap().to_owned()).or_default() += 1;
        let declared =
            bare().without_owners().without_sweep().without_damage().without_reopen().without_stall();
        assert_eq!(self::message(name, declared), None, "{name}");
    }
    let methods: Vec<&str> = told.keys().map(String::as_str).collect();
    let all = [
        "in_one_process",
        "without_damage",
        "without_owners",
        "without_reopen",
        "without_stall",
        "without_sweep",
    ];
    assert_eq!(methods, all);
    assert!(told.values().sum::<usize>() >= 49, "{told:?}");
}

#[test]
fn entries_that_a_fixture_does_not_declare_fail() {
    let undeclared = Fixture::new(Flawed::with(Flaw::None));
    let message = message("the_owner_entry_of_a_rotated_key_is_removed", undeclared).unwrap();
    assert!(message.contains("say `.without_owner_entries()`"), "{message}");
}

#[test]
fn a_declaration_that_is_not_true_fails() {
    let name = "list_gives_all_sessions_of_an_owner";
    let message = message(name, fixture_with(Flaw::None).without_owners()).unwrap();
    assert!(message.ends_with("is `Some`: remove the call"), "{message}");
}

#[test]
fn a_case_that_meets_the_stores_deadline_says_so() {
    let store = FaultyStore::new(Flawed::with(Flaw::None));
    store.fail(Fault::every().kind(StoreErrorKind::Timeout));
    let message = message("create_stores_a_new_session", Fixture::new(store)).unwrap();
    assert!(message.contains("this is the store's own deadline, not the suite's"), "{message}");
}

/// Returns the case of this name.
fn case(name: &str) -> &'static Case {
    cases().iter().find(|case| case.name() == name).expect("there is a case of this name")
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
