//! The names of all scenarios: the macro defines a test of each, [`scenarios`] returns them as values.

use std::sync::LazyLock;

use super::Scenario;

/// Defines a test for every scenario of the adapter suite, in the module where it is called.
///
/// It takes the path of a function `async fn(Application) -> Server` that starts the probe's routes under the adapter,
/// and that of a function `async fn() -> Place` for the sessions; both are called for every world.
///
/// ```no_run
/// use session_conformance::adapter::{Place, Server};
/// use session_conformance::probe::Application;
///
/// async fn start(application: Application) -> Server {
///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
///     let address = listener.local_addr().unwrap();
///     let serving = tokio::spawn(async move {
///         // serve the routes of `session_conformance::probe` on `listener`, with `application.sessions` around them
///         drop((listener, application));
///     });
///     Server::new(address, serving)
/// }
///
/// async fn memory() -> Place {
///     Place::store(session_store_memory::MemoryStore::new(), ())
/// }
///
/// session_conformance::adapter_suite!(start, memory);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! adapter_suite {
    ($start:path, $place:path) => {
        $crate::adapter_core_suite!($start, $place);
        $crate::adapter_forms_suite!($start, $place);
        $crate::adapter_device_suite!($start, $place);
    };
    (@tests [$start:path, $place:path] $($module:ident: $($scenario:ident)* ;)*) => {
        $($(
            #[test]
            fn $scenario() {
                $crate::adapter::play(stringify!($scenario), $start, $place);
            }
        )*)*
    };
    (@values [] $($module:ident: $($scenario:ident)* ;)*) => {
        &[$($(
            Scenario {
                name: stringify!($scenario),
                play: |stage| Box::pin(super::scenes::$module::$scenario(stage)),
            }
        ),*),*]
    };
    (@forms $what:ident [$($with:tt)*]) => {
        $crate::adapter_suite! { @$what [$($with)*]
            forms:
                what_was_typed_comes_back_in_the_next_visit_only
                only_the_fields_that_are_named_come_back
                no_secret_comes_back
                a_multipart_form_comes_back_without_its_files
                a_body_that_is_no_form_is_refused_and_changes_nothing
                a_form_that_is_too_long_is_refused
                at_7_no_secret_comes_back_whatever_its_name
                a_form_keeps_its_shape_and_order_whatever_call_flashes_it
                a_name_said_twice_is_its_last_value
                text_that_is_no_utf_8_is_refused_or_read_in_its_charset
                a_post_without_a_body_is_an_empty_form
                a_form_that_is_too_large_to_keep_comes_back_with_its_errors
                forms_side_by_side_share_nothing
            ;
        }
    };
    (@device $what:ident [$($with:tt)*]) => {
        $crate::adapter_suite! { @$what [$($with)*]
            device:
                a_copied_jar_is_a_strangers_once_its_proof_is_stale
                a_proof_costs_a_load_and_a_write_and_a_forged_one_nothing
                a_proof_of_another_session_or_from_another_origin_is_refused
                a_binding_follows_a_new_id_and_ends_with_the_session
                two_tabs_prove_at_once
                a_browser_without_device_bound_sessions_stays_signed_in
            ;
        }
    };
    (@core $what:ident [$($with:tt)*]) => {
        $crate::adapter_suite! { @$what [$($with)*]
            values:
                values_come_back_in_the_next_visit_as_they_were_put
                paths_reach_into_objects_and_arrays
                what_cannot_be_done_is_answered_by_kind
                presence_null_and_absence_are_told_apart
                all_values_are_listed_and_nothing_internal
                many_values_are_put_merged_and_replaced
                a_push_makes_the_array
                what_is_forgotten_is_gone_with_the_parents_it_leaves_empty
                numbers_are_counted_exactly
                a_number_of_any_width_is_kept_and_listed
                updates_and_remembered_values_are_saved
                clear_takes_the_values_and_leaves_the_rest
            ;
            flash:
                a_message_is_shown_in_the_next_visit_only
                a_message_may_be_named_input_or_errors
                a_message_for_now_is_shown_now_and_not_later
                what_is_kept_is_shown_once_more
                a_route_that_opens_no_session_eats_no_message
                a_failed_page_leaves_the_message_for_the_next
                errors_are_shown_by_field_in_the_next_visit
                a_redirect_that_reads_nothing_passes_messages_on
                a_response_without_a_body_passes_messages_on
                messages_that_are_pushed_make_a_list
                messages_pushed_from_two_tabs_are_all_shown
                a_number_in_the_name_of_a_message_is_a_name
            ;
            life:
                a_visitor_who_writes_nothing_gets_no_cookie
                a_session_keeps_its_handle_from_visit_to_visit
                a_regenerate_moves_the_data_and_kills_the_old_id
                an_invalidate_drops_everything_and_goes_on
                a_destroy_ends_the_session_and_removes_its_cookie
                a_read_only_session_refuses_every_change
                a_commit_writes_at_once
                an_unused_session_ends_after_its_idle_time
                a_used_session_ends_after_its_absolute_lifetime
                a_session_may_have_an_age_of_its_own
                two_tabs_share_a_session_and_signing_out_in_one_ends_the_other
                only_a_persistent_cookie_outlives_the_browser
                an_intended_url_is_a_path_on_this_site
                a_user_sees_and_ends_their_own_sessions
            ;
            csrf:
                the_csrf_token_stays_until_it_is_renewed
                at_5_no_csrf_token_from_before_a_change_of_user_is_accepted
            ;
            cookies:
                ck_9_ou_4_the_cookie_has_its_attributes_on_every_path_behind_a_proxy_too
                forged_and_malformed_cookies_cost_nothing
                a_forged_duplicate_hides_nothing_in_any_order
                a_sibling_of_any_bytes_hides_nothing
                all_cookie_fields_are_read
                id_4_an_id_whose_session_is_long_gone_is_not_adopted
                a_value_moved_to_another_cookie_is_refused
                a_cookie_of_a_old_key_is_opened_and_sealed_anew
                a_session_that_grew_too_large_is_a_500_and_the_old_cookie_stays
            ;
            headers:
                peers_16_ck_10_ck_11_every_look_varies_and_every_cookie_is_not_stored
                ou_2_ck_12_a_route_that_looks_at_nothing_says_nothing
                an_eager_server_opens_every_visit_and_always_sends_the_cookie
            ;
            cost:
                every_request_costs_what_the_table_says
                a_due_refresh_costs_one_touch
                reading_the_counters_counts_nothing
                many_calls_on_a_session_are_one_load_and_one_write
            ;
            failures:
                ou_1_a_store_that_fails_is_a_503_and_changes_no_cookie
                a_write_that_fails_is_a_503_and_sets_no_cookie
                a_5xx_drops_the_data_and_keeps_what_was_ordered
                a_panic_after_regenerate_or_destroy_still_ends_the_old_id
                a_panic_drops_the_data_and_leaves_the_session
                a_client_that_hangs_up_loses_no_write_that_has_begun
                a_client_that_hangs_up_after_a_destroy_is_signed_out
                a_write_while_the_body_streams_is_closed
                a_session_opened_late_is_opened_then
            ;
            races:
                a_crowd_that_writes_to_one_session_loses_no_write
                writes_that_wait_for_each_other_are_one_call
                a_slow_writer_does_not_revive_a_session_that_was_signed_out
                a_slow_writer_does_not_revive_an_id_that_was_regenerated
                a_slow_writer_follows_its_user_to_a_new_id_and_nobody_else
                forty_writers_lose_nothing_while_their_user_gets_new_ids
                a_slow_sign_out_ends_the_session_under_its_new_id
                a_slow_reader_with_the_old_id_signs_nobody_out
                a_slow_read_brings_no_session_back_that_was_replaced_or_ended
                a_session_that_is_read_again_and_again_does_not_end
                two_requests_at_once_both_win
                a_double_click_on_sign_in_ends_signed_in_with_one_device
            ;
        }
    };
}

/// The scenarios of [`adapter_suite!`](crate::adapter_suite) that need no form: values, flash, lifetimes, cookies,
/// headers, costs, failures, races. For an adapter that does not parse bodies.
#[macro_export]
macro_rules! adapter_core_suite {
    ($start:path, $place:path) => {
        $crate::adapter_suite! { @core tests [$start, $place] }
    };
}

/// The scenarios of [`adapter_suite!`](crate::adapter_suite) about forms: the route `/form` of the probe.
#[macro_export]
macro_rules! adapter_forms_suite {
    ($start:path, $place:path) => {
        $crate::adapter_suite! { @forms tests [$start, $place] }
    };
}

/// The scenarios of [`adapter_suite!`](crate::adapter_suite) about sessions that are bound to their device: the endpoints
/// that the layer serves itself. For an adapter that sets
/// [`Middleware::on_own`](session_core::adapter::Middleware::on_own).
#[macro_export]
macro_rules! adapter_device_suite {
    ($start:path, $place:path) => {
        $crate::adapter_suite! { @device tests [$start, $place] }
    };
}

/// Returns all scenarios as values, in the order of the list.
#[must_use]
pub fn scenarios() -> &'static [Scenario] {
    static ALL: LazyLock<Vec<Scenario>> = LazyLock::new(|| [CORE, FORMS, DEVICE].concat());
    &ALL
}

const CORE: &[Scenario] = crate::adapter_suite! { @core values [] };
const DEVICE: &[Scenario] = crate::adapter_suite! { @device values [] };
const FORMS: &[Scenario] = crate::adapter_suite! { @forms values [] };
