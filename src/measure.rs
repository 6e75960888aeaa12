//! Metres become windows: where people stood, for how long, which lines they crossed, which zones they visited.
//!
//! In: [`FloorSteps`] of every camera. Out: exact [`Window`]s, one for every line, zone and floor and every span of
//! the calendar, empty ones included. Invariants: I7 (in − out = Δ occupancy; heat inside a zone = its dwell),
//! because zones and cells are given the very same milliseconds (tests/laws); a window holds counts only and can
//! be neither copied, printed nor serialised (tests/disclosure).
//!
//! Person-time is credited when a person is seen again: the time since the last sighting goes to the place of that
//! sighting. Who is hidden for less than the tracker's patience loses nothing; who never comes back adds nothing.

pub mod crossing;
pub mod dwell;
pub mod heatmap;

use std::collections::BTreeMap;

use crate::clock::{CaptureTime, Timeline, UtcMs, WindowSpan};
use crate::config::{COUNT_WINDOW_S, PATH_WINDOW_S, Settings, WINDOW_GRACE_S};
use crate::floor::{FloorMap, FloorSteps};
use crate::track::TrackId;
use crate::units::FloorPoint;
use crossing::{LineCounter, LineWindow};
use dwell::{ZoneCounter, ZoneWindow};
use heatmap::{HeatGrid, HeatWindow, ZoneCells};

/// Exact figures of one object in one span. Only the gate may take it.
pub struct Window {
    /// The span of the calendar.
    pub span: WindowSpan,
    /// How long the camera really saw, ms.
    pub cov_ms: u32,
    /// What was measured.
    pub exact: Exact,
}

/// What was measured, by kind.
pub enum Exact {
    /// Line with this index.
    Line(usize, LineWindow),
    /// Zone with this index.
    Zone(usize, ZoneWindow),
    /// Heat of the floor with this index.
    Heat(usize, HeatWindow),
}

/// Time a person spent at a place between two sightings, ms since the capture clock's zero.
#[derive(Clone, Copy)]
pub(crate) struct Credit {
    pub(crate) who: TrackId,
    pub(crate) at: FloorPoint,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// Whether the person was seen in the frame right before.
    pub(crate) unbroken: bool,
}

impl Credit {
    /// The part of it inside `[from_ms, to_ms)`, ms.
    pub(crate) fn within(&self, from_ms: i64, to_ms: i64) -> u64 {
        u64::try_from(self.to_ms.min(to_ms) - self.from_ms.max(from_ms)).unwrap_or(0)
    }
}

/// Measures the whole shop: one state per camera, one gathering place per floor.
pub struct Measures {
    cameras: Vec<CameraMeasure>,
    floors: Vec<FloorGather>,
}

/// Floor windows waiting for the other cameras of their floor.
struct FloorGather {
    cameras: usize,
    waiting: BTreeMap<WindowSpan, (usize, u32, HeatWindow)>,
}

/// What one camera has measured in its open windows.
struct CameraMeasure {
    timeline: Timeline,
    objects: Objects,
    last: Option<i64>,
    /// Whether it has been opened anew since.
    was_away: bool,
    counts: Open,
    paths: Open,
    /// Nowhere yet while the camera has not been seen; its windows are records all the same.
    places: Option<Places>,
    sightings: BTreeMap<TrackId, (i64, FloorPoint)>,
}

/// What a camera has windows of, by index into the settings.
struct Objects {
    lines: Vec<usize>,
    zones: Vec<usize>,
    /// Its floor, and how many cells that has.
    floor: Option<(usize, usize)>,
}

/// The counters of a camera where they lie on its floor, in the order of its [`Objects`].
struct Places {
    lines: Vec<LineCounter>,
    zones: Vec<ZoneCounter>,
    heat: Option<HeatGrid>,
}

/// The open window of one length.
struct Open {
    span: WindowSpan,
    seen_ms: u64,
}

impl Measures {
    /// Empty measures for all cameras; the first windows are those that hold the zero of the capture clock.
    #[must_use]
    pub fn new(settings: &Settings, timeline: Timeline) -> Self {
        let cameras =
            (0..settings.cameras.len()).map(|camera| CameraMeasure::new(settings, camera, timeline)).collect();
        let gather = |floor: usize| FloorGather {
            cameras: settings.cameras.iter().filter(|camera| camera.floor == Some(floor)).count(),
            waiting: BTreeMap::new(),
        };
        Self { cameras, floors: (0..settings.floors.len()).map(gather).collect() }
    }

    /// Puts the lines, zones and cells of a camera in their places, once its picture is known.
    pub fn place(&mut self, settings: &Settings, camera: usize, map: &FloorMap) {
        self.cameras[camera].place(settings, map);
    }

    /// Notes that a camera was blind since it last saw something, however short that was.
    pub fn blinded(&mut self, camera: usize) {
        self.cameras[camera].was_away = true;
    }

    /// Takes what one camera saw; returns the windows that closed by it.
    pub fn step(&mut self, camera: usize, steps: &FloorSteps) -> Vec<Window> {
        let closed = self.cameras[camera].step(steps);
        self.gathered(closed)
    }

    /// What the lines of a camera have counted in the window that is still open, by index: for evaluation alone.
    #[cfg(feature = "mouth")]
    pub(crate) fn open_lines(&self, camera: usize) -> impl Iterator<Item = (usize, &LineWindow)> {
        let camera = &self.cameras[camera];
        let counters = camera.places.iter().flat_map(|places| &places.lines);
        camera.objects.lines.iter().copied().zip(counters.map(LineCounter::open))
    }

    /// Closes what is past its end and its grace by the calendar, whether or not a camera still sees; who was before a
    /// camera that has gone blind is not there any more.
    pub fn tick(&mut self, now: UtcMs) -> Vec<Window> {
        self.cameras.iter_mut().for_each(|camera| camera.notice_blindness(now));
        let due_s = now.0.div_euclid(1000) - i64::from(WINDOW_GRACE_S);
        let closed: Vec<Window> = self.cameras.iter_mut().flat_map(|camera| camera.close(due_s, &[], None)).collect();
        self.gathered(closed)
    }

    /// Closes all windows where the recording of a camera ends.
    pub fn finish(&mut self, camera: usize) -> Vec<Window> {
        let closed = self.cameras[camera].finish();
        self.gathered(closed)
    }

    /// Holds heat windows back until all cameras of their floor have given theirs.
    fn gathered(&mut self, closed: Vec<Window>) -> Vec<Window> {
        closed.into_iter().filter_map(|window| self.gather(window)).collect()
    }

    fn gather(&mut self, window: Window) -> Option<Window> {
        let Window { span, cov_ms, exact } = window;
        let Exact::Heat(floor, heat) = exact else { return Some(Window { span, cov_ms, exact }) };
        let gather = &mut self.floors[floor];
        let (given, seen_ms, sum) = match gather.waiting.remove(&span) {
            Some((given, seen_ms, sum)) => (given + 1, seen_ms.min(cov_ms), sum.plus(&heat)),
            None => (1, cov_ms, heat),
        };
        if given == gather.cameras {
            return Some(Window { span, cov_ms: seen_ms, exact: Exact::Heat(floor, sum) });
        }
        gather.waiting.insert(span, (given, seen_ms, sum));
        // Cameras close within one grace of each other; more spans than this are never open at once.
        while gather.waiting.len() > SPANS_WAITING_MAX {
            gather.waiting.pop_first();
        }
        None
    }
}

impl CameraMeasure {
    fn new(settings: &Settings, camera: usize, timeline: Timeline) -> Self {
        let zero = timeline.utc(CaptureTime(0));
        let open = |dur_s, phase_s| Open { span: WindowSpan::holding(zero, dur_s, phase_s), seen_ms: 0 };
        let of_camera = |watching: usize| watching == camera;
        let lines = settings.lines.iter().enumerate().filter(|(_, line)| of_camera(line.camera));
        let zones = settings.zones.iter().enumerate().filter(|(_, zone)| of_camera(zone.camera));
        let objects = Objects {
            lines: lines.map(|(index, _)| index).collect(),
            zones: zones.map(|(index, _)| index).collect(),
            floor: settings.cameras[camera].floor.map(|floor| (floor, settings.floors[floor].cell_count())),
        };
        Self {
            timeline,
            objects,
            last: None,
            was_away: false,
            counts: open(COUNT_WINDOW_S, 0),
            paths: open(PATH_WINDOW_S, settings.store.hour_phase_s),
            places: None,
            sightings: BTreeMap::new(),
        }
    }

    fn place(&mut self, settings: &Settings, map: &FloorMap) {
        let Self { objects, places, .. } = self;
        places.get_or_insert_with(|| {
            let line = |index: &usize| LineCounter::new(&map.place(&settings.lines[*index].ends_and_inside));
            let zone = |index: &usize| ZoneCounter::new(map.place(&settings.zones[*index].polygon));
            let zones: Vec<ZoneCounter> = objects.zones.iter().map(zone).collect();
            let heat = objects.floor.map(|(floor, _)| {
                let grid = &settings.floors[floor];
                let pairs = objects.zones.iter().zip(&zones);
                HeatGrid::new(grid, pairs.map(|(index, zone)| ZoneCells::of(*index, zone, grid)).collect())
            });
            Places { lines: objects.lines.iter().map(line).collect(), zones, heat }
        });
    }

    fn step(&mut self, steps: &FloorSteps) -> Vec<Window> {
        let now_ms = ms(steps.captured_at);
        let was_away = std::mem::take(&mut self.was_away);
        let before = self.last.replace(now_ms).filter(|_| !was_away);
        let credits = self.credits(steps, now_ms, before);
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

    /// Adds what belongs to the windows now open.
    fn take(&mut self, credits: &[Credit], seen: Option<(i64, i64)>, steps: &FloorSteps, now_ms: i64) {
        self.credit(credits, seen, Length::Counts);
        self.credit(credits, seen, Length::Paths);
        let Some(places) = &mut self.places else { return };
        places.lines.iter_mut().for_each(|line| line.step(&steps.people, now_ms));
        places.zones.iter_mut().for_each(|zone| zone.step(&steps.people, now_ms));
        places.heat.iter_mut().for_each(|heat| heat.step(&steps.people));
        for id in &steps.ended {
            self.sightings.remove(id);
            places.lines.iter_mut().for_each(|line| line.end(*id));
            places.zones.iter_mut().for_each(|zone| zone.end(*id));
            places.heat.iter_mut().for_each(|heat| heat.end(*id));
        }
    }

    /// Lets everybody go when nothing has been seen for so long that no frame can be under way any more: before the
    /// window closes in which the camera was lost, but not for a detector that is late.
    fn notice_blindness(&mut self, now: UtcMs) {
        let now_ms = now.0 - self.timeline.utc(CaptureTime(0)).0;
        if self.last.is_some_and(|last_ms| now_ms - last_ms > i64::from(WINDOW_GRACE_S) * 1000) {
            self.sightings.clear();
            if let Some(places) = &mut self.places {
                places.lines.iter_mut().for_each(LineCounter::end_all);
                places.zones.iter_mut().for_each(ZoneCounter::end_all);
                // A heatmap knows until its window closes who has been where: nobody counts twice in a cell.
            }
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
        let Some(places) = &mut self.places else { return };
        for credit in credits {
            let within_ms = credit.within(from_ms, to_ms);
            match length {
                Length::Counts => places.zones.iter_mut().for_each(|zone| zone.credit(credit, within_ms)),
                Length::Paths => places.heat.iter_mut().for_each(|heat| heat.credit(credit, within_ms)),
            }
        }
    }

    /// Closes every window that ended at or before `due_s`; shorter windows first.
    fn close(&mut self, due_s: i64, credits: &[Credit], seen: Option<(i64, i64)>) -> Vec<Window> {
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

    fn finish(&mut self) -> Vec<Window> {
        self.places.iter_mut().for_each(|places| places.zones.iter_mut().for_each(ZoneCounter::end_all));
        let mut closed = self.close_counts();
        closed.extend(self.close_paths());
        closed
    }

    fn close_counts(&mut self) -> Vec<Window> {
        let (span, cov_ms) = self.counts.roll();
        let (lines, zones): (Vec<LineWindow>, Vec<ZoneWindow>) = match &mut self.places {
            Some(places) => (
                places.lines.iter_mut().map(LineCounter::close).collect(),
                places.zones.iter_mut().map(ZoneCounter::close).collect(),
            ),
            None => (
                self.objects.lines.iter().map(|_| LineWindow::empty()).collect(),
                self.objects.zones.iter().map(|_| ZoneWindow::empty()).collect(),
            ),
        };
        let lines = self.objects.lines.iter().zip(lines).map(|(index, line)| Exact::Line(*index, line));
        let zones = self.objects.zones.iter().zip(zones).map(|(index, zone)| Exact::Zone(*index, zone));
        lines.chain(zones).map(|exact| Window { span, cov_ms, exact }).collect()
    }

    fn close_paths(&mut self) -> Option<Window> {
        let (span, cov_ms) = self.paths.roll();
        let (floor, cells) = self.objects.floor?;
        let heat = self.places.as_mut().and_then(|places| places.heat.as_mut()).map(HeatGrid::close);
        Some(Window { span, cov_ms, exact: Exact::Heat(floor, heat.unwrap_or_else(|| HeatWindow::empty(cells))) })
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

/// A camera that delivers nothing for longer than this was blind meanwhile (the tracker starts afresh too), ms; one
/// that was opened anew was blind for however long it took.
const BLIND_MS: i64 = 2000;
/// Spans of one floor that may wait for other cameras.
const SPANS_WAITING_MAX: usize = 4;
