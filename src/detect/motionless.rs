//! What has not moved since a camera began to watch: signs, mannequins and posters that a network takes for people.
//!
//! In: the [`Detections`] of one camera in the order of capture. Out: the same without those of listed things.
//! Invariants: only what was there within [`START_S`] and came from nowhere can be listed, after [`LISTED_S`]; whoever
//! walks in afterwards is never listed, however long they stand (test `who_walks_in_and_stands_for_half_an_hour_is_kept`);
//! what leaves or is gone for long is taken off the list for good. A person before a listed thing hides it and changes
//! nothing.

use super::{Detection, Detections};
use crate::clock::CaptureTime;
use crate::config::card::ScoreLevels;
use crate::units::BoxPx;

/// What one camera sees that does not move.
pub struct Motionless {
    levels: ScoreLevels,
    begun: Option<CaptureTime>,
    last: Option<CaptureTime>,
    things: Vec<Thing>,
    /// All boxes of the frame before.
    before: Vec<BoxPx>,
}

/// Something that may turn out to be a thing, or has.
struct Thing {
    /// Where it stands, px: the mean of its boxes until it is listed.
    home: BoxPx,
    since: CaptureTime,
    sightings: u16,
    score_max: f32,
    /// Time it was seen, and was not seen with nobody before it, s.
    seen_s: f64,
    missed_s: f64,
    /// The part of the latter since it was seen last, s.
    away_s: f64,
    /// Where it seems to have gone since it was seen last, px.
    trail: Option<BoxPx>,
    listed: bool,
}

impl Motionless {
    /// Nothing known yet; scores of detections mean what `levels` says.
    #[must_use]
    pub fn new(levels: ScoreLevels) -> Self {
        Self { levels, begun: None, last: None, things: Vec::new(), before: Vec::new() }
    }

    /// Takes the boxes of listed things out of the detections of the next frame.
    pub fn suppress(&mut self, detections: &mut Detections) {
        let now = detections.captured_at;
        let begun = *self.begun.get_or_insert(now);
        let elapsed_s = self.last.replace(now).map_or(0.0, |last| now.since_s(last).clamp(0.0, GAP_S));
        for thing in &mut self.things {
            let is_seen = thing.witness(&detections.people, elapsed_s);
            thing.listed |= is_seen && thing.is_proved(now, self.levels.high);
        }
        self.things.retain(|thing| !thing.is_over(now));
        if now.since_s(begun) <= START_S {
            self.note(&detections.people, now, now.since_s(begun) <= FIRST_S);
        }
        self.before = detections.people.iter().map(|found| found.place).collect();
        for thing in self.things.iter().filter(|thing| thing.listed) {
            thing.take_from(&mut detections.people, self.levels.high);
        }
    }

    /// How many things are listed.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.things.iter().filter(|thing| thing.listed).count()
    }

    /// Begins to observe what is there for the first time and did not come from beside.
    fn note(&mut self, people: &[Detection], now: CaptureTime, is_first: bool) {
        for found in people.iter().filter(|found| found.score >= self.levels.low) {
            let known = self.things.iter().any(|thing| thing.home.iou(&found.place) >= SAME_IOU);
            let came = self.before.iter().any(|was| was.buffered(STEP).iou(&found.place) > 0.0);
            if !known && (is_first || !came) && self.things.len() < THINGS_MAX {
                self.things.push(Thing::new(found, now));
            }
        }
    }
}

impl Thing {
    fn new(found: &Detection, now: CaptureTime) -> Self {
        Self {
            home: found.place,
            since: now,
            sightings: 1,
            score_max: found.score,
            seen_s: 0.0,
            missed_s: 0.0,
            away_s: 0.0,
            trail: None,
            listed: false,
        }
    }

    /// Looks for it among the people of a frame, `elapsed_s` after the one before; says whether it is there.
    fn witness(&mut self, people: &[Detection], elapsed_s: f64) -> bool {
        if let Some(found) = self.best(people).filter(|found| found.place.iou(&self.home) >= SAME_IOU) {
            self.seen_s += elapsed_s;
            (self.away_s, self.trail) = (0.0, None);
            self.score_max = self.score_max.max(found.score);
            if !self.listed {
                self.sightings = (self.sightings + 1).min(SIGHTINGS_MAX);
                self.home = towards(&self.home, &found.place, 1.0 / f32::from(self.sightings));
            }
            return true;
        }
        let last = self.trail.unwrap_or(self.home);
        let follows = people.iter().map(|found| found.place).max_by(|a, b| a.iou(&last).total_cmp(&b.iou(&last)));
        self.trail = follows.filter(|place| place.iou(&last) >= TRAIL_IOU).or(self.trail);
        if people.iter().all(|found| shared(&self.home, &found.place) < HIDDEN * area(&self.home)) {
            self.missed_s += elapsed_s;
            self.away_s += elapsed_s;
        }
        false
    }

    fn best<'a>(&self, people: &'a [Detection]) -> Option<&'a Detection> {
        people.iter().max_by(|a, b| a.place.iou(&self.home).total_cmp(&b.place.iou(&self.home)))
    }

    /// Whether it has stood long enough, and was taken for a person at least once.
    fn is_proved(&self, now: CaptureTime, score_min: f32) -> bool {
        let is_steady = self.seen_s >= STEADY * (self.seen_s + self.missed_s);
        let is_long = now.since_s(self.since) >= LISTED_S && self.seen_s >= STEADY * LISTED_S;
        is_steady && is_long && self.score_max >= score_min
    }

    /// Whether it is gone, or has never been a thing.
    fn is_over(&self, now: CaptureTime) -> bool {
        let has_left = self.trail.is_some_and(|trail| distance(&trail, &self.home) > LEFT * self.home.height());
        let patience_s = match (self.listed, has_left) {
            (false, _) => CANDIDATE_S,
            (true, true) => LEFT_S,
            (true, false) => GONE_S,
        };
        self.away_s > patience_s || (!self.listed && now.since_s(self.since) > OBSERVED_S)
    }

    /// Takes away the box that is this thing, and weak ones on it.
    fn take_from(&self, people: &mut Vec<Detection>, high: f32) {
        let best = people.iter().map(|found| found.place.iou(&self.home)).fold(SAME_IOU, f32::max);
        people.retain(|found| {
            let iou = found.place.iou(&self.home);
            let is_part = iou >= TRAIL_IOU || shared(&self.home, &found.place) >= PART * area(&found.place);
            !(iou >= best || (found.score < high && is_part))
        });
    }
}

fn towards(from: &BoxPx, to: &BoxPx, share: f32) -> BoxPx {
    let between = |from: f32, to: f32| from + share * (to - from);
    BoxPx {
        x1: between(from.x1, to.x1),
        y1: between(from.y1, to.y1),
        x2: between(from.x2, to.x2),
        y2: between(from.y2, to.y2),
    }
}

fn area(place: &BoxPx) -> f32 {
    place.width() * place.height()
}

/// Area two boxes have in common, px².
fn shared(one: &BoxPx, other: &BoxPx) -> f32 {
    let width = one.x2.min(other.x2) - one.x1.max(other.x1);
    let height = one.y2.min(other.y2) - one.y1.max(other.y1);
    width.max(0.0) * height.max(0.0)
}

/// Distance of the middles of two boxes, px.
fn distance(one: &BoxPx, other: &BoxPx) -> f32 {
    let middle = |place: &BoxPx| [(place.x1 + place.x2) / 2.0, (place.y1 + place.y2) / 2.0];
    let ([x, y], [other_x, other_y]) = (middle(one), middle(other));
    (x - other_x).hypot(y - other_y)
}

/// Only what is there this soon after the camera began to watch can be a thing, s.
const START_S: f64 = 20.0;
/// What is there in the very beginning was there before; later only what nobody stood beside a frame ago, s.
const FIRST_S: f64 = 1.0;
/// A thing is listed after this time, s.
const LISTED_S: f64 = 60.0;
/// What is not listed by now is observed no longer, s.
const OBSERVED_S: f64 = 180.0;
/// Share of the time with nobody before it that a thing must have been seen (measured: a sign in 157 of 159 frames).
const STEADY: f64 = 0.8;
/// A candidate unseen for longer is none, s.
const CANDIDATE_S: f64 = 8.0;
/// A listed thing that walked off and is unseen for longer is off the list, s.
const LEFT_S: f64 = 10.0;
/// A listed thing that is merely unseen for longer is off the list, s.
const GONE_S: f64 = 120.0;
/// Time a single frame stands for at most, s: a camera that was lost saw nothing meanwhile.
const GAP_S: f64 = 8.0;
/// A box this much on a thing's place is the thing (measured: all boxes of a sign above 0.7).
const SAME_IOU: f32 = 0.6;
/// A box this much on the one before may be the same that moved.
const TRAIL_IOU: f32 = 0.3;
/// Share of a thing's area that a person must cover to hide it.
const HIDDEN: f32 = 0.2;
/// Share of a weak box that must lie on a thing to be a part of it.
const PART: f32 = 0.8;
/// Heights of its own by which a thing must be away from its place to have left it.
const LEFT: f32 = 0.5;
/// Widths and heights within which a person may have been a frame ago.
const STEP: f32 = 0.5;
/// Boxes a thing's place is the mean of.
const SIGHTINGS_MAX: u16 = 200;
/// Most things of one camera.
const THINGS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::PictureSize;

    const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.4, birth: 0.5 };

    fn person(left: f32, score: f32) -> Detection {
        Detection { place: BoxPx { x1: left, y1: 100.0, x2: left + 40.0, y2: 200.0 }, score }
    }

    /// Shows one frame; gives the left borders of those who are kept.
    fn shown(motionless: &mut Motionless, at_s: f64, people: Vec<Detection>) -> Vec<f32> {
        let mut detections = Detections {
            captured_at: CaptureTime((at_s * 1e9) as i64),
            picture: PictureSize { height: 576, width: 768 },
            people,
        };
        motionless.suppress(&mut detections);
        detections.people.iter().map(|found| found.place.x1).collect()
    }

    /// Five frames a second from `from_s` to `to_s`; gives in how many somebody was kept.
    fn watched(motionless: &mut Motionless, span_s: [f64; 2], people: impl Fn(f64) -> Vec<Detection>) -> usize {
        let steps = (span_s[0] * 5.0) as i64..(span_s[1] * 5.0) as i64;
        steps
            .filter(|step| {
                let at_s = *step as f64 / 5.0;
                !shown(motionless, at_s, people(at_s)).is_empty()
            })
            .count()
    }

    fn with_sign() -> Motionless {
        let mut motionless = Motionless::new(LEVELS);
        // A box that trembles as a network's does.
        watched(&mut motionless, [0.0, 62.0], |at_s| vec![person(300.0 + 2.0 * (at_s * 7.0).sin() as f32, 0.5)]);
        assert_eq!(motionless.listed(), 1);
        motionless
    }

    #[test]
    fn a_sign_counts_for_a_minute_and_then_no_longer() {
        let mut motionless = Motionless::new(LEVELS);
        assert_eq!(watched(&mut motionless, [0.0, 59.0], |_| vec![person(300.0, 0.5)]), 295);
        assert_eq!(motionless.listed(), 0);
        watched(&mut motionless, [59.0, 61.0], |_| vec![person(300.0, 0.5)]);
        assert_eq!(watched(&mut motionless, [61.0, 600.0], |_| vec![person(300.0, 0.5), person(305.0, 0.2)]), 0);
        assert_eq!(motionless.listed(), 1);
    }

    #[test]
    fn who_walks_in_and_stands_for_half_an_hour_is_kept() {
        for arrives_s in [3.0, 15.0, 40.0] {
            let mut motionless = Motionless::new(LEVELS);
            let kept = watched(&mut motionless, [0.0, 1800.0], |at_s| {
                let left = 300.0 - 30.0 * (arrives_s + 4.0 - at_s).max(0.0) as f32;
                if at_s < arrives_s { Vec::new() } else { vec![person(left, 0.8)] }
            });
            assert_eq!((kept, motionless.listed()), (9000 - (arrives_s * 5.0) as usize, 0), "since {arrives_s} s");
        }
    }

    #[test]
    fn who_moves_within_the_first_minute_is_kept() {
        let mut motionless = Motionless::new(LEVELS);
        let kept =
            watched(&mut motionless, [0.0, 600.0], |at_s| vec![person(if at_s < 50.0 { 300.0 } else { 330.0 }, 0.8)]);
        assert_eq!((kept, motionless.listed()), (3000, 0));
    }

    #[test]
    fn a_person_before_the_sign_is_kept_and_the_sign_stays_listed() {
        let mut motionless = with_sign();
        let before_it = |_: f64| vec![person(318.0, 0.8)];
        assert_eq!(watched(&mut motionless, [62.0, 1862.0], before_it), 9000);
        assert_eq!(motionless.listed(), 1);
        assert_eq!(watched(&mut motionless, [1862.0, 1900.0], |_| vec![person(300.0, 0.5)]), 0);
    }

    #[test]
    fn who_walks_off_is_counted_at_once_and_off_the_list_soon() {
        let mut motionless = with_sign();
        let walking = |at_s: f64| vec![person(300.0 + 40.0 * (at_s - 62.0) as f32, 0.8)];
        assert!(watched(&mut motionless, [62.0, 68.0], walking) >= 28);
        watched(&mut motionless, [68.0, 76.0], |_| Vec::new());
        assert_eq!(motionless.listed(), 0);
        assert_eq!(watched(&mut motionless, [76.0, 80.0], |_| vec![person(300.0, 0.8)]), 20);
    }

    #[test]
    fn what_is_carried_away_unseen_is_off_the_list_after_two_minutes() {
        let mut motionless = with_sign();
        watched(&mut motionless, [62.0, 170.0], |_| Vec::new());
        assert_eq!(motionless.listed(), 1);
        watched(&mut motionless, [170.0, 190.0], |_| Vec::new());
        assert_eq!(motionless.listed(), 0);
    }

    #[test]
    fn a_camera_that_was_away_for_an_hour_knows_its_sign_again() {
        let mut motionless = with_sign();
        assert_eq!(watched(&mut motionless, [3700.0, 3710.0], |_| vec![person(300.0, 0.5)]), 0);
        assert_eq!(motionless.listed(), 1);
    }

    #[test]
    fn somebody_exactly_before_the_sign_is_counted_beside_it() {
        let mut motionless = with_sign();
        assert_eq!(shown(&mut motionless, 62.0, vec![person(300.0, 0.5), person(306.0, 0.8)]), [306.0]);
    }
}
