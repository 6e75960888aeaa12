//! Promises 2.1 to 2.23: managing agreement at scale, by arming a site instead of asking each person.

use super::{Row, tested, tried};

pub(super) const ROWS: &[Row] = &[
    tested(
        "2.1",
        "Arming takes no time of shoppers, is easily revoked, lets nothing slip through and cannot be forged",
        &[
            "switch::machine::nothing_is_watched_that_is_not_armed_and_nothing_is_loosened",
            "switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs",
        ],
    ),
    tried(
        "2.2",
        "Who gets figures is a list that people can read; no messages go to shoppers",
        &[
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
            "switch::recipients::whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign",
        ],
        &["recipients"],
    ),
    tested(
        "2.3",
        "The policy is a page that the code on the sign leads to",
        &[
            "notice::signs::the_code_on_paper_leads_to_the_policy (long)",
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
            "openly::policy::the_policy_that_is_served_claims_what_is_proved_when_it_is_asked_for_and_not_when_the_shop_was_opened",
        ],
    ),
    tested(
        "2.4",
        "Kinds of figures are off until each is given a purpose",
        &[
            "switch::purposes::a_kind_without_a_purpose_is_not_released_and_every_other_one_is",
            "switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called",
        ],
    ),
    tested(
        "2.5",
        "Anybody can ask to stop or to delete: a pause, a way round, and deleted windows",
        &[
            "switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs",
            "vault::commands::a_purge_takes_whole_windows_of_the_shops_own_days_and_asks_first",
            "roles::loopback::whoever_is_at_the_box_stops_it_with_one_button_and_no_password",
            "story::still::nobody_counts_where_nobody_is_to_count_and_it_is_said",
        ],
    ),
    tested(
        "2.6",
        "What people are told comes in their languages, for paper, screens and pages",
        &[
            "notice::commands::the_demo_makes_every_document_and_says_what_to_do_next",
            "notice::pages::the_policy_holds_both_languages_and_the_first_one_counts",
        ],
    ),
    tried(
        "2.7",
        "Every window says under which protection it was made",
        &["contract::schema::a_payload_without_one_of_its_fields_is_refused"],
        &["privacy-state"],
    ),
    tested(
        "2.8",
        "There is a sign to read before a camera sees anybody, which has to be acknowledged, and words for a receipt or an app; putting the sign up is the shop's part",
        &[
            "notice::pages::short_texts_have_140_characters_at_most_and_say_the_sentence_whole",
            "notice::signs::a_printed_sign_is_one_page_of_its_size_with_real_text_in_embedded_letters",
            "switch::starting::a_configuration_that_changed_needs_a_new_sign",
        ],
    ),
    tested(
        "2.9",
        "A kind that is switched off loses its stored rows and stays off without new arming",
        &[
            "switch::purposes::arming_without_a_purpose_deletes_what_that_kind_has_left_and_it_comes_back_by_arming_anew_alone",
        ],
    ),
    tested(
        "2.10",
        "Fewest people behind a figure, least crowd, masks, size of cells and length of keeping can only get stricter",
        &[
            "switch::starting::what_was_armed_is_not_loosened_by_a_new_site_file",
            "switch::machine::the_tighter_of_two_bounds_is_as_tight_as_either",
            "faults::sites::a_cell_below_a_metre_would_show_steps",
            "faults::sites::k_cannot_be_loosened",
        ],
    ),
    tested(
        "2.11",
        "Whoever else is to get figures is declared, and that needs a new sign; nothing decides about people",
        &[
            "switch::recipients::whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign",
            "laws::secrecy::nothing_below_k_is_ever_released",
        ],
    ),
    tested(
        "2.12",
        "A lock stops everything and is undone on site alone",
        &[
            "switch::stopping::what_was_stopped_on_site_is_not_started_from_afar",
            "switch::machine::nothing_is_watched_that_is_not_armed_and_nothing_is_loosened",
        ],
    ),
    tested(
        "2.13",
        "What was deleted is told: counted in the chain, or all of it in a signed receipt",
        &[
            "vault::commands::a_wipe_leaves_a_signed_receipt_and_nothing_else",
            "vault::commands::a_purge_takes_whole_windows_of_the_shops_own_days_and_asks_first",
        ],
    ),
    tested(
        "2.14",
        "Whoever reads figures can refuse those that are weakly protected",
        &[
            "cage::escapes::an_eye_without_a_cage_is_loud",
            "contract::schema::a_payload_without_one_of_its_fields_is_refused",
        ],
    ),
    tested(
        "2.15",
        "A link that is passed on changes nothing: what the code leads to has no form",
        &[
            "notice::pages::a_page_has_no_script_no_form_and_asks_nobody_for_anything",
            "roles::page::a_stranger_reads_what_is_said_openly_and_changes_none_of_it",
            "roles::attacks::a_foreign_page_cannot_act_for_whoever_is_logged_in",
        ],
    ),
    tested(
        "2.16",
        "Region and profile are chosen, and what nobody chose is the safest",
        &[
            "switch::regions::what_a_region_asks_for_holds_where_the_site_file_says_nothing_or_more_and_nothing_less_is_taken",
            "faults::sites::a_profile_that_is_not_built_is_not_claimed",
            "switch::purposes::a_kind_without_a_purpose_is_not_released_and_every_other_one_is",
        ],
    ),
    tried(
        "2.17",
        "What is kept is encrypted, and only the right key opens it",
        &[
            "vault::secrecy::no_file_of_a_store_shows_a_word_of_what_is_in_it_while_it_is_open_after_a_crash_and_at_rest",
            "vault::store::a_store_does_not_open_under_another_key_and_a_key_others_can_read_is_refused",
        ],
        &["encrypted"],
    ),
    tested(
        "2.18",
        "Only as much is shown as is needed: no figure of few, no password, no key",
        &[
            "laws::secrecy::nothing_below_k_is_ever_released",
            "src::config::source::a_camera_source_is_printed_without_its_password",
        ],
    ),
    tested(
        "2.19",
        "Nothing is ever revealed; whoever looks into the chain stands in it, and it can be searched",
        &["vault::commands::the_chain_is_searched_by_what_who_when_and_words_and_who_searched_stands_in_it"],
    ),
    tested(
        "2.20",
        "Protection goes one way: it rises, and falls only by destroying what there is",
        &[
            "switch::starting::what_was_armed_is_not_loosened_by_a_new_site_file",
            "switch::machine::nothing_is_watched_that_is_not_armed_and_nothing_is_loosened",
            "switch::machine::a_hundred_thousand_sequences_arm_nothing_and_loosen_nothing (long)",
            "vault::commands::a_wipe_leaves_a_signed_receipt_and_nothing_else",
        ],
    ),
    tested(
        "2.21",
        "Two different people arm, and one identity twice is one",
        &["switch::starting::one_identity_twice_is_one_identity"],
    ),
    tested(
        "2.22",
        "A stop on site or by the owner is not lifted from afar",
        &["switch::stopping::what_was_stopped_on_site_is_not_started_from_afar"],
    ),
    tested(
        "2.23",
        "While it is paused nothing is captured, and only how it fares is told",
        &["switch::stopping::a_shop_that_is_paused_stays_so_over_a_restart_and_says_so_in_its_health"],
    ),
];
