//! Who is hidden for a moment, and who is lost and found: the table of `src/measure.rs`, row by row.
//!
//! One person, seen five times a second, is not seen for [`KEPT`] steps (0.8 s: the tracker keeps the id) or for [`LOST`]
//! (6 s: it does not).

use kehai::measure::crossing::LineWindow;
use kehai::measure::dwell::ZoneWindow;
use kehai::measure::heatmap::HeatWindow;
use kehai::measure::queue::QueueWindow;
use kehai::measure::transitions::{Pair, TransitionWindow};
use kehai::measure::{Exact, Window};

use super::queue::QUEUE;
use super::world::{Eye, START, settings_with};

const KEPT: u32 = 4;
const LOST: u32 = 30;
/// Steps until the recording ends: within its first minute, so that there is one window of each.
const STEPS: u32 = 250;

/// What the only person on the floor left in every kind of window.
struct Left {
    windows: Vec<Window>,
}

impl Left {
    /// By a person who is at `at` from step 5 to step `last`, but for `hidden` steps from `from` on.
    fn by(at: impl Fn(u32) -> [f64; 2], last: u32, [from, hidden]: [u32; 2]) -> Self {
        let mut eye = Eye::new(&settings_with(5, QUEUE), START);
        for step in 0..STEPS {
            let is_seen = (5..=last).contains(&step) && !(from..from + hidden).contains(&step);
            let people: Vec<[f64; 2]> = is_seen.then(|| at(step)).into_iter().collect();
            eye.see(i64::from(step) * 200, &people);
        }
        Self { windows: eye.finish() }
    }

    fn find<'a, T>(&'a self, which: impl Fn(&'a Exact) -> Option<&'a T>) -> &'a T {
        self.windows.iter().find_map(|window| which(&window.exact)).expect("every kind has a window")
    }

    fn zone(&self) -> &ZoneWindow {
        self.find(|exact| if let Exact::Zone(0, zone) = exact { Some(zone) } else { None })
    }

    fn line(&self) -> &LineWindow {
        self.find(|exact| if let Exact::Line(_, line) = exact { Some(line) } else { None })
    }

    fn queue(&self) -> &QueueWindow {
        self.find(|exact| if let Exact::Queue(_, queue) = exact { Some(queue) } else { None })
    }

    fn heat(&self) -> &HeatWindow {
        self.find(|exact| if let Exact::Heat(_, heat) = exact { Some(heat) } else { None })
    }

    fn ways(&self) -> Vec<(Pair, u32)> {
        let all: &TransitionWindow =
            self.find(|exact| if let Exact::Transitions(_, all) = exact { Some(all) } else { None });
        assert_eq!(all.cut(), 0);
        all.pairs().collect()
    }
}

/// Somebody who stands in the queue's zone for 24 s, hidden for so many steps after 8.6 s.
fn standing(hidden: u32) -> Left {
    Left::by(|_| [6.5, 5.5], 128, [50, hidden])
}

/// The cell somebody [`standing`] is in.
const CELL: usize = 5 * 20 + 6;
/// Nodes of the shop: two zones, a line, elsewhere.
const ZONE: usize = 0;
const COUNTER: usize = 1;
const ELSEWHERE: usize = 3;

#[test]
fn heat_visits_once_for_a_kept_id_and_twice_for_a_lost_one() {
    assert_eq!([KEPT, LOST].map(|hidden| standing(hidden).heat().visits[CELL]), [1, 2]);
}

#[test]
fn heat_dwell_has_the_hidden_time_of_a_kept_id_and_not_that_of_a_lost_one() {
    // Known from step 6 to 128; lost at 49, known again at 81.
    assert_eq!(standing(KEPT).heat().dwell_ms[CELL], 122 * 200);
    assert_eq!(standing(LOST).heat().dwell_ms[CELL], (43 + 47) * 200);
}

#[test]
fn zone_dwell_has_the_same_and_occupancy_never_has_hidden_time() {
    let times = |left: &Left| (left.zone().dwell_ms, left.zone().occ_ms);
    assert_eq!(times(&standing(KEPT)), (122 * 200, 117 * 200), "unseen between steps 49 and 54");
    assert_eq!(times(&standing(LOST)), (90 * 200, 90 * 200));
}

#[test]
fn zone_entries_exits_and_visits_are_one_for_a_kept_id_and_two_for_a_lost_one() {
    let counts = |hidden| {
        let left = standing(hidden);
        let ZoneWindow { entries, exits, visits, people, .. } = left.zone();
        [*entries, *exits, *visits, *people]
    };
    assert_eq!([counts(KEPT), counts(LOST)], [[1; 4], [2; 4]]);
}

#[test]
fn zone_stops_go_on_for_a_kept_id_and_begin_anew_for_a_lost_one() {
    assert_eq!([KEPT, LOST].map(|hidden| standing(hidden).zone().stops), [1, 0], "8.6 s and 9.4 s are no stop");
}

#[test]
fn queue_waits_on_with_a_kept_id_and_gives_up_and_joins_again_with_a_lost_one() {
    let ends = |hidden| {
        let left = standing(hidden);
        let QueueWindow { joined, served, abandoned, aband_wait_ms, .. } = left.queue();
        ([*joined, *served, *abandoned], *aband_wait_ms)
    };
    assert_eq!(ends(KEPT), ([1, 0, 1], 122 * 200));
    assert_eq!(ends(LOST), ([2, 0, 2], 90 * 200));
}

#[test]
fn transitions_go_on_for_a_kept_id_and_lead_elsewhere_and_back_for_a_lost_one() {
    let expected = |times| vec![((ZONE, ELSEWHERE), times), ((ELSEWHERE, ZONE), times)];
    assert_eq!(standing(KEPT).ways(), expected(1));
    assert_eq!(standing(LOST).ways(), expected(2));
}

/// Somebody who leaves the queue while hidden, and then goes on to its counter.
fn going_to_the_counter(hidden: u32) -> Left {
    let x_m = move |step: u32| match step {
        0..50 => 8.8,
        step if step < 50 + hidden => 9.2,
        step => (9.2 + 0.1 * f64::from(step - 50 - hidden)).min(9.75),
    };
    Left::by(move |step| [x_m(step), 5.5], 120, [50, hidden])
}

#[test]
fn queue_serves_a_kept_id_and_not_a_lost_one() {
    let ends = |hidden| {
        let left = going_to_the_counter(hidden);
        let QueueWindow { joined, served, abandoned, .. } = left.queue();
        [*joined, *served, *abandoned]
    };
    assert_eq!([ends(KEPT), ends(LOST)], [[1, 1, 0], [1, 0, 1]]);
    let between = |hidden| going_to_the_counter(hidden).ways();
    let (begins, ends) = ((ELSEWHERE, ZONE), (COUNTER, ELSEWHERE));
    assert_eq!(between(KEPT), [((ZONE, COUNTER), 1), (ends, 1), (begins, 1)]);
    assert_eq!(between(LOST), [((ZONE, ELSEWHERE), 1), (ends, 1), (begins, 1), ((ELSEWHERE, COUNTER), 1)]);
}

#[test]
fn line_counts_the_way_of_a_kept_id_once_and_nothing_for_a_lost_one() {
    // One metre a second, hidden right before the door.
    let crossing = |hidden| {
        let left = Left::by(|step| [7.0 + 0.2 * f64::from(step) - 1.0, 11.5], 60, [18, hidden]);
        let LineWindow { inward, outward, uncertain } = left.line();
        [*inward, *outward, *uncertain]
    };
    assert_eq!([crossing(0), crossing(KEPT), crossing(LOST)], [[1, 0, 0], [1, 0, 0], [0, 0, 0]]);
}

#[test]
fn line_is_uncertain_of_a_kept_id_that_was_slow_and_knows_nothing_of_a_lost_one() {
    let crossing = |hidden| {
        let left = Left::by(|step| [9.4 + 0.02 * f64::from(step), 11.5], 120, [28, hidden]);
        let LineWindow { inward, outward, uncertain } = left.line();
        [*inward, *outward, *uncertain]
    };
    assert_eq!(crossing(KEPT), [1, 0, 1], "0.3 m in three seconds");
    assert_eq!(crossing(LOST), [0, 0, 0], "lost at 9.94 m, found at 10.56 m");
}

#[test]
fn flow_points_to_where_a_kept_id_is_found_and_ends_where_one_is_lost() {
    // 0.2 m a step: the first sighting in the seventh cell is at 6.1 m, then hidden.
    let passages = |hidden| {
        let left = Left::by(|step| [2.5 + 0.2 * f64::from(step), 11.5], 60, [19, hidden]);
        [6, 7].map(|column| {
            let cell = &left.heat().flow.cells[11 * 20 + column];
            (cell.passages, cell.sx_milli)
        })
    };
    assert_eq!(passages(KEPT), [(1, 1000), (1, 1000)]);
    assert_eq!(passages(LOST), [(0, 0), (0, 0)], "0.2 m have no direction; found beyond");
}
