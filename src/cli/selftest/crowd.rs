//! Of the self-test: the gate of this very program, with the k of this site, before people who were drawn.
//!
//! In: a site. Out: whether one person fewer than `k` is withheld and `k` people are shown. Invariant: the drawn people go
//! through the stages of an eye; no camera, no store.

use super::{judged, not_run};
use crate::clock::{CaptureTime, Timeline, UtcMs};
use crate::config::card::ScoreLevels;
use crate::config::site::Site;
use crate::config::{Settings, site};
use crate::detect::{Detection, Detections};
use crate::floor::FloorMap;
use crate::gate::{Figures, Gate, ReleasedWindow};
use crate::measure::Measures;
use crate::notice::claims::Claim;
use crate::track::Tracker;
use crate::units::{BoxPx, PictureSize};
use crate::wire::payload::selftest::Proof;

pub(super) fn proofs(of: &Site) -> Vec<Proof> {
    let (id, k) = (Claim::KPeople.id(), of.settings.gate.k);
    if k > K_DRAWN_MAX {
        return vec![not_run(id, &format!("k = {k}; {K_DRAWN_MAX} people at most are drawn"))];
    }
    let outcome = match [shown(k, k - 1), shown(k, k)] {
        [Some(false), Some(true)] => Ok(format!("of {} drawn people a zone says nothing, of {k} it does", k - 1)),
        [fewer, enough] => Err(format!("drawn people: {fewer:?} with one fewer than {k}, {enough:?} with {k}")),
    };
    vec![judged(id, outcome)]
}

/// Whether so many people, who walk through a zone once each, are shown.
fn shown(k: u32, people: u32) -> Option<bool> {
    let zones = released(&drawn(k)?, people)?.into_iter().filter_map(|window| match window.figures() {
        Figures::Zone(figures) => Some(figures.is_some()),
        _ => None,
    });
    Some(zones.into_iter().any(|is_shown| is_shown))
}

/// What the gate lets through of so many people, who walk through the hall once each.
pub(super) fn released(settings: &Settings, people: u32) -> Option<Vec<ReleasedWindow>> {
    let (mut measures, mut gate) = (Measures::new(settings, Timeline::starting_at(START)), Gate::new(settings));
    let map = FloorMap::new(&settings.cameras[0], PICTURE).ok()?;
    measures.place(settings, 0, &map);
    let mut tracker = Tracker::new(ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 }, 1);
    let mut closed = Vec::new();
    for step in 0..people.div_ceil(ABREAST) * STEPS_EACH + STEPS_EACH {
        let captured_at = CaptureTime(i64::from(step) * STEP_MS * 1_000_000);
        let (row, at) = (step / STEPS_EACH, f64::from(step % STEPS_EACH) / f64::from(STEPS_WALKED));
        let there = (row * ABREAST..people.min((row + 1) * ABREAST)).filter(|_| at <= 1.0);
        let people = there.map(|person| seen_at([2.5 + 8.0 * at, 3.6 + f64::from(person % ABREAST) * 1.2])).collect();
        let tracks = tracker.advance(Detections { captured_at, picture: PICTURE, people })?;
        closed.extend(measures.step(0, &map.steps(tracks)));
    }
    closed.extend(measures.finish(0));
    Some(closed.into_iter().flat_map(|window| gate.release(window)).collect())
}

/// A hall of 20 m x 15 m with a zone, a queue in it and a line behind it, seen from straight above at 40 px to the metre.
pub(super) fn drawn(k: u32) -> Option<Settings> {
    site::parse(&HALL.replace("{k}", &k.to_string()), "built in").ok().map(|site| site.settings)
}

/// The box of somebody who stands there, m.
fn seen_at([x_m, y_m]: [f64; 2]) -> Detection {
    let (x, y) = ((x_m * 40.0) as f32, (600.0 - y_m * 40.0) as f32);
    Detection { place: BoxPx { x1: x - 12.0, y1: y - 60.0, x2: x + 12.0, y2: y }, score: 0.9 }
}

const PICTURE: PictureSize = PictureSize { height: 600, width: 800 };
/// A full hour, so that all walk within one window.
const START: UtcMs = UtcMs(1_767_607_200_000);
/// People who walk side by side.
const ABREAST: u32 = 4;
/// Steps of a walk of 8 m, at 1 m/s, and the pause behind it in which tracks end.
const STEPS_WALKED: u32 = 40;
const STEPS_EACH: u32 = 60;
const STEP_MS: i64 = 200;
/// All of them walk within a quarter of an hour.
pub(super) const K_DRAWN_MAX: u32 = 250;
const HALL: &str = r#"
[store]
org = "t"
store = "t"
node = "t"
timezone = "UTC"
[gate]
k = {k}
[[floor]]
id = "hall"
origin_m = [0.0, 0.0]
size_m = [20.0, 15.0]
[[camera]]
id = "view"
floor = "hall"
calibration = [
  { px = [0, 600], m = [0.0, 0.0] }, { px = [800, 600], m = [20.0, 0.0] },
  { px = [800, 0], m = [20.0, 15.0] }, { px = [0, 0], m = [0.0, 15.0] },
]
[[zone]]
id = "zone"
polygon_m = [[4.0, 3.0], [9.0, 3.0], [9.0, 8.0], [4.0, 8.0]]
[[line]]
id = "line"
ends_m = [[9.5, 2.0], [9.5, 9.0]]
inside_m = [10.5, 5.0]
[[queue]]
id = "queue"
zone = "zone"
served_by = "line"
target_s = 60
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_fewer_than_k_is_withheld_for_every_k() {
        for k in [5, 7, 20] {
            assert_eq!([shown(k, k - 1), shown(k, k)], [Some(false), Some(true)], "k = {k}");
        }
    }
}
