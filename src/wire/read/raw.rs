//! The members of a window as they stand in its JSON, before anything is made of them.
//!
//! In: JSON. Out: for `wire/read/body.rs` alone. Members that are not named here are not minded.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::vz1;
use super::body::{CellGrid, GRID_CELLS_MAX, HISTOGRAM_CLASSES, QueueBody, ReadError, ZoneBody};

#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) v: u32,
    #[serde(borrow)]
    pub(super) k: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) ws: Option<Cow<'a, str>>,
    pub(super) dur: Option<u32>,
    #[serde(borrow, default)]
    pub(super) boot: Cow<'a, str>,
    #[serde(default)]
    pub(super) seq: u64,
    #[serde(borrow, default)]
    pub(super) cfg: Cow<'a, str>,
    pub(super) cov_ms: Option<u64>,
    pub(super) privacy: Option<Privacy>,
    #[serde(borrow)]
    pub(super) d: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct RawHead<'a> {
    pub(super) v: u32,
    #[serde(borrow)]
    pub(super) k: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) ws: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct Privacy {
    pub(super) k: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawZone {
    pub(super) entries: Option<u32>,
    pub(super) exits: Option<u32>,
    pub(super) visits: Option<u32>,
    pub(super) stops: Option<u32>,
    pub(super) dwell_ms: Option<u32>,
    pub(super) occ_ms: Option<u32>,
    pub(super) occ_max: Option<u32>,
    pub(super) hist: Option<[u32; HISTOGRAM_CLASSES]>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawQueue {
    pub(super) joined: Option<u32>,
    pub(super) served: Option<u32>,
    pub(super) abandoned: Option<u32>,
    pub(super) carried: Option<u32>,
    pub(super) wait_ms: Option<RawWait>,
    pub(super) aband_wait_ms: Option<RawSum>,
    pub(super) len_ms: Option<u32>,
    pub(super) len_max: Option<u32>,
    pub(super) over: Option<RawOver>,
    pub(super) cut: Option<u32>,
}

#[derive(Deserialize)]
pub(super) struct RawWait {
    pub(super) sum: u32,
    pub(super) hist: [u32; HISTOGRAM_CLASSES],
}

#[derive(Deserialize)]
pub(super) struct RawSum {
    pub(super) sum: u32,
}

#[derive(Deserialize)]
pub(super) struct RawOver {
    pub(super) target_ms: u32,
    pub(super) n: u32,
}

/// `N` numbers of each cell; `None` where withheld.
type Cells<const N: usize> = Vec<Option<[u64; N]>>;

#[derive(Deserialize)]
pub(super) struct RawCells<'a> {
    #[serde(borrow)]
    pub(super) layer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) plan: Cow<'a, str>,
    pub(super) w: u32,
    pub(super) h: u32,
    pub(super) cell_mm: u32,
    pub(super) origin_mm: [i64; 2],
    #[serde(borrow)]
    pub(super) enc: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) data: Cow<'a, str>,
    #[serde(default)]
    pub(super) dropped_cells: u32,
}

impl RawZone {
    pub(super) fn whole(self) -> Option<ZoneBody> {
        Some(ZoneBody {
            entries: self.entries?,
            exits: self.exits?,
            visits: self.visits?,
            stops: self.stops?,
            dwell_ms: self.dwell_ms?,
            occ_ms: self.occ_ms?,
            occ_max: self.occ_max?,
            hist: self.hist?,
        })
    }
}

impl RawQueue {
    pub(super) fn whole(self) -> Option<QueueBody> {
        let (wait, over) = (self.wait_ms?, self.over?);
        Some(QueueBody {
            joined: self.joined?,
            served: self.served?,
            abandoned: self.abandoned?,
            carried: self.carried?,
            wait_ms: wait.sum,
            wait_hist: wait.hist,
            aband_wait_ms: self.aband_wait_ms?.sum,
            len_ms: self.len_ms?,
            len_max: self.len_max?,
            over: over.n,
            target_ms: over.target_ms,
            cut: self.cut?,
        })
    }
}

impl<'a> RawCells<'a> {
    pub(super) fn decoded<const N: usize>(self) -> Result<(Self, Cells<N>), ReadError> {
        let count = self.w as usize * self.h as usize;
        if self.enc != "vz1" || !(1..=GRID_CELLS_MAX).contains(&count) || self.cell_mm == 0 {
            let grid = format!("{} x {} cells of {} mm in {:?}", self.w, self.h, self.cell_mm, self.enc);
            return Err(ReadError::Malformed(format!("{grid} is no grid that can be read")));
        }
        let cells = vz1::decode(&self.data, count);
        let cells = cells.ok_or_else(|| ReadError::Malformed(format!("data are not {count} cells in vz1")))?;
        Ok((self, cells))
    }

    pub(super) fn grid(self) -> CellGrid<'a> {
        let Self { plan, w, h, cell_mm, origin_mm, .. } = self;
        CellGrid { plan, columns: w, rows: h, cell_mm, origin_mm }
    }
}
