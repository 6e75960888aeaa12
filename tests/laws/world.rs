//! A drawn world: people as boxes walking over a floor of 20 m × 15 m, seen by a camera straight above it at 40 px
//! to the metre, sent through the very stages of the eye.

use kehai::clock::{CaptureTime, Timeline, UtcMs, WindowSpan};
use kehai::config::card::ScoreLevels;
use kehai::config::{Settings, site};
use kehai::detect::{Detection, Detections};
use kehai::floor::FloorMap;
use kehai::gate::{Gate, ReleasedWindow};
use kehai::measure::dwell::ZoneWindow;
use kehai::measure::{Exact, Measures, Window};
use kehai::track::Tracker;
use kehai::units::{BoxPx, PictureSize};
use proptest::prelude::*;

/// Size of the picture of the drawn camera.
pub const PICTURE: PictureSize = PictureSize { height: 600, width: 800 };
/// 2026-01-05T09:59:00Z: a minute before the hour, so that windows close within a short walk.
pub const START: UtcMs = UtcMs(1_767_607_140_000);

/// Where a person is at each step: straight from one point to another, m, between two steps.
#[derive(Debug, Clone)]
pub struct Walk {
    pub from_m: [f64; 2],
    pub to_m: [f64; 2],
    pub first: u32,
    pub last: u32,
}

/// One line across the middle, one zone of whole cells.
pub fn settings(k: u32) -> Settings {
    settings_with(k, "")
}

/// The same, and more in the words of a site file.
pub fn settings_with(k: u32, more: &str) -> Settings {
    let text = format!(
        "[store]\norg = \"t\"\nstore = \"t\"\nnode = \"t\"\ntimezone = \"UTC\"\n[gate]\nk = {k}\n\
         [[floor]]\nid = \"hall\"\norigin_m = [0.0, 0.0]\nsize_m = [20.0, 15.0]\n\
         [[camera]]\nid = \"view\"\nfloor = \"hall\"\ncalibration = [\n\
         {{ px = [0, 600], m = [0.0, 0.0] }}, {{ px = [800, 600], m = [20.0, 0.0] }},\n\
         {{ px = [800, 0], m = [20.0, 15.0] }}, {{ px = [0, 0], m = [0.0, 15.0] }},\n]\n\
         [[line]]\nid = \"door\"\nends_m = [[10.0, 0.0], [10.0, 15.0]]\ninside_m = [15.0, 5.0]\n\
         [[zone]]\nid = \"zone\"\npolygon_m = [[4.0, 3.0], [9.0, 3.0], [9.0, 8.0], [4.0, 8.0]]\n{more}"
    );
    site::parse(&text, "drawn").expect("the drawn site is whole").settings
}

/// Sends walks through track, floor and measure; gives all windows in the order they close.
pub fn windows(settings: &Settings, walks: &[Walk], steps: u32, step_ms: i64) -> Vec<Window> {
    let (mut measures, mut closed) = watched(settings, walks, steps, step_ms);
    closed.extend(measures.finish(0));
    closed
}

/// The same up to the last step: the windows closed by then, and the measures with those still open.
pub fn watched(settings: &Settings, walks: &[Walk], steps: u32, step_ms: i64) -> (Measures, Vec<Window>) {
    watched_through(settings, walks, steps, step_ms, |_, _| ())
}

/// The same; `before` may do something to the measures before each step.
pub fn watched_through(
    settings: &Settings,
    walks: &[Walk],
    steps: u32,
    step_ms: i64,
    before: impl Fn(u32, &mut Measures),
) -> (Measures, Vec<Window>) {
    let mut eye = Eye::new(settings, START);
    for step in 0..steps {
        before(step, &mut eye.measures);
        let people: Vec<[f64; 2]> = walks.iter().filter_map(|walk| walk.at(step)).collect();
        eye.see(i64::from(step) * step_ms, &people);
    }
    (eye.measures, eye.closed)
}

/// The stages of an eye behind its detector.
pub struct Eye {
    tracker: Tracker,
    map: FloorMap,
    measures: Measures,
    /// The windows closed so far.
    closed: Vec<Window>,
}

impl Eye {
    /// An eye that has seen nothing; the zero of its capture clock lies at `zero`.
    pub fn new(settings: &Settings, zero: UtcMs) -> Self {
        let mut measures = Measures::new(settings, Timeline::starting_at(zero));
        let map = FloorMap::new(&settings.cameras[0], PICTURE).expect("four marks make a floor");
        measures.place(settings, 0, &map);
        let tracker = Tracker::new(ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 }, 1);
        Self { tracker, map, measures, closed: Vec::new() }
    }

    /// One frame with people at these places, m.
    pub fn see(&mut self, at_ms: i64, people: &[[f64; 2]]) {
        let captured_at = CaptureTime(at_ms * 1_000_000);
        let people = people.iter().copied().map(seen_at).collect();
        let tracks = self.tracker.advance(Detections { captured_at, picture: PICTURE, people }).expect("time moves on");
        self.closed.extend(self.measures.step(0, &self.map.steps(tracks)));
    }

    /// Ends the recording; gives all its windows.
    pub fn finish(mut self) -> Vec<Window> {
        self.closed.extend(self.measures.finish(0));
        self.closed
    }
}

/// The same, through the gate.
pub fn released(settings: &Settings, walks: &[Walk], steps: u32, step_ms: i64) -> Vec<ReleasedWindow> {
    let mut gate = Gate::new(settings);
    windows(settings, walks, steps, step_ms).into_iter().flat_map(|window| gate.release(window)).collect()
}

/// The zone windows among them, oldest first.
pub fn zones(windows: &[Window]) -> Vec<(WindowSpan, &ZoneWindow)> {
    windows
        .iter()
        .filter_map(|window| match &window.exact {
            Exact::Zone(_, zone) => Some((window.span, zone)),
            _ => None,
        })
        .collect()
}

/// Person-time of the cells of the zone, summed over all heat windows, ms.
pub fn heat_inside_zone_ms(windows: &[Window]) -> u64 {
    windows
        .iter()
        .filter_map(|window| match &window.exact {
            Exact::Heat(_, heat) => Some(heat),
            _ => None,
        })
        .flat_map(|heat| zone_cells().map(|cell| heat.dwell_ms[cell]))
        .sum()
}

/// The cells the zone consists of.
pub fn zone_cells() -> impl Iterator<Item = usize> {
    (3..8).flat_map(|row| (4..9).map(move |column| row * 20 + column))
}

/// Somebody who walks straight between two places of an area, within `steps`.
pub fn walk([[left, front], [right, back]]: [[f64; 2]; 2], steps: u32) -> impl Strategy<Value = Walk> {
    let place = move || (left..right, front..back);
    (place(), place(), 0..steps - 50, 20u32..400).prop_map(move |(from, to, first, lasting)| Walk {
        from_m: [from.0, from.1],
        to_m: [to.0, to.1],
        first,
        last: (first + lasting).min(steps - 1),
    })
}

/// The whole floor but its edge, m.
pub const EVERYWHERE: [[f64; 2]; 2] = [[0.5, 0.5], [19.5, 14.5]];

impl Walk {
    /// Where the person is at a step, if there.
    pub fn at(&self, step: u32) -> Option<[f64; 2]> {
        let share = f64::from(step.checked_sub(self.first)?) / f64::from((self.last - self.first).max(1));
        (step <= self.last)
            .then(|| [0, 1].map(|axis| self.from_m[axis] + share * (self.to_m[axis] - self.from_m[axis])))
    }
}

/// The box of somebody who stands there, m.
pub fn seen_at([x_m, y_m]: [f64; 2]) -> Detection {
    let (x, y) = ((x_m * 40.0) as f32, (600.0 - y_m * 40.0) as f32);
    Detection { place: BoxPx { x1: x - 12.0, y1: y - 60.0, x2: x + 12.0, y2: y }, score: 0.9 }
}
