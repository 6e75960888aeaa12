//! What others got wrong, as tests of ours: empty time, short visits in long windows, restarts.

use kehai::clock::UtcMs;
use kehai::measure::Exact;
use kehai::measure::dwell::ZoneWindow;

use super::world::{Eye, START, heat_inside_zone_ms, settings, zones};

/// A place in the zone, m.
const INSIDE: [f64; 2] = [6.5, 5.5];

/// Shows an eye somebody standing in the zone at each fifth of a second within these milliseconds, or nobody.
fn watch(eye: &mut Eye, ms: std::ops::Range<i64>, is_there: bool) {
    let people: &[[f64; 2]] = if is_there { &[INSIDE] } else { &[] };
    ms.step_by(200).for_each(|at_ms| eye.see(at_ms, people));
}

#[test]
fn six_hundred_empty_seconds_are_records_of_nobody_and_the_visitor_after_them_is_exact() {
    // A peer gave the empty time before somebody came to the cell they then stood in: 601 s in one cell.
    let mut eye = Eye::new(&settings(5), UtcMs(START.0 - 600_000));
    watch(&mut eye, 0..600_000, false);
    watch(&mut eye, 600_000..601_200, true);
    watch(&mut eye, 601_200..660_200, false);
    let windows = eye.finish();
    assert_eq!(heat_inside_zone_ms(&windows), 800, "six sightings, one to be confirmed");
    let heat: Vec<u64> = windows
        .iter()
        .filter_map(|window| match &window.exact {
            Exact::Heat(_, heat) => Some(heat.dwell_ms.iter().sum()),
            _ => None,
        })
        .collect();
    assert_eq!(heat, [800, 0], "in the hour of the visit and nowhere else; the hour after is a record too");
    // From 9:49 to ten o'clock: eleven minutes in one quarter of an hour, wholly seen.
    assert_eq!((zones(&windows)[0].1.dwell_ms, windows[0].cov_ms), (800, 660_000));
}

#[test]
fn a_visit_of_twenty_seconds_in_a_minute_is_a_third_of_it() {
    // A peer weighed the visit by the frames that had somebody in them: 0.86 instead of 0.33.
    let mut eye = Eye::new(&settings(5), START);
    watch(&mut eye, 0..19_800, false);
    watch(&mut eye, 19_800..40_200, true);
    watch(&mut eye, 40_200..60_200, false);
    let windows = eye.finish();
    let ZoneWindow { dwell_ms, occ_ms, occ_max, visits, .. } = zones(&windows)[0].1;
    assert_eq!((*dwell_ms, *occ_ms, *occ_max, *visits), (20_000, 20_000, 1, 1));
    assert_eq!(windows[0].cov_ms, 60_000, "mean occupancy is occ_ms ÷ cov_ms, one third");
}

/// Visits, entries, dwell and the longest class of stays over all windows of the zone.
fn stays(windows: &[kehai::measure::Window]) -> (u32, u64, Option<usize>) {
    let all = zones(windows);
    let longest = all.iter().filter_map(|(_, zone)| zone.hist.iter().rposition(|stays| *stays > 0)).max();
    (all.iter().map(|(_, zone)| zone.entries).sum(), all.iter().map(|(_, zone)| zone.dwell_ms).sum(), longest)
}

/// Class of the histogram for stays of 8 to 16 s.
const TEN_SECONDS: Option<usize> = Some(4);

#[test]
fn who_stands_there_before_and_after_a_restart_is_two_visits_of_ten_seconds() {
    // A peer gave the first person after a restart the number of the last one before: one visit of 611 s.
    let mut before = Eye::new(&settings(5), START);
    watch(&mut before, 0..10_400, true);
    let mut after = Eye::new(&settings(5), UtcMs(START.0 + 611_000));
    watch(&mut after, 0..10_400, true);
    let mut windows = before.finish();
    windows.extend(after.finish());
    assert_eq!(stays(&windows), (2, 20_000, TEN_SECONDS));
}

#[test]
fn who_stands_there_before_and_after_ten_blind_minutes_is_two_visits_of_ten_seconds() {
    let mut eye = Eye::new(&settings(5), START);
    watch(&mut eye, 0..10_400, true);
    watch(&mut eye, 611_000..621_400, true);
    let windows = eye.finish();
    assert_eq!(stays(&windows), (2, 20_000, TEN_SECONDS));
    assert_eq!(heat_inside_zone_ms(&windows), 20_000);
    let seen_ms: u64 = windows
        .iter()
        .filter(|window| matches!(window.exact, Exact::Zone(..)))
        .map(|window| u64::from(window.cov_ms))
        .sum();
    assert_eq!(seen_ms, 2 * 10_200, "the blind minutes are not covered");
}
