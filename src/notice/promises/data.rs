//! Promises 0.1 to 0.16: being told, agreeing and stopping, as a contact centre's guide to data protection puts it.

use super::{Row, not_applicable, tested, tried};

pub(super) const ROWS: &[Row] = &[
    tested(
        "0.1",
        "An older version of the messages stays readable, and support has an end that is told",
        &[
            "contract::schema::every_golden_payload_of_version_one_stays_valid",
            "contract::schema::a_payload_of_another_version_or_kind_is_refused",
            "openly::promises::the_security_policy_says_what_it_must",
        ],
    ),
    tried(
        "0.2",
        "Nothing is captured before all is declared, a sign acknowledged and the box armed",
        &["switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called"],
        &["armed"],
    ),
    tested(
        "0.3",
        "Whoever asks gets a signed answer at once: what exists, for how long, why nobody can be found in it",
        &["openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when"],
    ),
    tried(
        "0.4",
        "Who decides and who only carries out are named, and figures go to nobody who is not declared",
        &[
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
            "switch::recipients::whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign",
        ],
        &["recipients"],
    ),
    tested(
        "0.5",
        "A legal ground must be chosen, and its assessment is filled in to be judged",
        &[
            "switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called",
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
        ],
    ),
    not_applicable(
        "0.6",
        "Events of a person predict what that person will do",
        "no record is of a person, so there is nothing to predict from",
    ),
    tested(
        "0.7",
        "Each kind of figure has a purpose of its own, and without one it is not released",
        &[
            "switch::purposes::a_kind_without_a_purpose_is_not_released_and_every_other_one_is",
            "notice::lint::a_kind_of_figure_without_a_purpose_is_not_in_the_policy",
        ],
    ),
    tried(
        "0.8",
        "Nothing is handed to advertisers or anybody else who is not declared",
        &[
            "notice::lint::nobody_outside_is_said_where_nobody_is",
            "switch::recipients::whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign",
        ],
        &["recipients"],
    ),
    tried(
        "0.9",
        "That the box was armed, by whom and for what, can be proved later",
        &[
            "switch::recipients::who_armed_the_box_for_what_and_under_which_sign_stands_in_the_chain",
            "switch::machine::every_turn_is_a_line_of_the_chain_refused_ones_too",
            "vault::attacks::no_letter_of_a_chain_can_change_unnoticed",
        ],
        &["audit-chain"],
    ),
    tested(
        "0.10",
        "What people are told stands by itself, in plain words of their language, and can be read",
        &[
            "notice::signs::nothing_on_a_sign_overlaps_or_leaves_the_page_and_its_letters_can_be_read",
            "notice::lint::layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on",
        ],
    ),
    tested(
        "0.11",
        "Stopping is as easy as starting, needs no password, and is over within a second",
        &["switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs"],
    ),
    tested(
        "0.12",
        "There is a way that no camera counts, and the sign says where",
        &[
            "story::still::nobody_counts_where_nobody_is_to_count_and_it_is_said",
            "notice::lint::layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on",
        ],
    ),
    tried(
        "0.13",
        "Capturing and publishing are gated; identifying does not exist",
        &[
            "tidy::dependencies::nothing_is_linked_that_fetches_recognises_a_person_or_films",
            "switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called",
            "switch::purposes::a_kind_without_a_purpose_is_not_released_and_every_other_one_is",
        ],
        &["no-recognition"],
    ),
    tested(
        "0.14",
        "Only pictures come in; nothing of tills, phones or cards can be joined",
        &["faults::sites::an_unknown_key_is_named_with_those_there_are"],
    ),
    tested(
        "0.15",
        "A stop throws away what was open, tracks and the window both",
        &[
            "switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs",
            "live::crashes::the_time_before_a_crash_and_the_crash_itself_are_missing_from_the_coverage (long)",
        ],
    ),
    tested(
        "0.16",
        "How following works is told, and no number of a track is ever written or sent",
        &[
            "tidy::rungs::no_rung_below_the_gate_is_copied_printed_or_serialised",
            "disclosure::cases::a_window_cannot_be_serialised",
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
        ],
    ),
];
