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
        Self { sensitivity, levels, motion: None, looked_at: None, somebody_at: None, people: Vec::new(), open: None }
    }

    /// Judges the next frame. One that is looked at must be followed by [`Scene::found`] before the next.
    pub fn judge(&mut self, frame: &Frame) -> Verdict {
        let (grid, now) = (Grid::of(frame), frame.captured_at());
        let known = self.motion.as_ref().filter(|motion| motion.fits(&grid));
        let has_moved = known.is_none_or(|motion| motion.is_in(&grid));
        if known.is_none() {
            self.motion = Some(Motion::new(&grid, now, self.sensitivity));
        }
        let within =
            |at: Option<CaptureTime>, span_s: f64| at.is_some_and(|at| (0.0..span_s).contains(&now.since_s(at)));
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
    /// somebody was at the last look, as the tracker follows them.
    pub fn found(&mut self, detections: &Detections) {
        let goes_on = |place: &BoxPx| self.people.iter().any(|was| was.iou(place) > SAME_IOU);
        let is_somebody = |score: f32, place: &BoxPx| score >= self.levels.high || goes_on(place);
        let people = detections.people.iter().filter(|found| is_somebody(found.score, &found.place));
        self.people = people.map(|found| found.place).collect();
        if !self.people.is_empty() {
            self.somebody_at = Some(detections.captured_at);
        }
        let (Some(grid), Some(motion)) = (self.open.take(), self.motion.as_mut()) else { return };
        if self.somebody_at.is_some_and(|at| detections.captured_at.since_s(at) < SOMEBODY_S) {
            motion.pass(&grid, detections.captured_at);
        } else {
            motion.learn(&grid, detections.captured_at);
        }
    }
}

/// A scene is looked at for this long after somebody was found, s: longer than a tracker waits for anybody.
const SOMEBODY_S: f64 = 3.0;
/// Longest time without a look, s.
const LOOK_S: f64 = 5.0;
/// A weak box this much on somebody is that somebody.
const SAME_IOU: f32 = 0.3;
