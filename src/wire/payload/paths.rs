//! Payloads of path data: the flow over a floor, transitions between places.
//!
//! In: released figures. Out: serde types whose order of fields is the order on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use super::GridPayload;
use crate::gate::{FlowFigures, TransitionFigures};

/// Figures of the flow over a floor. A cell that is not listed was withheld: its heat was, or fewer than k different people
/// went through it with a direction, nobody included.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FlowPayload {
    /// The cells it is told by.
    #[serde(flatten)]
    pub grid: GridPayload,
    /// What `data` holds of each cell: "i" index, "n" passages, "sx_milli" and "sy_milli" sums of their unit vectors along
    /// the door wall and away from it, thousandths. A passage is a person's way into, through and out of a cell, at least
    /// 0.3 m; its vector points from its beginning to its end. Mean direction = atan2(Σ sy, Σ sx); how much they agree =
    /// hypot(Σ sx, Σ sy) ÷ (1000 Σ n), 0 to 1. Sums of hours, and of floors on one grid, add.
    pub cols: [&'static str; 4],
    /// Encoding of `data`: "vz1" = base64(zlib(unsigned LEB128 of index delta, n, sx, sy, index delta, n …)), the signed
    /// columns sx and sy as zigzag numbers: 0, −1, 1, −2 … stand as 0, 1, 2, 3 …
    pub enc: &'static str,
    /// The released cells in order of index; the first delta counts from 0.
    pub data: String,
    /// Number of released cells.
    pub cells: u32,
    /// Passages in released cells.
    pub n: u64,
    /// Cells a camera sees whose value was withheld.
    pub dropped_cells: u32,
}

/// Transitions between the zones and lines of a camera. A pair that is not listed was withheld: fewer than k different people
/// went that way, nobody included, or it would follow from the sums of its row and column. A visit of a node is an entry of a
/// zone or a crossing of a line in either direction; it has one continuation, counted in the window in which it is completed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OdPayload {
    /// The nodes: "zone/ID" and "line/ID", and last "elsewhere", where a way begins and ends.
    pub nodes: Vec<String>,
    /// [from, to, n], from and to as indices into `nodes`, in order. Over all windows and with nothing withheld or cut, Σ n of
    /// a row = visits of that node, and in every window Σ n of a column = visits of that node.
    pub m: Vec<[u32; 3]>,
    /// Sum of all pairs that are not listed; absent when it rests on fewer than k different people, on nobody included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u32>,
    /// Visits whose continuation nobody saw, because the camera was blind or the recording over; absent below k, none
    /// included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<u32>,
}

impl FlowPayload {
    /// The columns of a released cell, but for its index.
    #[must_use]
    pub fn columns(cell: &FlowFigures) -> [u64; 3] {
        [u64::from(cell.passages), zigzag(cell.sx_milli), zigzag(cell.sy_milli)]
    }
}

impl OdPayload {
    /// The released pairs between these nodes.
    #[must_use]
    pub fn of(nodes: Vec<String>, figures: &TransitionFigures) -> Self {
        let released = |number: u32| (number > 0).then_some(number);
        let pair = |(index, number): (usize, &u32)| {
            let [from, to] = [index / nodes.len(), index % nodes.len()].map(|node| node as u32);
            released(*number).map(|number| [from, to, number])
        };
        let m = figures.pairs.iter().enumerate().filter_map(pair).collect();
        Self { m, nodes, dropped: released(figures.dropped), cut: released(figures.cut) }
    }
}

/// Signed numbers as unsigned ones, small ones as small ones: 0, −1, 1, −2 … become 0, 1, 2, 3 …
fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_stay_small_whatever_their_sign() {
        assert_eq!(
            [0, -1, 1, -2, 2, i32::MAX, i32::MIN].map(zigzag),
            [0, 1, 2, 3, 4, u64::from(u32::MAX) - 1, u64::from(u32::MAX)]
        );
    }
}
