//! Payloads: what a window, a state or a health report looks like in JSON, integers only.
//!
//! In: released figures. Out: serde types whose order of fields is the order on the wire. The JSON Schema that
//! `kehai schema` prints is made from these very types. Adding a field is free; changing a meaning is `v2`.

mod paths;
mod queue;
pub mod selftest;
mod talk;

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::ZoneFigures;
use crate::health::CameraReport;
use crate::health::load::Load;
use crate::measure::dwell::DWELL_CLASSES;
pub use paths::{FlowPayload, OdPayload};
pub use queue::QueuePayload;
pub use talk::{AnswerPayload, CommandPayload, EventPayload};

/// Version of the contract: changing a meaning makes a new one.
pub const CONTRACT_VERSION: u8 = 1;

/// The record: one window of one object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WindowPayload<D> {
    /// Version of the contract.
    pub v: u8,
    /// Kind: line, zone, queue, heat, flow or od.
    pub k: &'static str,
    /// Object: a line, a zone, a queue, a floor with its layer, a floor, or a camera.
    pub id: String,
    /// Window start, UTC, RFC 3339.
    pub ws: String,
    /// Window length, s.
    pub dur: u32,
    /// Revision, always 0 (reserved).
    pub rev: u8,
    /// The process that measured: random at each start; "replay" for recordings.
    pub boot: String,
    /// Number of this record on this node, without gaps.
    pub seq: u64,
    /// Fingerprint of the configuration.
    pub cfg: String,
    /// Whether the clock was synchronised: "sync" or "free".
    pub clk: &'static str,
    /// Time really observed within the window, ms. Nobody there and nobody looking are different records.
    pub cov_ms: u32,
    /// Privacy state.
    pub privacy: PrivacyPayload,
    /// The figures.
    pub d: D,
    /// "ed25519:…": signature of the node over exactly these bytes without this last member. The key stands in `about`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// The privacy state every record names, so that a consumer can refuse a weak one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PrivacyPayload {
    /// Profile of the gate.
    pub profile: &'static str,
    /// Fewest distinct visits behind a released figure.
    pub k: u32,
    /// There, and true, when the site file lets an eye work whose cage is not proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsandboxed: bool,
    /// Id of the sign at the door, which was acknowledged when this configuration was armed. Absent of a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<String>,
}

/// Figures of a line; always exact in profile "threshold".
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinePayload {
    /// Crossings towards the inside.
    #[serde(rename = "in")]
    pub inward: u32,
    /// Crossings towards the outside.
    #[serde(rename = "out")]
    pub outward: u32,
    /// Those among them that took longer than 1.5 s from one clear side to the other.
    pub uncertain: u32,
}

/// Figures of a zone; all absent when fewer than k visited it, nobody included.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ZonePayload {
    /// Stays that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// Stays that ended. entries − exits is the change of the number of people staying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exits: Option<u32>,
    /// Distinct stays during the window, begun in it or before; of k different people at least, as far as they were
    /// followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visits: Option<u32>,
    /// Stays that reached 10 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stops: Option<u32>,
    /// Person-time of this window inside, hidden moments included, ms. Mean dwell of a
    /// window = dwell_ms ÷ visits; over several = Σ dwell_ms ÷ Σ entries, for a stay over an edge is a visit of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dwell_ms: Option<u32>,
    /// Person-time of this window inside as seen from frame to frame, ms. Mean occupancy = occ_ms ÷ cov_ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occ_ms: Option<u32>,
    /// Most people inside in one frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occ_max: Option<u32>,
    /// Edges of the histogram: "log2s" = 0, 1, 2, 4, … 512, ∞ seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hb: Option<&'static str>,
    /// Stays that ended, by whole length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hist: Option<[u32; DWELL_CLASSES]>,
}

/// The cells a floor is told by.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GridPayload {
    /// Coordinate frame: "store", y away from the door.
    pub frame: &'static str,
    /// Id of the floor plan.
    pub plan: String,
    /// Columns.
    pub w: u32,
    /// Rows; cell index = row · w + column, row 0 at the origin.
    pub h: u32,
    /// Side of a cell, mm.
    pub cell_mm: u32,
    /// Lower left corner of the grid, mm.
    pub origin_mm: [i64; 2],
}

/// Figures of a heatmap layer. A cell that is not listed was withheld: fewer than k visits, nobody included.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeatPayload {
    /// "visits" or "dwell".
    pub layer: &'static str,
    /// "visit" (distinct visits) or "ms" (person-time).
    pub unit: &'static str,
    /// The cells it is told by.
    #[serde(flatten)]
    pub grid: GridPayload,
    /// Encoding of `data`: "vz1" = base64(zlib(unsigned LEB128 of index delta, value, index delta, value …)).
    pub enc: &'static str,
    /// The released cells in order of index; the first delta counts from 0.
    pub data: String,
    /// Number of released cells.
    pub cells: u32,
    /// Sum over released cells.
    pub sum: u64,
    /// Largest released cell.
    pub max: u32,
    /// Cells a camera sees whose value was withheld.
    pub dropped_cells: u32,
}

/// Whether a node is there. Retained; "offline" is also its will.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatePayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: state.
    pub k: &'static str,
    /// "online" or "offline".
    pub state: &'static str,
    /// The process.
    pub boot: String,
}

/// What runs on a node. Retained.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AboutPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: about.
    pub k: &'static str,
    /// Version of the product.
    pub version: &'static str,
    /// The process.
    pub boot: String,
    /// Fingerprint of the configuration.
    pub cfg: String,
    /// Name for people.
    pub name: String,
    /// IANA time zone.
    pub timezone: String,
    /// Kinds of records this node makes.
    pub kinds: Vec<&'static str>,
    /// Person detector in use.
    pub model: String,
    /// Privacy state.
    pub privacy: PrivacyPayload,
    /// Bytes an hour of windows takes on the pipe out of the process that sees pictures.
    pub pipe_bytes_per_hour: u64,
    /// Bytes an hour of its counters takes there.
    pub pipe_counter_bytes_per_hour: u64,
    /// Name of the schema its messages are valid against (`kehai schema`).
    #[serde(default)]
    pub schema: &'static str,
    /// "ed25519:…": key that tells what this node has signed. Note it where you trust: a broker that is owned can send another.
    #[serde(default)]
    pub public_key: String,
}

/// Names and places of all objects of a kind. Retained.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetaPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: meta.
    pub k: &'static str,
    /// "lines", "zones", "queues", "floors", "cameras" or "calendar".
    pub of: &'static str,
    /// Fingerprint of the configuration.
    pub cfg: String,
    /// The objects.
    pub items: Vec<MetaItem>,
}

/// One object.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct MetaItem {
    /// Id on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Camera that watches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Floor it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<String>,
    /// Columns and rows of a floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<[u32; 2]>,
    /// Side of a cell, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell_mm: Option<u32>,
    /// Lower left corner of the grid, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_mm: Option<[i64; 2]>,
    /// Corners of a zone, or the two ends of a line and a point on its inner side, on the floor, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_mm: Option<Vec<[i64; 2]>>,
    /// The same on the picture, px, where the camera is not calibrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_px: Option<Vec<[i64; 2]>>,
    /// Reprojection error of the calibration, root mean square, mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual_mm: Option<u32>,
    /// Where people of a queue wait, as "zone/ID".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Where they are served, as "zone/ID" or "line/ID".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_by: Option<String>,
    /// Waits longer than this are too long, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ms: Option<u32>,
    /// IANA time zone of the shop, whose days and hours its calendar tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// When cameras are watched, by the clock on the shop's wall, "10:00-21:00"; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// How a node fares. Counters of frames, never of people.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HealthPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: health.
    pub k: &'static str,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// The process.
    pub boot: String,
    /// Whether the clock is synchronised: "sync" or "free".
    pub clk: &'static str,
    /// Seconds since the process started.
    pub uptime_s: u64,
    /// Times the process that sees pictures was started.
    pub eye_starts: u32,
    /// Messages waiting for the broker.
    pub spool_waiting: u64,
    /// Messages dropped because the spool was full.
    pub spool_dropped: u64,
    /// Messages the broker refused.
    pub refused: u64,
    /// Cameras.
    pub cameras: Vec<CameraHealthPayload>,
    /// Times the process that sees pictures was ended because it said something that the configuration does not foresee, or not then.
    #[serde(default)]
    pub eye_disbelieved: u32,
    /// Walls that stand round it.
    #[serde(default)]
    pub walls: Vec<&'static str>,
    /// There, and true, when the site file lets an eye work whose cage is not proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsandboxed: bool,
    /// When the first certificate of the connection to the broker ends, ours or the broker's, UTC, RFC 3339; there when it
    /// is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_not_after: Option<String>,
    /// Closed windows that wait for room in the store, were lost for want of it, or came faster than time does because the clock
    /// was set.
    #[serde(default)]
    pub unreleased: u64,
    /// Bytes the store takes.
    #[serde(default)]
    pub store_bytes: u64,
    /// Bytes it may take; what is oldest goes before that.
    #[serde(default)]
    pub store_most_bytes: u64,
    /// Where the switch stands: "armed" (cameras are watched), "closed" (outside opening hours), "paused-here", "paused-remotely",
    /// "locked" or "setup". Absent of a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<&'static str>,
}

/// How a camera fares.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CameraHealthPayload {
    /// Id on the wire.
    pub id: String,
    /// "opening", "seeing", "lost" or "ended".
    pub state: &'static str,
    /// Captured frames per second since the last report, thousandths.
    pub fps_milli: u64,
    /// Age of the last detected frame when its detections were there, ms. In a shop the highest of the last whole quarter
    /// of an hour, 0 before there was one.
    pub lag_ms: u32,
    /// Reopenings.
    pub reconnects: u32,
    /// Frames by fate: captured, detected, still (nothing moved and nobody was there: not looked at), skipped, overwritten,
    /// failed. In a shop, still and overwritten frames are told after whole quarters of an hour; until then they, and those
    /// under way, are among the detected.
    pub frames: [u64; 6],
    /// Frames looked at per second over the last five seconds or more, thousandths. In a shop those due for a look while
    /// the box keeps up, and the fewest since it is overloaded.
    pub looks_milli: u64,
    /// Looks per second this camera is due, thousandths; absent for a recording that is looked at whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks_asked_milli: Option<u64>,
    /// Whether more than a tenth of the frames due for a look gave way to newer ones: the box is too slow for its cameras.
    /// In a shop told at once, and over with the quarter of an hour.
    pub overloaded: bool,
    /// Boxes of people dropped because they stood where nobody counts, up to the last whole quarter of an hour.
    pub ignored: u64,
    /// Things taken for people that have not moved since the camera began to watch, and count as nobody.
    pub motionless: u32,
}

impl ZonePayload {
    /// All fields of a released zone, none of a withheld one.
    #[must_use]
    pub fn of(zone: Option<&ZoneFigures>) -> Self {
        let Some(zone) = zone else { return Self::default() };
        Self {
            entries: Some(zone.entries),
            exits: Some(zone.exits),
            visits: Some(zone.visits),
            stops: Some(zone.stops),
            dwell_ms: Some(zone.dwell_ms),
            occ_ms: Some(zone.occ_ms),
            occ_max: Some(zone.occ_max),
            hb: Some("log2s"),
            hist: Some(zone.hist),
        }
    }
}

impl CameraHealthPayload {
    /// From a camera's counters; `load` is the mouth's own arithmetic, `looks_per_s` what was asked for.
    #[must_use]
    pub fn of(id: &str, report: &CameraReport, load: Load, looks_per_s: Option<f64>) -> Self {
        let ledger = &report.ledger;
        Self {
            id: id.to_owned(),
            state: report.state.name(),
            fps_milli: load.fps_milli,
            lag_ms: report.lag_ms,
            reconnects: report.reconnects,
            frames: [ledger.captured, ledger.detected, ledger.still, ledger.skipped, ledger.overwritten, ledger.failed],
            looks_milli: load.looks_milli,
            looks_asked_milli: looks_per_s.map(|rate| (rate * 1000.0).round() as u64),
            overloaded: load.is_overloaded,
            ignored: report.ignored,
            motionless: report.motionless,
        }
    }
}
