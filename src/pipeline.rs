//! Processes, threads, channels: the stages joined to an eye and a mouth.
//!
//! The mouth starts the eye, hands it its [`EyeJob`] on standard input and reads 256-byte records from it. An eye
//! that dies is replaced, one that says something unforeseen is ended; whoever loses the other ends itself.

pub mod bench;
mod discretion;
pub mod eye;
#[cfg(feature = "mouth")]
pub mod eyewitness;
#[cfg(debug_assertions)]
mod fault;
pub mod feed;
mod footprint;
pub mod latest;
pub mod lookout;
#[cfg(feature = "mouth")]
pub mod mouth;
mod pace;
mod probe;
mod worker;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clock::Timeline;
use crate::config::card::DetectorCard;
use crate::config::{CameraSource, Settings};
use crate::units::PictureSize;

/// Everything an eye is told, on standard input and nowhere else (credentials inside).
#[derive(Clone, Serialize, Deserialize)]
pub struct EyeJob {
    /// What is measured and released.
    pub settings: Settings,
    /// What the model wants.
    pub card: DetectorCard,
    /// The model file, absolute.
    pub model: PathBuf,
    /// The runtime library, absolute.
    pub runtime: PathBuf,
    /// Where pictures come from, one for every camera that is watched.
    pub feeds: Vec<Feed>,
    /// What to do.
    pub errand: Errand,
}

/// Where the pictures of one camera come from.
#[derive(Clone, Serialize, Deserialize)]
pub struct Feed {
    /// Index of the camera.
    pub camera: usize,
    /// Live or recorded.
    pub origin: Origin,
    /// Size of its pictures, where an earlier eye has seen them.
    pub picture: Option<PictureSize>,
}

/// Live or recorded.
#[derive(Clone, Serialize, Deserialize)]
pub enum Origin {
    /// A camera; newest wins.
    Live(CameraSource),
    /// A recording; nothing is dropped.
    Recorded {
        /// Clip or folder of pictures, absolute.
        path: PathBuf,
        /// Its true rate, where the header does not say it.
        fps: Option<f64>,
        /// Every how manyth frame is looked at.
        every: u32,
        /// Whether to wait for the time between frames to pass.
        realtime: bool,
    },
    /// A recording that plays as a live camera does, in real time and for ever; newest wins.
    Looped {
        /// Clip or folder of pictures, absolute.
        path: PathBuf,
        /// Its true rate, where the header does not say it.
        fps: Option<f64>,
        /// When it is looked at within the time from one look to the next, 0–1: cameras do not keep step.
        phase: f64,
    },
}

impl Origin {
    /// Whether only OpenCV reads it: a USB camera or a folder of pictures.
    #[must_use]
    pub fn needs_opencv(&self) -> bool {
        match self {
            Self::Live(source) => source.usb_device().is_some(),
            Self::Recorded { path, .. } | Self::Looped { path, .. } => path.is_dir(),
        }
    }
}

/// What an eye is started for.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum Errand {
    /// Watch cameras until ended.
    Watch,
    /// Replay recordings once, their first frame at the zero of this timeline.
    Replay(Timeline),
    /// Measure what the recording costs: this many rounds, each once bare and once whole.
    Bench(u32),
    /// Watch recordings that play as cameras do, and measure what this many seconds of it cost.
    BenchLive(u32),
    /// Open each camera, count what it sends for this many seconds, and say how it does.
    Probe(u32),
}

/// Longest job an eye reads, bytes.
pub const JOB_BYTES_MAX: usize = 4 << 20;
