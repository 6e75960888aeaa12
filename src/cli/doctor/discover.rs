//! `kehai doctor --discover` and `--device`: the cameras of this network and the stream of each to use.
//!
//! In: nothing, or one address; credentials by file. Out: devices, and their profiles where one may ask. Invariant: no
//! password is part of any output.

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;

use super::advice::{Offer, best_of, of_best};
use super::discovery::{Device, Found, search};
use super::http::{Address, is_local};
use super::onvif::{OnvifError, Profile, Talk, random};
use super::secret::Credentials;
use crate::cli::model::resolve;
use crate::cli::output::{say, say_json};
use crate::cli::{CAMERA, CHECK_FAILED, Failure, USAGE};
use crate::config::{MODEL_DEFAULT, site};
use crate::units::PictureSize;

/// What is looked for, and how.
pub struct Quest<'a> {
    /// One device instead of a search.
    pub device: Option<&'a str>,
    /// A place of this machine that is asked instead of everybody.
    pub at: Option<SocketAddr>,
    /// File of user and password.
    pub credentials: Option<&'a Path>,
    /// Site whose detector decides which stream is enough.
    pub site: Option<&'a Path>,
    /// Whether to print JSON.
    pub json: bool,
}

/// One device with its streams.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    device: Device,
    /// Whether it was asked for its streams.
    asked: bool,
    error: Option<String>,
    profiles: Vec<Profile>,
    /// Which of the profiles to use.
    best: Option<usize>,
    advice: Option<String>,
}

#[derive(Serialize)]
struct Listing<'a> {
    asked: &'a [String],
    not_asked: &'a [String],
    answers_ignored: u32,
    devices: &'a [Listed],
}

/// Runs the command.
///
/// # Errors
/// Exit 1 when a device that was asked does not tell, 4 when there is none or none tells.
pub fn run(quest: &Quest<'_>) -> Result<(), Failure> {
    let credentials = quest.credentials.map(Credentials::read).transpose()?;
    let input_of = input(quest.site)?;
    let found = match quest.device {
        Some(url) => named(url)?,
        None => search(quest.at, &fresh_id()?),
    };
    let is_asked = credentials.is_some() || quest.device.is_some();
    let mut listed = Vec::new();
    // A few at a time: a device that hangs holds nobody up for long.
    for few in found.devices.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let (credentials, input_of) = (credentials.as_ref(), &*input_of);
            let asked = few.iter().map(|device| scope.spawn(move || list(device, is_asked, credentials, input_of)));
            let asked: Vec<_> = asked.collect();
            listed.extend(asked.into_iter().filter_map(|thread| thread.join().ok()));
        });
    }
    show(&found, &listed, quest);
    let failed = listed.iter().filter(|device| device.error.is_some()).count();
    match listed.len() {
        0 => Err(Failure::new(
            CAMERA,
            "no camera answered; is this machine on the cameras' network, and is ONVIF switched on in their settings? (--device ADDRESS asks one that does not answer to all)",
        )),
        _ if failed == 0 => Ok(()),
        all if failed == all => Err(Failure::new(CAMERA, "no camera tells its streams; see what is said of each")),
        all => Err(Failure::new(CHECK_FAILED, format!("{failed} of {all} cameras do not tell their streams"))),
    }
}

/// The input of the detector that a site names, or of the default one, for pictures of a size.
fn input(path: Option<&Path>) -> Result<Box<dyn Fn(PictureSize) -> PictureSize + Sync>, Failure> {
    let site = path.map(site::load).transpose()?;
    let choice = site.map(|site| site.settings.detector);
    let card = resolve(choice.as_ref().map_or(MODEL_DEFAULT, |choice| choice.model.as_str())).map(|model| model.card);
    let fixed = choice.and_then(|choice| choice.size);
    Ok(match (fixed, card) {
        (Some(size), _) => Box::new(move |_| size),
        (None, Ok(card)) => Box::new(move |picture| card.input_size(picture)),
        // Cameras can be looked for before a model is there.
        (None, Err(_)) => Box::new(|_| INPUT_USUAL),
    })
}

fn named(url: &str) -> Result<Found, Failure> {
    // What is written there may hold a password: it is not repeated.
    let at = Address::parse(url).map_err(|error| Failure::new(USAGE, format!("--device: {error}")))?;
    let device =
        Device { name: "named".to_owned(), hardware: "unknown".to_owned(), address: at.socket.ip(), service: at.url() };
    Ok(Found { devices: vec![device], ..Found::default() })
}

fn list(
    device: &Device,
    is_asked: bool,
    credentials: Option<&Credentials>,
    input_of: &dyn Fn(PictureSize) -> PictureSize,
) -> Listed {
    let told = match Address::parse(&device.service) {
        Ok(at) if is_asked => Talk::profiles(at, credentials),
        Ok(_) => Ok(Vec::new()),
        Err(error) => Err(OnvifError::Http(error)),
    };
    let (profiles, error) = match told {
        Ok(profiles) => (profiles, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let size = |profile: &Profile| PictureSize { height: profile.height_px, width: profile.width_px };
    let offers: Vec<Offer> =
        profiles.iter().map(|profile| Offer { picture: size(profile), fps: profile.fps_max }).collect();
    let best = best_of(&offers, input_of);
    let advice =
        best.map(|best| of_best(&offers, best, &codec_name(&profiles[best].codec), input_of(offers[best].picture)));
    Listed { device: device.clone(), asked: is_asked, error, profiles, best, advice }
}

/// `H264` is written `H.264` by people.
fn codec_name(codec: &str) -> String {
    codec.replace("H26", "H.26")
}

fn show(found: &Found, listed: &[Listed], quest: &Quest<'_>) {
    if quest.json {
        let Found { asked, not_asked, answers_ignored, .. } = found;
        say_json(&Listing { asked, not_asked, answers_ignored: *answers_ignored, devices: listed });
        return;
    }
    if quest.device.is_none() {
        say(&format!(
            "asked on {}",
            if found.asked.is_empty() { "no interface".to_owned() } else { found.asked.join(", ") }
        ));
        found.not_asked.iter().for_each(|why| say(&format!("not asked on {why}")));
        if found.answers_ignored > 0 {
            say(&format!("{} answer(s) not understood and ignored", found.answers_ignored));
        }
    }
    listed.iter().for_each(Listed::print);
}

impl Listed {
    fn print(&self) {
        let Device { name, hardware, address, service } = &self.device;
        say(&format!("{address:<16} {name} ({hardware}), {service}"));
        if let Some(error) = &self.error {
            say(&format!("       FAIL {error}"));
        }
        for (at, profile) in self.profiles.iter().enumerate() {
            let rate = profile.fps_max.map_or(String::new(), |fps| format!(", up to {fps:.0}/s"));
            let keys = profile.keyframe_s.map_or(String::new(), |s| format!(", a key frame every {s:.1} s"));
            let Profile { name, codec, width_px, height_px, rtsp, .. } = profile;
            let place = rtsp.as_deref().unwrap_or("address not shown: none told, or a password is part of its path");
            say(&format!("       {name}: {width_px}x{height_px} {}{rate}{keys}, {place}", codec_name(codec)));
            if let Some(advice) = self.advice.as_ref().filter(|_| self.best == Some(at)) {
                say(&format!("         ^ {advice}"));
            }
        }
        if !self.asked {
            say("       its streams are listed with --credentials FILE (one line user:password, chmod 600)");
        }
    }
}

/// Reads the place a test asks instead of everybody.
///
/// # Errors
/// Words, for a place that is not on this machine.
pub fn place_of_this_machine(text: &str) -> Result<SocketAddr, String> {
    let place: SocketAddr = text.parse().map_err(|_| "write 127.0.0.1:PORT".to_owned())?;
    let is_here = place.ip().is_loopback() && place.is_ipv4() && is_local(place.ip());
    is_here.then_some(place).ok_or_else(|| "write 127.0.0.1:PORT; other machines are asked together".to_owned())
}

/// A random UUID, version 4.
fn fresh_id() -> Result<String, Failure> {
    let mut bytes = random().map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Devices that are asked for their streams at the same time.
const AT_ONCE: usize = 8;
/// What a detector for an edge box looks at, where none is installed yet.
const INPUT_USUAL: PictureSize = PictureSize { height: 320, width: 416 };
