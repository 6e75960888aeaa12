//! Promises 4.1 to 4.12: what shops with cameras owe the people in them.

use super::{Row, tested, tried};

pub(super) const ROWS: &[Row] = &[
    tried(
        "4.1",
        "The paths are taken out and the picture is destroyed at once",
        &["forensics::rest::nothing_of_a_clip_is_left", "disclosure::cases::a_frame_is_gone_after_detection"],
        &["not-stored", "wiped"],
    ),
    tested(
        "4.2",
        "A sign says why and what for",
        &["notice::lint::layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on"],
    ),
    tested(
        "4.3",
        "It is of use: ways through the shop, interest, service, as totals",
        &[
            "story::sample::every_line_zone_and_layer_of_heat_has_one_record",
            "story::sample::the_heatmap_shows_at_least_twenty_places",
        ],
    ),
    tested(
        "4.4",
        "What somebody reaches for is their own business: no place is smaller than a metre",
        &["faults::sites::a_cell_below_a_metre_would_show_steps"],
    ),
    tried(
        "4.5",
        "The purpose is told when it is collected, and nothing is collected before",
        &[
            "switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called",
            "notice::lint::layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on",
        ],
        &["armed"],
    ),
    tried(
        "4.6",
        "Nothing is kept longer than it must be",
        &["vault::retention::after_thirty_one_days_a_window_is_gone_from_the_rows_from_the_file_and_from_every_page"],
        &["kept-at-most"],
    ),
    tested(
        "4.7",
        "What is destroyed is destroyed for good",
        &[
            "vault::commands::a_store_that_is_damaged_under_its_own_keys_is_destroyed_all_the_same",
            "src::capture::frame::a_frame_is_wiped_while_a_panic_unwinds",
            "vault::store::a_store_does_not_open_under_another_key_and_a_key_others_can_read_is_refused",
        ],
    ),
    tested(
        "4.8",
        "There is a policy to read and a short text for an app or a receipt",
        &[
            "notice::pages::short_texts_have_140_characters_at_most_and_say_the_sentence_whole",
            "notice::commands::the_demo_makes_every_document_and_says_what_to_do_next",
        ],
    ),
    tested(
        "4.9",
        "There is a desk, and whoever sits at it has answers",
        &["openly::rights::the_desk_has_a_runbook_and_a_dozen_answers_in_both_languages"],
    ),
    tested(
        "4.10",
        "The policy says what is collected, why, how it is kept and guarded, and cannot drift from what runs",
        &[
            "notice::claims::the_hash_on_a_sign_is_that_of_every_message_and_follows_every_declared_value_as_its_id_does",
            "notice::claims::nothing_is_claimed_on_a_self_test_of_another_version_of_other_programs_or_of_another_declaration",
        ],
    ),
    tested(
        "4.11",
        "Questions are answered soon and honestly",
        &["openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when"],
    ),
    tested(
        "4.12",
        "The box tells by itself how well it keeps its promises, signed and dated, and claims nothing on a test older than a day",
        &[
            "openly::report::a_self_test_is_signed_kept_beside_the_store_and_bears_claims",
            "notice::claims::a_claim_disappears_everywhere_when_its_proof_is_red_not_run_old_or_gone_and_the_others_stay",
            "openly::policy::the_policy_that_is_served_claims_what_is_proved_when_it_is_asked_for_and_not_when_the_shop_was_opened",
            "openly::report::a_self_test_that_is_old_or_of_something_else_is_told_by_the_doctor",
        ],
    ),
];
