//! Whom a new track counts as: somebody hidden for a moment is not a new visitor.
//!
//! In: the confirmed tracks of each frame. Out: for each the id it counts as, and the counted ids nobody can take over
//! any more. A track that begins in the open, near where another was lost in the open a moment ago, counts as that one:
//! it takes over its side of a line, its stay and its origin. The tracks themselves stay apart. Whoever was lost and comes
//! back to find the place taken counts as new. Invariants: two tracks seen in one frame never count as one; a counted id is
//! handed on once for every loss; ids are never given twice.

use super::ground::Footing;
use super::tuning::Stitching;
use super::{Track, TrackId};
use crate::clock::CaptureTime;
use crate::units::{BoxPx, PictureSize};

/// Remembers the tracks of one camera for as long as somebody may turn out to be them.
#[derive(Default)]
pub struct Stitcher {
    /// Ordered by track.
    traces: Vec<Trace>,
    takings: Vec<Taking>,
}

/// A track, where it was seen last.
struct Trace {
    id: TrackId,
    counts_as: TrackId,
    seen_at: CaptureTime,
    place: BoxPx,
    footing: Option<Footing>,
    /// Somebody else counts as this by now.
    is_taken: bool,
}

/// A new track that may count as an old one.
struct Taking {
    /// Distance as a share of the farthest allowed.
    share: f64,
    /// Place among the tracks seen.
    new: usize,
    old: TrackId,
}

/// A frame as the stitcher sees it.
pub struct Scene<'a> {
    /// When it was captured.
    pub now: CaptureTime,
    /// Size of the picture; one without a size has no borders.
    pub picture: PictureSize,
    /// What counts as near and recent.
    pub tuning: &'a Stitching,
    /// Who has been away for longer neither comes back nor is taken over, s.
    pub patience_s: f64,
}

impl Stitcher {
    /// Writes into every track seen now, ordered by id, whom it counts as, and into `ended` who will not come back. New ids
    /// are counted up from `next_id`.
    pub fn name(&mut self, scene: &Scene<'_>, seen: &mut [Track], next_id: &mut u64, ended: &mut Vec<TrackId>) {
        self.forget(scene, ended);
        self.find_takings(scene, seen);
        self.take_over(seen);
        for track in seen {
            match self.traces.binary_search_by_key(&track.id, |trace| trace.id) {
                Ok(place) => self.traces[place].see(scene.now, track, next_id),
                Err(place) => self.traces.insert(place, Trace::new(scene.now, track)),
            }
        }
    }

    /// Drops whoever has been away too long to come back or to be taken over.
    fn forget(&mut self, scene: &Scene<'_>, ended: &mut Vec<TrackId>) {
        self.traces.retain(|trace| {
            let is_over = scene.now.since_s(trace.seen_at) > scene.patience_s;
            if is_over && !trace.is_taken {
                ended.push(trace.counts_as);
            }
            !is_over
        });
        ended.sort_unstable();
    }

    /// Which new tracks may count as which old ones, the nearest first.
    fn find_takings(&mut self, scene: &Scene<'_>, seen: &[Track]) {
        self.takings.clear();
        let is_old =
            |trace: &&Trace| !trace.is_taken && seen.binary_search_by_key(&trace.id, |track| track.id).is_err();
        for (new, track) in seen.iter().enumerate() {
            let is_known = self.traces.binary_search_by_key(&track.id, |trace| trace.id).is_ok();
            if is_known || scene.is_at_border(&track.place) {
                continue;
            }
            for old in self.traces.iter().filter(is_old) {
                if let Some(share) = scene.share(old, track) {
                    self.takings.push(Taking { share, new, old: old.id });
                }
            }
        }
        self.takings
            .sort_unstable_by(|a, b| a.share.total_cmp(&b.share).then(a.new.cmp(&b.new)).then(a.old.cmp(&b.old)));
    }

    /// Lets each new track count as the nearest old one that nobody took before; on the way in, all count as themselves.
    fn take_over(&mut self, seen: &mut [Track]) {
        for taking in &self.takings {
            let new = &mut seen[taking.new];
            let old = self.traces.binary_search_by_key(&taking.old, |trace| trace.id);
            let old = &mut self.traces[old.expect("takings are made of traces")];
            if new.counts_as == new.id && !old.is_taken {
                new.counts_as = old.counts_as;
                old.is_taken = true;
            }
        }
    }
}

impl Trace {
    fn new(now: CaptureTime, track: &Track) -> Self {
        let Track { id, counts_as, place, footing } = *track;
        Self { id, counts_as, seen_at: now, place, footing, is_taken: false }
    }

    /// A track seen again keeps its counted id, unless another has it by now.
    fn see(&mut self, now: CaptureTime, track: &mut Track, next_id: &mut u64) {
        if self.is_taken {
            self.is_taken = false;
            self.counts_as = TrackId(*next_id);
            *next_id += 1;
        }
        (self.seen_at, self.place, self.footing) = (now, track.place, track.footing);
        track.counts_as = self.counts_as;
    }
}

impl Scene<'_> {
    /// How near `track` begins to where `old` was lost, as a share of the farthest that is allowed; `None` beyond.
    fn share(&self, old: &Trace, track: &Track) -> Option<f64> {
        let gap_s = self.now.since_s(old.seen_at);
        let heights = (old.place.height(), track.place.height());
        let is_alike = heights.0.min(heights.1) >= self.tuning.height_ratio * heights.0.max(heights.1);
        if gap_s > self.tuning.gap_s || !is_alike || self.is_at_border(&old.place) {
            return None;
        }
        let distance_m = match (&old.footing, &track.footing) {
            (Some(old), Some(new)) => old.distance_m(new),
            _ => {
                let (from, to) = (old.place.foot(), track.place.foot());
                let distance_px = f64::from(to.x_px - from.x_px).hypot(f64::from(to.y_px - from.y_px));
                distance_px / f64::from(heights.0 * heights.1).sqrt().max(1.0) * self.tuning.person_m
            }
        };
        let share = distance_m / (self.tuning.distance_m + self.tuning.speed_m_s * gap_s);
        (share <= 1.0).then_some(share)
    }

    /// Whether a box lies at the left, right or lower border: whoever is there comes or goes.
    fn is_at_border(&self, place: &BoxPx) -> bool {
        let (width, height) = (self.picture.width as f32, self.picture.height as f32);
        let margin = self.tuning.border * height;
        let is_near = || place.x1 < margin || place.x2 > width - margin || place.y2 > height - margin;
        height > 0.0 && is_near()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tuning::Tuning;
    use super::*;

    const PICTURE: PictureSize = PictureSize { height: 576, width: 768 };

    /// A stitcher with its frame counter and the ids that ended.
    struct Run {
        stitcher: Stitcher,
        next_id: u64,
        ended: Vec<u64>,
    }

    fn run() -> Run {
        Run { stitcher: Stitcher::default(), next_id: 100, ended: Vec::new() }
    }

    impl Run {
        /// What tracks at these feet count as; a person is 100 px high, `person_m` tall.
        fn frame(&mut self, at_s: f64, people: &[(u64, f32)]) -> Vec<u64> {
            let tuning = &Tuning::STANDARD.stitching;
            let patience_s = tuning.gap_s.max(Tuning::STANDARD.matching.lost_s);
            let scene = Scene { now: CaptureTime((at_s * 1e9) as i64), picture: PICTURE, tuning, patience_s };
            let track = |(id, x): &(u64, f32)| {
                let place = BoxPx { x1: x - 20.0, y1: 200.0, x2: x + 20.0, y2: 300.0 };
                Track { id: TrackId(*id), counts_as: TrackId(*id), place, footing: None }
            };
            let mut seen: Vec<Track> = people.iter().map(track).collect();
            let mut ended = Vec::new();
            self.stitcher.name(&scene, &mut seen, &mut self.next_id, &mut ended);
            self.ended.extend(ended.iter().map(|id| id.0));
            seen.iter().map(|track| track.counts_as.0).collect()
        }
    }

    #[test]
    fn who_comes_up_where_somebody_was_lost_counts_as_them() {
        let mut run = run();
        assert_eq!(run.frame(0.0, &[(1, 300.0)]), [1]);
        assert!(run.frame(0.5, &[]).is_empty());
        assert_eq!(run.frame(1.5, &[(2, 340.0)]), [1]);
        assert_eq!(run.frame(1.7, &[(2, 345.0)]), [1]);
        assert!(run.frame(9.0, &[]).is_empty());
        assert_eq!(run.ended, [1], "they were one");
    }

    #[test]
    fn who_comes_up_far_away_or_late_is_new() {
        let mut far = run();
        far.frame(0.0, &[(1, 100.0)]);
        assert_eq!(far.frame(0.5, &[(2, 600.0)]), [2]);
        let mut late = run();
        late.frame(0.0, &[(1, 300.0)]);
        assert_eq!(late.frame(4.0, &[(2, 300.0)]), [2]);
        assert_eq!(late.ended, [1]);
    }

    #[test]
    fn two_seen_together_never_count_as_one() {
        let mut run = run();
        run.frame(0.0, &[(1, 300.0)]);
        run.frame(0.2, &[]);
        assert_eq!(run.frame(0.6, &[(2, 310.0), (3, 320.0)]), [1, 3], "one of them, the nearest");
        assert_eq!(run.frame(0.8, &[(1, 330.0), (2, 310.0), (3, 320.0)]), [100, 1, 3], "the lost one is back");
        run.frame(9.0, &[]);
        assert_eq!(run.ended, [1, 3, 100]);
    }

    #[test]
    fn who_leaves_over_the_border_is_not_taken_over() {
        let mut run = run();
        run.frame(0.0, &[(1, 750.0)]);
        assert_eq!(run.frame(0.5, &[(2, 720.0)]), [2]);
        let mut run = super::tests::run();
        run.frame(0.0, &[(1, 30.0)]);
        assert_eq!(run.frame(0.5, &[(2, 60.0)]), [2], "nor over the other");
    }
}
