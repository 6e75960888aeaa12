//! I7: counts are conserved, whoever walks wherever: what goes in comes out or is still there, and what is spent in a
//! zone is spent in its cells.

use kehai::clock::{Timeline, UtcMs};
use kehai::measure::{Exact, Measures};
use proptest::prelude::*;

use super::world::{
    EVERYWHERE, START, Walk, heat_inside_zone_ms, settings, walk, watched, watched_through, windows, zones,
};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn heat_inside_a_zone_is_its_dwell(walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 0..8)) {
        let windows = windows(&settings(5), &walks, STEPS, STEP_MS);
        let dwell_ms: u64 = zones(&windows).iter().map(|(_, zone)| zone.dwell_ms).sum();
        prop_assert_eq!(heat_inside_zone_ms(&windows), dwell_ms);
    }

    #[test]
    fn entries_less_exits_is_who_is_still_there(walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 0..8)) {
        let windows = windows(&settings(5), &walks, STEPS, STEP_MS);
        let mut staying = 0i64;
        for (_, zone) in zones(&windows) {
            prop_assert_eq!(i64::from(zone.visits), staying + i64::from(zone.entries));
            prop_assert!(zone.people <= zone.visits && (zone.people > 0) == (zone.visits > 0));
            staying += i64::from(zone.entries) - i64::from(zone.exits);
            prop_assert!(staying >= 0);
        }
        prop_assert_eq!(staying, 0, "the recording is over and everybody with it");
        let ended: u32 = zones(&windows).iter().flat_map(|(_, zone)| zone.hist).sum();
        let exits: u32 = zones(&windows).iter().map(|(_, zone)| zone.exits).sum();
        prop_assert_eq!(ended, exits);
    }
}

#[test]
fn an_empty_shop_gives_records_of_nobody_with_full_coverage() {
    let windows = windows(&settings(5), &[], STEPS, STEP_MS);
    assert_eq!(
        windows.iter().filter(|window| matches!(window.exact, Exact::Line(..))).count(),
        2,
        "before and after ten"
    );
    let seen_ms: u64 = windows
        .iter()
        .filter(|window| matches!(window.exact, Exact::Line(..)))
        .map(|window| u64::from(window.cov_ms))
        .sum();
    assert_eq!(seen_ms, u64::from(STEPS - 1) * STEP_MS as u64);
}

#[test]
fn a_camera_that_was_never_seen_has_records_without_coverage() {
    let mut measures = Measures::new(&settings(5), Timeline::starting_at(START));
    let closed = measures.tick(UtcMs(START.0 + 17 * 60_000));
    let kinds = closed.iter().map(|window| match &window.exact {
        Exact::Line(..) => "line",
        Exact::Zone(..) => "zone",
        Exact::Queue(..) => "queue",
        Exact::Heat(..) => "heat",
        Exact::Transitions(..) => "od",
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["line", "zone", "line", "zone", "heat", "od"]);
    assert!(closed.iter().all(|window| window.cov_ms == 0));
}

#[test]
fn the_time_in_which_a_camera_was_opened_anew_is_not_covered_and_nobody_loses_by_it() {
    let standing = Walk { from_m: [6.5, 5.5], to_m: [6.5, 5.5], first: 350, last: STEPS };
    let reopened_before = |steps: &'static [u32]| {
        let settings = settings(5);
        let (mut measures, mut closed) =
            watched_through(&settings, std::slice::from_ref(&standing), STEPS, STEP_MS, |step, measures| {
                steps.contains(&step).then(|| measures.blinded(0));
            });
        closed.extend(measures.finish(0));
        let lines = closed.iter().filter(|window| matches!(window.exact, Exact::Line(..)));
        (
            lines.map(|window| window.cov_ms).sum::<u32>(),
            zones(&closed).iter().map(|(_, zone)| zone.dwell_ms).sum::<u64>(),
        )
    };
    let (whole_ms, dwell_ms) = reopened_before(&[]);
    assert_eq!(reopened_before(&[100, 400, 600]), (whole_ms - 3 * STEP_MS as u32, dwell_ms));
    assert!(dwell_ms > 100_000, "{dwell_ms}");
}

#[test]
fn who_stood_before_a_camera_that_went_blind_is_not_there_any_more() {
    let standing = Walk { from_m: [6.5, 5.5], to_m: [6.5, 5.5], first: 350, last: STEPS };
    let (mut measures, _) = watched(&settings(5), &[standing], STEPS, STEP_MS);
    let closed = measures.tick(UtcMs(START.0 + 40 * 60_000));
    let visits: Vec<u32> = zones(&closed).iter().map(|(_, zone)| zone.visits).collect();
    assert_eq!(visits, [1, 0], "the quarter hour in which the camera was lost, and the next");
    assert_eq!(zones(&closed)[0].1.exits, 1);
}

#[test]
fn a_skipped_frame_changes_no_crossing() {
    let across = |step: u32| Walk { from_m: [2.0, 5.0], to_m: [18.0, 5.0], first: step * 40, last: step * 40 + 80 };
    let crossings = |steps: u32, step_ms: i64, scale: u32| -> u32 {
        let walks: Vec<Walk> = (0..8)
            .map(across)
            .map(|walk| Walk { first: walk.first / scale, last: walk.last / scale, ..walk })
            .collect();
        let windows = windows(&settings(5), &walks, steps, step_ms);
        let inward = windows.iter().filter_map(|window| match &window.exact {
            Exact::Line(_, line) => Some(line.inward),
            _ => None,
        });
        inward.sum()
    };
    assert_eq!(crossings(600, 100, 1), 8);
    assert_eq!(crossings(300, 200, 2), 8);
}
