//! One camera between two frames: sightings become person-time, windows close on the calendar.
//!
//! In: [`FloorSteps`] of one camera. Out: its [`Window`]s. Invariant: every millisecond of a person is credited once, to
//! zones and cells alike, and to the windows it lies in.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::{Counters, Objects};
#[cfg(feature = "mouth")]
use super::crossing::LineWindow;
use super::{Credit, Window};
use crate::clock::{CaptureTime, Timeline, UtcMs, WindowSpan};
use crate::config::{COUNT_WINDOW_S, PATH_WINDOW_S, Settings, WINDOW_GRACE_S};
use crate::floor::{FloorMap, FloorSteps};
use crate::track::TrackId;
use crate::units::FloorPoint;

/// What one camera has measured in its open windows.
pub struct CameraMeasure {
    timeline: Timeline,
    objects: Objects,
    last: Option<i64>,
    /// Whether it has been opened anew since.
    was_away: bool,
    counts: Open,
    paths: Open,
    /// Nowhere yet while the camera has not been seen; its windows are records all the same.
    counters: Option<Counters>,
    sightings: BTreeMap<TrackId, (i64, FloorPoint)>,
    /// Those among them who have not been seen since the camera was blind: nobody knows when they went.
    missed: BTreeSet<TrackId>,
}

/// The open window of one length.
struct Open {
    span: WindowSpan,
    seen_ms: u64,
}

impl CameraMeasure {
    /// Nothing measured yet; the first windows hold the zero of the capture clock.
    pub fn new(settings: &Settings, camera: usize, timeline: Timeline) -> Self {
        let zero = timeline.utc(CaptureTime(0));
        let open = |dur_s, phase_s| Open { span: WindowSpan::holding(zero, dur_s, phase_s), seen_ms: 0 };
        Self {
            timeline,
            objects: Objects::of(settings, camera),
            last: None,
            was_away: false,
            counts: open(COUNT_WINDOW_S, 0),
            paths: open(PATH_WINDOW_S, settings.store.hour_phase_s),
            counters: None,
            sightings: BTreeMap::new(),
            missed: BTreeSet::new(),
        }
    }

    /// What its lines have counted in the window that is still open, by index.
    #[cfg(feature = "mouth")]
    pub fn open_lines(&self) -> impl Iterator<Item = (usize, &LineWindow)> {
        self.counters.iter().flat_map(|counters| counters.open_lines(&self.objects))
    }

    /// Puts lines, zones and cells in their places; the first time only.
    pub fn place(&mut self, settings: &Settings, map: &FloorMap) {
        let Self { objects, counters, .. } = self;
        counters.get_or_insert_with(|| Counters::new(objects, settings, map));
    }

    /// Notes that the camera was blind since it last saw something.
    pub fn blinded(&mut self) {
        self.was_away = true;
    }

    /// Takes what the camera saw; returns the windows that closed by it.
    pub fn step(&mut self, steps: &FloorSteps) -> Vec<Window> {
        let now_ms = ms(steps.captured_at);
        let was_away = std::mem::take(&mut self.was_away);
        let before = self.last.replace(now_ms).filter(|_| !was_away);
        let credits = self.credits(steps, now_ms, before);
        self.note_missed(steps, before.is_none_or(|before_ms| now_ms - before_ms > BLIND_MS));
        let due_s = self.timeline.utc(steps.captured_at).0.div_euclid(1000);
        let seen = before.map(|before_ms| (before_ms, now_ms)).filter(|(from, to)| to - from <= BLIND_MS);
        let closed = self.close(due_s, &credits, seen);
        self.take(&credits, seen, steps, now_ms);
        closed
    }

    /// What each person seen now is owed since the last sighting.
    fn credits(&mut self, steps: &FloorSteps, now_ms: i64, before: Option<i64>) -> Vec<Credit> {
        let mut credits = Vec::with_capacity(steps.people.len());
        for person in &steps.people {
            if let Some((from_ms, at)) = self.sightings.insert(person.id, (now_ms, person.at)) {
                credits.push(Credit { who: person.id, at, from_ms, to_ms: now_ms, unbroken: before == Some(from_ms) });
            }
        }
        credits
    }

    /// Remembers who was there before the camera was blind and has not been seen since.
    fn note_missed(&mut self, steps: &FloorSteps, was_blind: bool) {
        if was_blind {
            self.missed.extend(self.sightings.keys().copied());
        }
        for person in &steps.people {
            self.missed.remove(&person.id);
        }
    }

    /// Adds what belongs to the windows now open.
    fn take(&mut self, credits: &[Credit], seen: Option<(i64, i64)>, steps: &FloorSteps, now_ms: i64) {
        self.credit(credits, seen, Length::Counts);
        self.credit(credits, seen, Length::Paths);
        if let Some(counters) = &mut self.counters {
            counters.step(&steps.people, now_ms);
        }
        for id in &steps.ended {
            self.sightings.remove(id);
            let was_seen = !self.missed.remove(id);
            self.counters.iter_mut().for_each(|counters| counters.end(*id, was_seen));
        }
        self.let_off(now_ms);
    }

    /// Lets go whoever is still followed but has left the calibrated floor: nobody waits or stays where they are not.
    fn let_off(&mut self, now_ms: i64) {
        let Self { sightings, missed, counters, .. } = self;
        sightings.retain(|who, (seen_ms, _)| {
            let is_off = now_ms - *seen_ms > AWAY_MS && !missed.contains(who);
            if is_off {
                counters.iter_mut().for_each(|counters| counters.step_off(*who));
            }
            !is_off
        });
    }

    /// Lets everybody go when nothing has been seen for so long that no frame can be under way any more: before the
    /// window closes in which the camera was lost, but not for a detector that is late.
    pub fn notice_blindness(&mut self, now: UtcMs) {
        let now_ms = now.0 - self.timeline.utc(CaptureTime(0)).0;
        if self.last.is_some_and(|last_ms| now_ms - last_ms > i64::from(WINDOW_GRACE_S) * 1000) {
            self.sightings.clear();
            self.missed.clear();
            self.counters.iter_mut().for_each(Counters::lose_all);
        }
    }

    /// Adds the parts of credits and coverage that lie in the open window of one length.
    fn credit(&mut self, credits: &[Credit], seen: Option<(i64, i64)>, length: Length) {
        let open = match length {
            Length::Counts => &mut self.counts,
            Length::Paths => &mut self.paths,
        };
        let from_ms = ms(self.timeline.capture_time_at(open.span.start_s));
        let to_ms = ms(self.timeline.capture_time_at(open.span.end_s()));
        if let Some((seen_from, seen_to)) = seen {
            open.seen_ms += u64::try_from(seen_to.min(to_ms) - seen_from.max(from_ms)).unwrap_or(0);
        }
        let Some(counters) = &mut self.counters else { return };
        for credit in credits {
            let within_ms = credit.within(from_ms, to_ms);
            match length {
                Length::Counts => counters.credit_counts(credit, within_ms),
                Length::Paths => counters.credit_paths(credit, within_ms),
            }
        }
    }

    /// Closes every window that ended at or before `due_s`; shorter windows first.
    pub fn close(&mut self, due_s: i64, credits: &[Credit], seen: Option<(i64, i64)>) -> Vec<Window> {
        let mut closed = Vec::new();
        while self.counts.span.end_s() <= due_s {
            self.credit(credits, seen, Length::Counts);
            closed.extend(self.close_counts());
        }
        while self.paths.span.end_s() <= due_s {
            self.credit(credits, seen, Length::Paths);
            closed.extend(self.close_paths());
        }
        closed
    }

    /// Closes all windows: the recording is over.
    pub fn finish(&mut self) -> Vec<Window> {
        self.counters.iter_mut().for_each(Counters::finish);
        let mut closed = self.close_counts();
        closed.extend(self.close_paths());
        closed
    }

    fn close_counts(&mut self) -> Vec<Window> {
        let (span, cov_ms) = self.counts.roll();
        let closed = self.objects.close_counts(self.counters.as_mut());
        closed.into_iter().map(|exact| Window { span, cov_ms, exact }).collect()
    }

    fn close_paths(&mut self) -> Vec<Window> {
        let (span, cov_ms) = self.paths.roll();
        let closed = self.objects.close_paths(self.counters.as_mut());
        closed.into_iter().map(|exact| Window { span, cov_ms, exact }).collect()
    }
}

#[derive(Clone, Copy)]
enum Length {
    Counts,
    Paths,
}

impl Open {
    /// Closes this window and opens the next.
    fn roll(&mut self) -> (WindowSpan, u32) {
        let closed = (self.span, u32::try_from(self.seen_ms).unwrap_or(u32::MAX));
        *self = Self { span: self.span.next(), seen_ms: 0 };
        closed
    }
}

/// Whole milliseconds of the capture clock: everything measured is a sum of these, so that sums agree exactly.
fn ms(at: CaptureTime) -> i64 {
    (at.0 as f64 / 1e6).round() as i64
}

/// Off the floor for longer, a person is not there any more: as long as the tracker waits for somebody hidden
/// (`track/tuning.rs`), ms.
const AWAY_MS: i64 = 2000;
/// A camera that delivers nothing for longer than this was blind meanwhile (the tracker starts afresh too), ms; one
/// that was opened anew was blind for however long it took.
const BLIND_MS: i64 = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site;
    use crate::floor::FloorStep;
    use crate::measure::Exact;
    use crate::units::PictureSize;

    /// A floor of 8 m × 4 m with a zone before a door and a queue from there to a zone behind it.
    const SHOP: &str = r#"
[store]
org = "t"
store = "t"
node = "t"
timezone = "UTC"
[[floor]]
id = "hall"
origin_m = [0.0, 0.0]
size_m = [8.0, 4.0]
[[camera]]
id = "view"
floor = "hall"
calibration = [
  { px = [0, 400], m = [0, 0] }, { px = [800, 400], m = [8, 0] }, { px = [800, 0], m = [8, 4] }, { px = [0, 0], m = [0, 4] },
]
[[line]]
id = "door"
ends_m = [[4.0, 0.0], [4.0, 4.0]]
inside_m = [6.0, 2.0]
[[zone]]
id = "wait"
polygon_m = [[0.0, 0.0], [3.5, 0.0], [3.5, 4.0], [0.0, 4.0]]
[[zone]]
id = "till"
polygon_m = [[4.5, 0.0], [8.0, 0.0], [8.0, 4.0], [4.5, 4.0]]
[[queue]]
id = "tills"
zone = "wait"
served_by = "till"
"#;
    /// People before the camera at once, and looks at each of them.
    const AT_ONCE: u64 = 20;
    const LOOKS: u64 = 6;

    /// Sends people through the shop, [`AT_ONCE`] at a time, a second between looks; gives the most ever remembered, and how
    /// many joined the queue and crossed the door.
    fn passed(people: u64) -> (usize, [u64; 2]) {
        let settings = site::parse(SHOP, "drawn").expect("the drawn shop is whole").settings;
        let mut camera = CameraMeasure::new(&settings, 0, Timeline::starting_at(UtcMs(0)));
        let map = FloorMap::new(&settings.cameras[0], PictureSize { height: 400, width: 800 }).expect("a floor");
        camera.place(&settings, &map);
        let (mut most, mut counted) = (0, [0, 0]);
        for look in 0..people / AT_ONCE * LOOKS {
            let (group, step) = (look / LOOKS * AT_ONCE, look % LOOKS);
            let at = FloorPoint { x_m: [0.5, 1.5, 1.6, 2.5, 3.0, 5.5][step as usize], y_m: 2.0 };
            let ids = |from: u64| (from..from + AT_ONCE).map(TrackId);
            let ended = if step == 0 && group > 0 { ids(group - AT_ONCE).collect() } else { Vec::new() };
            let people = ids(group).map(|id| FloorStep { id, at: FloorPoint { ..at } }).collect();
            let captured_at = CaptureTime(look as i64 * 1_000_000_000);
            for window in camera.step(&FloorSteps { captured_at, people, ended }) {
                match window.exact {
                    Exact::Queue(_, queue) => counted[0] += u64::from(queue.joined),
                    Exact::Line(_, line) => counted[1] += u64::from(line.inward),
                    _ => {}
                }
            }
            let held = camera.counters.as_ref().map_or(0, Counters::remembered);
            most = most.max(held + camera.sightings.len() + camera.missed.len());
        }
        (most, counted)
    }

    #[test]
    fn who_leaves_the_floor_while_being_followed_neither_stays_nor_waits() {
        let settings = site::parse(SHOP, "drawn").expect("the drawn shop is whole").settings;
        let mut camera = CameraMeasure::new(&settings, 0, Timeline::starting_at(UtcMs(0)));
        let map = FloorMap::new(&settings.cameras[0], PictureSize { height: 400, width: 800 }).expect("a floor");
        camera.place(&settings, &map);
        for look in 0..500i64 {
            // Ten seconds before the door, then beyond the floor, and at the end back for a moment.
            let is_there = !(50..490).contains(&look);
            let step = FloorStep { id: TrackId(1), at: FloorPoint { x_m: 1.0, y_m: 1.0 } };
            let people = if is_there { vec![step] } else { Vec::new() };
            camera.step(&FloorSteps { captured_at: CaptureTime(look * 200_000_000), people, ended: Vec::new() });
        }
        for window in camera.finish() {
            match window.exact {
                Exact::Zone(0, zone) => {
                    assert_eq!((zone.entries, zone.exits, zone.people), (2, 2, 1), "two stays of one person");
                    assert_eq!(zone.dwell_ms, 9800 + 1800);
                }
                Exact::Queue(_, queue) => assert_eq!((queue.joined, queue.abandoned, queue.carried), (1, 1, 0)),
                _ => {}
            }
        }
    }

    #[test]
    fn however_many_people_pass_no_more_is_remembered() {
        let (few, _) = passed(2_000);
        let (many, counted) = passed(PASSING);
        assert!(many <= few, "{many} entries instead of {few}");
        let in_open_window = 900 / LOOKS * AT_ONCE;
        assert!(counted.iter().all(|counted| *counted + in_open_window >= PASSING), "{counted:?} were really there");
    }

    /// People who pass: a busy year of a shop.
    const PASSING: u64 = 1_000_000;
}
