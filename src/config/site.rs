//! The site file: TOML in, [`Site`] out, all problems named at once with key, value and remedy.
//!
//! In: the text of a site file. Out: [`Settings`], [`Outlets`] and the camera sources.
//! Invariant: every default of the product stands here; an unknown key is an error.

use std::path::PathBuf;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::card::ScoreLevels;
use super::check::Check;
use super::check::declared::{RawNotice, RawSwitch, hash_of};
use super::declared::{Declared, Metric, Recipient, Words};
use super::{Accelerator, CameraSource, Outlets, PointPair, QUOTA_MB_DEFAULT, Settings};
use crate::units::{Anchor, PictureSize};

/// A site file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// What is measured and released.
    pub settings: Settings,
    /// Where it goes.
    pub outlets: Outlets,
    /// What is said openly.
    pub declared: Declared,
    /// Where each camera's pictures come from, in the order of `settings.cameras`; none for cameras that
    /// only exist as recordings.
    pub sources: Vec<Option<CameraSource>>,
}

/// What is wrong with a site file.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The file could not be read.
    #[error(
        "site file {path}: {reason}; give a readable TOML file with --site (deploy/demo.toml is a commented sample)"
    )]
    Unreadable {
        /// Path as given.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Not TOML, or a key that does not exist, or a value of the wrong type.
    #[error("site file {path}: {reason}")]
    Malformed {
        /// Path as given.
        path: String,
        /// Where and what, as the parser says it.
        reason: String,
    },
    /// Values out of range or not fitting together.
    #[error("site file {path}: {}", list(problems))]
    Refused {
        /// Path as given.
        path: String,
        /// Every problem found.
        problems: Vec<Problem>,
    },
}

/// One wrong value.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Key as written in the file, for example `zone.till.polygon_px`.
    pub key: String,
    /// The value found.
    pub value: String,
    /// What would be right.
    pub remedy: String,
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|p| format!("{} = {}: {}", p.key, p.value, p.remedy)).collect();
    lines.join("\n  ")
}

/// Reads and checks a site file.
///
/// # Errors
/// [`SiteError`] with every problem found.
pub fn load(path: &std::path::Path) -> Result<Site, SiteError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| SiteError::Unreadable { path: shown.clone(), reason: error.to_string() })?;
    parse(&text, &shown)
}

/// Checks the text of a site file; `path` is only for messages.
///
/// # Errors
/// [`SiteError`] with every problem found.
pub fn parse(text: &str, path: &str) -> Result<Site, SiteError> {
    let raw: RawSite = toml::from_str(text)
        .map_err(|error| SiteError::Malformed { path: path.to_owned(), reason: malformed(text, &error) })?;
    let mut check = Check::default();
    let mut site = check.site(raw);
    site.settings.declaration = hash_of(text);
    match check.into_problems() {
        problems if problems.is_empty() => Ok(site),
        problems => Err(SiteError::Refused { path: path.to_owned(), problems }),
    }
}

/// What the parser found, in which line, and as much of that line as cannot hold a password: its value is shown only
/// where a key we know has a value of the wrong type and no address in it.
fn malformed(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split("://").next().unwrap_or_default().trim_end().replace('\n', "; ");
    let Some(span) = error.span() else { return message };
    let before = &text[..text.floor_char_boundary(span.start)];
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    let is_key = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]\" ".contains(&byte));
    // Broken syntax is "invalid" too, and may stand in a line we know nothing of.
    let is_of_wrong_type =
        ["invalid type", "invalid value", "invalid length"].iter().any(|kind| message.starts_with(kind));
    let shown = match line.split_once('=') {
        Some(_) if is_of_wrong_type && !line.contains("://") => format!("{line}: "),
        Some((key, _)) if is_key(key) => format!("{} = …: ", key.trim_end()),
        None if is_key(line) && line.starts_with('[') => format!("{line}: "),
        _ => String::new(),
    };
    format!("line {number}: {shown}{message}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    #[serde(default)]
    pub(super) dangerous_allow_unsandboxed: bool,
    pub(super) store: RawStore,
    #[serde(default)]
    pub(super) gate: RawGate,
    pub(super) broker: Option<RawBroker>,
    pub(super) page: Option<RawPage>,
    #[serde(default)]
    pub(super) vault: RawVault,
    pub(super) notice: Option<RawNotice>,
    #[serde(default)]
    pub(super) purposes: BTreeMap<Metric, Words>,
    #[serde(default)]
    pub(super) recipient: Vec<Recipient>,
    #[serde(default)]
    pub(super) switch: RawSwitch,
    #[serde(default)]
    pub(super) commands: RawCommands,
    pub(super) detector: Option<RawDetector>,
    #[serde(default)]
    pub(super) floor: Vec<RawFloor>,
    pub(super) camera: Vec<RawCamera>,
    #[serde(default)]
    pub(super) line: Vec<RawLine>,
    #[serde(default)]
    pub(super) zone: Vec<RawZone>,
    #[serde(default)]
    pub(super) queue: Vec<RawQueue>,
    #[serde(default)]
    pub(super) ignore: Vec<RawIgnore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) org: String,
    pub(super) store: String,
    pub(super) node: String,
    pub(super) name: Option<String>,
    pub(super) timezone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawGate {
    pub(super) profile: String,
    pub(super) k: Option<u32>,
    pub(super) crowd_min: Option<u32>,
}

impl Default for RawGate {
    fn default() -> Self {
        Self { profile: "threshold".to_owned(), k: None, crowd_min: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBroker {
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) embedded: bool,
    pub(super) port: Option<u16>,
    #[serde(default = "topic_root_default")]
    pub(super) topic_root: String,
    pub(super) protocol: Option<String>,
    pub(super) rate_per_s: Option<u32>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) user: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) dangerous_plaintext: bool,
    #[serde(default)]
    pub(super) home_assistant: bool,
    #[serde(default)]
    pub(super) images: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    pub(super) port: u16,
    pub(super) address: Option<String>,
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommands {
    #[serde(default)]
    pub(super) keys: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawVault {
    pub(super) folder: Option<std::path::PathBuf>,
    pub(super) keep_days: Option<u32>,
    pub(super) quota_mb: u32,
}

impl Default for RawVault {
    fn default() -> Self {
        Self { folder: None, keep_days: None, quota_mb: QUOTA_MB_DEFAULT }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDetector {
    pub(super) model: Option<String>,
    pub(super) size: Option<PictureSize>,
    pub(super) workers: Option<u32>,
    pub(super) accelerator: Option<Accelerator>,
    pub(super) score: Option<ScoreLevels>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFloor {
    pub(super) id: String,
    pub(super) name: Option<String>,
    #[serde(default = "cell_m_default")]
    pub(super) cell_m: f64,
    pub(super) origin_m: [f64; 2],
    pub(super) size_m: [f64; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCamera {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) floor: Option<String>,
    pub(super) url: Option<String>,
    pub(super) fps: Option<f64>,
    pub(super) looks_per_s: Option<f64>,
    pub(super) decoder: Option<String>,
    pub(super) motion: Option<f64>,
    pub(super) motionless: Option<bool>,
    #[serde(default)]
    pub(super) anchor: Anchor,
    #[serde(default)]
    pub(super) calibration: Vec<PointPair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLine {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) camera: Option<String>,
    pub(super) ends_px: Option<[[f64; 2]; 2]>,
    pub(super) inside_px: Option<[f64; 2]>,
    pub(super) ends_m: Option<[[f64; 2]; 2]>,
    pub(super) inside_m: Option<[f64; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawZone {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) camera: Option<String>,
    pub(super) polygon_px: Option<Vec<[f64; 2]>>,
    pub(super) polygon_m: Option<Vec<[f64; 2]>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) zone: String,
    pub(super) served_by: String,
    #[serde(default = "target_s_default")]
    pub(super) target_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIgnore {
    pub(super) id: String,
    pub(super) camera: Option<String>,
    pub(super) floor: Option<String>,
    pub(super) polygon_px: Option<Vec<[f64; 2]>>,
    pub(super) polygon_m: Option<Vec<[f64; 2]>>,
}

pub(super) fn topic_root_default() -> String {
    "kehai/v1".to_owned()
}

fn target_s_default() -> f64 {
    120.0
}

fn cell_m_default() -> f64 {
    1.0
}
