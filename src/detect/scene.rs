//! When to look: a frame in which nothing moved and nobody stood lately need not be seen by the network.
//!
//! In: every frame of one camera in the order of capture, and what was found in those that were looked at. Out:
//! [`Verdict`]s. Invariants: what was found within [`SOMEBODY_S`] keeps every frame looked at, so that somebody standing
//! still goes on being counted; no scene is left alone for longer than [`LOOK_S`]; the same frames give the same verdicts.

use super::Detections;
use super::motion::{Grid, Motion};
use crate::capture::Frame;
use crate::clock::CaptureTime;
use crate::config::card::ScoreLevels;
use crate::units::BoxPx;

/// What is to be done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing moved, nobody is there: it goes unseen.
    Still,
    /// Nothing moved, but the last look was long ago.
    Routine,
    /// Something moved, or somebody is there.
    Called,
}

/// What the motion gate knows of one camera.
pub struct Scene {
    sensitivity: f32,
    levels: ScoreLevels,
    motion: Option<Motion>,
    looked_at: Option<CaptureTime>,
    somebody_at: Option<CaptureTime>,
    /// When somebody was last found clearly, and when something last moved.
    clear_at: Option<CaptureTime>,
    stirred_at: Option<CaptureTime>,
    /// Who was there at the last look.
    people: Vec<BoxPx>,
    /// The frame that is being looked at.
    open: Option<Grid>,
}

impl Scene {
    /// A scene of which nothing is known. `sensitivity` as in [`crate::config::Camera::motion`], above 0; scores of
    /// detections mean what `levels` says.
    #[must_use]
    pub fn new(sensitivity: f32, levels: ScoreLevels) -> Self {
        Self {
            sensitivity,
            levels,
            motion: None,
            looked_at: None,
            somebody_at: None,
            clear_at: None,
            stirred_at: None,
            people: Vec::new(),
            open: None,
        }
    }

    /// Judges the next frame. One that is looked at must be followed by [`Scene::found`] before the next.
    pub fn judge(&mut self, frame: &Frame) -> Verdict {
        let (grid, now) = (Grid::of(frame), frame.captured_at());
        let known = self.motion.as_ref().filter(|motion| motion.fits(&grid));
        let has_stirred = known.is_none_or(|motion| motion.is_since_look(&grid));
        let has_moved = has_stirred || known.is_some_and(|motion| motion.is_against_room(&grid));
        if known.is_none() {
            self.motion = Some(Motion::new(&grid, now, self.sensitivity));
        }
        let within =
            |at: Option<CaptureTime>, span_s: f64| at.is_some_and(|at| (0.0..span_s).contains(&now.since_s(at)));
        if has_stirred {
            self.stirred_at = Some(now);
        }
        let verdict = if has_moved || within(self.somebody_at, SOMEBODY_S) {
            Verdict::Called
        } else if within(self.looked_at, LOOK_S) {
            Verdict::Still
        } else {
            Verdict::Routine
        };
        let motion = self.motion.as_mut().expect("made above");
        if verdict == Verdict::Still {
            motion.learn(&grid, now);
        } else {
            motion.look(&grid);
            self.looked_at = Some(now);
            self.open = Some(grid);
        }
        verdict
    }

    /// Takes note of who is in the frame that was looked at: whoever is found clearly, and whoever is found at all where
    /// somebody was at the last look, as the tracker follows them; the latter only while something moves now and then, for
    /// a weak box that never changes is a thing somebody has walked past.
    pub fn found(&mut self, detections: &Detections) {
        let now = detections.captured_at;
        if detections.people.iter().any(|found| found.score >= self.levels.high) {
            self.clear_at = Some(now);
        }
        let is_alive = self.clear_at.max(self.stirred_at).is_some_and(|at| now.since_s(at) < WEAK_S);
        let goes_on = |place: &BoxPx| is_alive && self.people.iter().any(|was| was.iou(place) > SAME_IOU);
        let is_somebody = |score: f32, place: &BoxPx| score >= self.levels.high || goes_on(place);
        let people = detections.people.iter().filter(|found| is_somebody(found.score, &found.place));
        self.people = people.map(|found| found.place).collect();
        if !self.people.is_empty() {
            self.somebody_at = Some(detections.captured_at);
        }
        let (Some(grid), Some(motion)) = (self.open.take(), self.motion.as_mut()) else { return };
        // Weak boxes on what never moves are looked at for a while, and the room is learnt with them in it.
        let lately = |at: Option<CaptureTime>| at.is_some_and(|at| now.since_s(at) < SOMEBODY_S);
        if lately(self.somebody_at) && lately(self.clear_at.max(self.stirred_at)) {
            motion.pass(&grid, now);
        } else {
            motion.learn(&grid, now);
        }
    }
}

/// A scene is looked at for this long after somebody was found, s: longer than a tracker waits for anybody.
const SOMEBODY_S: f64 = 3.0;
/// Weak boxes alone are somebody for no longer than this after the last clear one and the last movement, s.
const WEAK_S: f64 = 10.0;
/// Longest time without a look, s.
const LOOK_S: f64 = 6.0;
/// A weak box this much on somebody is that somebody.
const SAME_IOU: f32 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::FramePool;
    use crate::config::card::Fit;
    use crate::config::placement::Placement;
    use crate::detect::Detection;
    use crate::units::PictureSize;

    const SIZE: PictureSize = PictureSize { height: 160, width: 208 };
    const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.4, birth: 0.5 };
    /// Frames a second.
    const RATE: usize = 5;

    /// A drawn room and the scene that judges it.
    struct Room {
        pool: FramePool,
        scene: Scene,
        frame: usize,
        random: u32,
    }

    impl Room {
        fn new(sensitivity: f32) -> Self {
            let pool = FramePool::new(Placement::new(Fit::Stretch, SIZE, SIZE));
            Self { pool, scene: Scene::new(sensitivity, LEVELS), frame: 0, random: 7 }
        }

        /// Shows one frame of this grey by place, with a sensor's noise; the network then finds `found`.
        fn show(&mut self, grey: impl Fn(usize, usize) -> f32, found: &[(BoxPx, f32)]) -> Verdict {
            let captured_at = CaptureTime((self.frame * 1_000_000_000 / RATE) as i64);
            self.frame += 1;
            let mut frame = self.pool.take(captured_at);
            for plane in frame.planes_mut() {
                for (index, byte) in plane.iter_mut().enumerate() {
                    // Marsaglia's xorshift; two uniform numbers of -8 to 8: a standard deviation of 7 grey levels, as in
                    // a dim room.
                    self.random ^= self.random << 13;
                    self.random ^= self.random >> 17;
                    self.random ^= self.random << 5;
                    let noise = (self.random & 0xffff) % 17 + (self.random >> 16) % 17;
                    let (x, y) = (index % SIZE.width as usize, index / SIZE.width as usize);
                    *byte = (grey(x, y) + noise as f32 - 16.0).clamp(0.0, 255.0) as u8;
                }
            }
            let verdict = self.scene.judge(&frame);
            if verdict != Verdict::Still {
                let people = found.iter().map(|(place, score)| Detection { place: *place, score: *score }).collect();
                self.scene.found(&Detections { captured_at, picture: SIZE, people });
            }
            verdict
        }

        /// The same picture for so many seconds, nobody found; gives how often each verdict fell: still, routine, called.
        fn rest(&mut self, seconds: usize, grey: impl Fn(usize, usize) -> f32) -> [usize; 3] {
            let verdicts: Vec<Verdict> = (0..seconds * RATE).map(|_| self.show(&grey, &[])).collect();
            [Verdict::Still, Verdict::Routine, Verdict::Called]
                .map(|kind| verdicts.iter().filter(|verdict| **verdict == kind).count())
        }

        /// A room that has been empty for long enough to be known.
        fn known(sensitivity: f32) -> Self {
            let mut room = Self::new(sensitivity);
            room.rest(20, wall);
            room
        }
    }

    fn wall(x: usize, y: usize) -> f32 {
        80.0 + (x / 26) as f32 * 10.0 + (y / 20) as f32 * 4.0
    }

    /// The wall with a box of another grey before it.
    fn with_box(place: BoxPx, contrast: f32) -> impl Fn(usize, usize) -> f32 {
        move |x, y| {
            let inside = (place.x1..place.x2).contains(&(x as f32)) && (place.y1..place.y2).contains(&(y as f32));
            wall(x, y) + if inside { contrast } else { 0.0 }
        }
    }

    fn person_at(x1: f32, y1: f32) -> BoxPx {
        BoxPx { x1, y1, x2: x1 + 8.0, y2: y1 + 18.0 }
    }

    #[test]
    fn an_empty_room_is_looked_at_every_six_seconds_and_no_more() {
        let mut room = Room::new(0.5);
        assert_eq!(room.show(wall, &[]), Verdict::Called, "nothing is known in the beginning");
        let first = room.rest(20, wall);
        assert!(first[2] <= 20, "called until the noise is known: {first:?}");
        assert_eq!(room.rest(60, wall), [290, 10, 0]);
    }

    #[test]
    fn a_small_person_far_away_calls_with_every_step() {
        let mut room = Room::known(0.5);
        for step in 0..40 {
            let place = person_at(50.0 + 3.0 * step as f32, 60.0);
            assert_eq!(room.show(with_box(place, 30.0), &[]), Verdict::Called, "step {step}");
        }
    }

    #[test]
    fn somebody_who_stands_still_is_looked_at_in_every_frame() {
        let mut room = Room::known(0.5);
        let place = BoxPx { x1: 150.0, y1: 96.0, x2: 166.0, y2: 136.0 };
        for _ in 0..60 * RATE {
            assert_eq!(room.show(with_box(place, 40.0), &[(place, 0.8)]), Verdict::Called);
        }
        for frame in 0..60 * RATE {
            // Found weakly from now on, as somebody half hidden is, who shifts a little every eight seconds.
            let x1 = 150.0 + (frame / (8 * RATE) % 2) as f32 * 4.0;
            let place = BoxPx { x1, y1: 96.0, x2: x1 + 16.0, y2: 136.0 };
            assert_eq!(room.show(with_box(place, 40.0), &[(place, 0.2)]), Verdict::Called, "frame {frame}");
        }
        let left = room.rest(10, wall);
        assert!(left[2] >= 14 && left[0] > 0, "three seconds of patience, and some for what was learnt: {left:?}");
        assert_eq!(room.rest(10, wall)[2], 0, "then rest");
    }

    #[test]
    fn a_weak_box_on_a_thing_somebody_walked_past_does_not_call_for_ever() {
        let mut room = Room::known(0.5);
        let thing = person_at(100.0, 100.0);
        for step in 0..20 {
            let place = person_at(70.0 + 3.0 * step as f32, 100.0);
            room.show(with_box(place, 40.0), &[(place, 0.8), (thing, 0.2)]);
        }
        for _ in 0..30 * RATE {
            room.show(wall, &[(thing, 0.2)]);
        }
        assert_eq!(room.show(wall, &[(thing, 0.2)]), Verdict::Still);
    }

    #[test]
    fn a_light_that_goes_on_is_one_change() {
        let mut room = Room::known(0.5);
        // Brighter by a third, and more so near the lamp.
        let lit = |x: usize, y: usize| wall(x, y) * 1.3 + (208 - x) as f32 * 0.1;
        assert_eq!(room.show(lit, &[]), Verdict::Called);
        let [still, _, called] = room.rest(10, lit);
        assert!(called <= 1 && still >= 47, "{still} still, {called} called");
        let place = person_at(150.0, 100.0);
        let seen = |x: usize, y: usize| lit(x, y) + with_box(place, -40.0)(x, y) - wall(x, y);
        assert_eq!(room.show(seen, &[]), Verdict::Called, "it is not blind in the new light");
    }

    #[test]
    fn dusk_falls_without_a_call() {
        let mut room = Room::known(0.5);
        for second in 0..300 {
            let dim = 1.0 - second as f32 / 1200.0;
            let [_, _, called] = room.rest(1, |x, y| wall(x, y) * dim);
            assert_eq!(called, 0, "second {second}");
        }
    }

    #[test]
    fn a_chair_that_was_moved_calls_for_a_while() {
        let mut room = Room::known(0.5);
        let chair = with_box(BoxPx { x1: 120.0, y1: 90.0, x2: 160.0, y2: 150.0 }, 40.0);
        assert!(room.rest(5, &chair)[2] == 25, "it could be somebody whom the network does not know");
        room.rest(30, &chair);
        assert_eq!(room.rest(10, &chair)[2], 0);
    }

    #[test]
    fn a_screen_that_flickers_does_not_call_for_ever_and_hides_nobody_elsewhere() {
        let mut room = Room::known(0.5);
        let screen = BoxPx { x1: 32.0, y1: 32.0, x2: 64.0, y2: 64.0 };
        let mut called = 0;
        for frame in 0..120 * RATE {
            let glow = [0.0, 30.0, 10.0, 45.0][frame % 4];
            called = if frame < 60 * RATE { 0 } else { called };
            called += usize::from(room.show(with_box(screen, glow), &[]) == Verdict::Called);
        }
        assert_eq!(called, 0, "in the second minute");
        let place = person_at(150.0, 100.0);
        assert_eq!(room.show(with_box(place, 30.0), &[]), Verdict::Called);
    }

    #[test]
    fn a_faint_change_calls_where_the_gate_is_sensitive() {
        let faint = BoxPx { x1: 96.0, y1: 64.0, x2: 160.0, y2: 128.0 };
        for (sensitivity, expected) in [(1.0, true), (0.1, false)] {
            let mut room = Room::known(sensitivity);
            let verdict = room.show(with_box(faint, 6.0), &[]);
            assert_eq!(verdict == Verdict::Called, expected, "sensitivity {sensitivity}");
        }
    }
}
