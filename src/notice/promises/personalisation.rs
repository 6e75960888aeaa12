//! Promises 1.1 to 1.8: needing less, seeing less, keeping less.

use super::{Row, tested, tried};

pub(super) const ROWS: &[Row] = &[
    tested(
        "1.1",
        "The worst that a stolen box yields is known: settings, keys and totals, and no picture",
        &[
            "evidence::hour::what_a_replay_leaves_on_the_disk_is_windows_and_their_heatmaps",
            "vault::secrecy::a_stranger_with_the_file_and_their_own_tools_gets_nothing",
        ],
    ),
    tested(
        "1.2",
        "Rules of regions are profiles that can only tighten",
        &[
            "switch::regions::what_a_region_asks_for_holds_where_the_site_file_says_nothing_or_more_and_nothing_less_is_taken",
            "switch::regions::a_dangerous_key_is_refused_where_the_region_allows_none",
            "switch::regions::a_notice_has_to_be_in_the_language_of_its_region",
            "switch::starting::what_was_armed_is_not_loosened_by_a_new_site_file",
        ],
    ),
    tried(
        "1.3",
        "What is not needed is destroyed by itself, for good: every picture after one look",
        &["forensics::rest::nothing_of_a_clip_is_left", "src::capture::frame::a_dropped_frame_leaves_nothing_behind"],
        &["wiped"],
    ),
    tested(
        "1.4",
        "Every published field has a purpose, a ground and a lifetime in an inventory made from the schema",
        &["openly::records::every_published_field_stands_in_the_inventory"],
    ),
    tested(
        "1.5",
        "Each role may do the least it needs, and what is refused is remembered",
        &[
            "src::switch::rights::every_role_has_the_least_it_needs",
            "roles::commands::every_role_does_from_the_command_line_what_it_may_and_each_refusal_is_remembered",
            "roles::matrix::at_every_way_into_the_page_only_the_allowed_cells_succeed_and_each_refusal_is_remembered",
        ],
    ),
    tried(
        "1.6",
        "No role sees a picture, a path or a withheld figure",
        &["laws::secrecy::nothing_below_k_is_ever_released", "src::switch::rights::every_role_has_the_least_it_needs"],
        &["k-people"],
    ),
    tried(
        "1.7",
        "Each class of data has a lifetime, and what is older is gone from the file",
        &["vault::retention::after_thirty_one_days_a_window_is_gone_from_the_rows_from_the_file_and_from_every_page"],
        &["kept-at-most"],
    ),
    tested(
        "1.8",
        "Whole windows are deleted on request, on the box and at its broker",
        &[
            "vault::commands::a_purge_takes_whole_windows_of_the_shops_own_days_and_asks_first",
            "vault::purges::a_shop_that_runs_notices_a_purge_on_its_page_and_at_its_broker",
        ],
    ),
];
