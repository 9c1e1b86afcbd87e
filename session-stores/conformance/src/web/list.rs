//! The names of all claims, grouped by the configuration of their application.

/// Defines a test for every claim. It takes the path of a function `async fn(Setting) -> impl WebApp`, and an expression
/// for a new store.
///
/// ```no_run
/// # use bytes::Bytes;
/// use session_conformance::web::{Setting, WebApp};
///
/// struct App {
///     setting: Setting,
///     // … and the adapter's routes
/// }
///
/// impl WebApp for App {
///     async fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
///         // … passed to the routes
/// #       unreachable!("{request:?}")
///     }
///
///     fn setting(&self) -> &Setting {
///         &self.setting
///     }
/// }
///
/// /// Makes the adapter's application, once for each claim.
/// async fn app(setting: Setting) -> App {
///     App { setting }
/// }
///
/// session_conformance::web_claims!(app, session_store_memory::MemoryStore::new());
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! web_claims {
    ($app:path, $store:expr) => {
        $crate::web_claims!(@ $app, $store;
            usual:
                features_1_typed_keys_need_no_annotation
                features_1_a_wrong_type_is_an_error_that_names_the_key_and_no_value
                features_1_a_whole_struct_is_stored_and_extracted
                features_1_types_come_back_exactly
                features_1_remember_makes_a_value_once
                features_2_remember_me_outlives_the_browser_and_the_usual_lifetime
                features_2_a_session_may_close_with_its_browser_or_not
                features_2_set_absolute_moves_the_end_and_no_activity_does
                features_2_authenticated_at_is_when_the_user_last_confirmed
                features_2_invalidate_drops_everything_but_what_is_put_afterwards
                features_2_regenerate_keeps_data_flash_tag_and_lifetimes
                id_10_an_id_is_taken_from_its_cookie_and_from_nowhere_else
                features_3_flash_and_flash_many_keep_falsy_values
                features_3_flash_messages_are_read_by_path_with_defaults
                features_3_reflash_carries_all_three_bags_once_more
                features_3_reflash_only_and_keep_choose_keys_of_all_bags_and_add_up
                features_3_reflash_except_leaves_those_keys_out_of_all_bags
                features_3_with_errors_of_several_calls_add_up_in_order
                features_3_flash_validation_errors_come_with_the_input_or_without
                features_3_flash_all_takes_a_form_that_is_given
                features_3_old_input_is_the_text_that_was_typed
                features_3_a_look_that_changes_nothing_takes_no_message_of_others
                features_4_a_page_shows_what_the_last_visit_left
                features_3_input_nests_and_is_read_without_a_session
                features_3_bad_bodies_are_refused_with_their_status
                features_3_a_body_is_not_read_beyond_its_limit
                features_3_input_becomes_the_type_that_is_asked_for
                features_3_a_form_has_one_shape_for_every_reader
                features_3_text_is_of_its_charset_or_refused
                features_3_a_file_is_skipped_whatever_names_it
                features_3_a_post_without_a_body_is_an_empty_form
                features_3_limits_are_settable_and_named_in_the_log
                features_3_a_redirect_passes_all_bags_on
                features_3_a_failed_validation_is_never_a_500
                features_3_forms_side_by_side_have_their_own_errors_and_input
                features_3_messages_with_levels_come_in_order
                features_3_flash_all_keeps_input_but_no_secret_at_any_depth
                features_3_flash_only_and_except_choose_fields
                features_3_input_is_remembered_in_either_order
                features_3_a_post_that_flashes_nothing_costs_nothing
                features_5_back_leaves_message_errors_and_input
                features_5_back_prefers_a_referer_with_a_path_to_the_previous_page
                features_5_back_leads_to_the_start_page_if_it_knows_no_other
                features_5_pages_that_a_script_loads_are_pages
                features_5_back_follows_only_a_referer_of_this_host
                features_5_back_knows_its_host_however_it_is_written
                features_5_what_a_script_asks_for_is_no_page_where_no_header_says_so
                features_5_pages_are_tracked_without_causing_a_load
                features_5_intended_urls_are_followed_once
                peers_25_no_redirect_leads_elsewhere
                peers_25_the_page_to_go_back_to_is_on_this_site
                features_5_an_intended_url_is_seen_until_it_is_pulled_or_cleared
                features_5_a_redirect_target_ends_no_header_line
                features_5_csrf_header_or_field_lets_a_request_through
                features_5_csrf_refuses_what_carries_no_token_or_a_wrong_one
                features_5_csrf_gives_the_body_on_untouched
                features_5_csrf_costs_nothing_on_safe_and_exempt_routes
                features_5_csrf_refusal_eats_no_flash
                features_5_csrf_token_survives_a_new_id_in_another_tab
                features_5_csrf_reads_no_body_of_a_stranger_and_no_body_too_long
                features_5_csrf_grace_for_the_token_before_a_new_id_is_short
                features_5_csrf_renewed_on_purpose_has_no_grace
                features_5_csrf_refusal_makes_no_session_and_changes_none
                features_5_csrf_reads_no_file_behind_the_token
                features_5_csrf_on_refused_is_the_applications_answer
                features_5_csrf_exempt_when_a_predicate_says_so
                features_5_csrf_a_page_of_this_origin_needs_no_token
                features_5_csrf_another_origins_page_is_refused_with_any_token
                features_5_csrf_where_no_header_says_the_origin_the_token_decides
                features_5_csrf_an_origin_is_at_its_host_however_both_are_written
                features_5_csrf_an_empty_header_carries_no_token
                features_5_csrf_a_form_of_no_bytes_has_no_token
                features_5_csrf_the_token_may_be_in_a_json_body
                features_5_csrf_may_always_ask_for_the_token_and_trust_other_origins
                at_5_no_form_from_before_a_sign_in_is_accepted_after_it
                at_6_the_csrf_token_of_every_page_is_different_and_valid
                at_9_a_socket_is_not_opened_by_another_origins_page
                at_19_a_sign_out_may_clear_what_the_browser_keeps
                ck_11_a_request_that_was_checked_varies_by_cookie
                ck_11_a_page_with_a_token_varies_by_cookie
                features_6_limits_refuse_one_session_too_many
                features_6_limits_end_the_oldest
                features_6_metadata_makes_a_page_of_devices
                features_6_a_handle_finds_and_ends_one_session_of_its_owner
                features_6_destroy_others_and_destroy_all_end_them_at_once
                features_6_an_owner_follows_a_regenerate_and_leaves_with_untag
                a_sign_in_leaves_a_planted_id_worthless
                lc_12_features_8_events_tell_a_session_s_life
                features_8_events_tell_of_cookies_that_are_not_acceptable
                features_8_events_tell_of_conflicts_and_of_writes_that_came_too_late
                features_8_the_test_client_arranges_and_reads_sessions
                features_8_the_test_client_sends_and_follows
                an_optional_session_is_none_only_without_a_layer
                an_optional_session_of_a_failing_store_is_a_503
                every_error_of_a_handler_has_its_status
                a_store_that_fails_in_a_handler_is_a_503
                a_missing_field_comes_back_as_its_error
                every_wrong_field_comes_back_with_its_error
                what_is_refused_leaves_its_reason_in_the_log
                a_handle_is_a_path_parameter
                a_farewell_is_shown_in_a_session_that_holds_nothing_else
                a_message_after_a_sign_out_is_dropped_and_its_redirect_is_sent
                features_6_a_page_for_users_sends_strangers_to_sign_in_and_back
                features_6_only_a_navigation_is_sent_to_sign_in
                features_6_a_page_for_users_costs_a_user_one_load
                features_6_a_page_that_needs_a_recent_confirmation_asks_again
                features_1_a_default_may_be_a_str
                features_2_a_confirmation_lasts_as_long_as_a_page_asks
            ;
            of_pages:
                at_19_private_pages_are_kept_out_of_caches
                features_5_the_xsrf_cookie_is_what_axios_and_angular_send_back
            ;
            its_own:
                features_3_secret_fields_are_those_that_the_application_names
                features_5_only_hosts_that_the_application_lists_are_led_to
            ;
            its_own_secrets:
                at_7_the_application_may_replace_the_secret_fields
            ;
            switched_off:
                features_7_sessions_that_are_switched_off_step_aside
                an_optional_session_is_none_where_sessions_are_switched_off
                features_7_a_handler_that_asks_for_a_session_that_is_switched_off_is_a_bare_500
            ;
            in_cookies:
                features_6_a_place_without_an_index_names_those_that_have_one
                features_7_a_session_in_its_cookie_asks_no_store
                features_3_a_redirect_passes_all_bags_on_in_a_cookie
                features_3_a_failed_validation_is_never_a_500_in_a_cookie
            ;
            in_a_header:
                a_native_client_keeps_its_session_in_a_header_and_no_cookie
                a_native_client_is_sent_to_no_page
                a_head_by_a_native_client_takes_no_message
                a_token_in_a_header_needs_no_csrf_token
                a_token_in_a_header_is_ended_with_an_empty_one
            ;
            importing:
                a_visitor_of_another_library_stays_signed_in
                a_bad_cookie_of_another_library_is_a_stranger
            ;
            with_an_old_cookie:
                a_visitor_with_a_cookie_of_the_earlier_configuration_stays_signed_in
                a_forged_cookie_of_the_earlier_configuration_is_a_stranger
                who_signs_out_with_a_cookie_of_the_earlier_configuration_is_signed_out
            ;
            once_in_cookies:
                a_visitor_whose_session_was_in_the_cookie_stays_signed_in
            ;
            per_tenant:
                the_cookie_has_the_domain_to_which_the_host_belongs
            ;
        );
    };
    (@ $app:path, $store:expr; $($rules:ident: $($claim:ident)* ;)*) => {
        $($(
            #[tokio::test]
            async fn $claim() {
                let setting = $crate::web::Setting::new($store, $crate::web::rules::$rules);
                $crate::web::claims::$claim(&$app(setting).await).await;
            }
        )*)*
    };
}
