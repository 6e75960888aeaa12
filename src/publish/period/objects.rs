//! Sums of one object: what each kind of window adds up to.
//!
//! In: figures of windows. Out: sums that add and merge in any order. Invariants: a withheld figure adds nothing and is
//! counted as withheld; sums of hostile figures stop at the largest number there is.

use std::collections::BTreeMap;

use crate::wire::read::{
    BodyFigures, CellGrid, FlowBody, HISTOGRAM_CLASSES, HeatBody, LineBody, OdBody, QueueBody, ZoneBody,
};

/// Sums of an object, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectFigures {
    /// Of a line.
    Line(LineSums),
    /// Of a zone.
    Zone(ZoneSums),
    /// Of a queue.
    Queue(QueueSums),
    /// Of a layer of a heatmap.
    Heat(HeatSums),
    /// Of the flow over a floor.
    Flow(FlowSums),
    /// Of the transitions before a camera.
    Od(OdSums),
}

/// Crossings of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineSums {
    /// Towards the inside.
    pub inward: u64,
    /// Towards the outside.
    pub outward: u64,
    /// The slow ones among them, of the windows that tell them.
    pub uncertain: u64,
    /// Windows that tell the slow ones.
    pub uncertain_windows: u64,
    /// Passers-by, of the windows that tell them.
    pub pass: u64,
    /// Inward crossings of those same windows.
    pub inward_with_pass: u64,
    /// Windows that tell passers-by.
    pub pass_windows: u64,
}

/// Stays in a zone, of the windows that are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZoneSums {
    /// Stays that began.
    pub entries: u64,
    /// Stays that ended.
    pub exits: u64,
    /// Distinct stays by window: one over an edge is one of both.
    pub visits: u64,
    /// Stays that reached 10 s.
    pub stops: u64,
    /// Person-time inside, ms.
    pub dwell_ms: u64,
    /// Person-time inside as seen from frame to frame, ms.
    pub occ_ms: u64,
    /// Most people inside in one frame.
    pub occ_max: u32,
    /// Stays that ended, by whole length.
    pub hist: [u64; HISTOGRAM_CLASSES],
}

/// Waits in a queue, of the windows that are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueSums {
    /// People who joined.
    pub joined: u64,
    /// Waits that ended with service.
    pub served: u64,
    /// Waits that ended without.
    pub abandoned: u64,
    /// People waiting at the end of the last window that is told.
    pub carried: u32,
    /// The end of that window, s since 1970 UTC.
    pub carried_at_s: i64,
    /// Waits with service, ms.
    pub wait_ms: u64,
    /// The same by whole length.
    pub wait_hist: [u64; HISTOGRAM_CLASSES],
    /// Waits without service, ms.
    pub aband_wait_ms: u64,
    /// Person-time of those waiting, ms.
    pub len_ms: u64,
    /// Most people waiting at once.
    pub len_max: u32,
    /// Ended waits longer than the target of their window.
    pub over: u64,
    /// Shortest and longest target, ms; they differ where the site file was changed.
    pub targets_ms: Option<[u32; 2]>,
    /// Waits whose end nobody saw.
    pub cut: u64,
}

/// A layer of a heatmap.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatSums {
    /// "visits" or "dwell".
    pub layer: String,
    /// The cells it is told by.
    pub grid: CellGrid<'static>,
    /// Cells in order of index.
    pub cells: Vec<HeatCellSums>,
    /// Most cells a camera saw in one window: those released and those withheld.
    pub seen_cells: u32,
}

/// One cell of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeatCellSums {
    /// Sum over the windows that release it.
    pub sum: u64,
    /// Windows that release it.
    pub released: u32,
    /// Time observed in them, ms.
    pub cov_ms: u64,
}

/// The flow over a floor.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowSums {
    /// The cells it is told by.
    pub grid: CellGrid<'static>,
    /// Cells in order of index.
    pub cells: Vec<FlowCellSums>,
    /// Most cells a camera saw in one window.
    pub seen_cells: u32,
}

/// Passages through one cell, of the windows that release it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowCellSums {
    /// How many.
    pub n: u64,
    /// Sum of their unit vectors along the door wall, thousandths.
    pub sx_milli: i64,
    /// The same away from the door.
    pub sy_milli: i64,
    /// Windows that release it.
    pub released: u32,
    /// Time observed in them, ms.
    pub cov_ms: u64,
}

/// Transitions before a camera.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OdSums {
    /// Released pairs by their places.
    pub pairs: BTreeMap<(String, String), PairSums>,
    /// All withheld pairs together, of the windows that tell it.
    pub dropped: u64,
    /// Windows that tell it.
    pub dropped_windows: u64,
    /// Visits whose continuation nobody saw, of the windows that tell it.
    pub cut: u64,
    /// Windows that tell it.
    pub cut_windows: u64,
}

/// One pair of places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairSums {
    /// Ways from the one to the other, of the windows that release them.
    pub n: u64,
    /// Windows that release them.
    pub released: u32,
}

/// What a window adds besides its figures.
#[derive(Clone, Copy)]
pub(super) struct Weight {
    /// Its end, s since 1970 UTC.
    pub end_s: i64,
    /// Time observed in it, ms.
    pub cov_ms: u64,
}

impl ObjectFigures {
    /// Sums of nothing, for windows like this one.
    pub(super) fn empty_for(figures: &BodyFigures) -> Self {
        match figures {
            BodyFigures::Line(_) => Self::Line(LineSums::default()),
            BodyFigures::Zone(_) => Self::Zone(ZoneSums::default()),
            BodyFigures::Queue(_) => Self::Queue(QueueSums::default()),
            BodyFigures::Heat(heat) => Self::Heat(HeatSums {
                layer: heat.layer.clone().into_owned(),
                grid: heat.grid.clone().into_owned(),
                cells: vec![HeatCellSums::default(); heat.grid.count()],
                seen_cells: 0,
            }),
            BodyFigures::Flow(flow) => Self::Flow(FlowSums {
                grid: flow.grid.clone().into_owned(),
                cells: vec![FlowCellSums::default(); flow.grid.count()],
                seen_cells: 0,
            }),
            BodyFigures::Od(_) => Self::Od(OdSums::default()),
        }
    }

    /// Adds a window of the same object; false when it tells nothing.
    pub(super) fn add(&mut self, figures: &BodyFigures, weight: Weight) -> bool {
        match (self, figures) {
            (Self::Line(sums), BodyFigures::Line(line)) => sums.add(line),
            (Self::Zone(sums), BodyFigures::Zone(Some(zone))) => sums.add(zone),
            (Self::Queue(sums), BodyFigures::Queue(Some(queue))) => sums.add(queue, weight.end_s),
            (Self::Heat(sums), BodyFigures::Heat(heat)) => return sums.add(heat, weight.cov_ms),
            (Self::Flow(sums), BodyFigures::Flow(flow)) => return sums.add(flow, weight.cov_ms),
            (Self::Od(sums), BodyFigures::Od(od)) => return sums.add(od),
            _ => return false,
        }
        true
    }

    /// Adds other sums of the same object.
    pub(super) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Line(sums), Self::Line(more)) => sums.merge(more),
            (Self::Zone(sums), Self::Zone(more)) => sums.merge(more),
            (Self::Queue(sums), Self::Queue(more)) => sums.merge(more),
            (Self::Heat(sums), Self::Heat(more)) => sums.merge(more),
            (Self::Flow(sums), Self::Flow(more)) => sums.merge(more),
            (Self::Od(sums), Self::Od(more)) => sums.merge(more),
            _ => unreachable!("the kind is part of the key"),
        }
    }
}

impl LineSums {
    fn add(&mut self, line: &LineBody) {
        let LineBody { inward, outward, uncertain, pass } = *line;
        let part = |value: Option<u32>| [u64::from(value.unwrap_or(0)), u64::from(value.is_some())];
        let ([uncertain, uncertain_windows], [pass, pass_windows]) = (part(uncertain), part(pass));
        self.merge(&Self {
            inward: u64::from(inward),
            outward: u64::from(outward),
            uncertain,
            uncertain_windows,
            pass,
            inward_with_pass: u64::from(inward) * pass_windows,
            pass_windows,
        });
    }

    fn merge(&mut self, more: &Self) {
        plus(&mut self.inward, more.inward);
        plus(&mut self.outward, more.outward);
        plus(&mut self.uncertain, more.uncertain);
        plus(&mut self.uncertain_windows, more.uncertain_windows);
        plus(&mut self.pass, more.pass);
        plus(&mut self.inward_with_pass, more.inward_with_pass);
        plus(&mut self.pass_windows, more.pass_windows);
    }
}

impl ZoneSums {
    fn add(&mut self, zone: &ZoneBody) {
        self.merge(&Self {
            entries: zone.entries.into(),
            exits: zone.exits.into(),
            visits: zone.visits.into(),
            stops: zone.stops.into(),
            dwell_ms: zone.dwell_ms.into(),
            occ_ms: zone.occ_ms.into(),
            occ_max: zone.occ_max,
            hist: zone.hist.map(u64::from),
        });
    }

    fn merge(&mut self, more: &Self) {
        plus(&mut self.entries, more.entries);
        plus(&mut self.exits, more.exits);
        plus(&mut self.visits, more.visits);
        plus(&mut self.stops, more.stops);
        plus(&mut self.dwell_ms, more.dwell_ms);
        plus(&mut self.occ_ms, more.occ_ms);
        self.occ_max = self.occ_max.max(more.occ_max);
        self.hist.iter_mut().zip(more.hist).for_each(|(class, more)| plus(class, more));
    }
}

impl QueueSums {
    fn add(&mut self, queue: &QueueBody, end_s: i64) {
        self.merge(&Self {
            joined: queue.joined.into(),
            served: queue.served.into(),
            abandoned: queue.abandoned.into(),
            carried: queue.carried,
            carried_at_s: end_s,
            wait_ms: queue.wait_ms.into(),
            wait_hist: queue.wait_hist.map(u64::from),
            aband_wait_ms: queue.aband_wait_ms.into(),
            len_ms: queue.len_ms.into(),
            len_max: queue.len_max,
            over: queue.over.into(),
            targets_ms: Some([queue.target_ms; 2]),
            cut: queue.cut.into(),
        });
    }

    fn merge(&mut self, more: &Self) {
        plus(&mut self.joined, more.joined);
        plus(&mut self.served, more.served);
        plus(&mut self.abandoned, more.abandoned);
        // The later window counts; two that end at once, one inside the other, have one largest.
        (self.carried_at_s, self.carried) = match (self.targets_ms, more.targets_ms) {
            (None, _) => (more.carried_at_s, more.carried),
            (_, None) => (self.carried_at_s, self.carried),
            _ => (self.carried_at_s, self.carried).max((more.carried_at_s, more.carried)),
        };
        plus(&mut self.wait_ms, more.wait_ms);
        self.wait_hist.iter_mut().zip(more.wait_hist).for_each(|(class, more)| plus(class, more));
        plus(&mut self.aband_wait_ms, more.aband_wait_ms);
        plus(&mut self.len_ms, more.len_ms);
        self.len_max = self.len_max.max(more.len_max);
        plus(&mut self.over, more.over);
        self.targets_ms = match (self.targets_ms, more.targets_ms) {
            (Some([least, most]), Some([less, more])) => Some([least.min(less), most.max(more)]),
            (one, other) => one.or(other),
        };
        plus(&mut self.cut, more.cut);
    }
}

impl HeatSums {
    fn add(&mut self, heat: &HeatBody, cov_ms: u64) -> bool {
        let mut released = 0;
        for (sums, value) in self.cells.iter_mut().zip(&heat.cells) {
            let Some([value]) = value else { continue };
            sums.merge(&HeatCellSums { sum: *value, released: 1, cov_ms });
            released += 1;
        }
        self.seen_cells = self.seen_cells.max(released + heat.dropped_cells);
        released > 0
    }

    fn merge(&mut self, more: &Self) {
        self.cells.iter_mut().zip(&more.cells).for_each(|(cell, more)| cell.merge(more));
        self.seen_cells = self.seen_cells.max(more.seen_cells);
    }
}

impl HeatCellSums {
    fn merge(&mut self, more: &Self) {
        plus(&mut self.sum, more.sum);
        self.released = self.released.saturating_add(more.released);
        plus(&mut self.cov_ms, more.cov_ms);
    }
}

impl FlowSums {
    fn add(&mut self, flow: &FlowBody, cov_ms: u64) -> bool {
        let mut released = 0;
        for (sums, cell) in self.cells.iter_mut().zip(&flow.cells) {
            let Some(cell) = cell else { continue };
            let (n, sx_milli, sy_milli) = (cell.n, cell.sx_milli, cell.sy_milli);
            sums.merge(&FlowCellSums { n, sx_milli, sy_milli, released: 1, cov_ms });
            released += 1;
        }
        self.seen_cells = self.seen_cells.max(released + flow.dropped_cells);
        released > 0
    }

    fn merge(&mut self, more: &Self) {
        self.cells.iter_mut().zip(&more.cells).for_each(|(cell, more)| cell.merge(more));
        self.seen_cells = self.seen_cells.max(more.seen_cells);
    }
}

impl FlowCellSums {
    fn merge(&mut self, more: &Self) {
        plus(&mut self.n, more.n);
        self.sx_milli = self.sx_milli.saturating_add(more.sx_milli);
        self.sy_milli = self.sy_milli.saturating_add(more.sy_milli);
        self.released = self.released.saturating_add(more.released);
        plus(&mut self.cov_ms, more.cov_ms);
    }
}

impl OdSums {
    fn add(&mut self, od: &OdBody) -> bool {
        for [from, to, n] in &od.m {
            let name = |node: u32| od.nodes[node as usize].clone().into_owned();
            let pair = self.pairs.entry((name(*from), name(*to))).or_default();
            pair.merge(&PairSums { n: u64::from(*n), released: 1 });
        }
        for (told, sum, windows) in
            [(od.dropped, &mut self.dropped, &mut self.dropped_windows), (od.cut, &mut self.cut, &mut self.cut_windows)]
        {
            plus(sum, told.unwrap_or(0).into());
            plus(windows, told.is_some().into());
        }
        !od.m.is_empty() || od.dropped.is_some() || od.cut.is_some()
    }

    fn merge(&mut self, more: &Self) {
        more.pairs.iter().for_each(|(places, pair)| self.pairs.entry(places.clone()).or_default().merge(pair));
        plus(&mut self.dropped, more.dropped);
        plus(&mut self.dropped_windows, more.dropped_windows);
        plus(&mut self.cut, more.cut);
        plus(&mut self.cut_windows, more.cut_windows);
    }

    /// All released ways.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.pairs.values().fold(0, |sum, pair| sum.saturating_add(pair.n))
    }
}

impl PairSums {
    fn merge(&mut self, more: &Self) {
        plus(&mut self.n, more.n);
        self.released = self.released.saturating_add(more.released);
    }
}

fn plus(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}
