//! Detections become tracks: who in this frame is who in the last, without looking at anybody.
//!
//! In: [`Detections`] of one camera in the order of capture. Out: [`Tracks`], the people seen in the frame and
//! those who are gone. Invariants: motion uses capture time (I6); the same detections give the same tracks bit
//! for bit; a late or repeated frame changes nothing; ids are never given twice and never leave the eye (I10).
//! Source: two-stage association after ByteTrack (arXiv 2110.06864), buffered IoU after C-BIoU (arXiv 2211.14317),
//! with every filter in seconds.

pub mod assign;
pub mod kalman;

use crate::clock::CaptureTime;
use crate::config::card::ScoreLevels;
use crate::detect::{Detection, Detections};
use crate::units::{BoxPx, PictureSize};
use assign::assign;
use kalman::BoxFilter;

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
    /// Tracks that will not come back, ordered by id.
    pub ended: Vec<TrackId>,
}

/// One person in one frame.
pub struct Track {
    /// Who, within this eye.
    pub id: TrackId,
    /// The detection's own box, px.
    pub place: BoxPx,
}

/// Follows the people of one camera.
pub struct Tracker {
    levels: ScoreLevels,
    last: Option<CaptureTime>,
    next_id: u64,
    people: Vec<Person>,
}

struct Person {
    id: TrackId,
    filter: BoxFilter,
    place: BoxPx,
    seen_at: CaptureTime,
    hits: u32,
    confirmed: bool,
}

/// Which people and which detections one association step brings together, and how generously.
struct Step {
    people: fn(&Person, Moment) -> bool,
    /// Scores it looks at.
    scores: std::ops::Range<f32>,
    /// Share by which boxes are grown; `None` grows with the time since a person was seen.
    buffer: Option<f32>,
    /// Dearest pair that is accepted.
    cost_max: f64,
    /// Whether the score weighs on the similarity.
    scored: bool,
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
        Self { levels, last: None, next_id: first_id, people: Vec::new() }
    }

    /// Takes the detections of the next frame.
    ///
    /// A frame that is not newer than the last one is ignored (`None`).
    pub fn advance(&mut self, detections: Detections) -> Option<Tracks> {
        let now = detections.captured_at;
        let elapsed_s = self.last.map_or(0.0, |last| now.since_s(last));
        if self.last.is_some() && elapsed_s <= 0.0 {
            return None;
        }
        let moment = Moment { now, before: self.last.unwrap_or(now) };
        self.last = Some(now);
        let mut ended = self.end_lost(now, elapsed_s);
        for person in &mut self.people {
            person.filter.predict(elapsed_s, person.seen_at < moment.before);
        }
        let found: Vec<Found> = detections.people.iter().map(|found| self.calibrated(found)).collect();
        let taken = self.associate(&found, moment);
        self.begin(&found, &taken, now);
        self.people.retain(|person| person.confirmed || person.seen_at == now);
        ended.sort_unstable();
        Some(Tracks { captured_at: now, picture: detections.picture, seen: self.seen_at(now), ended })
    }

    /// Ends whoever has been away too long; after a long gap, everybody.
    fn end_lost(&mut self, now: CaptureTime, elapsed_s: f64) -> Vec<TrackId> {
        let afresh = elapsed_s > GAP_S_MAX;
        let mut ended = Vec::new();
        self.people.retain(|person| {
            let gone = afresh || now.since_s(person.seen_at) > LOST_S_MAX;
            if gone && person.confirmed {
                ended.push(person.id);
            }
            !gone
        });
        ended
    }

    /// The three association steps. Returns which detections found their person.
    fn associate(&mut self, found: &[Found], moment: Moment) -> Vec<bool> {
        let mut taken = vec![false; found.len()];
        for step in &STEPS {
            self.match_up(found, &mut taken, moment, step);
        }
        taken
    }

    fn match_up(&mut self, found: &[Found], taken: &mut [bool], moment: Moment, step: &Step) {
        let waits = |person: &Person| person.seen_at < moment.now && (step.people)(person, moment);
        let rows: Vec<usize> = (0..self.people.len()).filter(|row| waits(&self.people[*row])).collect();
        let open = |column: usize| !taken[column] && step.scores.contains(&found[column].score);
        let columns: Vec<usize> = (0..found.len()).filter(|column| open(*column)).collect();
        let cost = |row: usize, column: usize| step.cost(&self.people[rows[row]], &found[columns[column]], moment.now);
        for (row, column) in assign(rows.len(), columns.len(), step.cost_max, cost) {
            self.people[rows[row]].see(&found[columns[column]], moment.now);
            taken[columns[column]] = true;
        }
    }

    /// Begins a track for every strong detection that is nobody yet.
    fn begin(&mut self, found: &[Found], taken: &[bool], now: CaptureTime) {
        for detection in
            found.iter().zip(taken).filter(|(found, taken)| !**taken && found.score >= BIRTH).map(|(found, _)| found)
        {
            let doubled = self
                .people
                .iter()
                .any(|person| person.seen_at == now && person.place.iou(&detection.place) > DOUBLE_IOU);
            if doubled {
                continue;
            }
            let id = TrackId(self.next_id);
            self.next_id += 1;
            let filter = BoxFilter::new(&detection.place);
            self.people.push(Person { id, filter, place: detection.place, seen_at: now, hits: 1, confirmed: false });
        }
    }

    fn seen_at(&self, now: CaptureTime) -> Vec<Track> {
        let seen = self.people.iter().filter(|person| person.confirmed && person.seen_at == now);
        let mut seen: Vec<Track> = seen.map(|person| Track { id: person.id, place: person.place }).collect();
        seen.sort_unstable_by_key(|track| track.id);
        seen
    }

    /// Brings a score to the scale the constants of this file are written in.
    fn calibrated(&self, detection: &Detection) -> Found {
        let levels = [0.0, self.levels.low, self.levels.high, self.levels.birth, 1.0];
        let scale = [0.0, LOW, HIGH, BIRTH, 1.0];
        let above = (1..4).find(|level| detection.score < levels[*level]).unwrap_or(4);
        let (from, to) = (levels[above - 1], levels[above]);
        let share = if to > from { (detection.score - from) / (to - from) } else { 1.0 };
        Found { place: detection.place, score: scale[above - 1] + share * (scale[above] - scale[above - 1]) }
    }
}

/// A detection with its score on the scale of this file.
struct Found {
    place: BoxPx,
    score: f32,
}

impl Person {
    fn see(&mut self, detection: &Found, now: CaptureTime) {
        self.filter.correct(&detection.place);
        self.place = detection.place;
        self.seen_at = now;
        self.hits += 1;
        self.confirmed |= self.hits >= HITS_TO_CONFIRM;
    }
}

impl Step {
    /// Cost of taking `found` for `person`; infinite where it cannot be.
    fn cost(&self, person: &Person, found: &Found, now: CaptureTime) -> f64 {
        let distance2 = person.filter.distance2(&found.place);
        if distance2 > DISTANCE2_MAX {
            return f64::INFINITY;
        }
        let away_s = now.since_s(person.seen_at) as f32;
        let buffer = self.buffer.unwrap_or((0.1 + 0.15 * away_s).min(0.6));
        let expected = person.filter.place();
        let height_iou =
            expected.height().min(found.place.height()) / expected.height().max(found.place.height()).max(1.0);
        let score = if self.scored { found.score } else { 1.0 };
        let similarity = expected.buffered(buffer).iou(&found.place.buffered(buffer)) * height_iou * score;
        if similarity <= 0.0 {
            return f64::INFINITY;
        }
        0.65 * f64::from(1.0 - similarity) + 0.35 * (distance2 / 12.0).min(1.0)
    }
}

/// Strong detections to confirmed people, lost ones included; weak ones to whoever was seen last time; what is
/// left to those not confirmed yet. Costs and buffers were tuned on MOT17 and PETS boxes (one setting for all).
const STEPS: [Step; 3] = [
    Step {
        people: |person, _| person.confirmed,
        scores: HIGH..f32::INFINITY,
        buffer: None,
        cost_max: 0.8,
        scored: true,
    },
    Step {
        people: |person, moment| person.confirmed && person.seen_at == moment.before,
        scores: LOW..HIGH,
        buffer: Some(0.3),
        cost_max: 0.5,
        scored: false,
    },
    Step {
        people: |person, _| !person.confirmed,
        scores: HIGH..f32::INFINITY,
        buffer: None,
        cost_max: 0.7,
        scored: true,
    },
];
/// Scale of calibrated scores: weakest that continues, of the first step, and that begins a track.
const LOW: f32 = 0.1;
const HIGH: f32 = 0.6;
const BIRTH: f32 = 0.7;
/// A track unseen for longer is over, s (keeping it 3 s cost 1.3 HOTA).
const LOST_S_MAX: f64 = 1.0;
/// After a longer gap between frames everything starts afresh, s.
const GAP_S_MAX: f64 = 2.0;
/// Sightings until a track counts.
const HITS_TO_CONFIRM: u32 = 2;
/// A detection this much on a seen person is the same person.
const DOUBLE_IOU: f32 = 0.7;
/// Largest squared Mahalanobis distance of a foot point, 2 degrees of freedom (6 standard deviations).
const DISTANCE2_MAX: f64 = 36.0;

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
            assert_eq!(ids(&tracks), [1]);
        }
    }

    #[test]
    fn a_late_frame_changes_nothing() {
        let mut tracker = tracker();
        tracker.advance(frame(1.0, &[100.0]));
        assert!(tracker.advance(frame(1.0, &[400.0])).is_none());
        assert!(tracker.advance(frame(0.5, &[400.0])).is_none());
        assert_eq!(ids(&tracker.advance(frame(1.1, &[101.0])).expect("newer")), [1]);
    }

    #[test]
    fn who_is_away_for_more_than_a_second_is_gone_and_the_id_with_them() {
        let mut tracker = tracker();
        tracker.advance(frame(0.0, &[100.0]));
        tracker.advance(frame(0.2, &[100.0]));
        let mut ended = 0;
        for step in 2..8 {
            ended += tracker.advance(frame(f64::from(step) * 0.2, &[])).expect("newer").ended.len();
        }
        assert_eq!(ended, 1);
        tracker.advance(frame(2.0, &[100.0]));
        assert_eq!(ids(&tracker.advance(frame(2.2, &[100.0])).expect("newer")), [2]);
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
                    ids(&tracker.advance(frame(f64::from(step) * 0.1, &lefts)).expect("newer"))
                })
                .collect()
        };
        assert_eq!(run(false), run(true));
    }
}
