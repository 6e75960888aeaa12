//! Flow: which way people go through each cell of the floor.
//!
//! In: people on the floor. Out: [`FlowWindow`], per cell the sum of unit vectors. A passage through a cell begins at the
//! last sighting before it (or at the first one at all) and ends at the first sighting after it, or at the last one at all
//! of a person who is gone; it belongs to the window in which it ends. Its vector is the direction from there to there, of
//! length one however fast and however long it was; a passage shorter than [`DIRECTED_M_MIN`] has no direction and gives
//! none, so that swaying in place, to and fro over an edge too, does not point anywhere.
//! Invariant: every vector is rounded to thousandths before it is added, so that sums merge exactly.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::CellGrid;
use crate::config::Floor;
use crate::floor::FloorStep;
use crate::track::TrackId;
use crate::units::FloorPoint;

/// Exact flow of one floor in one window.
pub struct FlowWindow {
    /// The cells, in order of index.
    pub cells: Vec<FlowCell>,
}

/// Exact flow through one cell.
#[derive(Default)]
pub struct FlowCell {
    /// Passages with a direction, summed over the cameras of the floor.
    pub passages: u32,
    /// Most different people any one camera saw make them. What the gate holds against `k`.
    pub distinct: u32,
    /// Sum of their unit vectors along the door wall, thousandths.
    pub sx_milli: i64,
    /// The same away from the door.
    pub sy_milli: i64,
}

/// The open flow of one camera.
pub struct FlowGrid {
    grid: CellGrid,
    window: FlowWindow,
    people: BTreeMap<TrackId, Passage>,
}

/// Where a person is on the way through a cell.
struct Passage {
    /// The cell they are in; `None` beyond the grid.
    cell: Option<usize>,
    from: FloorPoint,
    last: FloorPoint,
    /// Cells this person has given a vector in this window.
    given: BTreeSet<usize>,
}

impl FlowGrid {
    /// An empty grid of a floor.
    #[must_use]
    pub fn new(floor: &Floor) -> Self {
        Self { grid: CellGrid::of(floor), window: FlowWindow::empty(floor.cell_count()), people: BTreeMap::new() }
    }

    /// Takes the people of one frame.
    pub fn step(&mut self, people: &[FloorStep]) {
        for person in people {
            let (cell, at) = (self.grid.holding(person.at), person.at);
            let fresh = || Passage { cell, from: at, last: at, given: BTreeSet::new() };
            let passage = self.people.entry(person.id).or_insert_with(fresh);
            if passage.cell != cell {
                self.window.take(passage, at);
                (passage.cell, passage.from) = (cell, passage.last);
            }
            passage.last = at;
        }
    }

    /// Ends the passage of a person who is gone.
    pub fn end(&mut self, who: TrackId) {
        if let Some(mut passage) = self.people.remove(&who) {
            let last = passage.last;
            self.window.take(&mut passage, last);
        }
    }

    /// Ends all passages: the recording is over, or the camera is blind.
    pub fn end_all(&mut self) {
        let passing: Vec<TrackId> = self.people.keys().copied().collect();
        passing.into_iter().for_each(|who| self.end(who));
    }

    /// Hands out the window and begins the next; who is on the way stays so.
    pub fn close(&mut self) -> FlowWindow {
        self.people.values_mut().for_each(|passage| passage.given.clear());
        let next = FlowWindow::empty(self.window.cells.len());
        std::mem::replace(&mut self.window, next)
    }

    /// How many entries about people it holds.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.people.values().map(|passage| 1 + passage.given.len()).sum()
    }
}

impl FlowWindow {
    /// Nobody on so many cells.
    pub(crate) fn empty(cells: usize) -> Self {
        Self { cells: (0..cells).map(|_| FlowCell::default()).collect() }
    }

    /// Adds a passage that ends at `to`, if it has a direction.
    fn take(&mut self, passage: &mut Passage, to: FloorPoint) {
        let (x_m, y_m) = (to.x_m - passage.from.x_m, to.y_m - passage.from.y_m);
        let Some(index) = passage.cell.filter(|_| x_m.hypot(y_m) >= DIRECTED_M_MIN) else { return };
        let milli = |m: f64| (m / x_m.hypot(y_m) * 1000.0).round() as i64;
        let cell = &mut self.cells[index];
        cell.passages += 1;
        cell.distinct += u32::from(passage.given.insert(index));
        cell.sx_milli += milli(x_m);
        cell.sy_milli += milli(y_m);
    }

    /// The sum of two cameras' flow on one floor.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in self.cells.iter_mut().zip(&other.cells) {
            sum.passages += more.passages;
            sum.distinct = sum.distinct.max(more.distinct);
            sum.sx_milli += more.sx_milli;
            sum.sy_milli += more.sy_milli;
        }
        self
    }
}

/// Shorter than this, a passage has no direction, m: twice the error of a foot point (5 % of a person's height).
const DIRECTED_M_MIN: f64 = 0.3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Passages and vectors of the cells of a floor of 4 m × 1 m through which one person goes by these places, m.
    fn walked(places: &[f64]) -> Vec<[i64; 3]> {
        let floor =
            Floor { id: "hall".to_owned(), name: String::new(), cell_mm: 1000, origin_mm: [0, 0], columns: 4, rows: 1 };
        let mut flow = FlowGrid::new(&floor);
        for x_m in places {
            flow.step(&[FloorStep { id: TrackId(1), at: FloorPoint { x_m: *x_m, y_m: 0.5 } }]);
        }
        flow.end(TrackId(1));
        let window = flow.close();
        window.cells.iter().map(|cell| [i64::from(cell.passages), i64::from(cell.distinct), cell.sx_milli]).collect()
    }

    #[test]
    fn a_walk_gives_every_cell_on_its_way_one_vector() {
        assert_eq!(walked(&[0.1, 0.6, 1.1, 1.6, 2.1, 2.6]), [[1, 1, 1000], [1, 1, 1000], [1, 1, 1000], [0, 0, 0]]);
    }

    #[test]
    fn there_and_back_cancel_out() {
        assert_eq!(walked(&[0.5, 1.5, 2.5, 1.5, 0.5])[1], [2, 1, 0], "two passages of one person");
    }

    #[test]
    fn swaying_over_an_edge_has_no_direction() {
        assert_eq!(walked(&[0.9, 1.1, 0.9, 1.1, 0.9, 1.1]), [[0; 3]; 4]);
    }

    #[test]
    fn who_stands_long_and_goes_on_has_the_direction_of_the_whole_passage() {
        let standing = [0.8, 1.2, 1.5, 1.4, 1.6, 1.5, 1.4, 1.9, 2.2];
        assert_eq!(walked(&standing)[1], [1, 1, 1000]);
    }

    #[test]
    fn a_vector_is_as_long_on_the_slant() {
        let mut window = FlowWindow::empty(1);
        let [from, to] = [[0.0, 0.0], [3.0, -4.0]].map(|[x_m, y_m]| FloorPoint { x_m, y_m });
        window.take(&mut Passage { cell: Some(0), from, last: to, given: BTreeSet::new() }, to);
        assert_eq!((window.cells[0].sx_milli, window.cells[0].sy_milli), (600, -800));
    }

    #[test]
    fn two_cameras_of_one_floor_add_up_and_their_people_are_not_added() {
        let seen = |passages, distinct, sx_milli| FlowWindow {
            cells: vec![FlowCell { passages, distinct, sx_milli, sy_milli: -sx_milli }],
        };
        let sum = seen(7, 4, 6_500).plus(&seen(5, 3, -2_000));
        let FlowCell { passages, distinct, sx_milli, sy_milli } = sum.cells[0];
        assert_eq!((passages, distinct, sx_milli, sy_milli), (12, 4, 4_500, -4_500));
    }

    #[test]
    fn a_passage_over_the_end_of_the_window_belongs_to_the_next() {
        let floor =
            Floor { id: String::new(), name: String::new(), cell_mm: 1000, origin_mm: [0, 0], columns: 2, rows: 1 };
        let mut flow = FlowGrid::new(&floor);
        let step = |flow: &mut FlowGrid, x_m| {
            flow.step(&[FloorStep { id: TrackId(1), at: FloorPoint { x_m, y_m: 0.5 } }]);
        };
        step(&mut flow, 0.1);
        assert_eq!(flow.close().cells[0].passages, 0);
        step(&mut flow, 1.2);
        assert_eq!(flow.close().cells[0].passages, 1);
    }
}
