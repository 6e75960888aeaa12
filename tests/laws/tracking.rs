//! Tracks and what is measured of them agree: whoever is followed is counted, in and out, wherever they walk, meet and hide.
//!
//! In: drawn walkers through track, floor and measure. The line lies at x = 10 m, the inside to its right.

use std::collections::BTreeMap;

use kehai::clock::{CaptureTime, Timeline};
use kehai::config::card::ScoreLevels;
use kehai::detect::{Detection, Detections};
use kehai::floor::FloorMap;
use kehai::measure::crossing::CLEAR_M;
use kehai::measure::{Exact, Measures, Window};
use kehai::track::tuning::Tuning;
use kehai::track::{TrackId, Tracker};
use proptest::prelude::*;

use super::world::{PICTURE, START, seen_at, settings};

/// Somebody who walks along the hall, hidden for a while.
#[derive(Debug, Clone)]
struct Walker {
    /// Where they walk, m from the door wall.
    lane_m: f64,
    /// How far that changes from one end to the other, m.
    drift_m: f64,
    from_m: f64,
    to_m: f64,
    speed_m_s: f64,
    from_s: f64,
    /// When they are hidden, as shares of their way, and for how long.
    hidden: Vec<(f64, f64)>,
}

impl Walker {
    fn at(&self, at_s: f64) -> Option<[f64; 2]> {
        let lasts_s = (self.to_m - self.from_m).abs() / self.speed_m_s;
        let share = (at_s - self.from_s) / lasts_s;
        let is_hidden = |(from, for_s): &(f64, f64)| (0.0..*for_s).contains(&(at_s - self.from_s - from * lasts_s));
        let is_there = (0.0..=1.0).contains(&share) && !self.hidden.iter().any(is_hidden);
        is_there.then_some([self.from_m + share * (self.to_m - self.from_m), self.lane_m + share * self.drift_m])
    }

    /// By how many this walker changes the number of people inside.
    fn change(&self) -> i64 {
        i64::from(self.to_m > LINE_M) - i64::from(self.from_m > LINE_M)
    }
}

/// What came of a world.
struct Outcome {
    inward: i64,
    outward: i64,
    /// First and last clear side of everybody who counted, −1 or 1.
    sides: BTreeMap<TrackId, [i64; 2]>,
    /// Where people stood, frame by frame.
    stood: Vec<Vec<(TrackId, [f64; 2])>>,
}

/// Follows walkers by looks `step_ms` apart for so many seconds.
fn followed(walkers: &[Walker], step_ms: i64, until_s: i64) -> Outcome {
    let settings = settings(5);
    let mut tracker = Tracker::new(ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 }, 1);
    let mut measures = Measures::new(&settings, Timeline::starting_at(START));
    let map = FloorMap::new(&settings.cameras[0], PICTURE).expect("four marks make a floor");
    tracker.stand_on(map.homography().expect("four marks make a floor"));
    measures.place(&settings, 0, &map);
    let mut outcome = Outcome { inward: 0, outward: 0, sides: BTreeMap::new(), stood: Vec::new() };
    for step in 0..until_s * 1000 / step_ms {
        let at_ms = step * step_ms;
        let there = walkers.iter().filter_map(|walker| walker.at(at_ms as f64 / 1000.0));
        let people: Vec<Detection> = there.map(seen_at).collect();
        let captured_at = CaptureTime(at_ms * 1_000_000);
        let tracks = tracker.advance(Detections { captured_at, picture: PICTURE, people }).expect("time moves on");
        let steps = map.steps(tracks);
        for person in &steps.people {
            let side = (person.at.x_m - LINE_M).signum() as i64;
            if (person.at.x_m - LINE_M).abs() >= CLEAR_M {
                outcome.sides.entry(person.id).or_insert([side, side])[1] = side;
            }
        }
        outcome.stood.push(steps.people.iter().map(|person| (person.id, [person.at.x_m, person.at.y_m])).collect());
        outcome.take(&measures.step(0, &steps));
    }
    outcome.take(&measures.finish(0));
    outcome
}

impl Outcome {
    fn take(&mut self, windows: &[Window]) {
        for window in windows {
            if let Exact::Line(_, line) = &window.exact {
                self.inward += i64::from(line.inward);
                self.outward += i64::from(line.outward);
            }
        }
    }
}

/// Somebody anywhere, on any straight way, hidden for up to three seconds at a time.
fn anybody() -> impl Strategy<Value = Walker> {
    let way = (0.6f64..19.4, 0.6f64..19.4, 1.0f64..14.0, 0.0f64..1.0, 0.2f64..2.5, 0.0f64..40.0);
    let hidden = prop::collection::vec((0.0f64..1.0, 0.0f64..3.0), 0..4);
    (way, hidden).prop_map(|((from_m, to_m, lane_m, to, speed_m_s, from_s), hidden)| {
        let drift_m = 1.0 + 13.0 * to - lane_m;
        Walker { lane_m, drift_m, from_m, to_m, speed_m_s, from_s, hidden }
    })
}

/// People who cross the hall in lanes 0.9 m apart, to and fro from one border of the picture to the other, each hidden now
/// and then for up to a second; boxes of neighbours cover each other.
fn in_lanes() -> impl Strategy<Value = Vec<Walker>> {
    let hidden = prop_oneof![
        Just(Vec::new()),
        (0.15f64..0.75, 0.0f64..1.0).prop_map(|hidden| vec![hidden]),
        ((0.15f64..0.4, 0.0f64..1.0), (0.55f64..0.75, 0.0f64..1.0)).prop_map(|(one, two)| vec![one, two]),
    ];
    let walker = (any::<bool>(), 0.6f64..1.8, 0.0f64..10.0, hidden);
    prop::collection::vec(walker, 1..12).prop_map(|walkers| {
        let lane = |(lane, (is_inward, speed_m_s, from_s, hidden))| {
            let (from_m, to_m) = if is_inward { (0.35, 19.65) } else { (19.65, 0.35) };
            Walker { lane_m: 1.0 + 0.9 * f64::from(lane), drift_m: 0.0, from_m, to_m, speed_m_s, from_s, hidden }
        };
        (0u8..).zip(walkers).map(lane).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn in_less_out_is_what_changed_among_those_followed(walkers in prop::collection::vec(anybody(), 0..16)) {
        let outcome = followed(&walkers, 200, 60);
        let changed: i64 = outcome.sides.values().map(|[first, last]| (last - first) / 2).sum();
        prop_assert_eq!(outcome.inward - outcome.outward, changed);
    }

    #[test]
    fn who_is_hidden_for_a_second_among_others_is_still_counted(walkers in in_lanes()) {
        let outcome = followed(&walkers, 150, 45);
        let changed: i64 = walkers.iter().map(Walker::change).sum();
        prop_assert_eq!(outcome.inward - outcome.outward, changed);
        prop_assert!(outcome.inward + outcome.outward <= walkers.len() as i64, "nobody turned round");
    }

    #[test]
    fn a_look_left_out_moves_no_path_over_the_floor(
        (lane_m, drift_m) in (5.0f64..9.0, -3.0f64..3.0),
        (left_m, speed_m_s, is_inward) in (1.0f64..5.0, 0.3f64..1.5, any::<bool>()),
    ) {
        let (from_m, to_m) = if is_inward { (left_m, left_m + 13.0) } else { (left_m + 13.0, left_m) };
        let walker = Walker { lane_m, drift_m, from_m, to_m, speed_m_s, from_s: 0.0, hidden: Vec::new() };
        let until_s = (13.0 / speed_m_s) as i64;
        let [every, other] = [100, 200].map(|step_ms| followed(std::slice::from_ref(&walker), step_ms, until_s));
        prop_assert_eq!((every.inward, every.outward), (other.inward, other.outward));
        prop_assert_eq!(every.sides.len(), 1, "one person, one id");
        let unconfirmed = Tuning::STANDARD.matching.hits_to_confirm as usize - 1;
        let twice: Vec<_> = every.stood.iter().step_by(2).zip(&other.stood).skip(unconfirmed).collect();
        prop_assert!(twice.len() > 30 && twice.iter().all(|(one, two)| one.len() == 1 && two.len() == 1));
        for (one, two) in twice {
            prop_assert!(one[0].0 == two[0].0, "the id is kept");
            let apart_m = (one[0].1[0] - two[0].1[0]).hypot(one[0].1[1] - two[0].1[1]);
            prop_assert!(apart_m < APART_M_MAX, "{} m", apart_m);
        }
    }
}

const LINE_M: f64 = 10.0;
/// Farthest a steady walker's path moves when every other look is left out: none but for rounding, m.
const APART_M_MAX: f64 = 1e-6;
