//! Processes, threads, channels: the stages joined to an eye and a mouth.
//!
//! The mouth starts the eye, hands it its [`EyeJob`] on standard input and reads 256-byte records from it. An eye
//! that dies is replaced, one that says something unforeseen is ended, recorded and replaced; whoever loses the other ends itself.

pub mod bench;
mod discretion;
pub mod eye;
#[cfg(feature = "mouth")]
pub mod eyewitness;
#[cfg(debug_assertions)]
mod fault;
pub mod feed;
mod footprint;
mod hygiene;
pub mod latest;
pub mod lookout;
#[cfg(feature = "mouth")]
pub mod mouth;
mod pace;
mod probe;
mod teller;
mod worker;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::card::DetectorCard;
use crate::config::{Accelerator, CameraSource, Settings};
use crate::health::walls::Walls;
use crate::sandbox::{Cage, door_of};
use crate::units::PictureSize;
use crate::wire::record::ration::Errand;

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
    /// Walls to raise before all else, as [`Walls::bits`]: those its twin was told to raise.
    pub walls: u32,
    /// Those that stood round its twin, and must stand round it.
    pub proved: u32,
    /// Where a twin tries to get out.
    pub twin: Option<TwinJob>,
    /// Whether nothing of a picture is overwritten once it was looked at: for the controls of the forensic test and of
    /// `kehai report --memory`, which must find something then, and to measure what overwriting costs. No command that opens a camera asks for it.
    pub leaves_traces: bool,
}

impl EyeJob {
    /// Doors of the network cameras, each once.
    #[must_use]
    pub fn doors(&self) -> Vec<SocketAddr> {
        let mut doors = Vec::new();
        for feed in &self.feeds {
            let door = feed.origin.network_camera().map(|source| door_of(feed.camera, source));
            doors.extend(door.filter(|door| !doors.contains(door)));
        }
        match &self.twin {
            // A twin of an eye that reads recordings has no network at all, as that eye has none.
            Some(twin) if !doors.is_empty() => vec![(Ipv4Addr::LOCALHOST, twin.camera).into()],
            _ => doors,
        }
    }

    /// Looks for every network camera at its door.
    pub fn go_through_doors(&mut self) {
        for feed in &mut self.feeds {
            if let Some(source) = feed.origin.network_camera() {
                feed.origin = Origin::Live(source.at(door_of(feed.camera, source)));
            }
        }
    }

    /// What the eye needs that gets this job.
    #[must_use]
    pub fn cage(&self) -> Cage {
        // The runtime library looks for its own parts beside it.
        let runtime = self.runtime.parent().map(PathBuf::from);
        let recordings = self.feeds.iter().filter_map(|feed| feed.origin.recording());
        let usb = |feed: &Feed| match &feed.origin {
            Origin::Live(source) => source.usb_device(),
            _ => None,
        };
        let of_decoder = self.settings.cameras.iter().any(|camera| camera.decoder.is_some());
        let is_accelerated = of_decoder || self.settings.detector.accelerator != Accelerator::Cpu;
        let devices = self.feeds.iter().filter_map(usb);
        Cage {
            walls: Walls::from_bits(self.walls),
            readable: [self.model.clone()].into_iter().chain(runtime).chain(recordings).collect(),
            devices: devices.chain(ACCELERATORS.iter().filter(|_| is_accelerated).map(PathBuf::from)).collect(),
            doors: self.doors(),
        }
    }
}

/// What a twin is told: see [`crate::sandbox::escapes::Plan`].
#[derive(Clone, Serialize, Deserialize)]
pub struct TwinJob {
    /// An empty folder.
    pub folder: PathBuf,
    /// Port of the witness of datagrams.
    pub udp: u16,
    /// Port of the witness of connections.
    pub tcp: u16,
    /// Port of the witness that stands for another host's camera.
    pub camera: u16,
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
    /// The camera, where it is one on the network.
    #[must_use]
    pub fn network_camera(&self) -> Option<&CameraSource> {
        match self {
            Self::Live(source) if source.usb_device().is_none() => Some(source),
            _ => None,
        }
    }

    /// The recording, where it is one.
    #[must_use]
    pub fn recording(&self) -> Option<PathBuf> {
        match self {
            Self::Live(_) => None,
            Self::Recorded { path, .. } | Self::Looped { path, .. } => Some(path.clone()),
        }
    }

    /// Whether only OpenCV reads it: a USB camera or a folder of pictures.
    #[must_use]
    pub fn needs_opencv(&self) -> bool {
        match self {
            Self::Live(source) => source.usb_device().is_some(),
            Self::Recorded { path, .. } | Self::Looped { path, .. } => path.is_dir(),
        }
    }
}

/// Devices of accelerators and hardware decoders. Not tried: no such device was at hand.
const ACCELERATORS: [&str; 6] =
    ["/dev/dri", "/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/video10"];

/// Longest job an eye reads, bytes.
pub const JOB_BYTES_MAX: usize = 4 << 20;
