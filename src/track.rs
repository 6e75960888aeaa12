//! Detections become tracks: who in this frame is who in the last, without looking at anybody.
//!
//! In: [`Detections`] of one camera in the order of capture. Out: [`Tracks`], the people seen in the frame and
//! those who are gone. Invariants: motion uses capture time (I6); the same detections give the same tracks bit
//! for bit; a late or repeated frame changes nothing; ids are never given twice and never leave the eye (I10).
//! Source: two-stage association after ByteTrack (arXiv 2110.06864), buffered IoU after C-BIoU (arXiv 2211.14317),
//! with every filter in seconds.

pub mod assign;
pub mod ground;
pub mod kalman;
#[cfg(test)]
mod laws;
pub mod stitch;
pub mod tuning;

use crate::clock::CaptureTime;
use crate::config::card::ScoreLevels;
use crate::detect::{Detection, Detections};
use crate::units::homography::Homography;
use crate::units::{BoxPx, PictureSize};
use assign::Assigner;
use ground::{Footing, GroundFilter, GroundPlane};
use kalman::BoxFilter;
use stitch::{Scene, Stitcher};
use tuning::{Matching, Tuning};

/// Name of one track inside the eye. Not printed, not serialised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId(pub(crate) u64);

/// What became of the people of one camera with one frame.
pub struct Tracks {
    /// When the frame was captured.
    pub captured_at: CaptureTime,
    /// Size of the picture.
    pub picture: PictureSize,
    /// Confirmed people seen in this frame, ordered by id.
    pub seen: Vec<Track>,
    /// Counted ids that will not come back, in order.
    pub ended: Vec<TrackId>,
}

/// One person in one frame.
pub struct Track {
    /// Who, within this eye.
    pub id: TrackId,
    /// Who for every count: somebody hidden for a moment is still the same (`track/stitch.rs`).
    pub counts_as: TrackId,
    /// The detection's own box, px.
    pub place: BoxPx,
    /// Where it stands on the floor, if the camera knows.
    footing: Option<Footing>,
}

/// Follows the people of one camera.
pub struct Tracker {
    tuning: Tuning,
    levels: ScoreLevels,
    ground: Option<GroundPlane>,
    last: Option<CaptureTime>,
    next_id: u64,
    /// Ordered by id.
    people: Vec<Person>,
    stitcher: Stitcher,
    tracks: Tracks,
    // Memory kept from frame to frame.
    found: Vec<Found>,
    assigner: Assigner,
}

struct Person {
    id: TrackId,
    filter: BoxFilter,
    /// Where they should be on the floor; `None` where the camera does not know.
    ground: Option<GroundFilter>,
    /// Where they should be on the picture in this frame.
    expected: BoxPx,
    place: BoxPx,
    footing: Option<Footing>,
    seen_at: CaptureTime,
    hits: u32,
    confirmed: bool,
}

/// A detection with its score on the scale of the tuning.
struct Found {
    place: BoxPx,
    /// The same box as it is compared.
    grown: BoxPx,
    score: f32,
    footing: Option<Footing>,
    /// Whether it has found its person.
    is_taken: bool,
}

/// The association steps, in their order.
#[derive(Clone, Copy)]
enum Step {
    /// Strong detections to confirmed people, lost ones included.
    Strong,
    /// Weak ones to whoever was seen last time.
    Weak,
    /// What is left to those not confirmed yet.
    Tentative,
}

/// When this frame and the one before were captured.
#[derive(Clone, Copy)]
struct Moment {
    now: CaptureTime,
    before: CaptureTime,
}

impl Tracker {
    /// A tracker for a detector whose scores mean what `levels` says; the first id is `first_id`.
    #[must_use]
    pub fn new(levels: ScoreLevels, first_id: u64) -> Self {
        let picture = PictureSize { height: 0, width: 0 };
        let tracks = Tracks { captured_at: CaptureTime(0), picture, seen: Vec::new(), ended: Vec::new() };
        Self {
            tuning: Tuning::STANDARD,
            levels,
            ground: None,
            last: None,
            next_id: first_id,
            people: Vec::new(),
            stitcher: Stitcher::default(),
            tracks,
            found: Vec::new(),
            assigner: Assigner::default(),
        }
    }

    /// Lets it know the floor: `picture_to_floor` maps px to m. A map that cannot be undone is none.
    pub fn stand_on(&mut self, picture_to_floor: Homography) {
        self.ground = GroundPlane::new(picture_to_floor);
    }

    /// Takes the detections of the next frame. A picture without a size has no borders.
    ///
    /// A frame that is not newer than the last one is ignored (`None`).
    pub fn advance(&mut self, detections: Detections) -> Option<&Tracks> {
        let now = detections.captured_at;
        let elapsed_s = self.last.map_or(0.0, |last| now.since_s(last));
        if self.last.is_some() && elapsed_s <= 0.0 {
            return None;
        }
        let moment = Moment { now, before: self.last.unwrap_or(now) };
        self.last = Some(now);
        self.end_lost(now, elapsed_s);
        for person in &mut self.people {
            person.predict(moment, elapsed_s, self.ground.as_ref(), &self.tuning);
        }
        self.find(&detections);
        for step in [Step::Strong, Step::Weak, Step::Tentative] {
            self.match_up(step, moment);
        }
        self.begin(now);
        self.people.retain(|person| person.confirmed || person.seen_at == now);
        self.tell(now, detections.picture, elapsed_s);
        Some(&self.tracks)
    }

    /// Ends whoever has been away too long; after a long gap, everybody.
    fn end_lost(&mut self, now: CaptureTime, elapsed_s: f64) {
        let Matching { gap_s, lost_s, .. } = self.tuning.matching;
        let afresh = elapsed_s > gap_s;
        self.people.retain(|person| !afresh && now.since_s(person.seen_at) <= lost_s);
    }

    /// Takes in the detections, in an order of their own: whose comes first in the frame is chance.
    fn find(&mut self, detections: &Detections) {
        self.found.clear();
        for detection in &detections.people {
            let Detection { place, .. } = *detection;
            let shows_foot = place.y2 < detections.picture.height as f32 - BORDER_PX || detections.picture.height == 0;
            let ground = self.ground.as_ref().filter(|_| shows_foot);
            let footing = ground.and_then(|ground| ground.footing(&place, &self.tuning.ground));
            let (grown, score) = (place.buffered(self.tuning.matching.buffer), self.calibrated(detection.score));
            self.found.push(Found { place, grown, score, footing, is_taken: false });
        }
        let key = |found: &Found| [-found.score, found.place.x1, found.place.y1, found.place.x2, found.place.y2];
        self.found.sort_unstable_by(|a, b| {
            let pairs = key(a).into_iter().zip(key(b));
            pairs.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
    }

    /// One association step.
    fn match_up(&mut self, step: Step, moment: Moment) {
        self.assigner.clear();
        let matching = &self.tuning.matching;
        let scores = step.scores(matching);
        for (row, person) in self.people.iter().enumerate().filter(|(_, person)| step.takes(person, moment)) {
            let expected = person.expected.buffered(matching.buffer);
            for (column, found) in self.found.iter().enumerate() {
                if found.is_taken || !scores.contains(&found.score) {
                    continue;
                }
                let shared = expected.iou(&found.grown);
                if shared > 0.0 {
                    self.assigner.offer(row, column, step.cost(person, found, shared, &self.tuning));
                }
            }
        }
        for (row, column) in self.assigner.solve(self.people.len(), self.found.len(), step.cost_max(matching)) {
            self.people[*row].see(&mut self.found[*column], moment.now, &self.tuning);
        }
    }

    /// Begins a track for every detection that is clear enough and nobody yet.
    fn begin(&mut self, now: CaptureTime) {
        let Matching { score_birth, double_iou, .. } = self.tuning.matching;
        for found in self.found.iter().filter(|found| !found.is_taken && found.score >= score_birth) {
            let mut seen = self.people.iter().filter(|person| person.seen_at == now);
            if seen.any(|person| person.place.iou(&found.place) > double_iou) {
                continue;
            }
            self.people.push(Person::new(TrackId(self.next_id), found, now, &self.tuning));
            self.next_id += 1;
        }
    }

    /// Says who is seen, whom they count as, and who is gone.
    fn tell(&mut self, now: CaptureTime, picture: PictureSize, elapsed_s: f64) {
        let Self { tracks, tuning, .. } = self;
        (tracks.captured_at, tracks.picture) = (now, picture);
        tracks.seen.clear();
        tracks.ended.clear();
        let seen = self.people.iter().filter(|person| person.confirmed && person.seen_at == now);
        tracks.seen.extend(seen.map(|person| Track {
            id: person.id,
            counts_as: person.id,
            place: person.place,
            footing: person.footing,
        }));
        let afresh = elapsed_s > tuning.matching.gap_s;
        let patience_s = if afresh { 0.0 } else { tuning.stitching.gap_s.max(tuning.matching.lost_s) };
        let scene = Scene { now, picture, tuning: &tuning.stitching, patience_s };
        self.stitcher.name(&scene, &mut tracks.seen, &mut self.next_id, &mut tracks.ended);
    }

    /// Brings a score to the scale the tuning is written in.
    fn calibrated(&self, score: f32) -> f32 {
        let levels = [0.0, self.levels.low, self.levels.high, self.levels.birth, 1.0];
        let above = (1..4).find(|level| score < levels[*level]).unwrap_or(4);
        let (from, to) = (levels[above - 1], levels[above]);
        let share = if to > from { (score - from) / (to - from) } else { 1.0 };
        SCALE[above - 1] + share * (SCALE[above] - SCALE[above - 1])
    }
}

impl Person {
    fn new(id: TrackId, found: &Found, now: CaptureTime, tuning: &Tuning) -> Self {
        Self {
            id,
            filter: BoxFilter::new(&found.place, &tuning.picture),
            ground: found.footing.map(|footing| GroundFilter::new(&footing, &tuning.ground)),
            expected: found.place,
            place: found.place,
            footing: found.footing,
            seen_at: now,
            hits: 1,
            confirmed: false,
        }
    }

    /// Moves on to now; where the floor is known, the expected box stands where the person should stand on it.
    fn predict(&mut self, moment: Moment, elapsed_s: f64, plane: Option<&GroundPlane>, tuning: &Tuning) {
        self.filter.predict(elapsed_s, self.seen_at < moment.before, &tuning.picture);
        self.expected = self.filter.place();
        if let (Some(ground), Some(plane)) = (&mut self.ground, plane) {
            ground.predict(elapsed_s, &tuning.ground);
            if let Some(foot) = plane.find(ground) {
                self.expected = self.expected.standing_at(foot);
            }
        }
    }

    fn see(&mut self, found: &mut Found, now: CaptureTime, tuning: &Tuning) {
        self.filter.correct(&found.place, &tuning.picture);
        match (&mut self.ground, &found.footing) {
            (Some(ground), Some(footing)) => ground.correct(footing),
            (None, Some(footing)) => self.ground = Some(GroundFilter::new(footing, &tuning.ground)),
            // Unseen, a foot is not foreseen either: the box says where they are until it shows again.
            (_, None) => self.ground = None,
        }
        (self.place, self.footing, self.seen_at) = (found.place, found.footing, now);
        self.hits += 1;
        self.confirmed |= self.hits >= tuning.matching.hits_to_confirm;
        found.is_taken = true;
    }

    /// How far from where they should be, squared, in standard deviations, and how much the likeness of the boxes weighs
    /// against that: on the floor where it is known.
    fn distance2(&self, found: &Found, tuning: &Tuning) -> (f64, f64) {
        match (&self.ground, &found.footing) {
            (Some(ground), Some(footing)) => (ground.distance2(footing), tuning.matching.similarity_weight_on_ground),
            _ => (self.filter.distance2(&found.place, &tuning.picture), tuning.matching.similarity_weight),
        }
    }
}

impl Step {
    /// Whether a person waits for this step.
    fn takes(self, person: &Person, moment: Moment) -> bool {
        let waits = person.seen_at < moment.now;
        waits
            && match self {
                Self::Strong => person.confirmed,
                Self::Weak => person.confirmed && person.seen_at == moment.before,
                Self::Tentative => !person.confirmed,
            }
    }

    fn scores(self, matching: &Matching) -> std::ops::Range<f32> {
        match self {
            Self::Strong | Self::Tentative => matching.score_high..f32::INFINITY,
            Self::Weak => matching.score_low..matching.score_high,
        }
    }

    fn cost_max(self, matching: &Matching) -> f64 {
        match self {
            Self::Strong => matching.cost_strong,
            Self::Weak => matching.cost_weak,
            Self::Tentative => matching.cost_tentative,
        }
    }

    /// Cost of taking `found` for `person` when their grown boxes share so much (IoU); infinite where it cannot be.
    fn cost(self, person: &Person, found: &Found, shared: f32, tuning: &Tuning) -> f64 {
        let matching = &tuning.matching;
        let (distance2, weight) = person.distance2(found, tuning);
        if distance2 > matching.distance2_max {
            return f64::INFINITY;
        }
        let heights = (person.expected.height(), found.place.height());
        let ratio = heights.0.min(heights.1) / heights.0.max(heights.1).max(1.0);
        let score = match self {
            Self::Strong | Self::Tentative => 1.0 - matching.score_weight * (1.0 - found.score),
            Self::Weak => 1.0,
        };
        let similarity = f64::from(shared * ratio.powf(matching.height_power) * score);
        if similarity <= 0.0 {
            return f64::INFINITY;
        }
        weight * (1.0 - similarity) + (1.0 - weight) * (distance2 / matching.distance2_full).min(1.0)
    }
}

/// The scale of calibrated scores: where a detector's card puts its weakest, its clear and its certain detections.
const SCALE: [f32; 5] = [0.0, 0.1, 0.6, 0.7, 1.0];
/// A box that ends this close to the lower border is cut off there: its foot is not seen, px.
const BORDER_PX: f32 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 };

    fn tracker() -> Tracker {
        Tracker::new(LEVELS, 1)
    }

    /// People at these left borders at this second.
    fn frame(at_s: f64, lefts: &[f32]) -> Detections {
        let person =
            |left: &f32| Detection { place: BoxPx { x1: *left, y1: 100.0, x2: left + 40.0, y2: 200.0 }, score: 0.9 };
        Detections {
            captured_at: CaptureTime((at_s * 1e9) as i64),
            picture: PictureSize { height: 576, width: 768 },
            people: lefts.iter().map(person).collect(),
        }
    }

    fn ids(tracks: &Tracks) -> Vec<u64> {
        tracks.seen.iter().map(|track| track.id.0).collect()
    }

    #[test]
    fn a_person_counts_from_the_second_sighting_and_keeps_the_id() {
        let mut tracker = tracker();
        assert!(tracker.advance(frame(0.0, &[100.0])).is_some_and(|tracks| tracks.seen.is_empty()));
        for step in 1..20 {
            let tracks = tracker.advance(frame(f64::from(step) * 0.2, &[100.0 + step as f32 * 8.0])).expect("newer");
            assert_eq!(ids(tracks), [1]);
        }
    }

    #[test]
    fn a_late_frame_changes_nothing() {
        let mut tracker = tracker();
        tracker.advance(frame(1.0, &[100.0]));
        assert!(tracker.advance(frame(1.0, &[400.0])).is_none());
        assert!(tracker.advance(frame(0.5, &[400.0])).is_none());
        assert_eq!(ids(tracker.advance(frame(1.1, &[101.0])).expect("newer")), [1]);
    }

    #[test]
    fn who_is_away_for_too_long_is_gone_and_the_id_with_them() {
        let mut tracker = tracker();
        tracker.advance(frame(0.0, &[100.0]));
        tracker.advance(frame(0.2, &[100.0]));
        let patience_s = Tuning::STANDARD.stitching.gap_s.max(Tuning::STANDARD.matching.lost_s);
        let frames = (patience_s / 0.2).ceil() as i32 + 3;
        let ended = |step: i32| tracker.advance(frame(f64::from(step) * 0.2, &[])).expect("newer").ended.len();
        assert_eq!((2..frames).map(ended).sum::<usize>(), 1);
        tracker.advance(frame(f64::from(frames) * 0.2, &[100.0]));
        let tracks = tracker.advance(frame(f64::from(frames + 1) * 0.2, &[100.0])).expect("newer");
        assert_eq!((ids(tracks), tracks.seen[0].counts_as.0), (vec![2], 2));
    }

    #[test]
    fn who_is_hidden_for_a_moment_keeps_counting_as_themselves() {
        let mut tracker = tracker();
        for step in 0..10 {
            tracker.advance(frame(f64::from(step) * 0.2, &[100.0]));
        }
        // Back where nobody foresaw them, a step to the side.
        tracker.advance(frame(2.0, &[]));
        tracker.advance(frame(2.4, &[160.0]));
        let tracks = tracker.advance(frame(2.6, &[160.0])).expect("newer");
        assert_eq!((ids(tracks), tracks.seen[0].counts_as.0), (vec![2], 1));
    }

    #[test]
    fn who_walks_along_the_lower_border_is_followed_without_a_foot() {
        let mut tracker = tracker();
        tracker.stand_on(Homography::new([[0.01, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, 1.0]]));
        let mut seen = Vec::new();
        for step in 0..80 {
            // Down to the border, then cut off by it and back the other way.
            let way = if step < 20 { step } else { 40 - step.min(79) };
            let mut detections = frame(f64::from(step) * 0.2, &[300.0 + way as f32 * 12.0]);
            let foot = (376.0 + 10.0 * step as f32).min(576.0);
            detections.people[0].place = BoxPx { y1: foot - 100.0, y2: foot, ..detections.people[0].place };
            seen.push(ids(tracker.advance(detections).expect("newer")));
        }
        assert!(seen[1..].iter().all(|ids| *ids == [1]), "{seen:?}");
    }

    #[test]
    fn two_who_pass_each_other_keep_their_ids() {
        let mut tracker = tracker();
        let mut last = Vec::new();
        for step in 0..40 {
            let left = step as f32 * 10.0;
            let mut detections = frame(f64::from(step) * 0.1, &[left, 400.0 - left]);
            detections.people[1].place.y2 += 40.0;
            last = tracker
                .advance(detections)
                .expect("newer")
                .seen
                .iter()
                .map(|track| (track.id.0, track.place.x1))
                .collect();
        }
        assert_eq!(last, [(1, 390.0), (2, 10.0)]);
    }

    #[test]
    fn the_order_of_detections_does_not_matter() {
        let run = |mirrored: bool| -> Vec<Vec<u64>> {
            let mut tracker = tracker();
            (0..30)
                .map(|step| {
                    let shift = step as f32 * 5.0;
                    let mut lefts = vec![100.0 + shift, 300.0 - shift, 500.0];
                    if mirrored && step > 1 {
                        lefts.reverse();
                    }
                    ids(tracker.advance(frame(f64::from(step) * 0.1, &lefts)).expect("newer"))
                })
                .collect()
        };
        assert_eq!(run(false), run(true));
    }
}
