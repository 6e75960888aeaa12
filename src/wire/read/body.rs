//! A window read back into its types, without a tree in between: what sums over a year are made of.
//!
//! In: the body of a [`crate::wire::Message`]. Out: [`WindowBody`], borrowed from it where it can be.
//! Invariant: what is no window of this version is refused, and no body makes more than [`GRID_CELLS_MAX`] cells.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;

use super::super::payload::CONTRACT_VERSION;
use super::raw::{Envelope, RawCells, RawHead, RawQueue, RawZone};
use crate::measure::dwell::DWELL_CLASSES;

/// Number of classes of the histograms of stays and waits: edges 0, 1, 2, 4, … 512 s and beyond.
pub const HISTOGRAM_CLASSES: usize = DWELL_CLASSES;

/// Most cells of a grid that is read: five times those of the largest floor a node makes, so that a hostile body costs little.
pub const GRID_CELLS_MAX: usize = 20_480;

/// Kind of a window, in the order in which people read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A counting line.
    Line,
    /// A zone.
    Zone,
    /// A queue.
    Queue,
    /// A layer of a heatmap.
    Heat,
    /// The flow over a floor.
    Flow,
    /// Transitions before a camera.
    Od,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Line, Self::Zone, Self::Queue, Self::Heat, Self::Flow, Self::Od];

    /// As it stands on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Zone => "zone",
            Self::Queue => "queue",
            Self::Heat => "heat",
            Self::Flow => "flow",
            Self::Od => "od",
        }
    }

    /// From the wire.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A window as any subscriber reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowBody<'a> {
    /// Kind.
    pub kind: Kind,
    /// Object.
    pub id: Cow<'a, str>,
    /// Window start, s since 1970 UTC.
    pub start_s: i64,
    /// Window length, s.
    pub dur_s: u32,
    /// Time really observed, ms.
    pub cov_ms: u64,
    /// Fewest distinct visits behind a released figure.
    pub k: u32,
    /// The process that measured.
    pub boot: Cow<'a, str>,
    /// Number on its node.
    pub seq: u64,
    /// Fingerprint of the configuration.
    pub cfg: Cow<'a, str>,
    /// Fingerprint of what was measured: equal for equal figures, whatever process or signature stands around them.
    pub print: u64,
    /// The figures.
    pub figures: BodyFigures<'a>,
}

/// The figures of a window; `None` where they are withheld whole.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyFigures<'a> {
    /// Of a line.
    Line(LineBody),
    /// Of a zone.
    Zone(Option<ZoneBody>),
    /// Of a queue.
    Queue(Option<QueueBody>),
    /// Of a layer of a heatmap.
    Heat(HeatBody<'a>),
    /// Of the flow over a floor.
    Flow(FlowBody<'a>),
    /// Of transitions.
    Od(OdBody<'a>),
}

/// Crossings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LineBody {
    /// Towards the inside.
    #[serde(rename = "in")]
    pub inward: u32,
    /// Towards the outside.
    #[serde(rename = "out")]
    pub outward: u32,
    /// The slow ones among them, unless withheld.
    pub uncertain: Option<u32>,
    /// Passers-by, where an outside line exists.
    pub pass: Option<u32>,
}

/// Stays in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneBody {
    /// Stays that began.
    pub entries: u32,
    /// Stays that ended.
    pub exits: u32,
    /// Distinct stays.
    pub visits: u32,
    /// Stays that reached 10 s.
    pub stops: u32,
    /// Person-time inside, ms.
    pub dwell_ms: u32,
    /// Person-time inside as seen from frame to frame, ms.
    pub occ_ms: u32,
    /// Most people inside in one frame.
    pub occ_max: u32,
    /// Stays that ended, by whole length.
    pub hist: [u32; HISTOGRAM_CLASSES],
}

/// Waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueBody {
    /// People who joined.
    pub joined: u32,
    /// Waits that ended with service.
    pub served: u32,
    /// Waits that ended without.
    pub abandoned: u32,
    /// People waiting at the end.
    pub carried: u32,
    /// Waits with service, summed, ms.
    pub wait_ms: u32,
    /// The same by whole length.
    pub wait_hist: [u32; HISTOGRAM_CLASSES],
    /// Waits without service, summed, ms.
    pub aband_wait_ms: u32,
    /// Person-time of those waiting, ms.
    pub len_ms: u32,
    /// Most people waiting at once.
    pub len_max: u32,
    /// Ended waits longer than the target.
    pub over: u32,
    /// That target, ms.
    pub target_ms: u32,
    /// Waits whose end nobody saw.
    pub cut: u32,
}

/// The cells a floor is told by. Cell index = row · columns + column, row 0 at the origin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellGrid<'a> {
    /// Id of the floor plan.
    pub plan: Cow<'a, str>,
    /// Columns.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Side of a cell, mm.
    pub cell_mm: u32,
    /// Lower left corner, mm.
    pub origin_mm: [i64; 2],
}

impl CellGrid<'_> {
    /// Number of cells.
    #[must_use]
    pub fn count(&self) -> usize {
        self.columns as usize * self.rows as usize
    }

    /// Middle of a cell in the store frame, mm.
    #[must_use]
    pub fn middle_mm(&self, cell: usize) -> [i64; 2] {
        let place = [cell as i64 % i64::from(self.columns), cell as i64 / i64::from(self.columns)];
        let side = i64::from(self.cell_mm);
        std::array::from_fn(|axis| self.origin_mm[axis].saturating_add(place[axis] * side + side / 2))
    }

    /// The same with its own text.
    #[must_use]
    pub fn into_owned(self) -> CellGrid<'static> {
        CellGrid { plan: Cow::Owned(self.plan.into_owned()), ..self }
    }
}

/// A layer of a heatmap.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatBody<'a> {
    /// "visits" or "dwell".
    pub layer: Cow<'a, str>,
    /// The cells it is told by.
    pub grid: CellGrid<'a>,
    /// Released cells, one number each; `None` where withheld.
    pub cells: Vec<Option<[u64; 1]>>,
    /// Cells a camera sees whose value was withheld.
    pub dropped_cells: u32,
}

/// The flow over a floor.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowBody<'a> {
    /// The cells it is told by.
    pub grid: CellGrid<'a>,
    /// Released cells; `None` where withheld.
    pub cells: Vec<Option<FlowCellBody>>,
    /// Cells a camera sees whose value was withheld.
    pub dropped_cells: u32,
}

/// Passages through a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowCellBody {
    /// How many.
    pub n: u64,
    /// Sum of their unit vectors along the door wall, thousandths.
    pub sx_milli: i64,
    /// The same away from the door.
    pub sy_milli: i64,
}

/// Transitions between places.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OdBody<'a> {
    /// The places.
    #[serde(borrow)]
    pub nodes: Vec<Cow<'a, str>>,
    /// Released pairs: from, to (indices into `nodes`), number.
    pub m: Vec<[u32; 3]>,
    /// All pairs that are not listed, together; `None` where that is withheld too.
    pub dropped: Option<u32>,
    /// Visits whose continuation nobody saw; `None` where withheld.
    pub cut: Option<u32>,
}

/// Why a body is not a window of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not with the members of a window.
    #[error("this is no payload: {0}")]
    Malformed(String),
    /// A payload of another kind.
    #[error("this is a payload of kind {0:?}, not a window")]
    NoWindow(String),
    /// A payload of another version of the contract.
    #[error("this is version {0} of the contract; this program reads version {CONTRACT_VERSION}")]
    OtherVersion(u32),
}

impl<'a> WindowBody<'a> {
    /// Reads a window.
    ///
    /// # Errors
    /// [`ReadError`], where it is none.
    pub fn read(body: &'a [u8]) -> Result<Self, ReadError> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(malformed)?;
        if envelope.v != u32::from(CONTRACT_VERSION) {
            return Err(ReadError::OtherVersion(envelope.v));
        }
        let Some(kind) = Kind::named(&envelope.k) else {
            return Err(ReadError::NoWindow(envelope.k.into_owned()));
        };
        let start_s = start_of(&envelope.ws.ok_or_else(|| missing("ws"))?)?;
        let dur_s = envelope.dur.ok_or_else(|| missing("dur"))?;
        let cov_ms = envelope.cov_ms.ok_or_else(|| missing("cov_ms"))?;
        if !(1..=DUR_S_MAX).contains(&dur_s) || cov_ms > u64::from(dur_s) * 1000 {
            return Err(ReadError::Malformed(format!("dur = {dur_s} s with cov_ms = {cov_ms} is no window")));
        }
        let raw = envelope.d.ok_or_else(|| missing("d"))?.get();
        let mut hasher = DefaultHasher::new();
        (raw, cov_ms).hash(&mut hasher);
        Ok(Self {
            kind,
            id: envelope.id.ok_or_else(|| missing("id"))?,
            start_s,
            dur_s,
            cov_ms,
            k: envelope.privacy.ok_or_else(|| missing("privacy"))?.k,
            boot: envelope.boot,
            seq: envelope.seq,
            cfg: envelope.cfg,
            print: hasher.finish(),
            figures: BodyFigures::read(kind, raw)?,
        })
    }

    /// First second after the window.
    #[must_use]
    pub fn end_s(&self) -> i64 {
        self.start_s + i64::from(self.dur_s)
    }
}

/// What a window is about, without its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// Kind.
    pub kind: Kind,
    /// Object.
    pub id: Cow<'a, str>,
    /// Window start, s since 1970 UTC.
    pub start_s: i64,
}

impl<'a> Head<'a> {
    /// Reads the head of a window.
    ///
    /// # Errors
    /// [`ReadError`], where it has none.
    pub fn read(body: &'a [u8]) -> Result<Self, ReadError> {
        let RawHead { v, k, id, ws } = serde_json::from_slice(body).map_err(malformed)?;
        if v != u32::from(CONTRACT_VERSION) {
            return Err(ReadError::OtherVersion(v));
        }
        let kind = Kind::named(&k).ok_or_else(|| ReadError::NoWindow(k.into_owned()))?;
        let start_s = start_of(&ws.ok_or_else(|| missing("ws"))?)?;
        Ok(Self { kind, id: id.ok_or_else(|| missing("id"))?, start_s })
    }
}

impl<'a> BodyFigures<'a> {
    fn read(kind: Kind, raw: &'a str) -> Result<Self, ReadError> {
        Ok(match kind {
            Kind::Line => Self::Line(parsed(raw)?),
            Kind::Zone => Self::Zone(parsed::<RawZone>(raw)?.whole()),
            Kind::Queue => Self::Queue(parsed::<RawQueue>(raw)?.whole()),
            Kind::Heat => {
                let (raw, cells) = parsed::<RawCells>(raw)?.decoded()?;
                let layer = raw.layer.clone().ok_or_else(|| missing("layer"))?;
                Self::Heat(HeatBody { layer, dropped_cells: raw.dropped_cells, grid: raw.grid(), cells })
            }
            Kind::Flow => {
                let (raw, cells) = parsed::<RawCells>(raw)?.decoded()?;
                let cells = cells.into_iter().map(|cell| cell.map(FlowCellBody::of)).collect();
                Self::Flow(FlowBody { dropped_cells: raw.dropped_cells, grid: raw.grid(), cells })
            }
            Kind::Od => {
                let body: OdBody = parsed(raw)?;
                let count = body.nodes.len();
                match body.m.iter().all(|[from, to, _]| (*from as usize) < count && (*to as usize) < count) {
                    true => Self::Od(body),
                    false => return Err(ReadError::Malformed("m names a place that is not in nodes".to_owned())),
                }
            }
        })
    }
}

impl FlowCellBody {
    fn of([n, sx, sy]: [u64; 3]) -> Self {
        Self { n, sx_milli: unzigzag(sx), sy_milli: unzigzag(sy) }
    }
}

/// 0, 1, 2, 3 … stand for 0, −1, 1, −2 …
fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn start_of(text: &str) -> Result<i64, ReadError> {
    let start: Result<jiff::Timestamp, _> = text.parse();
    start.map(jiff::Timestamp::as_second).map_err(|_| ReadError::Malformed(format!("ws = {text:?} is no time in UTC")))
}

fn parsed<'a, T: Deserialize<'a>>(raw: &'a str) -> Result<T, ReadError> {
    serde_json::from_str(raw).map_err(malformed)
}

fn malformed(error: impl std::fmt::Display) -> ReadError {
    ReadError::Malformed(error.to_string())
}

fn missing(member: &str) -> ReadError {
    ReadError::Malformed(format!("missing member `{member}`"))
}

/// Longest window that is read: a day, s.
const DUR_S_MAX: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_come_back_as_they_were() {
        assert_eq!([0, 1, 2, 3, 4, u64::MAX - 1, u64::MAX].map(unzigzag), [0, -1, 1, -2, 2, i64::MAX, i64::MIN]);
    }

    #[test]
    fn a_later_member_such_as_a_signature_is_not_minded() {
        let plain = r#"{"v":1,"k":"line","id":"door","ws":"2026-11-20T01:00:00Z","dur":900,"rev":0,"boot":"b","seq":1,"cfg":"c","clk":"sync","cov_ms":899200,"privacy":{"profile":"threshold","k":5},"d":{"in":63,"out":58,"uncertain":3}}"#;
        let signed = plain.replace("3}}", r#"3},"sig":"ed25519:AAAA"}"#);
        let read = |text: &'static str| WindowBody::read(text.as_bytes()).expect("a window");
        let (plain, signed) = (read(plain), read(signed.leak()));
        assert_eq!(plain, signed);
        assert_eq!((plain.start_s, plain.dur_s), (1_763_600_400 + 365 * 86_400, 900));
        assert_eq!(
            plain.figures,
            BodyFigures::Line(LineBody { inward: 63, outward: 58, uncertain: Some(3), pass: None })
        );
    }

    #[test]
    fn what_is_no_window_is_refused_with_the_reason() {
        let refused = |text: &str| WindowBody::read(text.as_bytes()).expect_err("no window").to_string();
        assert!(refused("{").contains("no payload"));
        assert!(refused(r#"{"v":1,"k":"state","state":"online"}"#).contains("\"state\""));
        assert!(refused(r#"{"v":2,"k":"line"}"#).contains("version 2"));
        let grid = |w: u32| {
            format!(
                r#"{{"v":1,"k":"flow","id":"f","ws":"2026-11-20T01:00:00Z","dur":3600,"cov_ms":1,"privacy":{{"k":5}},"d":{{"plan":"f","w":{w},"h":4000000000,"cell_mm":1000,"origin_mm":[0,0],"enc":"vz1","data":""}}}}"#
            )
        };
        assert!(refused(&grid(4_000_000_000)).contains("no grid that can be read"));
        assert!(refused(&grid(0)).contains("no grid that can be read"));
    }
}
