//! The heatmap: in how many visits and for how long each cell of the floor was stood on.
//!
//! In: people on the floor and the time they are credited. Out: [`HeatWindow`], per cell distinct visits and
//! person-time. Cells count from the grid's origin along the door wall, then away from it. Points beyond the grid
//! are not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Credit;
use super::cells::{CellGrid, ZoneCells};
use super::flow::FlowWindow;
use crate::config::Floor;
use crate::floor::FloorStep;
use crate::track::TrackId;

/// Exact heat of one floor in one window.
pub struct HeatWindow {
    /// Visits per cell, summed over the cameras of the floor.
    pub visits: Vec<u32>,
    /// Most visits any one camera saw in each cell: where two cameras look at one cell everybody is there twice, so
    /// that only these are distinct. What the gate holds against `k`.
    pub distinct: Vec<u32>,
    /// Most people any one camera followed over the floor. What the gate holds against the least crowd.
    pub people: u32,
    /// Person-time per cell, ms.
    pub dwell_ms: Vec<u64>,
    /// Which way people went through each cell. It leaves under the mask of the heat, and so travels with it.
    pub flow: FlowWindow,
    /// Where each zone lies on the cells: the gate needs it against differencing.
    pub zones: Arc<Vec<ZoneCells>>,
}

/// The open heat of one camera.
pub struct HeatGrid {
    cells: CellGrid,
    visits: Vec<u32>,
    dwell_ms: Vec<u64>,
    people: u32,
    /// Cells each person has been in during this window.
    been: BTreeMap<TrackId, BTreeSet<usize>>,
    zones: Arc<Vec<ZoneCells>>,
}

impl HeatGrid {
    /// An empty grid of a floor.
    #[must_use]
    pub fn new(floor: &Floor, zones: Vec<ZoneCells>) -> Self {
        Self {
            cells: CellGrid::of(floor),
            visits: vec![0; floor.cell_count()],
            dwell_ms: vec![0; floor.cell_count()],
            people: 0,
            been: BTreeMap::new(),
            zones: zones.into(),
        }
    }

    /// Takes the people of one frame.
    pub fn step(&mut self, people: &[FloorStep]) {
        for person in people {
            if let Some(cell) = self.cells.holding(person.at) {
                self.visit(person.id, cell);
            }
        }
    }

    /// Adds person-time.
    pub(crate) fn credit(&mut self, credit: &Credit, within_ms: u64) {
        if let Some(cell) = self.cells.holding(credit.at) {
            self.dwell_ms[cell] += within_ms;
            // Time on both sides of a window's edge makes the person a visit of both windows.
            if within_ms > 0 {
                self.visit(credit.who, cell);
            }
        }
    }

    fn visit(&mut self, who: TrackId, cell: usize) {
        let been = self.been.entry(who).or_default();
        self.people += u32::from(been.is_empty());
        self.visits[cell] += u32::from(been.insert(cell));
    }

    /// Forgets a person who is gone.
    pub fn end(&mut self, who: TrackId) {
        self.been.remove(&who);
    }

    /// Hands out the window, with what went through the cells meanwhile, and begins the next.
    pub fn close(&mut self, flow: FlowWindow) -> HeatWindow {
        self.been.clear();
        let next = HeatWindow::empty(self.visits.len());
        let visits = std::mem::replace(&mut self.visits, next.visits);
        let dwell_ms = std::mem::replace(&mut self.dwell_ms, next.dwell_ms);
        let people = std::mem::take(&mut self.people);
        HeatWindow { distinct: visits.clone(), visits, people, dwell_ms, flow, zones: Arc::clone(&self.zones) }
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.been.values().map(|cells| 1 + cells.len()).sum()
    }
}

impl HeatWindow {
    /// Nobody on so many cells.
    pub(crate) fn empty(cells: usize) -> Self {
        Self {
            visits: vec![0; cells],
            distinct: vec![0; cells],
            people: 0,
            dwell_ms: vec![0; cells],
            flow: FlowWindow::empty(cells),
            zones: Arc::default(),
        }
    }

    /// The sum of two cameras' heat on one floor.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.visits.iter_mut().zip(&other.visits).for_each(|(sum, more)| *sum += more);
        self.distinct.iter_mut().zip(&other.distinct).for_each(|(most, other)| *most = (*most).max(*other));
        self.people = self.people.max(other.people);
        self.dwell_ms.iter_mut().zip(&other.dwell_ms).for_each(|(sum, more)| *sum += more);
        self.flow = self.flow.plus(&other.flow);
        self.zones = self.zones.iter().chain(other.zones.iter()).cloned().collect::<Vec<_>>().into();
        self
    }
}
