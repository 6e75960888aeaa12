//! Payloads read back: what page, picture and exports show is what was published, byte for byte.
//!
//! In: the body of a [`super::Message`]. Out: [`WindowView`], with a heatmap's cells decoded.

mod body;
mod raw;

use serde_json::Value;

use super::vz1;
use crate::clock::UtcMs;
pub use body::{
    BodyFigures, CellGrid, FlowBody, FlowCellBody, GRID_CELLS_MAX, HISTOGRAM_CLASSES, Head, HeatBody, Kind, LineBody,
    OdBody, QueueBody, ReadError, WindowBody, ZoneBody,
};

/// A moment as it stands in payloads; `None` when it is none.
#[must_use]
pub fn utc_of(text: &str) -> Option<UtcMs> {
    text.parse::<jiff::Timestamp>().ok().map(|at| UtcMs(at.as_millisecond()))
}

/// A window as any subscriber reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowView {
    /// Kind: line, zone, queue, heat, flow or od.
    pub kind: String,
    /// Object.
    pub id: String,
    /// Window start, UTC, RFC 3339.
    pub start: String,
    /// Window length, s.
    pub dur_s: u64,
    /// Time really observed, ms.
    pub cov_ms: u64,
    /// Fewest distinct visits behind a released figure.
    pub k: u64,
    /// The figures as they stand.
    pub figures: Value,
    /// The cells, if it is a heatmap.
    pub heat: Option<HeatView>,
}

/// A heatmap layer.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatView {
    /// "visits" or "dwell".
    pub layer: String,
    /// Id of the floor plan.
    pub plan: String,
    /// Columns.
    pub columns: usize,
    /// Rows, row 0 at the origin.
    pub rows: usize,
    /// Side of a cell, mm.
    pub cell_mm: u64,
    /// Released cells; `None` where withheld.
    pub cells: Vec<Option<u32>>,
    /// Largest released cell.
    pub max: u32,
}

impl WindowView {
    /// Reads a window; `None` for other messages.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let figures = value.get("d")?.clone();
        let kind = text("k")?;
        Some(Self {
            heat: if kind == "heat" { Some(HeatView::read(&figures)?) } else { None },
            kind,
            id: text("id")?,
            start: text("ws")?,
            dur_s: value["dur"].as_u64()?,
            cov_ms: value["cov_ms"].as_u64()?,
            k: value["privacy"]["k"].as_u64()?,
            figures,
        })
    }

    /// A figure by its name; `None` where withheld.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<u64> {
        self.figures[name].as_u64()
    }
}

impl HeatView {
    fn read(figures: &Value) -> Option<Self> {
        let whole = |key: &str| figures[key].as_u64().and_then(|value| usize::try_from(value).ok());
        let (columns, rows) = (whole("w")?, whole("h")?);
        let cells = vz1::decode(figures["data"].as_str()?, columns.checked_mul(rows)?)?;
        let counted = |cell: Option<[u64; 1]>| cell.map(|[value]| u32::try_from(value)).transpose();
        let cells: Vec<Option<u32>> = cells.into_iter().map(counted).collect::<Result<_, _>>().ok()?;
        Some(Self {
            layer: figures["layer"].as_str()?.to_owned(),
            plan: figures["plan"].as_str()?.to_owned(),
            columns,
            rows,
            cell_mm: figures["cell_mm"].as_u64()?,
            max: cells.iter().flatten().copied().max().unwrap_or(0),
            cells,
        })
    }
}
