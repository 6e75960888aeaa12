//! The checks of the site file: raw values in, settings out, every problem collected on the way.
//!
//! In: [`RawSite`] as the parser read it. Out: [`Site`] and the list of [`Problem`]s.
//! Invariant: nothing is corrected silently; a site with one problem is not used.

pub(super) mod broker;
mod commands;
pub(super) mod declared;
mod gate;
mod queue;
mod vault;

use std::collections::{BTreeMap, BTreeSet};

use declared::{RawDeclared, RawNotice};

use super::hours::{HOURS_REMEDY, Hours};
use super::site::{Problem, RawCamera, RawDetector, RawFloor, RawIgnore, RawLine, RawSite, RawStore, RawZone, Site};
use super::{
    Camera, CameraSource, DetectorChoice, Drawn, FLOOR_CELLS_MAX, Floor, Ignore, LOOKS_PER_S, Line, MODEL_DEFAULT,
    Outlets, PointPair, Settings, Store, WORKERS_MAX, Zone,
};

/// Collects problems while the raw file becomes settings.
#[derive(Default)]
pub(super) struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn refuse(&mut self, key: impl Into<String>, value: impl std::fmt::Display, remedy: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), value: value.to_string(), remedy: remedy.into() });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn site(&mut self, raw: RawSite) -> Site {
        let store = self.store(&raw.store, raw.switch.hours.as_deref());
        let region = raw.notice.as_ref().and_then(RawNotice::region);
        let gate = self.gate(&raw.gate, region);
        self.dangers(region, raw.dangerous_allow_unsandboxed, raw.broker.as_ref());
        let detector = self.detector(raw.detector);
        let metrics = (!raw.purposes.is_empty()).then(|| raw.purposes.keys().copied().collect());
        let (notice, recipients, switch) = (raw.notice, raw.recipient, raw.switch);
        let declared =
            self.declared(RawDeclared { notice, purposes: raw.purposes, recipients, switch, vault: &raw.vault });
        let command_keys = self.commands(raw.commands);
        let outlets = Outlets { command_keys, ..self.outlets(raw.broker, raw.page, &raw.vault) };
        let floors: Vec<Floor> = raw.floor.iter().map(|floor| self.floor(floor)).collect();
        if raw.camera.is_empty() {
            self.refuse("camera", "[]", "name at least one [[camera]]");
        }
        let sources: Vec<_> = raw.camera.iter().map(|camera| camera.url.clone().map(CameraSource::new)).collect();
        let cameras: Vec<Camera> = raw.camera.iter().map(|camera| self.camera(camera, &floors)).collect();
        let lines: Vec<Line> = raw.line.into_iter().map(|line| self.line(line, &cameras)).collect();
        let zones: Vec<Zone> = raw.zone.into_iter().map(|zone| self.zone(zone, &cameras)).collect();
        let ignores: Vec<Ignore> = raw.ignore.into_iter().map(|raw| self.ignore(raw, &cameras, &floors)).collect();
        let queues = raw.queue.into_iter().map(|queue| self.queue(queue, &zones, &lines)).collect::<Vec<_>>();
        self.unique("floor", floors.iter().map(|floor| floor.id.as_str()));
        self.unique("camera", cameras.iter().map(|camera| camera.id.as_str()));
        self.unique("line", lines.iter().map(|line| line.id.as_str()));
        self.unique("zone", zones.iter().map(|zone| zone.id.as_str()));
        self.unique("queue", queues.iter().map(|queue| queue.id.as_str()));
        self.streams(&cameras, &sources);
        self.unique("ignore", ignores.iter().map(|ignore| ignore.id.as_str()));
        Site {
            settings: Settings {
                dangerous_allow_unsandboxed: raw.dangerous_allow_unsandboxed,
                store,
                gate,
                detector,
                floors,
                cameras,
                lines,
                zones,
                queues,
                ignores,
                metrics,
                declaration: None,
            },
            outlets,
            declared,
            sources,
        }
    }

    fn store(&mut self, raw: &RawStore, hours: Option<&str>) -> Store {
        if let Some(hours) = hours.filter(|hours| Hours::read(hours).is_err()) {
            self.refuse("switch.hours", quoted(hours), HOURS_REMEDY);
        }
        for (key, value) in [("org", &raw.org), ("store", &raw.store), ("node", &raw.node)] {
            self.id(&format!("store.{key}"), value);
        }
        let offset_s = match jiff::tz::TimeZone::get(&raw.timezone) {
            Ok(zone) => zone
                .to_offset(jiff::Timestamp::from_millisecond(crate::clock::utc_now().0).unwrap_or_default())
                .seconds(),
            Err(_) => {
                self.refuse(
                    "store.timezone",
                    quoted(&raw.timezone),
                    "name an IANA time zone, for example \"Asia/Tokyo\"",
                );
                0
            }
        };
        Store {
            org: raw.org.clone(),
            store: raw.store.clone(),
            node: raw.node.clone(),
            name: raw.name.clone().unwrap_or_else(|| raw.store.clone()),
            timezone: raw.timezone.clone(),
            hour_phase_s: (-offset_s).rem_euclid(3600) as u32,
            hours: hours.map(str::to_owned),
        }
    }

    fn detector(&mut self, raw: Option<RawDetector>) -> DetectorChoice {
        let raw = raw.unwrap_or_default();
        let workers = raw.workers.unwrap_or(1);
        if !(1..=WORKERS_MAX).contains(&workers) {
            self.refuse("detector.workers", workers, format!("write 1 to {WORKERS_MAX}; one per core at most"));
        }
        if let Some(size) =
            raw.size.filter(|size| [size.height, size.width].iter().any(|px| !(1..=SIDE_PX_MAX).contains(px)))
        {
            let value = format!("{{ height = {}, width = {} }}", size.height, size.width);
            self.refuse("detector.size", value, format!("write sides of 1 to {SIDE_PX_MAX} px"));
        }
        if let Some(score) = raw.score.filter(|score| !score.is_in_order()) {
            self.refuse("detector.score", score, "write low < high < birth, above 0 and below 1");
        }
        let model = raw.model.unwrap_or_else(|| MODEL_DEFAULT.to_owned());
        let accelerator = raw.accelerator.unwrap_or_default();
        DetectorChoice { model, size: raw.size, workers, accelerator, score: raw.score }
    }

    fn floor(&mut self, raw: &RawFloor) -> Floor {
        let key = |part: &str| format!("floor.{}.{part}", raw.id);
        self.id("floor.id", &raw.id);
        // A floor's heat is published as `{floor}-visits` and `{floor}-dwell`, which are ids too.
        if raw.id.len() > ID_CHARS_MAX - "-visits".len() {
            let most = ID_CHARS_MAX - "-visits".len();
            self.refuse(
                "floor.id",
                quoted(&raw.id),
                format!("write {most} characters at most: its heatmaps add to it"),
            );
        }
        if !(CELL_M_MIN..=CELL_M_MAX).contains(&raw.cell_m) {
            self.refuse(
                key("cell_m"),
                raw.cell_m,
                format!("write {CELL_M_MIN} to {CELL_M_MAX} metres; smaller cells would show single steps"),
            );
        }
        let cells = |length_m: f64| (length_m / raw.cell_m.clamp(CELL_M_MIN, CELL_M_MAX)).ceil();
        let (columns, rows) = (cells(raw.size_m[0]), cells(raw.size_m[1]));
        if !(columns >= 1.0 && rows >= 1.0 && columns * rows <= FLOOR_CELLS_MAX as f64) {
            let remedy = format!(
                "write a width and depth in metres with 1 to {FLOOR_CELLS_MAX} cells of {} m in all",
                raw.cell_m
            );
            self.refuse(key("size_m"), format!("{:?}", raw.size_m), remedy);
        }
        if !raw.origin_m.iter().all(|m| m.abs() <= REACH_M_MAX) {
            let remedy = format!("write two finite numbers of metres, at most {REACH_M_MAX} from the store's zero");
            self.refuse(key("origin_m"), format!("{:?}", raw.origin_m), remedy);
        }
        let mm = |m: f64| (m * 1000.0).round();
        Floor {
            id: raw.id.clone(),
            name: raw.name.clone().unwrap_or_else(|| raw.id.clone()),
            cell_mm: mm(raw.cell_m) as u32,
            origin_mm: [mm(raw.origin_m[0]) as i64, mm(raw.origin_m[1]) as i64],
            columns: columns as u32,
            rows: rows as u32,
        }
    }

    fn camera(&mut self, raw: &RawCamera, floors: &[Floor]) -> Camera {
        let key = |part: &str| format!("camera.{}.{part}", raw.id);
        self.id("camera.id", &raw.id);
        self.looks(raw);
        // What one reader of addresses takes for the end of the host another takes for a part of the password.
        let is_plain = |url: &String| !url.contains(['#', '\\']) && !url.contains(|c: char| c.is_control() || c == ' ');
        let is_rtsp = |url: &String| url.starts_with("rtsp://") && is_plain(url);
        let is_usb = |url: &String| CameraSource::new(url.clone()).usb_device().is_some();
        if raw.url.as_ref().is_some_and(|url| !is_rtsp(url) && !is_usb(url)) {
            self.refuse(
                key("url"),
                "…",
                "write rtsp://HOST:PORT/PATH without blanks, # and \\ (in a password: %20, %23, %5C), or usb:0 or usb:/dev/videoN for a camera on this machine's USB; recordings are given to `kehai replay`, not to a camera",
            );
        }
        let in_reach = |value: &f64| (-REACH_M_MAX..=REACH_M_MAX).contains(value);
        let wild = |pair: &&PointPair| !pair.px.iter().chain(&pair.m).all(in_reach);
        if let Some(pair) = raw.calibration.iter().find(wild) {
            let value = format!("{{ px = {:?}, m = {:?} }}", pair.px, pair.m);
            self.refuse(key("calibration"), value, "write finite px and metres");
        }
        let floor = raw.floor.as_ref().and_then(|id| {
            let index = floors.iter().position(|floor| floor.id == *id);
            if index.is_none() {
                self.refuse(key("floor"), quoted(id), "name the id of a [[floor]]");
            }
            index
        });
        if floor.is_some() && raw.calibration.is_empty() {
            self.refuse(
                key("floor"),
                quoted(raw.floor.as_deref().unwrap_or_default()),
                "a heatmap needs metres: add four or more [[camera.calibration]] point pairs, or drop `floor`",
            );
        }
        Camera {
            id: raw.id.clone(),
            name: raw.name.clone().unwrap_or_else(|| raw.id.clone()),
            floor,
            fps: raw.fps,
            looks_per_s: raw.looks_per_s,
            decoder: raw.decoder.clone(),
            motion: raw.motion,
            motionless: raw.motionless,
            anchor: raw.anchor,
            calibration: raw.calibration.clone(),
        }
    }

    /// How a camera is looked at.
    fn looks(&mut self, raw: &RawCamera) {
        let key = |part: &str| format!("camera.{}.{part}", raw.id);
        if let Some(fps) = raw.fps.filter(|fps| !(0.1..=240.0).contains(fps)) {
            self.refuse(key("fps"), fps, "write the recording's true rate, 0.1 to 240 frames per second");
        }
        if let Some(rate) = raw.looks_per_s.filter(|rate| !LOOKS_PER_S.contains(rate)) {
            let remedy = format!("write {} to {} looks per second", LOOKS_PER_S.start(), LOOKS_PER_S.end());
            self.refuse(key("looks_per_s"), rate, remedy);
        }
        if let Some(name) = raw.decoder.as_ref().filter(|name| !DECODERS.contains(&name.as_str())) {
            self.refuse(key("decoder"), quoted(name), format!("write one of {}, or leave it out", DECODERS.join(", ")));
        }
        if let Some(motion) = raw.motion.filter(|motion| *motion != 0.0 && !(MOTION_MIN..=1.0).contains(motion)) {
            let remedy = format!(
                "write {MOTION_MIN} to 1 (a change of 1 / motion grey levels counts), or 0 to look at every frame"
            );
            self.refuse(key("motion"), motion, remedy);
        }
    }

    fn line(&mut self, raw: RawLine, cameras: &[Camera]) -> Line {
        self.id("line.id", &raw.id);
        let key = format!("line.{}", raw.id);
        let camera = self.watching(&key, raw.camera.as_deref(), cameras);
        let drawn = match (raw.ends_px, raw.inside_px, raw.ends_m, raw.inside_m) {
            (Some([a, b]), Some(inside), None, None) => Drawn::OnPicture(vec![a, b, inside]),
            (None, None, Some([a, b]), Some(inside)) => Drawn::OnFloor(vec![a, b, inside]),
            _ => {
                self.refuse(
                    &key,
                    "…",
                    "write ends_px with inside_px (on the picture), or ends_m with inside_m (on the floor)",
                );
                Drawn::OnPicture(vec![[0.0; 2], [1.0, 0.0], [0.0, 1.0]])
            }
        };
        if let [a, b, inside] = drawn.points() {
            let cross = (b[0] - a[0]) * (inside[1] - a[1]) - (b[1] - a[1]) * (inside[0] - a[0]);
            if cross.abs() < 1e-9 {
                self.refuse(
                    format!("{key}.inside"),
                    format!("{inside:?}"),
                    "two different ends, and a point clearly to one side of the line",
                );
            }
        }
        self.metric(&key, &drawn, camera, cameras);
        Line { name: raw.name.unwrap_or_else(|| raw.id.clone()), id: raw.id, camera, ends_and_inside: drawn }
    }

    fn zone(&mut self, raw: RawZone, cameras: &[Camera]) -> Zone {
        self.id("zone.id", &raw.id);
        let key = format!("zone.{}", raw.id);
        let camera = self.watching(&key, raw.camera.as_deref(), cameras);
        let polygon = self.polygon(&key, raw.polygon_px, raw.polygon_m);
        self.metric(&key, &polygon, camera, cameras);
        Zone { name: raw.name.unwrap_or_else(|| raw.id.clone()), id: raw.id, camera, polygon }
    }

    fn ignore(&mut self, raw: RawIgnore, cameras: &[Camera], floors: &[Floor]) -> Ignore {
        self.id("ignore.id", &raw.id);
        let key = format!("ignore.{}", raw.id);
        let polygon = self.polygon(&key, raw.polygon_px, raw.polygon_m);
        let watching: Vec<usize> = match &raw.floor {
            Some(id) => self.looking_at(&key, id, cameras, floors),
            None => vec![self.watching(&key, raw.camera.as_deref(), cameras)],
        };
        if let (Some(floor), Some(camera)) = (&raw.floor, &raw.camera) {
            self.refuse(
                &key,
                format!("{} and {}", quoted(floor), quoted(camera)),
                "name a floor or a camera, not both",
            );
        }
        if raw.floor.is_some() && matches!(polygon, Drawn::OnPicture(_)) {
            self.refuse(format!("{key}.polygon_px"), "on a floor", "write polygon_m (in metres), or name a camera");
        }
        let shown = watching.first().copied().unwrap_or_default();
        self.metric(&key, &polygon, shown, cameras);
        Ignore { id: raw.id, cameras: watching, polygon }
    }

    /// The cameras that look at a floor.
    fn looking_at(&mut self, key: &str, id: &str, cameras: &[Camera], floors: &[Floor]) -> Vec<usize> {
        let Some(floor) = floors.iter().position(|floor| floor.id == id) else {
            self.refuse(format!("{key}.floor"), quoted(id), "name the id of a [[floor]]");
            return Vec::new();
        };
        let looking: Vec<usize> = (0..cameras.len()).filter(|index| cameras[*index].floor == Some(floor)).collect();
        if looking.is_empty() {
            self.refuse(format!("{key}.floor"), quoted(id), "no camera looks at it; name a camera instead");
        }
        looking
    }

    fn polygon(&mut self, key: &str, px: Option<Vec<[f64; 2]>>, m: Option<Vec<[f64; 2]>>) -> Drawn {
        let polygon = match (px, m) {
            (Some(points), None) => Drawn::OnPicture(points),
            (None, Some(points)) => Drawn::OnFloor(points),
            _ => {
                self.refuse(key, "…", "write either polygon_px (on the picture) or polygon_m (on the floor)");
                return Drawn::OnPicture(Vec::new());
            }
        };
        if !(3..=CORNERS_MAX).contains(&polygon.points().len()) {
            self.refuse(
                format!("{key}.polygon"),
                format!("{} corners", polygon.points().len()),
                format!("write 3 to {CORNERS_MAX} corners"),
            );
        }
        polygon
    }

    /// The camera a place belongs to; with a single camera it need not be named.
    fn watching(&mut self, key: &str, camera: Option<&str>, cameras: &[Camera]) -> usize {
        match camera {
            None if cameras.len() == 1 => 0,
            None => {
                self.refuse(format!("{key}.camera"), "missing", "name the camera that watches it");
                0
            }
            Some(id) => cameras.iter().position(|camera| camera.id == id).unwrap_or_else(|| {
                self.refuse(format!("{key}.camera"), quoted(id), "name the id of a [[camera]]");
                0
            }),
        }
    }

    fn metric(&mut self, key: &str, drawn: &Drawn, camera: usize, cameras: &[Camera]) {
        let bare = cameras.get(camera).is_some_and(|camera| camera.calibration.is_empty());
        if matches!(drawn, Drawn::OnFloor(_)) && bare {
            self.refuse(
                key,
                "in metres",
                "its camera has no calibration; draw it in pixels (…_px), or calibrate the camera",
            );
        }
        if drawn.points().iter().flatten().any(|value| !value.is_finite() || value.abs() > 1e5) {
            self.refuse(key, format!("{:?}", drawn.points()), "coordinates must be finite and below 100000");
        }
    }

    fn id(&mut self, key: &str, id: &str) {
        let well_formed = (1..=ID_CHARS_MAX).contains(&id.len())
            && id.bytes().all(is_id_byte)
            && id.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if !well_formed {
            self.refuse(
                key,
                quoted(id),
                format!("write 1 to {ID_CHARS_MAX} of a-z, 0-9, _ and -, beginning with a letter or digit"),
            );
        }
    }

    /// One stream under two names would be counted twice, and be seen by the second past what the first ignores.
    fn streams(&mut self, cameras: &[Camera], sources: &[Option<CameraSource>]) {
        let mut seen = BTreeMap::new();
        for (camera, source) in cameras.iter().zip(sources) {
            let Some(stream) = source.as_ref().map(CameraSource::without_credentials) else { continue };
            if let Some(first) = seen.insert(stream.clone(), &camera.id) {
                let remedy = format!("camera {first} is this very stream; name each stream once");
                self.refuse(format!("camera.{}.url", camera.id), quoted(&stream), remedy);
            }
        }
    }

    fn unique<'a>(&mut self, kind: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.refuse(format!("{kind}.id"), quoted(id), "used twice; every id of a kind must differ");
            }
        }
        if seen.len() > PLACES_MAX {
            self.refuse(kind, seen.len(), format!("at most {PLACES_MAX} of a kind"));
        }
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Largest side of a model input, px; no network for an edge box comes near it.
const SIDE_PX_MAX: u32 = 8192;
/// Least sensitivity of the motion gate: a change of twenty grey levels.
const MOTION_MIN: f64 = 0.05;
/// Hardware decoders by the names of FFmpeg (`libavutil/hwcontext.c`), those of Linux.
const DECODERS: [&str; 4] = ["vaapi", "qsv", "cuda", "drm"];
/// Smallest cell, m: below one square metre a cell shows single steps (PROMISES 4.4).
const CELL_M_MIN: f64 = 1.0;
/// Largest cell, m.
const CELL_M_MAX: f64 = 10.0;
/// Farthest a point may lie from zero, m or px: beyond it there is no shop.
const REACH_M_MAX: f64 = 1e5;
/// Longest id on the wire (CONTRACT §1).
const ID_CHARS_MAX: usize = 32;
/// Most corners of a zone.
const CORNERS_MAX: usize = 32;
/// Most cameras, lines, zones, queues or floors each.
const PLACES_MAX: usize = 64;
