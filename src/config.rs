//! Settings: what the site file says, checked once and trusted afterwards.
//!
//! In: the site file (`config/site.rs`) and the model's card (`config/card.rs`). Out: [`Settings`], which
//! both processes hold, and [`Outlets`], which only the mouth holds (broker, page).
//! Invariant: a value in hand is a value in range; all defaults stand in `config/site.rs`.

#[cfg(feature = "mouth")]
pub mod broker;
pub mod card;
#[cfg(feature = "mouth")]
mod check;
pub mod declared;
#[cfg(feature = "mouth")]
pub mod hours;
#[cfg(feature = "mouth")]
mod outlets;
pub mod placement;
#[cfg(feature = "mouth")]
pub mod site;
mod source;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::units::{Anchor, PictureSize};
use card::ScoreLevels;
use declared::Metric;
#[cfg(feature = "mouth")]
pub use outlets::{CommandKey, KEEP_DAYS_MAX, Keeping, Outlets, PageDoor, QUOTA_MB_DEFAULT};
pub use source::CameraSource;

/// Length of a window of lines, zones and queues, s: it tiles local time in every zone of the world.
pub const COUNT_WINDOW_S: u32 = 900;
/// Length of a window of path data (heat, flow, transitions), s.
pub const PATH_WINDOW_S: u32 = 3600;
/// A window is closed this long after its end, s, so that the last frames are in.
pub const WINDOW_GRACE_S: u32 = 10;
/// How often a live camera is looked at when the site file does not say, per second: the rate an edge box with eight
/// cameras is meant for.
pub const LOOKS_PER_S_DEFAULT: f64 = 5.0;
/// The model of a site that names none, which every set-up fetches.
pub const MODEL_DEFAULT: &str = "nanodet-g-8bit";
/// How readily a camera calls a change motion when the site file does not say; see [`Camera::motion`].
pub const MOTION_DEFAULT: f64 = 0.5;
/// How often a camera can be asked to be looked at, per second.
pub const LOOKS_PER_S: std::ops::RangeInclusive<f64> = 0.5..=60.0;
/// More detect workers than this never helped on an edge box.
pub const WORKERS_MAX: u32 = 16;
/// Most cells a floor may have.
pub const FLOOR_CELLS_MAX: usize = 4096;

/// Everything that decides what is measured and released. Known to both processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Who and where.
    pub store: Store,
    /// What a figure needs to be released.
    pub gate: Gate,
    /// Which model finds people.
    pub detector: DetectorChoice,
    /// Floors with a heatmap and its flow.
    pub floors: Vec<Floor>,
    /// Cameras.
    pub cameras: Vec<Camera>,
    /// Counting lines.
    pub lines: Vec<Line>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Queues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Queue>,
    /// Places where nobody counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<Ignore>,
    /// Whether an eye may work whose cage is not proved; every message then says so.
    #[serde(default, skip_serializing_if = "is_off")]
    pub dangerous_allow_unsandboxed: bool,
    /// Kinds of figures that have a purpose; the others are not released. Absent: every kind, for a
    /// recording whose site declares nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<BTreeSet<Metric>>,
    /// Hash of the whole site file, what is declared in it included and passwords left out; absent where nothing is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<String>,
}

fn is_off(switch: &bool) -> bool {
    !switch
}

/// Names on the wire, `[a-z0-9][a-z0-9_-]{0,31}` each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Organisation.
    pub org: String,
    /// Shop.
    pub store: String,
    /// This box.
    pub node: String,
    /// Name for people.
    pub name: String,
    /// IANA time zone of the shop.
    pub timezone: String,
    /// How far full local hours lie behind full UTC hours, s.
    pub hour_phase_s: u32,
    /// When cameras are watched, by the clock on the shop's wall, "10:00-21:00"; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

/// What a figure needs to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The profile; only `threshold` exists so far.
    pub profile: Profile,
    /// Fewest distinct visits behind a released figure.
    pub k: u32,
    /// Fewest people on a floor, or between the places of a camera, where the site file says; ask [`Gate::crowd_min`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd_min: Option<u32>,
}

impl Gate {
    /// Fewest people on a floor, or between the places of a camera, before anything of its paths is released.
    #[must_use]
    pub fn crowd_min(&self) -> u32 {
        self.crowd_min.unwrap_or(self.k)
    }
}

/// How figures are made releasable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Exact from `k` distinct visits on, withheld below, with complementary suppression.
    Threshold,
}

/// Which model finds people, and on what it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorChoice {
    /// A known model's name, or a path to an ONNX file.
    pub model: String,
    /// Size of the model's input; chosen from the picture's shape when absent.
    pub size: Option<PictureSize>,
    /// Detect workers, one session and one thread each.
    pub workers: u32,
    /// What the network runs on.
    #[serde(default, skip_serializing_if = "Accelerator::is_cpu")]
    pub accelerator: Accelerator,
    /// Scores in place of the model's own, for pictures it is less or more sure of than most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreLevels>,
}

/// What a network runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor: always there.
    #[default]
    Cpu,
    /// Intel processors and graphics, through OpenVINO.
    Openvino,
    /// NVIDIA graphics, through CUDA.
    Cuda,
}

impl Accelerator {
    /// Whether it is the processor itself.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        *self == Self::Cpu
    }
}

impl std::str::FromStr for Accelerator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Cpu, Self::Openvino, Self::Cuda];
        let found = all.into_iter().find(|accelerator| accelerator.to_string() == text);
        found.ok_or_else(|| format!("\"{text}\" is no accelerator; write cpu, openvino or cuda"))
    }
}

impl std::fmt::Display for Accelerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Openvino => "openvino",
            Self::Cuda => "cuda",
        })
    }
}

/// A floor: the grid of a heatmap in the store frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Name on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Side of a cell, mm; never below 1 m.
    pub cell_mm: u32,
    /// Lower left corner of the grid in the store frame, mm.
    pub origin_mm: [i64; 2],
    /// Columns of the grid (along the door wall).
    pub columns: u32,
    /// Rows of the grid (away from the door).
    pub rows: u32,
}

impl Floor {
    /// Number of cells.
    #[must_use]
    pub fn cell_count(&self) -> usize {
        self.columns as usize * self.rows as usize
    }
}

/// A camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Name on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Index of the floor it looks at.
    pub floor: Option<usize>,
    /// Rate of a recording whose header lies, frames per second.
    pub fps: Option<f64>,
    /// How often its pictures are looked at, per second; absent: a live camera as by default, a recording whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_per_s: Option<f64>,
    /// Hardware decoder to try, by FFmpeg's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<String>,
    /// Sensitivity of the motion gate, where the site file gives one; ask [`Camera::motion`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion: Option<f64>,
    /// Whether what has not moved since the start counts as nobody, where the site file says; ask
    /// [`Camera::is_motionless_nobody`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motionless: Option<bool>,
    /// Which point of a person is where they are.
    #[serde(default, skip_serializing_if = "Anchor::is_foot")]
    pub anchor: Anchor,
    /// Point pairs picture–floor; empty when uncalibrated.
    pub calibration: Vec<PointPair>,
}

impl Camera {
    /// Sensitivity of its motion gate, 0–1: a place in the picture has moved when it became brighter or darker by 1 ÷ motion
    /// of 255 grey levels. 0: there is no gate, every frame is looked at.
    #[must_use]
    pub fn motion(&self) -> f64 {
        self.motion.unwrap_or(MOTION_DEFAULT)
    }

    /// Whether what has not moved since the camera began to watch counts as nobody.
    #[must_use]
    pub fn is_motionless_nobody(&self) -> bool {
        self.motionless.unwrap_or(true)
    }
}

/// One mark seen by the camera and measured on the floor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointPair {
    /// Where it is in the picture, px.
    pub px: [f64; 2],
    /// Where it is on the floor, m.
    pub m: [f64; 2],
}

/// Points drawn on the picture of a camera or measured on the floor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Drawn {
    /// On the camera's picture, px.
    OnPicture(Vec<[f64; 2]>),
    /// On the floor, m.
    OnFloor(Vec<[f64; 2]>),
}

impl Drawn {
    /// The bare coordinates.
    #[must_use]
    pub fn points(&self) -> &[[f64; 2]] {
        match self {
            Self::OnPicture(points) | Self::OnFloor(points) => points,
        }
    }
}

/// A counting line from one end to the other, with the side that is inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Name on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Index of the camera that watches it.
    pub camera: usize,
    /// The two ends, then a point on the inner side.
    pub ends_and_inside: Drawn,
}

/// A zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Name on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Index of the camera that watches it.
    pub camera: usize,
    /// Corners in order.
    pub polygon: Drawn,
}

/// A place people visit: a zone, or a line, which is a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Zone with this index.
    Zone(usize),
    /// Line with this index.
    Line(usize),
}

/// A queue: a zone where people wait to be served somewhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Name on the wire.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Index of the zone in which they wait.
    pub zone: usize,
    /// Where they are served: a zone or a line before the same camera.
    pub served_by: Place,
    /// Waits longer than this are told apart, ms.
    pub target_ms: u32,
}

/// A place where nobody counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ignore {
    /// Name in the site file.
    pub id: String,
    /// Indices of the cameras that see it.
    pub cameras: Vec<usize>,
    /// Corners in order.
    pub polygon: Drawn,
}

impl Settings {
    /// Fingerprint of everything that decides what is measured and released.
    ///
    /// Both processes derive it for themselves; a record with another one ends the eye.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_vec(self).expect("settings are plain data");
        let digest = Sha256::digest(&text);
        u64::from_le_bytes(digest[..8].try_into().expect("a SHA-256 digest has 32 bytes"))
    }

    /// The places of a camera between which ways lead: its zones, then its lines, each in the order of the settings.
    /// Where a way begins or ends is one node more, the last.
    #[must_use]
    pub fn places(&self, camera: usize) -> Vec<Place> {
        let zones = self.zones.iter().enumerate().filter(|(_, zone)| zone.camera == camera);
        let lines = self.lines.iter().enumerate().filter(|(_, line)| line.camera == camera);
        zones.map(|(index, _)| Place::Zone(index)).chain(lines.map(|(index, _)| Place::Line(index))).collect()
    }

    /// Narrows the site to one camera with its lines, zones and floor, for the replay of one recording.
    pub fn keep_camera(&mut self, camera: usize) {
        let mut kept = self.cameras.swap_remove(camera);
        self.floors = kept.floor.map(|floor| self.floors.swap_remove(floor)).into_iter().collect();
        kept.floor = kept.floor.map(|_| 0);
        self.cameras = vec![kept];
        let places = self.places(camera);
        let kept_index = |place: Place| {
            let is_alike = |one: &&Place| std::mem::discriminant(*one) == std::mem::discriminant(&place);
            places.iter().filter(is_alike).position(|one| *one == place)
        };
        self.queues.retain_mut(|queue| {
            let zone = kept_index(Place::Zone(queue.zone));
            let served_by = kept_index(queue.served_by).map(|index| match queue.served_by {
                Place::Zone(_) => Place::Zone(index),
                Place::Line(_) => Place::Line(index),
            });
            if let Some((zone, served_by)) = zone.zip(served_by) {
                (queue.zone, queue.served_by) = (zone, served_by);
            }
            zone.is_some()
        });
        self.lines.retain(|line| line.camera == camera);
        self.lines.iter_mut().for_each(|line| line.camera = 0);
        self.zones.retain(|zone| zone.camera == camera);
        self.zones.iter_mut().for_each(|zone| zone.camera = 0);
        self.ignores.retain(|ignore| ignore.cameras.contains(&camera));
        self.ignores.iter_mut().for_each(|ignore| ignore.cameras = vec![0]);
    }

    /// The fingerprint as it stands in payloads.
    #[must_use]
    pub fn revision(&self) -> String {
        format!("c{:08x}", self.fingerprint() >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_went_through_the_pipe_have_the_same_fingerprint() {
        let mut settings = site::parse(&std::fs::read_to_string("deploy/demo.toml").expect("the demo's site"), "demo")
            .expect("a good site")
            .settings;
        settings.cameras[0].calibration[0].m = [21.372943987023366, 13.049999999999999];
        let text = serde_json::to_string(&settings).expect("plain data");
        let heard: Settings = serde_json::from_str(&text).expect("plain data");
        assert_eq!(heard.fingerprint(), settings.fingerprint());
    }

    #[test]
    fn what_is_kept_of_one_camera_is_still_tied_together() {
        let shop = "[store]\norg = \"t\"\nstore = \"t\"\nnode = \"t\"\ntimezone = \"UTC\"\n";
        let camera = |id: &str| {
            let of = format!("camera = \"{id}\"\n");
            let corners = "polygon_px = [[0, 0], [9, 0], [9, 9]]\n";
            format!(
                "[[camera]]\nid = \"{id}\"\n[[zone]]\nid = \"{id}-wait\"\n{of}{corners}[[zone]]\nid = \"{id}-till\"\n{of}{corners}\
                 [[line]]\nid = \"{id}-side\"\n{of}ends_px = [[0, 0], [9, 0]]\ninside_px = [5, 5]\n\
                 [[queue]]\nid = \"{id}-one\"\nzone = \"{id}-wait\"\nserved_by = \"{id}-till\"\n\
                 [[queue]]\nid = \"{id}-two\"\nzone = \"{id}-wait\"\nserved_by = \"{id}-side\"\n"
            )
        };
        let site = site::parse(&(shop.to_owned() + &camera("a") + &camera("b")), "two cameras").expect("a good site");
        let mut settings = site.settings;
        settings.keep_camera(1);
        let ties: Vec<(&str, &str)> = settings
            .queues
            .iter()
            .map(|queue| {
                let served_by = match queue.served_by {
                    Place::Zone(zone) => &settings.zones[zone].id,
                    Place::Line(line) => &settings.lines[line].id,
                };
                (settings.zones[queue.zone].id.as_str(), served_by.as_str())
            })
            .collect();
        assert_eq!(ties, [("b-wait", "b-till"), ("b-wait", "b-side")]);
        assert_eq!(settings.places(0), [Place::Zone(0), Place::Zone(1), Place::Line(0)]);
    }
}
