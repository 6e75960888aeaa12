//! The cells of a floor: which one holds a point, and which of them a zone consists of.
//!
//! In: a floor of the settings, points on it, zones. Out: indices of cells, counted from the grid's origin along the door
//! wall, then away from it. Invariant: a point beyond the grid is in no cell.

use super::dwell::ZoneCounter;
use crate::config::Floor;
use crate::units::FloorPoint;

/// The grid of one floor.
pub struct CellGrid {
    cell_m: f64,
    origin: FloorPoint,
    columns: usize,
    rows: usize,
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

impl CellGrid {
    /// The grid the settings give a floor.
    #[must_use]
    pub fn of(floor: &Floor) -> Self {
        Self {
            cell_m: f64::from(floor.cell_mm) / 1000.0,
            origin: FloorPoint { x_m: floor.origin_mm[0] as f64 / 1000.0, y_m: floor.origin_mm[1] as f64 / 1000.0 },
            columns: floor.columns as usize,
            rows: floor.rows as usize,
        }
    }

    /// The cell that holds a point; `None` beyond the grid.
    #[must_use]
    pub fn holding(&self, at: FloorPoint) -> Option<usize> {
        let column = ((at.x_m - self.origin.x_m) / self.cell_m).floor();
        let row = ((at.y_m - self.origin.y_m) / self.cell_m).floor();
        let on_grid = column >= 0.0 && row >= 0.0 && column < self.columns as f64 && row < self.rows as f64;
        on_grid.then(|| row as usize * self.columns + column as usize)
    }
}

impl ZoneCells {
    /// Where `counter` lies on `grid`, by [`PROBES`] × [`PROBES`] points spread over each cell.
    #[must_use]
    pub fn of(zone: usize, counter: &ZoneCounter, grid: &Floor) -> Self {
        let probe = CellGrid::of(grid);
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
