//! Windows cut time, never counts: wherever the calendar cuts a recording, all windows together say the same.

use std::collections::BTreeMap;

use kehai::clock::UtcMs;
use kehai::measure::{Exact, Window};
use proptest::prelude::*;

use super::queue::QUEUE;
use super::world::{EVERYWHERE, Eye, START, Walk, settings_with, walk};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;

/// Everything of a window that adds, by what it is of.
fn figures(window: &Window) -> Vec<(String, i64)> {
    let named = |of: &str, figures: &[(&str, u64)]| -> Vec<(String, i64)> {
        figures.iter().map(|(what, value)| (format!("{of} {what}"), value.cast_signed())).collect()
    };
    match &window.exact {
        Exact::Line(_, line) => {
            let [inward, outward, uncertain] = [line.inward, line.outward, line.uncertain].map(u64::from);
            let seen_ms = window.cov_ms.into();
            named("line", &[("in", inward), ("out", outward), ("uncertain", uncertain), ("seen", seen_ms)])
        }
        Exact::Zone(index, zone) => {
            let [entries, exits, stops] = [zone.entries, zone.exits, zone.stops].map(u64::from);
            let counts = [("entries", entries), ("exits", exits), ("stops", stops)];
            let times = [("dwell", zone.dwell_ms), ("occupancy", zone.occ_ms)];
            let classes =
                zone.hist.iter().enumerate().map(|(class, stays)| (format!("stays {class}"), i64::from(*stays)));
            named(&format!("zone {index}"), &[&counts[..], &times].concat()).into_iter().chain(classes).collect()
        }
        Exact::Queue(_, queue) => {
            let [joined, served] = [queue.joined, queue.served].map(u64::from);
            let [abandoned, over] = [queue.abandoned, queue.over].map(u64::from);
            let counts = [("joined", joined), ("served", served), ("abandoned", abandoned), ("over", over)];
            let times = [("waits", queue.wait_ms), ("vain", queue.aband_wait_ms), ("length", queue.len_ms)];
            named("queue", &[&counts[..], &times].concat())
        }
        Exact::Heat(_, heat) => {
            let dwell = heat.dwell_ms.iter().enumerate().map(|(cell, ms)| (format!("heat {cell}"), ms.cast_signed()));
            let flow = heat.flow.cells.iter().enumerate().flat_map(|(cell, flow)| {
                let sums = [("n", i64::from(flow.passages)), ("x", flow.sx_milli), ("y", flow.sy_milli)];
                sums.map(|(what, sum)| (format!("flow {cell} {what}"), sum))
            });
            dwell.chain(flow).collect()
        }
        Exact::Transitions(_, all) => {
            let pairs = all.pairs().map(|(pair, number)| (format!("from to {pair:?}"), i64::from(number)));
            pairs.chain([("cut".to_owned(), i64::from(all.cut()))]).collect()
        }
    }
}

/// The sums over all windows of a recording that begins at `zero`, and the number of windows it lies in.
fn sums(walks: &[Walk], zero: UtcMs) -> (BTreeMap<String, i64>, usize) {
    let mut eye = Eye::new(&settings_with(5, QUEUE), zero);
    for step in 0..STEPS {
        let people: Vec<[f64; 2]> = walks.iter().filter_map(|walk| walk.at(step)).collect();
        eye.see(i64::from(step) * STEP_MS, &people);
    }
    let (windows, mut sums) = (eye.finish(), BTreeMap::new());
    windows.iter().flat_map(figures).for_each(|(of, value)| *sums.entry(of).or_default() += value);
    sums.retain(|_, value| *value != 0);
    (sums, windows.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn wherever_the_calendar_cuts_the_sums_are_the_same(
        walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 1..8),
        // Not after the last frame: there is nothing to cut.
        cut_ms in 1..=i64::from(STEPS - 1) * STEP_MS,
    ) {
        let ten_ms = START.0 + 60_000;
        let (whole, in_one) = sums(&walks, UtcMs(ten_ms + 20 * 60_000));
        let (halves, in_two) = sums(&walks, UtcMs(ten_ms - cut_ms));
        let (quarters, in_quarters) = sums(&walks, UtcMs(ten_ms + 15 * 60_000 - cut_ms));
        prop_assert_eq!((in_one, in_two, in_quarters), (6, 12, 10), "windows of one hour, of two, of two quarters");
        prop_assert_eq!(&whole, &halves);
        prop_assert_eq!(&whole, &quarters);
    }
}
