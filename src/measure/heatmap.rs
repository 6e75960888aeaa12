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
    /// Distinct visits per cell.
    pub visits: Vec<u32>,
    /// Person-time per cell, ms.
    pub dwell_ms: Vec<u64>,
    /// Which cells each zone touches: the gate needs it against differencing.
    pub zones: Arc<Vec<ZoneCells>>,
}

/// The cells a zone touches.
pub struct ZoneCells {
    /// Index of the zone.
    pub zone: usize,
    /// Indices of the cells.
    pub cells: Vec<usize>,
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
    pub fn new(floor: &Floor, zones: Arc<Vec<ZoneCells>>) -> Self {
        Self {
            cell_m: f64::from(floor.cell_mm) / 1000.0,
            origin: FloorPoint { x_m: floor.origin_mm[0] as f64 / 1000.0, y_m: floor.origin_mm[1] as f64 / 1000.0 },
            columns: floor.columns as usize,
            rows: floor.rows as usize,
            visits: vec![0; floor.cell_count()],
            dwell_ms: vec![0; floor.cell_count()],
            been: BTreeMap::new(),
            zones,
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
        let cells = self.visits.len();
        HeatWindow {
            visits: std::mem::replace(&mut self.visits, vec![0; cells]),
            dwell_ms: std::mem::replace(&mut self.dwell_ms, vec![0; cells]),
            zones: Arc::clone(&self.zones),
        }
    }

    fn cell_at(&self, at: FloorPoint) -> Option<usize> {
        let column = ((at.x_m - self.origin.x_m) / self.cell_m).floor();
        let row = ((at.y_m - self.origin.y_m) / self.cell_m).floor();
        let on_grid = column >= 0.0 && row >= 0.0 && column < self.columns as f64 && row < self.rows as f64;
        on_grid.then(|| row as usize * self.columns + column as usize)
    }
}

impl HeatWindow {
    /// The sum of two cameras' heat on one floor.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.visits.iter_mut().zip(&other.visits).for_each(|(sum, more)| *sum += more);
        self.dwell_ms.iter_mut().zip(&other.dwell_ms).for_each(|(sum, more)| *sum += more);
        let known = |zones: &[ZoneCells]| {
            zones.iter().map(|zone| ZoneCells { zone: zone.zone, cells: zone.cells.clone() }).collect()
        };
        let mut zones: Vec<ZoneCells> = known(&self.zones);
        zones.extend(known(&other.zones));
        self.zones = Arc::new(zones);
        self
    }
}

impl ZoneCells {
    /// The cells of `grid` that a zone touches: those whose middle or a corner it holds, or in which it has a corner
    /// or an edge (probed every tenth of a cell).
    #[must_use]
    pub fn touched(zone: usize, counter: &ZoneCounter, grid: &Floor) -> Self {
        let probe = HeatGrid::new(grid, Arc::new(Vec::new()));
        let mut cells = BTreeSet::new();
        for cell in 0..grid.cell_count() {
            let (column, row) = ((cell % probe.columns) as f64, (cell / probe.columns) as f64);
            let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)];
            let holds = corners.iter().any(|(dx, dy)| {
                let x_m = probe.origin.x_m + (column + dx) * probe.cell_m;
                counter.holds(FloorPoint { x_m, y_m: probe.origin.y_m + (row + dy) * probe.cell_m })
            });
            if holds {
                cells.insert(cell);
            }
        }
        let polygon = counter.polygon();
        for (index, from) in polygon.iter().enumerate() {
            let to = polygon[(index + 1) % polygon.len()];
            let steps = ((to.x_m - from.x_m).hypot(to.y_m - from.y_m) / probe.cell_m * 10.0).ceil().max(1.0);
            for step in 0..=steps as u32 {
                let share = f64::from(step) / steps;
                let at = FloorPoint {
                    x_m: from.x_m + share * (to.x_m - from.x_m),
                    y_m: from.y_m + share * (to.y_m - from.y_m),
                };
                cells.extend(probe.cell_at(at));
            }
        }
        Self { zone, cells: cells.into_iter().collect() }
    }
}
