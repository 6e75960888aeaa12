//! Windows and counters to messages: topics, envelope, sequence.
//!
//! In: what arrived from the eye. Out: [`Message`]s, unsigned. Invariants: the same input gives the same bytes; all texts that
//! reach a topic were checked as ids (`config/check.rs`). Numbers and signatures are the vault's.

mod sensor;
mod talk;

use serde::Serialize;

use super::payload::{
    AboutPayload, CONTRACT_VERSION, FlowPayload, GridPayload, HealthPayload, HeatPayload, LinePayload, MetaItem,
    MetaPayload, OdPayload, PrivacyPayload, QueuePayload, StatePayload, WindowPayload, ZonePayload,
};
use super::record::budget::Budget;
use super::record::{ArrivedWindow, RECORD_BYTES};
use super::schema::SCHEMA_ID;
use super::seal::PublicKey;
use super::{Message, vz1};
use crate::clock::{UtcMs, WindowSpan};
use crate::config::{Drawn, Floor, Place, Profile, Settings};
use crate::floor::visible_cells;
use crate::gate::{Figures, FlowFigures, Object};

pub use sensor::Sensor;
pub use talk::{About, Answer, about};

/// Makes the messages of one node and one process.
#[derive(Clone)]
pub struct Composer {
    settings: Settings,
    base: String,
    boot: String,
    clk: &'static str,
    retain_windows: bool,
    sign: Option<String>,
    visible: Vec<Vec<bool>>,
}

/// The process name of every replay.
pub const REPLAY_BOOT: &str = "replay";

/// A window on its way into the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The message, unsigned.
    pub message: Message,
    /// Kind of its object.
    pub kind: &'static str,
    /// Object.
    pub id: String,
    /// Which window of it.
    pub span: WindowSpan,
}

/// What a [`Composer`] needs beside the settings.
pub struct Voice {
    /// Root of all topics.
    pub topic_root: String,
    /// Name of this process.
    pub boot: String,
    /// Whether the clock is synchronised.
    pub synchronised: bool,
    /// Whether windows are kept by the broker: the newest one is, old ones must not replace it.
    pub retain_windows: bool,
    /// The sign that was acknowledged; none of a recording.
    pub sign: Option<String>,
}

impl Composer {
    /// For a node under these settings.
    #[must_use]
    pub fn new(settings: &Settings, voice: Voice) -> Self {
        let store = &settings.store;
        Self {
            base: format!("{}/{}/{}/{}", voice.topic_root, store.org, store.store, store.node),
            boot: voice.boot,
            clk: clk(voice.synchronised),
            retain_windows: voice.retain_windows,
            sign: voice.sign,
            visible: (0..settings.floors.len()).map(|floor| visible_cells(settings, floor)).collect(),
            settings: settings.clone(),
        }
    }

    /// The record of a window under this number.
    #[must_use]
    pub fn window(&self, seq: u64, window: &ArrivedWindow) -> Record {
        let window = &Numbered { seq, window };
        match (&window.window.figures, window.window.object) {
            (Figures::Line { inward, outward, uncertain }, Object::Line(line)) => {
                let id = self.settings.lines[usize::from(line)].id.clone();
                self.record(
                    "line",
                    id,
                    window,
                    LinePayload { inward: *inward, outward: *outward, uncertain: *uncertain },
                )
            }
            (Figures::Zone(zone), Object::Zone(index)) => {
                let id = self.settings.zones[usize::from(index)].id.clone();
                self.record("zone", id, window, ZonePayload::of(zone.as_ref()))
            }
            (Figures::Queue(figures), Object::Queue(index)) => {
                let queue = &self.settings.queues[usize::from(index)];
                self.record("queue", queue.id.clone(), window, QueuePayload::of(figures.as_ref(), queue.target_ms))
            }
            (Figures::Heat(cells), Object::HeatVisits(floor)) => self.heat(window, cells, floor, ["visits", "visit"]),
            (Figures::Heat(cells), Object::HeatDwell(floor)) => self.heat(window, cells, floor, ["dwell", "ms"]),
            (Figures::Flow(cells), Object::Flow(floor)) => self.flow(window, cells, floor),
            (Figures::Transitions(figures), Object::Transitions(camera)) => {
                let camera = usize::from(camera);
                let id = self.settings.cameras[camera].id.clone();
                self.record("od", id, window, OdPayload::of(nodes(&self.settings, camera), figures))
            }
            _ => unreachable!("wire/record.rs pairs figures and objects"),
        }
    }

    fn heat(
        &self,
        window: &Numbered<'_>,
        cells: &[Option<u32>],
        floor: u16,
        [layer, unit]: [&'static str; 2],
    ) -> Record {
        let plan = &self.settings.floors[usize::from(floor)];
        let seen = &self.visible[usize::from(floor)];
        let payload = HeatPayload {
            layer,
            unit,
            grid: grid(plan),
            enc: "vz1",
            data: vz1::encode(cells.iter().map(|cell| cell.map(|value| [u64::from(value)]))),
            cells: cells.iter().flatten().count() as u32,
            sum: cells.iter().flatten().map(|value| u64::from(*value)).sum(),
            max: cells.iter().flatten().copied().max().unwrap_or(0),
            dropped_cells: cells.iter().zip(seen).filter(|(cell, seen)| cell.is_none() && **seen).count() as u32,
        };
        self.record("heat", format!("{}-{layer}", plan.id), window, payload)
    }

    fn flow(&self, window: &Numbered<'_>, cells: &[Option<FlowFigures>], floor: u16) -> Record {
        let plan = &self.settings.floors[usize::from(floor)];
        let seen = &self.visible[usize::from(floor)];
        let payload = FlowPayload {
            grid: grid(plan),
            cols: ["i", "n", "sx_milli", "sy_milli"],
            enc: "vz1",
            data: vz1::encode(cells.iter().map(|cell| cell.as_ref().map(FlowPayload::columns))),
            cells: cells.iter().flatten().count() as u32,
            n: cells.iter().flatten().map(|cell| u64::from(cell.passages)).sum(),
            dropped_cells: cells.iter().zip(seen).filter(|(cell, seen)| cell.is_none() && **seen).count() as u32,
        };
        self.record("flow", plan.id.clone(), window, payload)
    }

    fn record<D: Serialize>(&self, kind: &'static str, id: String, numbered: &Numbered<'_>, figures: D) -> Record {
        let (topic, window) = (self.topic(&format!("win/{kind}/{id}")), numbered.window);
        let payload = WindowPayload {
            v: CONTRACT_VERSION,
            k: kind,
            id: id.clone(),
            ws: rfc3339(UtcMs(window.span.start_s * 1000)),
            dur: window.span.dur_s,
            rev: 0,
            boot: self.boot.clone(),
            seq: numbered.seq,
            cfg: self.settings.revision(),
            clk: self.clk,
            cov_ms: window.cov_ms,
            privacy: self.privacy(),
            d: figures,
            sig: None,
        };
        let message = Message { topic, body: json(&payload), retain: self.retain_windows, at_least_once: true };
        Record { message, kind, id, span: window.span }
    }

    fn privacy(&self) -> PrivacyPayload {
        let profile = match self.settings.gate.profile {
            Profile::Threshold => "threshold",
        };
        let (k, unsandboxed) = (self.settings.gate.k, self.settings.dangerous_allow_unsandboxed);
        PrivacyPayload { profile, k, unsandboxed, sign: self.sign.clone() }
    }

    /// A topic of this node.
    #[must_use]
    pub fn topic(&self, below: &str) -> String {
        format!("{}/{below}", self.base)
    }

    /// Whether this node is there.
    #[must_use]
    pub fn state(&self, is_online: bool) -> Message {
        let state = if is_online { "online" } else { "offline" };
        self.kept("state", &StatePayload { v: CONTRACT_VERSION, k: "state", state, boot: self.boot.clone() })
    }

    /// What runs here and where everything is: sent again at every connection.
    #[must_use]
    pub fn introduction(&self, model: &str, key: &PublicKey) -> Vec<Message> {
        let (store, budget) = (&self.settings.store, Budget::of(&self.settings));
        let about = AboutPayload {
            v: CONTRACT_VERSION,
            k: "about",
            version: env!("CARGO_PKG_VERSION"),
            boot: self.boot.clone(),
            cfg: self.settings.revision(),
            name: store.name.clone(),
            timezone: store.timezone.clone(),
            kinds: kinds(&self.settings),
            model: model.to_owned(),
            privacy: self.privacy(),
            pipe_bytes_per_hour: (budget.windows_per_hour * RECORD_BYTES) as u64,
            pipe_counter_bytes_per_hour: (budget.counters_per_hour * RECORD_BYTES) as u64,
            schema: SCHEMA_ID,
            public_key: key.to_string(),
        };
        let meta = |of: &'static str, items: Vec<MetaItem>| {
            let payload = MetaPayload { v: CONTRACT_VERSION, k: "meta", of, cfg: self.settings.revision(), items };
            self.kept(&format!("meta/{of}"), &payload)
        };
        vec![
            self.kept("about", &about),
            meta("calendar", vec![calendar(&self.settings)]),
            meta("cameras", cameras(&self.settings)),
            meta("floors", floors(&self.settings)),
            meta("lines", lines(&self.settings)),
            meta("zones", zones(&self.settings)),
            meta("queues", queues(&self.settings)),
        ]
    }

    /// Whether the clock is synchronised from here on.
    pub fn clock_is(&mut self, synchronised: bool) {
        self.clk = clk(synchronised);
    }

    /// A health report.
    #[must_use]
    pub fn health(&self, health: &HealthPayload) -> Message {
        Message { topic: self.topic("health"), body: json(health), retain: false, at_least_once: false }
    }

    /// Name of this process.
    #[must_use]
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// "sync" or "free".
    #[must_use]
    pub fn clk(&self) -> &'static str {
        self.clk
    }

    fn kept<P: Serialize>(&self, topic: &str, payload: &P) -> Message {
        Message { topic: self.topic(topic), body: json(payload), retain: true, at_least_once: true }
    }
}

/// A window and the number it is to have.
struct Numbered<'a> {
    seq: u64,
    window: &'a ArrivedWindow,
}

/// The cells a floor is told by.
fn grid(plan: &Floor) -> GridPayload {
    GridPayload {
        frame: "store",
        plan: plan.id.clone(),
        w: plan.columns,
        h: plan.rows,
        cell_mm: plan.cell_mm,
        origin_mm: plan.origin_mm,
    }
}

fn clk(synchronised: bool) -> &'static str {
    if synchronised { "sync" } else { "free" }
}

/// Kinds of which this configuration has an object.
fn kinds(settings: &Settings) -> Vec<&'static str> {
    let has_floor = !settings.floors.is_empty();
    let all = [
        ("line", !settings.lines.is_empty()),
        ("zone", !settings.zones.is_empty()),
        ("queue", !settings.queues.is_empty()),
        ("heat", has_floor),
        ("flow", has_floor),
        ("od", !(settings.lines.is_empty() && settings.zones.is_empty())),
    ];
    let has_purpose =
        |kind: &str| settings.metrics.as_ref().is_none_or(|metrics| metrics.iter().any(|metric| metric.name() == kind));
    all.into_iter().filter(|(kind, is_made)| *is_made && has_purpose(kind)).map(|(kind, _)| kind).collect()
}

/// Names of the nodes between which ways lead before a camera.
fn nodes(settings: &Settings, camera: usize) -> Vec<String> {
    let places = settings.places(camera).into_iter();
    places.map(|place| name_of(settings, place)).chain(["elsewhere".to_owned()]).collect()
}

/// A place as the end of its topic.
fn name_of(settings: &Settings, place: Place) -> String {
    match place {
        Place::Zone(zone) => format!("zone/{}", settings.zones[zone].id),
        Place::Line(line) => format!("line/{}", settings.lines[line].id),
    }
}

fn cameras(settings: &Settings) -> Vec<MetaItem> {
    let item = |camera: &crate::config::Camera| MetaItem {
        id: camera.id.clone(),
        name: camera.name.clone(),
        floor: camera.floor.map(|floor| settings.floors[floor].id.clone()),
        residual_mm: crate::floor::residual_mm(camera),
        ..MetaItem::default()
    };
    settings.cameras.iter().map(item).collect()
}

fn floors(settings: &Settings) -> Vec<MetaItem> {
    let item = |floor: &crate::config::Floor| MetaItem {
        id: floor.id.clone(),
        name: floor.name.clone(),
        grid: Some([floor.columns, floor.rows]),
        cell_mm: Some(floor.cell_mm),
        origin_mm: Some(floor.origin_mm),
        ..MetaItem::default()
    };
    settings.floors.iter().map(item).collect()
}

fn lines(settings: &Settings) -> Vec<MetaItem> {
    let item = |line: &crate::config::Line| drawn(settings, [&line.id, &line.name], line.camera, &line.ends_and_inside);
    settings.lines.iter().map(item).collect()
}

fn zones(settings: &Settings) -> Vec<MetaItem> {
    let item = |zone: &crate::config::Zone| drawn(settings, [&zone.id, &zone.name], zone.camera, &zone.polygon);
    settings.zones.iter().map(item).collect()
}

fn queues(settings: &Settings) -> Vec<MetaItem> {
    let item = |queue: &crate::config::Queue| MetaItem {
        id: queue.id.clone(),
        name: queue.name.clone(),
        camera: Some(settings.cameras[settings.zones[queue.zone].camera].id.clone()),
        zone: Some(name_of(settings, Place::Zone(queue.zone))),
        served_by: Some(name_of(settings, queue.served_by)),
        target_ms: Some(queue.target_ms),
        ..MetaItem::default()
    };
    settings.queues.iter().map(item).collect()
}

fn calendar(settings: &Settings) -> MetaItem {
    let store = &settings.store;
    MetaItem {
        id: store.store.clone(),
        name: store.name.clone(),
        timezone: Some(store.timezone.clone()),
        hours: store.hours.clone(),
        ..MetaItem::default()
    }
}

fn drawn(settings: &Settings, [id, name]: [&String; 2], camera: usize, points: &Drawn) -> MetaItem {
    let camera = &settings.cameras[camera];
    let on_floor = crate::floor::on_floor_mm(camera, points);
    let points_px = on_floor
        .is_none()
        .then(|| points.points().iter().map(|point| point.map(|value| value.round() as i64)).collect());
    MetaItem {
        id: id.clone(),
        name: name.clone(),
        camera: Some(camera.id.clone()),
        floor: camera.floor.map(|floor| settings.floors[floor].id.clone()),
        points_mm: on_floor,
        points_px,
        ..MetaItem::default()
    }
}

/// UTC as it stands in payloads.
#[must_use]
pub fn rfc3339(at: UtcMs) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

fn json<P: Serialize>(payload: &P) -> Vec<u8> {
    serde_json::to_vec(payload).expect("payloads are plain data")
}
