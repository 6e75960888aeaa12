//! `kehai doctor --cameras`: every camera of a site opened, listened to, and told in words.
//!
//! In: a site file. Out: what each camera sends, and what to do about it. Invariants: only the eye opens a camera, and
//! tells counters and codes; the mouth knocks at its port without a word; no address is shown with its password.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::advice;
use crate::cli::cage::proved;
use crate::cli::model::resolve;
use crate::cli::output::{say, say_json};
use crate::cli::session::{feeds, usb_trouble, why_silent};
use crate::cli::state::state_folder;
use crate::cli::{CAMERA, CHECK_FAILED, Failure, NOT_ARMED};
use crate::config::CameraSource;
use crate::config::site::{self, Site};
use crate::health::Silence;
use crate::health::walls::Walls;
use crate::pipeline::EyeJob;
use crate::pipeline::mouth::{EyeEnd, Mouth};
use crate::switch::Mode;
use crate::units::PictureSize;
use crate::vault::Vault;
use crate::wire::compose::{Composer, Voice};
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;
use crate::wire::sounding::Sounding;

/// What is known of one camera.
#[derive(Serialize)]
struct Told {
    camera: String,
    source: String,
    ok: bool,
    /// Why it shows nothing, as one word for programs; `none` when it does.
    reason: Silence,
    width_px: u32,
    height_px: u32,
    codec: &'static str,
    fps: Option<f64>,
    fps_claimed: Option<f64>,
    gap_ms_max: u32,
    first_picture_ms: u32,
    /// Age of a picture when it arrives: no stream tells when its pictures were taken.
    lag_ms: Option<u32>,
    advice: Vec<String>,
}

/// Sounds the cameras of a site and prints what they are like.
///
/// # Errors
/// Exit 1 when a camera fails, 4 when none works, 7 for cameras of other machines.
pub fn run(path: &Path, seconds: u32, json: bool) -> Result<(), Failure> {
    let site = site::load(path)?;
    must_be_set_up(&site)?;
    let feeds = feeds(&site, path)?;
    let model = resolve(&site.settings.detector.model)?;
    let card = model.card.clone();
    let job = EyeJob {
        settings: site.settings.clone(),
        card: model.card,
        model: model.file,
        runtime: std::path::PathBuf::new(),
        feeds,
        errand: Errand::Probe(seconds),
        walls: Walls::ALL.bits(),
        proved: Walls::ALL.bits(),
        twin: None,
        leaves_traces: false,
    };
    let job = proved(job)?;
    let soundings = sound(&site, &job, seconds)?;
    let input_of = |picture: PictureSize| site.settings.detector.size.unwrap_or_else(|| card.input_size(picture));
    let told: Vec<Told> = soundings
        .iter()
        .enumerate()
        .map(|(camera, sounding)| {
            let source = site.sources[camera].as_ref();
            tell(&site.settings.cameras[camera].id, source, &believed(source, *sounding), &input_of)
        })
        .collect();
    if json {
        say_json(&told);
    } else {
        told.iter().for_each(Told::print);
    }
    match told.iter().filter(|told| !told.ok).count() {
        0 => Ok(()),
        failed if failed == told.len() => Err(Failure::new(CAMERA, "no camera works; see what is said of each")),
        failed => Err(Failure::new(CHECK_FAILED, format!("{failed} of {} cameras fail", told.len()))),
    }
}

/// A camera on another machine is sounded where somebody is known who answers for that, and nobody has stopped the box.
fn must_be_set_up(site: &Site) -> Result<(), Failure> {
    if site.sources.iter().flatten().all(CameraSource::is_loopback) {
        return Ok(());
    }
    let mode = match Vault::open_beside(&state_folder(&site.outlets)?, site.outlets.keeping) {
        Ok(vault) => vault.switch()?.mode(),
        Err(_) => Mode::Unprovisioned,
    };
    match mode {
        Mode::Setup | Mode::Armed => Ok(()),
        mode => Err(Failure::new(
            NOT_ARMED,
            format!("{mode}: no camera is opened; name an owner first (kehai people add), or resume (kehai resume)"),
        )),
    }
}

/// Starts an eye that sounds the cameras; a camera it said nothing of is a silent one.
fn sound(site: &Site, job: &EyeJob, seconds: u32) -> Result<Vec<Sounding>, Failure> {
    let settings = &site.settings;
    let voice = Voice {
        topic_root: "doctor".to_owned(),
        boot: "doctor".to_owned(),
        synchronised: false,
        retain_windows: false,
        sign: None,
    };
    let vault = Vault::throw_away()?.into();
    let mut mouth = Mouth::new(settings, Composer::new(settings, voice), vault, HEALTH_NEVER);
    let mut soundings = vec![Sounding::silent(Silence::NoAnswer); settings.cameras.len()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    let patience = Duration::from_secs(u64::from(seconds)) + OPENING * job.feeds.len() as u32 + SLACK;
    let end = runtime.block_on(async {
        let mut heard = |report: &Report| {
            if let Report::Sounding(camera, sounding) = report {
                soundings[usize::from(*camera)] = *sounding;
            }
        };
        tokio::time::timeout(patience, mouth.run_eye(job, &mut heard)).await
    });
    match end {
        // An eye out of time is ended; what it has said by then stands.
        Ok(EyeEnd::Finished) | Err(_) => Ok(soundings),
        Ok(end) => Err(Failure::new(CHECK_FAILED, format!("{end}; nothing is known of the cameras"))),
    }
}

/// The eye's word; where it could only say "no", whether anybody listens at the port at all.
fn believed(source: Option<&CameraSource>, sounding: Sounding) -> Sounding {
    match (sounding.silence, source.and_then(port_of)) {
        (Silence::Unopened | Silence::NoAnswer, Some(port)) => match TcpStream::connect_timeout(&port, KNOCK) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Sounding::silent(Silence::Refused),
            Err(_) => Sounding::silent(Silence::NoAnswer),
            Ok(_) => sounding,
        },
        _ => sounding,
    }
}

/// Where a camera on the network listens. Names are not looked up.
fn port_of(source: &CameraSource) -> Option<SocketAddr> {
    let host = source.host();
    let address: IpAddr = if host == "localhost" { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { host.parse().ok()? };
    Some(SocketAddr::new(address, source.port()))
}

fn tell(
    id: &str,
    source: Option<&CameraSource>,
    sounding: &Sounding,
    input_of: &dyn Fn(PictureSize) -> PictureSize,
) -> Told {
    let ok = sounding.silence == Silence::None;
    let fps = sounding.fps();
    let fps_claimed = (sounding.claimed_fps_milli > 0).then(|| f64::from(sounding.claimed_fps_milli) / 1000.0);
    let picture = PictureSize { height: sounding.height, width: sounding.width };
    let advice = if ok {
        let stream = advice::Stream { picture, codec: sounding.codec, fps, fps_claimed };
        advice::of_stream(&stream, sounding.gap_ms_max, input_of(picture))
    } else {
        vec![trouble(source, sounding)]
    };
    Told {
        camera: id.to_owned(),
        source: source.map(|source| format!("{source:?}")).unwrap_or_default(),
        ok,
        reason: sounding.silence,
        width_px: sounding.width,
        height_px: sounding.height,
        codec: sounding.codec.name(),
        fps,
        fps_claimed,
        gap_ms_max: sounding.gap_ms_max,
        first_picture_ms: sounding.first_ms,
        lag_ms: None,
        advice,
    }
}

/// Why a camera shows nothing, and what to do about it.
fn trouble(source: Option<&CameraSource>, sounding: &Sounding) -> String {
    if let Some(device) = source.and_then(CameraSource::usb_device) {
        return usb_trouble(&device);
    }
    match sounding.silence {
        Silence::BrokeOff => format!(
            "broke off after {} pictures in {:.1} s; look at its cable, its Wi-Fi and its power",
            sounding.frames,
            f64::from(sounding.span_ms) / 1000.0
        ),
        silence => why_silent(silence).to_owned(),
    }
}

impl Told {
    fn print(&self) {
        let head = format!("{} {:<22}", if self.ok { "ok  " } else { "FAIL" }, self.camera);
        if self.ok {
            let rate = self.fps.map_or("one picture only".to_owned(), |fps| format!("{fps:.1}/s"));
            say(&format!(
                "{head} {}x{} {} {rate}, longest gap {} ms, first picture after {} ms, lag unknown",
                self.width_px, self.height_px, self.codec, self.gap_ms_max, self.first_picture_ms
            ));
        } else {
            say(&format!("{head} {}", self.source));
        }
        self.advice.iter().for_each(|advice| say(&format!("       {advice}")));
    }
}

/// As long as the eye waits for a camera to open, and for its next picture.
const OPENING: Duration = Duration::from_secs(8);
/// The start of the eye, and the end of what it was about.
const SLACK: Duration = Duration::from_secs(10);
const HEALTH_NEVER: Duration = Duration::from_secs(86_400);
/// Longest wait for a port of this network.
const KNOCK: Duration = Duration::from_secs(2);
