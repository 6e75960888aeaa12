//! The counters of one camera where they lie on its floor: all are given the same people and the same person-time.
//!
//! In: people on the floor, credits, who is gone. Out: exact figures by kind. Invariants: what a zone or a line counts as a
//! visit is a visit for the transitions too; who is gone is forgotten by all.

use super::cells::ZoneCells;
use super::crossing::{LineCounter, LineWindow};
use super::dwell::{ZoneCounter, ZoneWindow};
use super::flow::FlowGrid;
use super::heatmap::{HeatGrid, HeatWindow};
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
    /// Its floor, and how many cells that has.
    floor: Option<(usize, usize)>,
}

/// The counters of a camera, in the order of its [`Objects`].
pub struct Counters {
    lines: Vec<LineCounter>,
    zones: Vec<ZoneCounter>,
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
        Self {
            camera,
            lines: places.iter().filter_map(line).collect(),
            zones: places.iter().filter_map(zone).collect(),
            floor: settings.cameras[camera].floor.map(|floor| (floor, settings.floors[floor].cell_count())),
        }
    }

    /// Figures of lines and zones by a camera's counters; those of nobody where there are none yet.
    pub fn close_counts(&self, counters: Option<&mut Counters>) -> Vec<Exact> {
        let (lines, zones): (Vec<LineWindow>, Vec<ZoneWindow>) = match counters {
            Some(counters) => (
                counters.lines.iter_mut().map(LineCounter::close).collect(),
                counters.zones.iter_mut().map(ZoneCounter::close).collect(),
            ),
            None => (
                self.lines.iter().map(|_| LineWindow::empty()).collect(),
                self.zones.iter().map(|_| ZoneWindow::empty()).collect(),
            ),
        };
        let lines = self.lines.iter().zip(lines).map(|(index, line)| Exact::Line(*index, line));
        let zones = self.zones.iter().zip(zones).map(|(index, zone)| Exact::Zone(*index, zone));
        lines.chain(zones).collect()
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
        let lines: Vec<LineCounter> = objects.lines.iter().map(line).collect();
        Self {
            transitions: TransitionCounter::new(zones.len() + lines.len(), settings.gate.k),
            flow: objects.floor.map(|(floor, _)| FlowGrid::new(&settings.floors[floor])),
            lines,
            zones,
            heat,
        }
    }

    /// Adds person-time of the open windows of lines and zones.
    pub fn credit_counts(&mut self, credit: &Credit, within_ms: u64) {
        self.zones.iter_mut().for_each(|zone| zone.credit(credit, within_ms));
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
            visitors.into_iter().for_each(|who| self.transitions.visit(who, place));
        }
        self.heat.iter_mut().for_each(|heat| heat.step(people));
        self.flow.iter_mut().for_each(|flow| flow.step(people));
    }

    /// Forgets a person who is gone; `was_seen` tells whether the camera saw it.
    pub fn end(&mut self, who: TrackId, was_seen: bool) {
        self.lines.iter_mut().for_each(|line| line.end(who));
        self.zones.iter_mut().for_each(|zone| zone.end(who));
        self.heat.iter_mut().for_each(|heat| heat.end(who));
        self.flow.iter_mut().for_each(|flow| flow.end(who));
        if was_seen {
            self.transitions.end(who);
        } else {
            self.transitions.cut(who);
        }
    }

    /// Lets everybody go: the camera is blind. A heatmap knows until its window closes who has been where: nobody counts
    /// twice in a cell.
    pub fn lose_all(&mut self) {
        self.lines.iter_mut().for_each(LineCounter::end_all);
        self.finish();
    }

    /// Ends what is under way: the recording is over.
    pub fn finish(&mut self) {
        self.zones.iter_mut().for_each(ZoneCounter::end_all);
        self.flow.iter_mut().for_each(FlowGrid::end_all);
        self.transitions.cut_all();
    }

    fn close_heat(&mut self) -> Option<HeatWindow> {
        let flow = self.flow.as_mut()?.close();
        Some(self.heat.as_mut()?.close(flow))
    }
}
