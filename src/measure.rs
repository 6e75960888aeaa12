//! Metres become windows: where people stood, for how long, which lines they crossed, which zones they visited, where they
//! waited, which way they went on.
//!
//! In: [`FloorSteps`] of every camera. Out: exact [`Window`]s, one for every line, zone, queue, floor and camera with places,
//! and every span of the calendar, empty ones included. Invariants: I7 (in − out = Δ occupancy; heat inside a zone = its dwell),
//! because zones and cells are given the very same milliseconds (tests/laws); a window holds counts only and can
//! be neither copied, printed nor serialised (tests/disclosure).
//!
//! Person-time is credited when a person is seen again: the time since the last sighting goes to the place of that
//! sighting. Who is hidden for less than the tracker's patience loses nothing; who never comes back adds nothing. Whoever is
//! followed beyond the calibrated floor for longer than that has left, and is the same person when they come back. What that
//! means for each measure (tests/laws/hidden.rs, row by row):
//!
//! | | hidden and found, id kept | lost, found later as somebody else |
//! |---|---|---|
//! | heat visits | one visit of each cell seen in | a second visit where found |
//! | heat dwell | hidden time is given to the cell last seen in | hidden time is nobody's |
//! | line | the way from the last clear side to the next counts, once | a crossing while hidden is missed |
//! | uncertain | a crossing is, when more than 1.5 s lie between the clear sides, hidden or not | none |
//! | zone entries, exits, visits | the stay goes on; found outside after more than 1 s, it ended at the last sighting inside | exit at the last sighting, second entry 0.43 s after being found |
//! | zone dwell | with the hidden time | without |
//! | zone occupancy | without the hidden time: it is what was seen from frame to frame | without |
//! | zone stops | 10 s count on | 10 s begin anew |
//! | flow | the passage ends where found, and points there | the passage ends where lost; if that is 0.3 m, it has a direction |
//! | transitions | go on from the last place | to elsewhere, and from elsewhere again |
//! | queue | waits on; found at the place of service within 5 s, was served | abandoned; joins anew after 3 s in the queue |

mod camera;
pub mod cells;
mod counters;
pub mod crossing;
pub mod dwell;
pub mod flow;
pub mod heatmap;
pub mod queue;
pub mod transitions;

use std::collections::BTreeMap;

use crate::clock::{Timeline, UtcMs, WindowSpan};
use crate::config::{Settings, WINDOW_GRACE_S};
use crate::floor::{FloorMap, FloorSteps};
use crate::track::TrackId;
use crate::units::FloorPoint;
use camera::CameraMeasure;
use crossing::LineWindow;
use dwell::ZoneWindow;
use heatmap::HeatWindow;
use queue::QueueWindow;
use transitions::TransitionWindow;

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
    /// Queue with this index.
    Queue(usize, QueueWindow),
    /// Heat and flow of the floor with this index.
    Heat(usize, HeatWindow),
    /// Transitions before the camera with this index.
    Transitions(usize, TransitionWindow),
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
        self.cameras[camera].blinded();
    }

    /// Takes what one camera saw; returns the windows that closed by it.
    pub fn step(&mut self, camera: usize, steps: &FloorSteps) -> Vec<Window> {
        let closed = self.cameras[camera].step(steps);
        self.gathered(closed)
    }

    /// What the lines of a camera have counted in the window that is still open, by index: for evaluation alone.
    #[cfg(feature = "mouth")]
    pub(crate) fn open_lines(&self, camera: usize) -> impl Iterator<Item = (usize, &LineWindow)> {
        self.cameras[camera].open_lines()
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

/// Spans of one floor that may wait for other cameras.
const SPANS_WAITING_MAX: usize = 4;
