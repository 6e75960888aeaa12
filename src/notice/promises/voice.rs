//! Promises 3.1 to 3.45: what a policy for recorded calls promises callers, kept for people who are counted.

use super::{Row, not_applicable, not_built, tested, tried};

pub(super) const ROWS: &[Row] = &[
    tested(
        "3.1",
        "All who decide together are named with an address and a contact",
        &[
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
        ],
    ),
    tested(
        "3.2",
        "Customers, staff, children and passers-by are all listed as people who may be seen",
        &["openly::records::records_are_made_from_what_is_declared_in_both_languages"],
    ),
    tried(
        "3.3",
        "No special category: nothing of health, faces, age, gender or bearing is worked out",
        &["tidy::dependencies::nothing_is_linked_that_fetches_recognises_a_person_or_films"],
        &["no-recognition"],
    ),
    tried(
        "3.4",
        "People are told before it begins: without an acknowledged sign nothing is armed",
        &[
            "switch::starting::a_configuration_that_changed_needs_a_new_sign",
            "switch::starting::each_thing_that_is_not_said_is_named_and_no_camera_is_called",
        ],
        &["armed"],
    ),
    tested(
        "3.5",
        "Staff can stop it, the open window is thrown away, and the chain says who did it",
        &["switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs"],
    ),
    tested(
        "3.6",
        "Nobody watches live: there is no view of the pictures at all",
        &[
            "tidy::symbols::no_eye_asks_for_a_symbol_that_encodes_writes_a_picture_or_films",
            "disclosure::cases::pixels_cannot_be_read_outside_the_crate",
        ],
    ),
    tested(
        "3.7",
        "Only declared purposes; staff are not judged by it, for no figure is of one person",
        &[
            "switch::purposes::a_kind_without_a_purpose_is_not_released_and_every_other_one_is",
            "laws::secrecy::one_person_who_goes_in_and_out_is_several_visits_and_withheld",
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
        ],
    ),
    tested(
        "3.8",
        "A record of processing is made from what runs",
        &["openly::records::records_are_made_from_what_is_declared_in_both_languages"],
    ),
    tested(
        "3.9",
        "Another purpose needs another sign and arming anew",
        &[
            "switch::starting::a_configuration_that_changed_needs_a_new_sign",
            "notice::claims::the_hash_on_a_sign_is_that_of_every_message_and_follows_every_declared_value_as_its_id_does",
        ],
    ),
    tried(
        "3.10",
        "Totals are deleted by themselves after thirty days at most; pictures are not kept at all",
        &["vault::retention::after_thirty_one_days_a_window_is_gone_from_the_rows_from_the_file_and_from_every_page"],
        &["kept-at-most"],
    ),
    tested(
        "3.11",
        "Who may see what is fixed by role, and who works with it signs to keep it to themselves",
        &[
            "src::switch::rights::every_role_has_the_least_it_needs",
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
        ],
    ),
    tested(
        "3.12",
        "What is handed to an authority is written down, and there is nothing but totals to hand over",
        &["openly::notes::a_breach_and_a_disclosure_are_lines_that_can_be_searched"],
    ),
    tested(
        "3.13",
        "Each recipient's country is declared",
        &[
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
            "switch::recipients::whoever_else_is_to_get_figures_is_declared_first_and_takes_a_new_sign",
        ],
    ),
    tested(
        "3.14",
        "Whoever asks for access gets an answer and is told what exists",
        &["openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when"],
    ),
    not_applicable(
        "3.15",
        "Wrong facts about a person are put right",
        "no record is of a person; a count that is wrong is a matter of calibration",
    ),
    tested(
        "3.16",
        "Deleting on request",
        &["vault::commands::a_purge_takes_whole_windows_of_the_shops_own_days_and_asks_first"],
    ),
    tested(
        "3.17",
        "Objecting is possible: a way round, a pause, a place where nobody counts",
        &[
            "story::still::nobody_counts_where_nobody_is_to_count_and_it_is_said",
            "openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when",
        ],
    ),
    tested(
        "3.18",
        "Restricting: the whole site is locked until an owner undoes it there",
        &["switch::stopping::what_was_stopped_on_site_is_not_started_from_afar"],
    ),
    not_applicable(
        "3.19",
        "A person takes their data elsewhere",
        "no data are provided by a person under consent or contract, and none can be found; totals come in open formats",
    ),
    tested(
        "3.20",
        "Withdrawing is as easy as agreeing",
        &["switch::stopping::a_shop_stops_within_a_second_by_each_of_its_ways_also_while_its_camera_hangs"],
    ),
    tested(
        "3.21",
        "People are told all that the law asks for, in two layers",
        &[
            "notice::lint::layer_one_says_what_who_why_how_to_object_whom_to_ask_and_where_to_read_on",
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
        ],
    ),
    tried(
        "3.22",
        "No machine decides about a person and nobody is profiled",
        &["laws::secrecy::nothing_below_k_is_ever_released"],
        &["aggregates-only"],
    ),
    tested(
        "3.23",
        "The authority to complain to is named",
        &[
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
            "openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when",
        ],
    ),
    tested(
        "3.24",
        "A request is noted, confirmed and answered within thirty days, free of charge",
        &[
            "openly::rights::the_desk_has_a_runbook_and_a_dozen_answers_in_both_languages",
            "openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when",
        ],
    ),
    tested(
        "3.25",
        "Nobody is asked for papers or a photograph to be answered",
        &["openly::rights::an_answer_is_signed_asks_for_no_papers_and_says_until_when"],
    ),
    tried(
        "3.26",
        "Loss, change and disclosure on the way are guarded against",
        &[
            "delivery::doors::a_broker_whose_certificate_has_expired_or_is_for_another_name_is_not_believed",
            "vault::payloads::any_changed_byte_of_a_payload_is_noticed",
        ],
        &["signed", "cage"],
    ),
    tried(
        "3.27",
        "Children are counted like anybody; nobody's age is guessed",
        &["tidy::dependencies::nothing_is_linked_that_fetches_recognises_a_person_or_films"],
        &["no-recognition"],
    ),
    tested(
        "3.28",
        "Few may use it, they undertake to keep it to themselves, and there is something to learn it by",
        &[
            "roles::commands::every_role_does_from_the_command_line_what_it_may_and_each_refusal_is_remembered",
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
            "openly::rights::the_desk_has_a_runbook_and_a_dozen_answers_in_both_languages",
        ],
    ),
    tested(
        "3.29",
        "A name is one person's, and is never given again",
        &["roles::commands::the_first_is_an_owner_names_are_never_given_again_and_the_last_owner_stays"],
    ),
    tested(
        "3.30",
        "The box itself is looked after: a system it can only read, and a word on where to put it",
        &[
            "evidence::unit::a_shop_runs_as_nobody_without_capabilities_before_a_file_system_it_can_only_read (long)",
            "openly::records::records_are_made_from_what_is_declared_in_both_languages",
        ],
    ),
    not_built(
        "3.31",
        "Known weaknesses are looked for regularly, and attacks noticed",
        "an open wall stops the eye and is told; the scan of advisories is a command of SECURITY.md that a person runs, not a part of the build",
    ),
    tried(
        "3.32",
        "AES with 256 bits for what is kept",
        &[
            "vault::retention::after_thirty_one_days_a_window_is_gone_from_the_rows_from_the_file_and_from_every_page",
            "vault::secrecy::a_stranger_with_the_file_and_their_own_tools_gets_nothing",
        ],
        &["encrypted"],
    ),
    tried(
        "3.33",
        "Nothing is copied without leave: the eye cannot write, and an export stands in the chain",
        &[
            "cage::escapes::thirteen_ways_out_are_denied_and_told_one_by_one",
            "roles::commands::every_role_does_from_the_command_line_what_it_may_and_each_refusal_is_remembered",
        ],
        &["not-stored"],
    ),
    tested(
        "3.34",
        "There is a policy for security with classes of data, threats and what is done about them",
        &["openly::promises::the_security_policy_says_what_it_must"],
    ),
    tested(
        "3.35",
        "Whoever works there knows what to say and do: a runbook and answers for the desk",
        &["openly::rights::the_desk_has_a_runbook_and_a_dozen_answers_in_both_languages"],
    ),
    tested(
        "3.36",
        "Arming takes a password and being there, and codes can be asked for besides",
        &[
            "switch::starting::one_identity_twice_is_one_identity",
            "roles::commands::once_anybody_is_known_nobody_acts_without_a_name",
            "roles::page::an_owner_without_codes_deletes_nothing_at_the_page",
            "src::vault::totp::a_code_is_good_once_and_for_a_minute_and_a_half_at_most",
        ],
    ),
    tested(
        "3.37",
        "The head of the chain leaves the box, so that another machine can tell when the past is changed",
        &[
            "vault::attacks::a_store_that_was_put_back_and_went_on_is_given_away_by_what_was_published",
            "delivery::doors::the_rights_we_ship_for_mosquitto_let_a_node_do_nothing_else",
        ],
    ),
    tested(
        "3.38",
        "A breach is noted at once and the clocks of the law are known",
        &[
            "openly::notes::a_breach_and_a_disclosure_are_lines_that_can_be_searched",
            "openly::promises::the_security_policy_says_what_it_must",
        ],
    ),
    tried(
        "3.39",
        "Walls and encryption are the rule; speaking in the clear beyond the box is refused, or called dangerous and told",
        &[
            "switch::recipients::speaking_in_the_clear_to_another_machine_is_refused_unless_it_is_called_dangerous",
            "delivery::doctor::a_shop_that_publishes_in_the_clear_says_so_on_its_page_and_at_its_start",
            "cage::relay::eye_and_relay_have_a_network_of_their_own_and_no_right_in_it",
        ],
        &["no-network", "dangers"],
    ),
    not_applicable(
        "3.40",
        "The provider guards its data centre",
        "the box stands in the shop and there is no provider; SECURITY.md says where to put it",
    ),
    tested(
        "3.41",
        "After a loss all that is needed comes from one file, and at most the open window is missing",
        &[
            "openly::backup::a_box_is_restored_from_one_file_and_armed_again_by_people_alone",
            "vault::killed::ten_kills_at_random_moments_lose_nothing_and_leave_nothing_half_done",
        ],
    ),
    tested(
        "3.42",
        "Code is reviewed by rules that tests enforce, and what comes from outside is thrown noise at",
        &[
            "tidy::monopolies::what_only_one_place_may_do_is_done_there",
            "laws::pipe::noise_on_the_pipe_is_refused_and_never_panics",
        ],
    ),
    tested(
        "3.43",
        "The self-test carries its date, and an old one is told",
        &["openly::report::a_self_test_that_is_old_or_of_something_else_is_told_by_the_doctor"],
    ),
    tested(
        "3.44",
        "People can read which camera looks where",
        &["notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs"],
    ),
    tested(
        "3.45",
        "Changes are announced with their date, the language that counts is said, and all can be printed",
        &[
            "notice::pages::the_policy_holds_both_languages_and_the_first_one_counts",
            "notice::lint::layer_two_says_every_declared_value_and_every_bound_that_runs",
        ],
    ),
];
