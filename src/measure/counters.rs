//! The counters of one camera where they lie on its floor: all are given the same people and the same person-time.
//!
//! In: people on the floor, credits, who is gone. Out: exact figures by kind. Invariants: what a zone or a line counts as a
//! visit is a visit for the transitions too; who is gone is forgotten by all.

use super::cells::ZoneCells;
use super::crossing::{LineCounter, LineWindow};
use super::dwell::{ZoneCounter, ZoneWindow};
use super::flow::FlowGrid;
use super::heatmap::{HeatGrid, HeatWindow};
use super::queue::{QueueCounter, QueueWindow};
use super::transitions::{TransitionCounter, TransitionWindow};
use super::{Credit, Exact};
use crate::config::{Place, Settings};
use crate::floor::{FloorMap, FloorStep};
use crate::track::TrackId;

/// What a camera has windows of, by index into the settings.
pub struct Objects {
    camera: usize,
    lines: Vec<usize>,
    zones: Vec<usize>,
    queues: Vec<usize>,
    /// Its floor, and how many cells that has.
    floor: Option<(usize, usize)>,
}

/// The counters of a camera, in the order of its [`Objects`].
pub struct Counters {
    lines: Vec<LineCounter>,
    zones: Vec<ZoneCounter>,
    /// Each with the place that serves it, by index among those of the camera.
    queues: Vec<(usize, QueueCounter)>,
    heat: Option<HeatGrid>,
    flow: Option<FlowGrid>,
    transitions: TransitionCounter,
}

impl Objects {
    /// Those of one camera.
    pub fn of(settings: &Settings, camera: usize) -> Self {
        let places = settings.places(camera);
        let zone = |place: &Place| if let Place::Zone(zone) = place { Some(*zone) } else { None };
        let line = |place: &Place| if let Place::Line(line) = place { Some(*line) } else { None };
        let queues = settings.queues.iter().enumerate();
        Self {
            camera,
            queues: queues
                .filter(|(_, queue)| settings.zones[queue.zone].camera == camera)
                .map(|(index, _)| index)
                .collect(),
            lines: places.iter().filter_map(line).collect(),
            zones: places.iter().filter_map(zone).collect(),
            floor: settings.cameras[camera].floor.map(|floor| (floor, settings.floors[floor].cell_count())),
        }
    }

    /// Figures of lines, zones and queues by a camera's counters; those of nobody where there are none yet.
    pub fn close_counts(&self, counters: Option<&mut Counters>) -> Vec<Exact> {
        let Some(counters) = counters else {
            let lines = self.lines.iter().map(|index| Exact::Line(*index, LineWindow::empty()));
            let zones = self.zones.iter().map(|index| Exact::Zone(*index, ZoneWindow::empty()));
            let queues = self.queues.iter().map(|index| Exact::Queue(*index, QueueWindow::empty()));
            return lines.chain(zones).chain(queues).collect();
        };
        let lines = self.lines.iter().zip(&mut counters.lines).map(|(index, line)| Exact::Line(*index, line.close()));
        let zones = self.zones.iter().zip(&mut counters.zones).map(|(index, zone)| Exact::Zone(*index, zone.close()));
        let queues = self.queues.iter().zip(&mut counters.queues);
        let queues = queues.map(|(index, (_, queue))| Exact::Queue(*index, queue.close()));
        lines.chain(zones).chain(queues).collect()
    }

    /// The same of path data. A camera without a place has no transitions.
    pub fn close_paths(&self, mut counters: Option<&mut Counters>) -> Vec<Exact> {
        let mut closed = Vec::new();
        if let Some((floor, cells)) = self.floor {
            let heat = counters.as_deref_mut().and_then(Counters::close_heat);
            closed.push(Exact::Heat(floor, heat.unwrap_or_else(|| HeatWindow::empty(cells))));
        }
        let places = self.zones.len() + self.lines.len();
        if places > 0 {
            let transitions = counters.map(|counters| counters.transitions.close());
            let transitions = transitions.unwrap_or_else(|| TransitionWindow::empty(places));
            closed.push(Exact::Transitions(self.camera, transitions));
        }
        closed
    }
}

impl Counters {
    /// What the lines have counted in the window that is still open, by index.
    #[cfg(feature = "mouth")]
    pub fn open_lines(&self, objects: &Objects) -> impl Iterator<Item = (usize, &LineWindow)> {
        let indices = objects.lines.clone();
        indices.into_iter().zip(self.lines.iter().map(LineCounter::open))
    }

    /// Counters of `objects` on the floor of `map`.
    pub fn new(objects: &Objects, settings: &Settings, map: &FloorMap) -> Self {
        let line = |index: &usize| LineCounter::new(&map.place(&settings.lines[*index].ends_and_inside));
        let zone = |index: &usize| ZoneCounter::new(map.place(&settings.zones[*index].polygon));
        let zones: Vec<ZoneCounter> = objects.zones.iter().map(zone).collect();
        let heat = objects.floor.map(|(floor, _)| {
            let grid = &settings.floors[floor];
            let pairs = objects.zones.iter().zip(&zones);
            HeatGrid::new(grid, pairs.map(|(index, zone)| ZoneCells::of(*index, zone, grid)).collect())
        });
        let places = settings.places(objects.camera);
        let queue = |index: &usize| {
            let queue = &settings.queues[*index];
            let served_by = places.iter().position(|place| *place == queue.served_by);
            let served_by = served_by.expect("config/check.rs gives a queue places before one camera");
            (served_by, QueueCounter::new(map.place(&settings.zones[queue.zone].polygon), queue.target_ms))
        };
        let lines: Vec<LineCounter> = objects.lines.iter().map(line).collect();
        Self {
            transitions: TransitionCounter::new(
                zones.len() + lines.len(),
                settings.gate.k.max(settings.gate.crowd_min()),
            ),
            queues: objects.queues.iter().map(queue).collect(),
            flow: objects.floor.map(|(floor, _)| FlowGrid::new(&settings.floors[floor])),
            lines,
            zones,
            heat,
        }
    }

    /// Adds person-time of the open windows of lines, zones and queues.
    pub fn credit_counts(&mut self, credit: &Credit, within_ms: u64) {
        self.zones.iter_mut().for_each(|zone| zone.credit(credit, within_ms));
        self.queues.iter_mut().for_each(|(_, queue)| queue.credit(credit, within_ms));
    }

    /// Adds person-time of the open windows of path data.
    pub fn credit_paths(&mut self, credit: &Credit, within_ms: u64) {
        self.heat.iter_mut().for_each(|heat| heat.credit(credit, within_ms));
    }

    /// Takes the people of one frame. Whoever visits several places at once went through the doors first.
    pub fn step(&mut self, people: &[FloorStep], now_ms: i64) {
        let first_line = self.zones.len();
        let crossed =
            self.lines.iter_mut().enumerate().map(|(index, line)| (first_line + index, line.step(people, now_ms)));
        let entered = self.zones.iter_mut().enumerate().map(|(index, zone)| (index, zone.step(people, now_ms)));
        for (place, visitors) in crossed.chain(entered) {
            for who in visitors {
                self.transitions.visit(who, place);
                let serving = self.queues.iter_mut().filter(|(served_by, _)| *served_by == place);
                serving.for_each(|(_, queue)| queue.serve(who, now_ms));
            }
        }
        self.queues.iter_mut().for_each(|(_, queue)| queue.step(people, now_ms));
        self.heat.iter_mut().for_each(|heat| heat.step(people));
        self.flow.iter_mut().for_each(|flow| flow.step(people));
    }

    /// Forgets a person who is gone; `was_seen` tells whether the camera saw it.
    pub fn end(&mut self, who: TrackId, was_seen: bool) {
        self.lines.iter_mut().for_each(|line| line.end(who));
        self.zones.iter_mut().for_each(|zone| zone.end(who));
        self.queues.iter_mut().for_each(|(_, queue)| queue.end(who, was_seen));
        self.heat.iter_mut().for_each(|heat| heat.end(who));
        self.flow.iter_mut().for_each(|flow| flow.end(who));
        if was_seen {
            self.transitions.end(who);
        } else {
            self.transitions.cut(who);
        }
    }

    /// Ends what a person does who has left the floor and is still followed: who comes back is the same person.
    pub fn step_off(&mut self, who: TrackId) {
        self.lines.iter_mut().for_each(|line| line.end(who));
        self.zones.iter_mut().for_each(|zone| zone.leave(who));
        self.queues.iter_mut().for_each(|(_, queue)| queue.give_up(who));
        self.flow.iter_mut().for_each(|flow| flow.end(who));
        self.transitions.end(who);
    }

    /// Lets everybody go: the camera is blind. A heatmap knows until its window closes who has been where: nobody counts
    /// twice in a cell.
    pub fn lose_all(&mut self) {
        self.lines.iter_mut().for_each(LineCounter::end_all);
        self.queues.iter_mut().for_each(|(_, queue)| queue.cut_all());
        self.finish();
    }

    /// Ends what is under way: the recording is over. Who waits in a queue waits on.
    pub fn finish(&mut self) {
        self.zones.iter_mut().for_each(ZoneCounter::end_all);
        self.flow.iter_mut().for_each(FlowGrid::end_all);
        self.transitions.cut_all();
    }

    /// How many entries about people all counters hold.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.lines.iter().map(LineCounter::remembered).sum::<usize>()
            + self.zones.iter().map(ZoneCounter::remembered).sum::<usize>()
            + self.queues.iter().map(|(_, queue)| queue.remembered()).sum::<usize>()
            + self.heat.as_ref().map_or(0, HeatGrid::remembered)
            + self.flow.as_ref().map_or(0, FlowGrid::remembered)
            + self.transitions.remembered()
    }

    fn close_heat(&mut self) -> Option<HeatWindow> {
        let flow = self.flow.as_mut()?.close();
        Some(self.heat.as_mut()?.close(flow))
    }
}
