//! What every command that starts an eye needs: a checked site, a model, the runtime, and words for how it ended.

use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use super::cage::proved;
use super::model::{Model, resolve};
use super::{CAMERA, CONFIGURATION, Failure, MODEL, USAGE, finding};
use crate::capture::replay;
use crate::config::Accelerator;
use crate::config::site::{self, Site};
use crate::detect::Detector;
use crate::floor::calibrate::Calibration;
use crate::floor::{FloorMap, places_outside};
use crate::health::walls::Walls;
use crate::health::{ClipTrouble, EyeEvent, EyeEventCode, NoAccelerator, Silence};
use crate::pipeline::mouth::EyeEnd;
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::units::PictureSize;
use crate::wire::record::ration::Errand;

/// A site, a model and a runtime that exist and fit together, as far as can be told without a picture.
pub struct Prepared {
    /// The site file, checked.
    pub site: Site,
    /// The site file's path, for messages.
    pub path: PathBuf,
    /// The model.
    pub model: Model,
    /// The runtime library.
    pub runtime: PathBuf,
}

/// Checks everything that can be checked before a picture is seen.
pub fn prepare(path: &Path, model: Option<&str>) -> Result<Prepared, Failure> {
    let mut site = site::load(path)?;
    check_calibrations(&site, path)?;
    if let Some(model) = model {
        site.settings.detector.model = model.to_owned();
    }
    let mut model = resolve(&site.settings.detector.model)?;
    if let Some(score) = site.settings.detector.score {
        model.card.score = score;
    }
    Ok(Prepared { site, path: path.to_path_buf(), model, runtime: finding::runtime()? })
}

/// Refuses point pairs that do not make a floor.
pub fn check_calibrations(site: &Site, path: &Path) -> Result<(), Failure> {
    let calibrated = site.settings.cameras.iter().filter(|camera| !camera.calibration.is_empty());
    let problems: Vec<String> = calibrated
        .filter_map(|camera| {
            let error = Calibration::fit(&camera.calibration).err()?;
            let marks: Vec<[f64; 2]> = camera.calibration.iter().map(|pair| pair.px).collect();
            Some(format!("camera.{}.calibration = {marks:?} px: {error}", camera.id))
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::new(CONFIGURATION, format!("site file {}: {}", path.display(), problems.join("\n  "))))
}

/// The live cameras of a site.
///
/// # Errors
/// Exit 3 for a camera without an address.
pub fn feeds(site: &Site, path: &Path) -> Result<Vec<Feed>, Failure> {
    let mut feeds = Vec::new();
    for (camera, source) in site.sources.iter().enumerate() {
        let id = &site.settings.cameras[camera].id;
        let Some(source) = source else {
            let message = format!(
                "site file {}: camera.{id}.url is missing; write rtsp://HOST:PORT/PATH (recordings go through `kehai replay`)",
                path.display()
            );
            return Err(Failure::new(CONFIGURATION, message));
        };
        feeds.push(Feed { camera, origin: Origin::Live(source.clone()), picture: None });
    }
    Ok(feeds)
}

/// Why a camera on the network shows nothing, and what to do about it.
#[must_use]
pub fn why_silent(silence: Silence) -> &'static str {
    match silence {
        Silence::None => "",
        Silence::Refused => {
            "refused: the machine is there and nobody listens at this port; is RTSP switched on, and is the port right (554 when none is written)?"
        }
        Silence::NoAnswer => "no answer within 5 s; is the camera on and on this network, and is its address right?",
        Silence::WrongPassword => {
            "wrong password: the camera wants another user or password (401); write them into its url, @ : / # as %40 %3A %2F %23"
        }
        Silence::NoSuchPath => {
            "no such path: the camera has no stream of this name (404); `kehai doctor --discover` lists those it has"
        }
        Silence::Busy => {
            "declined: the camera takes no more viewers or is in trouble; close other viewers or restart it"
        }
        Silence::NoPicture => "no picture: it answers and sends none that can be decoded; choose H.264 in its settings",
        Silence::UnknownCodec => "unknown codec: its pictures cannot be unpacked here; choose H.264 in its settings",
        Silence::NoDevice => "no such device",
        Silence::BrokeOff => "broke off while it was opened; look at its cable, its Wi-Fi and its power",
        Silence::OtherPicture => {
            "another picture: its places were drawn on a picture of another size; set it back, or draw again"
        }
        Silence::Unopened => "cannot be opened, and the decoder does not say why; does it play in another program?",
    }
}

/// What is wrong with a USB camera that shows nothing, and what to do.
#[must_use]
pub fn usb_trouble(device: &Path) -> String {
    let shown = device.display();
    // The mouth opens no camera, not even to see whether it could.
    match rustix::fs::access(device, Access::READ_OK) {
        Ok(()) => format!("opens and shows nothing; is {shown} a camera, and does no other program hold it?"),
        Err(Errno::ACCESS | Errno::PERM) => {
            format!("may not be read: {shown}; is the user in group video?")
        }
        Err(_) => format!("is not there: no such device {shown}; `ls /dev/video*`, is the user in group video?"),
    }
}

impl Prepared {
    /// The job of an eye for these feeds.
    ///
    /// # Errors
    /// Exit 8 when the cage of its eye does not hold on this machine.
    pub fn job(&self, feeds: Vec<Feed>, errand: Errand) -> Result<EyeJob, Failure> {
        proved(self.uncaged_job(feeds, errand))
    }

    /// The same, before its cage is proved.
    #[must_use]
    pub fn uncaged_job(&self, feeds: Vec<Feed>, errand: Errand) -> EyeJob {
        EyeJob {
            settings: self.site.settings.clone(),
            card: self.model.card.clone(),
            model: self.model.file.clone(),
            runtime: self.runtime.clone(),
            feeds,
            errand,
            walls: Walls::ALL.bits(),
            proved: Walls::ALL.bits(),
            twin: None,
            leaves_traces: false,
        }
    }

    /// The camera a recording stands in for.
    pub fn camera_named(&self, name: Option<&str>) -> Result<usize, Failure> {
        let cameras = &self.site.settings.cameras;
        let ids: Vec<&str> = cameras.iter().map(|camera| camera.id.as_str()).collect();
        match name {
            None if cameras.len() == 1 => Ok(0),
            None => Err(Failure::new(
                USAGE,
                format!(
                    "the site has {} cameras; say with --camera which one the recording is of: {}",
                    ids.len(),
                    ids.join(", ")
                ),
            )),
            Some(name) => ids.iter().position(|id| *id == name).ok_or_else(|| {
                Failure::new(
                    USAGE,
                    format!("--camera {name}: no such camera in the site file; there are: {}", ids.join(", ")),
                )
            }),
        }
    }

    /// That a camera's hardware decoder is not in use, in words.
    #[must_use]
    pub fn decoder_missing(&self, camera: usize) -> String {
        let camera = self.site.settings.cameras.get(camera);
        let (id, decoder) =
            camera.map_or(("?", ""), |camera| (&camera.id, camera.decoder.as_deref().unwrap_or_default()));
        format!(
            "camera.{id}.decoder = \"{decoder}\": not in use, its device or driver is not there or cannot take this stream; the CPU decodes"
        )
    }

    /// Why an eye could not do its work, in words and with an exit code. `clip` is what it was to replay.
    #[must_use]
    pub fn explain(&self, end: &EyeEnd, clip: Option<&Path>) -> Failure {
        let EyeEnd::Refused(event) = end else {
            return Failure::new(
                super::CHECK_FAILED,
                format!("{end}; run `kehai doctor` and report this with its output"),
            );
        };
        let clip = clip.map(|clip| clip.display().to_string()).unwrap_or_default();
        match event.code {
            EyeEventCode::ClipEmpty => Failure::new(
                CAMERA,
                format!("clip {clip}: holds no picture; give a video or a folder of PNG or JPEG files"),
            ),
            EyeEventCode::ClipRefused => clip_refused(&clip, event),
            EyeEventCode::PlacesRefused => Failure::new(CONFIGURATION, self.misplaced(event)),
            EyeEventCode::RuntimeRefused
            | EyeEventCode::ModelRefused
            | EyeEventCode::HeadRefused
            | EyeEventCode::DetectorFailed => self.model_failure(),
            _ => Failure::new(super::CHECK_FAILED, end.to_string()),
        }
    }

    fn misplaced(&self, event: &EyeEvent) -> String {
        let camera = usize::from(event.camera);
        let picture = PictureSize { width: event.numbers[0].max(1) as u32, height: event.numbers[1].max(1) as u32 };
        let named = &self.site.settings.cameras[camera].id;
        let outside = FloorMap::new(&self.site.settings.cameras[camera], picture)
            .map(|map| places_outside(&self.site.settings, camera, &map))
            .unwrap_or_default();
        if outside.is_empty() {
            return format!(
                "camera {named} changed its picture to {}x{}; its lines, zones and calibration were drawn on another one: draw them again",
                picture.width, picture.height
            );
        }
        format!(
            "site file {}: {}: outside the picture of camera {named}, which is {} px wide and {} px high, or at its horizon; draw it on the floor that the camera shows",
            self.path.display(),
            outside.join("\n  "),
            picture.width,
            picture.height
        )
    }

    /// Loads the model here to hear what is wrong with it: the eye itself says codes only.
    fn model_failure(&self) -> Failure {
        let size = self.site.settings.detector.size;
        let loaded = Detector::load(&self.runtime, &self.model.file, &self.model.card, size)
            .and_then(|mut detector| detector.fit(PictureSize { height: 576, width: 768 }));
        match loaded {
            Err(error) => self.model.failure(error),
            Ok(()) => {
                let file = self.model.file.display();
                Failure::new(MODEL, format!("model {file}: fails on pictures of this camera"))
            }
        }
    }

    /// What to tell a person whose accelerator is not in use.
    #[must_use]
    pub fn accelerator_missing(&self, lacks: NoAccelerator) -> String {
        missing(self.site.settings.detector.accelerator, lacks)
    }
}

/// The place of a recording, links followed, before anything is done with it.
///
/// # Errors
/// Exit 4 for nothing at all, and for a pipe or a device.
pub fn recording(clip: &Path) -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        Failure::new(CAMERA, format!("clip {}: {why}; name a video file or a folder of pictures", clip.display()))
    };
    let path = clip.canonicalize().map_err(|error| refused(error.to_string()))?;
    replay::check(&path).map_err(|error| refused(error.to_string()))?;
    Ok(path)
}

fn clip_refused(clip: &str, event: &EyeEvent) -> Failure {
    match ClipTrouble::from_number(event.numbers[0]) {
        Some(ClipTrouble::RateUnknown) => Failure::new(
            CAMERA,
            format!("clip {clip}: no frame rate in its header; write fps in the site file's [[camera]] or give --fps"),
        ),
        Some(ClipTrouble::TooSlow) => Failure::new(
            USAGE,
            format!(
                "clip {clip}: has {} pictures per second, fewer than are to be looked at; ask for as many at most with --looks-per-s",
                f64::from(event.numbers[1]) / 1000.0
            ),
        ),
        None => Failure::new(
            CAMERA,
            format!("clip {clip}: cannot be opened as video; is it a video file FFmpeg knows, and readable?"),
        ),
    }
}

/// Why an accelerator is not in use and what to do about it, in words.
#[must_use]
pub fn missing(wanted: Accelerator, why: NoAccelerator) -> String {
    let why = match why {
        NoAccelerator::NotBuilt => format!("this build has no support for it (cargo build --features {wanted})"),
        NoAccelerator::NotInRuntime => {
            "the runtime library has no provider for it (name one that has in ORT_DYLIB_PATH)".to_owned()
        }
        NoAccelerator::Refused => "it refused the network, or its device or driver is not there".to_owned(),
    };
    format!("detector.accelerator = \"{wanted}\": not in use, {why}; the CPU does the work")
}
