//! The heatmap: in how many visits and for how long each cell of the floor was stood on.
//!
//! In: people on the floor and the time they are credited. Out: [`HeatWindow`], per cell distinct visits and
//! person-time. Cells count from the grid's origin along the door wall, then away from it. Points beyond the grid
//! are not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Credit;
use super::dwell::ZoneCounter;
use crate::config::Floor;
use crate::floor::FloorStep;
use crate::track::TrackId;
use crate::units::FloorPoint;

/// Exact heat of one floor in one window.
pub struct HeatWindow {
    /// Visits per cell, summed over the cameras of the floor.
    pub visits: Vec<u32>,
    /// Most visits any one camera saw in each cell: where two cameras look at one cell everybody is there twice, so
    /// that only these are distinct. What the gate holds against `k`.
    pub distinct: Vec<u32>,
    /// Person-time per cell, ms.
    pub dwell_ms: Vec<u64>,
    /// Where each zone lies on the cells: the gate needs it against differencing.
    pub zones: Arc<Vec<ZoneCells>>,
}

/// Where a zone lies on the cells of a floor.
#[derive(Clone)]
pub struct ZoneCells {
    /// Index of the zone.
    pub zone: usize,
    /// Cells that lie in it at least in part, in order.
    pub touched: Vec<usize>,
    /// Those among them that lie in it wholly, in order.
    pub inside: Vec<usize>,
}

/// The open heat of one camera.
pub struct HeatGrid {
    cell_m: f64,
    origin: FloorPoint,
    columns: usize,
    rows: usize,
    visits: Vec<u32>,
    dwell_ms: Vec<u64>,
    /// Cells each person has been in during this window.
    been: BTreeMap<TrackId, BTreeSet<usize>>,
    zones: Arc<Vec<ZoneCells>>,
}

impl HeatGrid {
    /// An empty grid of a floor.
    #[must_use]
    pub fn new(floor: &Floor, zones: Vec<ZoneCells>) -> Self {
        Self {
            cell_m: f64::from(floor.cell_mm) / 1000.0,
            origin: FloorPoint { x_m: floor.origin_mm[0] as f64 / 1000.0, y_m: floor.origin_mm[1] as f64 / 1000.0 },
            columns: floor.columns as usize,
            rows: floor.rows as usize,
            visits: vec![0; floor.cell_count()],
            dwell_ms: vec![0; floor.cell_count()],
            been: BTreeMap::new(),
            zones: zones.into(),
        }
    }

    /// Takes the people of one frame.
    pub fn step(&mut self, people: &[FloorStep]) {
        for person in people {
            if let Some(cell) = self.cell_at(person.at)
                && self.been.entry(person.id).or_default().insert(cell)
            {
                self.visits[cell] += 1;
            }
        }
    }

    /// Adds person-time.
    pub(crate) fn credit(&mut self, credit: &Credit, within_ms: u64) {
        if let Some(cell) = self.cell_at(credit.at) {
            self.dwell_ms[cell] += within_ms;
            // Time on both sides of a window's edge makes the person a visit of both windows.
            if within_ms > 0 && self.been.entry(credit.who).or_default().insert(cell) {
                self.visits[cell] += 1;
            }
        }
    }

    /// Forgets a person who is gone.
    pub fn end(&mut self, who: TrackId) {
        self.been.remove(&who);
    }

    /// Hands out the window and begins the next.
    pub fn close(&mut self) -> HeatWindow {
        self.been.clear();
        let next = HeatWindow::empty(self.visits.len());
        let visits = std::mem::replace(&mut self.visits, next.visits);
        let dwell_ms = std::mem::replace(&mut self.dwell_ms, next.dwell_ms);
        HeatWindow { distinct: visits.clone(), visits, dwell_ms, zones: Arc::clone(&self.zones) }
    }

    fn cell_at(&self, at: FloorPoint) -> Option<usize> {
        let column = ((at.x_m - self.origin.x_m) / self.cell_m).floor();
        let row = ((at.y_m - self.origin.y_m) / self.cell_m).floor();
        let on_grid = column >= 0.0 && row >= 0.0 && column < self.columns as f64 && row < self.rows as f64;
        on_grid.then(|| row as usize * self.columns + column as usize)
    }
}

impl HeatWindow {
    /// Nobody on so many cells.
    pub(crate) fn empty(cells: usize) -> Self {
        Self { visits: vec![0; cells], distinct: vec![0; cells], dwell_ms: vec![0; cells], zones: Arc::default() }
    }

    /// The sum of two cameras' heat on one floor.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.visits.iter_mut().zip(&other.visits).for_each(|(sum, more)| *sum += more);
        self.distinct.iter_mut().zip(&other.distinct).for_each(|(most, other)| *most = (*most).max(*other));
        self.dwell_ms.iter_mut().zip(&other.dwell_ms).for_each(|(sum, more)| *sum += more);
        self.zones = self.zones.iter().chain(other.zones.iter()).cloned().collect::<Vec<_>>().into();
        self
    }
}

impl ZoneCells {
    /// Where `counter` lies on `grid`, by [`PROBES`] × [`PROBES`] points spread over each cell.
    #[must_use]
    pub fn of(zone: usize, counter: &ZoneCounter, grid: &Floor) -> Self {
        let probe = HeatGrid::new(grid, Vec::new());
        let holds = |cell: usize, index: usize| {
            let (column, row) = ((cell % probe.columns) as f64, (cell / probe.columns) as f64);
            let part = |place: usize| (place as f64 + 0.5) / PROBES as f64;
            let x_m = probe.origin.x_m + (column + part(index % PROBES)) * probe.cell_m;
            counter.holds(FloorPoint { x_m, y_m: probe.origin.y_m + (row + part(index / PROBES)) * probe.cell_m })
        };
        let held = |cell: usize| (0..PROBES * PROBES).filter(|index| holds(cell, *index)).count();
        let cells: Vec<(usize, usize)> = (0..grid.cell_count()).map(|cell| (cell, held(cell))).collect();
        let with = |least: usize| cells.iter().filter(|(_, held)| *held >= least).map(|(cell, _)| *cell).collect();
        Self { zone, touched: with(1), inside: with(PROBES * PROBES) }
    }
}

/// Points looked at along each side of a cell: of a cell of 1 m no strip wider than 13 cm goes unseen.
const PROBES: usize = 8;
