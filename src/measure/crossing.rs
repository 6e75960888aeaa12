//! Lines: who went in, who went out.
//!
//! In: people on the floor. Out: [`LineWindow`]. A crossing is a person who was clearly on one side and is now
//! clearly on the other, the straight way between the two cutting the line between its ends. "Clearly" is
//! [`CLEAR_M`] away, so that somebody swaying on the line counts once; it is the segment walked that is tested, not
//! the point, so that a low frame rate loses nobody.

use std::collections::BTreeMap;

use crate::floor::FloorStep;
use crate::track::TrackId;
use crate::units::FloorPoint;

/// Exact crossings of one line in one window.
#[derive(PartialEq, Eq)]
pub struct LineWindow {
    /// Crossings towards the inside.
    pub inward: u32,
    /// Crossings towards the outside.
    pub outward: u32,
    /// Those among them that took longer than [`UNCERTAIN_MS`] from one clear side to the other.
    pub uncertain: u32,
}

/// Watches one line.
pub struct LineCounter {
    from: FloorPoint,
    to: FloorPoint,
    /// +1 when the inside lies to the left of the way from `from` to `to`, else −1.
    inside: f64,
    clear: BTreeMap<TrackId, Clear>,
    window: LineWindow,
}

/// Where a person was last clearly on one side.
struct Clear {
    side: f64,
    at: FloorPoint,
    at_ms: i64,
}

impl LineCounter {
    /// A line from its two ends and a point on the inside, as `FloorMap::place` gives them.
    #[must_use]
    pub fn new(places: &[FloorPoint]) -> Self {
        let [from, to, inside] = places else { unreachable!("config/check.rs gives a line three points") };
        let inside = cross(*from, *to, *inside).signum();
        Self { from: *from, to: *to, inside, clear: BTreeMap::new(), window: LineWindow::empty() }
    }

    /// Takes the people of one frame; gives those who crossed.
    pub fn step(&mut self, people: &[FloorStep], now_ms: i64) -> Vec<TrackId> {
        let mut crossed = Vec::new();
        let length = (self.to.x_m - self.from.x_m).hypot(self.to.y_m - self.from.y_m);
        for person in people {
            let distance = cross(self.from, self.to, person.at) / length;
            if distance.abs() < CLEAR_M {
                continue;
            }
            let clear = Clear { side: distance.signum(), at: person.at, at_ms: now_ms };
            let before = self.clear.insert(person.id, clear);
            if let Some(before) =
                before.filter(|before| before.side != distance.signum() && self.is_cut(before.at, person.at))
            {
                self.count(distance.signum() == self.inside, now_ms - before.at_ms);
                crossed.push(person.id);
            }
        }
        crossed
    }

    /// What was counted since the last window was handed out: for evaluation alone.
    #[cfg(feature = "mouth")]
    pub(crate) fn open(&self) -> &LineWindow {
        &self.window
    }

    /// Forgets a person who is gone.
    pub fn end(&mut self, who: TrackId) {
        self.clear.remove(&who);
    }

    /// Forgets everybody: the camera is blind.
    pub fn end_all(&mut self) {
        self.clear.clear();
    }

    /// Hands out the window and begins the next; sides are kept.
    pub fn close(&mut self) -> LineWindow {
        std::mem::replace(&mut self.window, LineWindow::empty())
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.clear.len()
    }

    fn count(&mut self, is_inward: bool, took_ms: i64) {
        if is_inward {
            self.window.inward += 1;
        } else {
            self.window.outward += 1;
        }
        if took_ms > UNCERTAIN_MS {
            self.window.uncertain += 1;
        }
    }

    /// Whether the way from `a` to `b` cuts the line between its ends.
    fn is_cut(&self, a: FloorPoint, b: FloorPoint) -> bool {
        let ends = (cross(a, b, self.from), cross(a, b, self.to));
        (ends.0 > 0.0) != (ends.1 > 0.0)
    }
}

impl LineWindow {
    /// Nobody.
    pub(crate) fn empty() -> Self {
        Self { inward: 0, outward: 0, uncertain: 0 }
    }
}

/// Positive when `point` lies to the left of the way from `a` to `b` (y up).
fn cross(a: FloorPoint, b: FloorPoint, point: FloorPoint) -> f64 {
    (b.x_m - a.x_m) * (point.y_m - a.y_m) - (b.y_m - a.y_m) * (point.x_m - a.x_m)
}

/// Distance from the line at which a side is clear, m: 8 px on the picture the line truth was made with.
pub const CLEAR_M: f64 = 0.15;
/// Slower than this from one clear side to the other, somebody lingered or was hidden, ms.
const UNCERTAIN_MS: i64 = 1500;

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> LineCounter {
        let point = |x_m, y_m| FloorPoint { x_m, y_m };
        LineCounter::new(&[point(-1.0, 0.0), point(1.0, 0.0), point(0.0, 5.0)])
    }

    /// One person walking through these y, m, at x, one sighting every 200 ms.
    fn walked(x_m: f64, ys: &[f64]) -> [u32; 3] {
        let mut door = door();
        for (step, y_m) in ys.iter().enumerate() {
            door.step(&[FloorStep { id: TrackId(7), at: FloorPoint { x_m, y_m: *y_m } }], step as i64 * 200);
        }
        let window = door.close();
        [window.inward, window.outward, window.uncertain]
    }

    #[test]
    fn there_and_back_counts_once_each_way() {
        assert_eq!(walked(0.0, &[-2.0, 2.0, -2.0]), [1, 1, 0]);
    }

    #[test]
    fn somebody_swaying_on_the_line_counts_once() {
        assert_eq!(walked(0.0, &[-1.0, -0.1, 0.1, -0.1, 0.1, 1.0]), [1, 0, 0]);
    }

    #[test]
    fn who_walks_past_the_end_of_the_line_does_not_cross_it() {
        assert_eq!(walked(1.5, &[-2.0, 2.0]), [0, 0, 0]);
    }

    #[test]
    fn a_step_of_metres_between_two_frames_still_counts() {
        assert_eq!(walked(0.5, &[-6.0, 6.0]), [1, 0, 0]);
    }

    #[test]
    fn lingering_on_the_line_is_uncertain() {
        let mut ys = vec![-1.0];
        ys.extend([0.05; 10]);
        ys.push(1.0);
        assert_eq!(walked(0.0, &ys), [1, 0, 1]);
    }
}
