//! The gate: nothing that is released rests on fewer than `k` people, neither by itself nor by subtraction.

use kehai::gate::{Figures, Object, ReleasedWindow};
use kehai::measure::Exact;
use proptest::prelude::*;

use super::world::{EVERYWHERE, Walk, released, settings, walk, windows, zone_cells, zones};

const STEPS: u32 = 900;
const STEP_MS: i64 = 200;
const K: u32 = 5;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_below_k_is_ever_released(walks in prop::collection::vec(walk(EVERYWHERE, STEPS), 0..12)) {
        let settings = settings(K);
        let exact = windows(&settings, &walks, STEPS, STEP_MS);
        let released = released(&settings, &walks, STEPS, STEP_MS);
        for window in &exact {
            let of = |object: Object| released.iter().find(|one| one.object() == object && one.span() == window.span);
            match &window.exact {
                Exact::Zone(zone, exact) => {
                    let figures = of(Object::Zone(*zone as u16)).map(|one| one.figures().clone());
                    let shown = matches!(figures, Some(Figures::Zone(Some(_))));
                    prop_assert_eq!(shown, exact.people >= K);
                }
                Exact::Heat(floor, exact) => {
                    for object in [Object::HeatVisits(*floor as u16), Object::HeatDwell(*floor as u16)] {
                        let Some(Figures::Heat(cells)) = of(object).map(|one| one.figures().clone()) else { panic!("a layer is missing") };
                        let leaked = cells.iter().zip(&exact.visits).any(|(cell, visits)| cell.is_some() && *visits < K);
                        prop_assert!(!leaked);
                    }
                    let layer = |object: Object| of(object).map(|one| one.figures().clone());
                    let floor = *floor as u16;
                    let (Some(Figures::Flow(flow)), Some(Figures::Heat(heat))) = (layer(Object::Flow(floor)), layer(Object::HeatVisits(floor))) else { panic!("a layer is missing") };
                    for ((flow, heat), exact) in flow.iter().zip(&heat).zip(&exact.flow.cells) {
                        prop_assert_eq!(flow.is_some(), heat.is_some() && exact.distinct >= K);
                        prop_assert!(exact.distinct <= exact.passages);
                    }
                }
                Exact::Transitions(camera, exact) => {
                    let figures = of(Object::Transitions(*camera as u16)).map(|one| one.figures().clone());
                    let Some(Figures::Transitions(figures)) = figures else { panic!("the transitions are missing") };
                    for (index, number) in figures.pairs.iter().enumerate().filter(|(_, number)| **number > 0) {
                        let pair = (index / exact.nodes, index % exact.nodes);
                        prop_assert!(exact.people_behind([pair].into_iter()) >= K as usize);
                        prop_assert!(exact.pairs().any(|exact| exact == (pair, *number)));
                    }
                }
                Exact::Line(..) | Exact::Queue(..) => {}
            }
        }
    }

    #[test]
    fn what_a_zone_has_beyond_its_released_cells_rests_on_k(walks in prop::collection::vec(walk(CROWDED, STEPS), 8..30)) {
        let settings = settings(K);
        let exact = windows(&settings, &walks, STEPS, STEP_MS);
        let released = released(&settings, &walks, STEPS, STEP_MS);
        for window in &exact {
            let Exact::Heat(_, heat) = &window.exact else { continue };
            let of_hour = |one: &&ReleasedWindow| (window.span.start_s..window.span.end_s()).contains(&one.span().start_s);
            let Some(zone_ms) = zone_dwell_ms(released.iter().filter(of_hour)) else { continue };
            let cells = released.iter().filter(of_hour).find(|one| one.object() == Object::HeatDwell(0));
            let Some(Figures::Heat(cells)) = cells.map(ReleasedWindow::figures) else { panic!("a layer is missing") };
            let shown_ms: u64 = zone_cells().filter_map(|cell| cells[cell]).map(u64::from).sum();
            let hides_k = zone_cells().any(|cell| cells[cell].is_none() && heat.visits[cell] >= K);
            prop_assert!(zone_ms == shown_ms || shown_ms == 0 || hides_k, "{} ms follow from {zone_ms} ms", zone_ms - shown_ms);
        }
    }
}

/// Dwell of the zone in its windows; `None` when one of them is withheld.
fn zone_dwell_ms<'a>(windows: impl Iterator<Item = &'a ReleasedWindow>) -> Option<u64> {
    let of_zone = windows.filter_map(|one| match one.figures() {
        Figures::Zone(figures) => Some(figures.map(|figures| u64::from(figures.dwell_ms))),
        _ => None,
    });
    of_zone.sum()
}

#[test]
fn one_person_who_goes_in_and_out_is_several_visits_and_withheld() {
    let leg = |number: u32| {
        let (near, far) = ([2.5, 5.5], [5.5, 5.5]);
        let (from_m, to_m) = if number.is_multiple_of(2) { (near, far) } else { (far, near) };
        Walk { from_m, to_m, first: 400 + number * 15, last: 414 + number * 15 }
    };
    let walks: Vec<Walk> = (0..14).map(leg).collect();
    let exact = windows(&settings(K), &walks, STEPS, STEP_MS);
    let zone = zones(&exact)[1].1;
    assert_eq!((zone.entries, zone.visits, zone.people), (7, 7, 1));
    let released = released(&settings(K), &walks, STEPS, STEP_MS);
    assert!(released.iter().all(|one| !matches!(one.figures(), Figures::Zone(Some(_)))));
}

/// A place of few cells, m: some of them see many people.
const CROWDED: [[f64; 2]; 2] = [[5.5, 4.5], [9.5, 6.5]];
