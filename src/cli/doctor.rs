//! `kehai doctor`: is everything there, does the site file hold together, and what could leak at worst.

mod advice;
pub(super) mod broker;
pub(super) mod cage;
mod cameras;
mod digest;
mod discover;
mod discovery;
pub(super) mod encoders;
mod http;
pub(super) mod leavings;
mod onvif;
mod secret;
mod store;
mod xml;

use std::path::PathBuf;

use serde::Serialize;

use super::model::resolve;
use super::output::{say, say_json};
use super::session::missing;
use super::{BROKER, CHECK_FAILED, Failure, MODEL, USAGE, finding};
use crate::config::broker::Broker;
use crate::config::site::{self, Site};
use crate::config::{MODEL_DEFAULT, Settings};
use crate::detect::Detector;
use crate::floor::calibrate::Calibration;
use crate::pipeline::mouth::{EYES, program};
use crate::publish::broker::{claim, find_program};
use crate::publish::web::check_papers;
use crate::sandbox::relay::UP_BYTES_PER_HOUR;
use crate::units::PictureSize;
use crate::wire::record::RECORD_BYTES;
use crate::wire::record::budget::{Budget, COUNTERS_MS, LEAD, LEAD_MOST, STARTS_AT_ONCE, STARTS_PER_HOUR};

/// Arguments of `kehai doctor`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file to check as well
    #[arg(long)]
    site: Option<PathBuf>,
    /// Open every camera of the site, count what it sends, and say how it does
    #[arg(long, requires = "site")]
    cameras: bool,
    /// How long each camera is listened to, s
    #[arg(long, default_value_t = 5, requires = "cameras", value_parser = clap::value_parser!(u32).range(1..=300))]
    seconds: u32,
    /// Show which wall of the eye's cage stops which way out, by turning the walls off one by one
    #[arg(long, conflicts_with_all = ["cameras", "discover", "device"])]
    walls: bool,
    /// Look for ONVIF cameras on the networks of this machine
    #[arg(long, conflicts_with = "cameras")]
    discover: bool,
    /// Ask this ONVIF device for its streams: http://ADDRESS[:PORT]/PATH or a bare address
    #[arg(long, conflicts_with_all = ["cameras", "discover"])]
    device: Option<String>,
    /// File of one line user:password (mode 600) to ask ONVIF devices for their streams with
    #[arg(long, conflicts_with = "cameras")]
    credentials: Option<PathBuf>,
    /// Ask this place of this machine and nobody else
    #[arg(long, hide = true, requires = "discover", value_parser = discover::place_of_this_machine)]
    discover_at: Option<std::net::SocketAddr>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Finding {
    what: String,
    ok: bool,
    detail: String,
    /// Bytes, where that is what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    /// What the detail counts, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

/// Runs the command; exit 6 when model or runtime failed, 5 when the broker did, 1 when another check did.
pub fn run(args: &Args) -> Result<(), Failure> {
    if let (true, Some(site)) = (args.cameras, &args.site) {
        return cameras::run(site, args.seconds, args.json);
    }
    if args.walls {
        return cage::walls(args.site.as_deref(), args.json);
    }
    if args.discover || args.device.is_some() {
        return discover::run(&discover::Quest {
            device: args.device.as_deref(),
            at: args.discover_at,
            credentials: args.credentials.as_deref(),
            site: args.site.as_deref(),
            json: args.json,
        });
    }
    if args.credentials.is_some() {
        return Err(Failure::new(USAGE, "--credentials is for --discover and --device; give one of them"));
    }
    let site = args.site.as_ref().map(|path| site::load(path)).transpose()?;
    let mut findings = Vec::new();
    let settings = site.as_ref().map(|site| &site.settings);
    check_detector(&mut findings, settings);
    check_eye(&mut findings);
    cage::check(&mut findings, site.as_ref());
    match &site {
        Some(site) => check_site(&mut findings, site)?,
        None => check_broker_program(&mut findings),
    }
    if args.json {
        say_json(&findings);
    } else {
        for finding in &findings {
            say(&format!("{} {:<22} {}", if finding.ok { "ok  " } else { "FAIL" }, finding.what, finding.detail));
        }
    }
    let failed: Vec<&str> =
        findings.iter().filter(|finding| !finding.ok).map(|finding| finding.what.as_str()).collect();
    let code = match () {
        () if failed.iter().any(|what| MODEL_CHECKS.contains(what)) => MODEL,
        () if failed.iter().any(|what| what.split(':').next() == Some("broker")) => BROKER,
        () => CHECK_FAILED,
    };
    match failed.len() {
        0 => Ok(()),
        count => Err(Failure::new(code, format!("{count} of {} checks failed: {}", findings.len(), failed.join(", ")))),
    }
}

/// Loads runtime and model and runs a grey picture through them.
fn check_detector(findings: &mut Vec<Finding>, settings: Option<&Settings>) {
    let runtime = finding::runtime();
    note(
        findings,
        "runtime library",
        runtime.as_ref().map(|path| path.display().to_string()).map_err(|failure| failure.message.clone()),
    );
    let wanted = settings.map_or(MODEL_DEFAULT, |settings| settings.detector.model.as_str());
    let model = resolve(wanted);
    let described =
        model.as_ref().map(|model| format!("{} ({}), {}", model.card.name, model.card.licence, model.file.display()));
    note(findings, "person detector", described.map_err(|failure| failure.message.clone()));
    let (Ok(runtime), Ok(model)) = (runtime, model) else { return };
    let size = settings.and_then(|settings| settings.detector.size);
    let accelerator = settings.map(|settings| settings.detector.accelerator).unwrap_or_default();
    let mut lacks = None;
    let loaded = Detector::load_on(accelerator, &runtime, &model.file, &model.card, size);
    let tried = loaded.and_then(|mut detector| {
        lacks = detector.lacks();
        detector.fit(PictureSize { height: 576, width: 768 })?;
        Ok(format!(
            "head confirmed on a grey picture at {}",
            detector.input_size().unwrap_or(PictureSize { height: 0, width: 0 })
        ))
    });
    note(findings, "detector self-check", tried.map_err(|error| model.failure(error).message));
    // Without it everything works, only slower: no fault.
    let told = lacks.map_or_else(|| format!("{accelerator}, in use"), |lacks| missing(accelerator, lacks));
    note(findings, "accelerator", Ok(told));
}

fn check_eye(findings: &mut Vec<Finding>) {
    let runtime = finding::runtime().ok();
    for (name, what) in EYES.into_iter().zip(["eye", "eye with OpenCV"]) {
        let path = program(name);
        note(findings, what, path.as_ref().map(|path| path.display().to_string()).map_err(String::clone));
        if let Ok(path) = path {
            check_encoders(findings, what, encoders::loaded_by(&path, runtime.as_deref()));
        }
    }
    note(findings, "swap", Ok(leavings::swap()));
    note(findings, "core dumps", Ok(leavings::cores()));
}

/// The eye must ask for no encoder; that libraries of the system hold some is no fault, and said openly.
fn check_encoders(findings: &mut Vec<Finding>, eye: &str, loaded: Result<encoders::Loaded, String>) {
    let what = format!("{eye}: encoders");
    match loaded {
        Err(why) => note(findings, &what, Err(why)),
        Ok(loaded) if !loaded.asked_for.is_empty() => {
            note(findings, &what, Err(format!("it asks for {}", loaded.asked_for.join(", "))));
        }
        Ok(encoders::Loaded { encoders, libraries, .. }) => {
            let (count, names) = (encoders.len(), encoders.join(", "));
            let detail = format!(
                "asks for none; of the {libraries} system libraries it loads {count} can encode pictures or film: {names}"
            );
            findings.push(Finding { what, ok: true, detail, bytes: None, names: encoders });
        }
    }
}

fn check_site(findings: &mut Vec<Finding>, site: &Site) -> Result<(), Failure> {
    let settings = &site.settings;
    check_sources(findings, site);
    for camera in &settings.cameras {
        let detail = match Calibration::fit(&camera.calibration) {
            _ if camera.calibration.is_empty() => {
                Ok("not calibrated: lines and zones in the picture, no heatmap".to_owned())
            }
            Ok(fit) => Ok(format!(
                "{} marks, reprojection error {:.1} cm rms, {:.1} cm at most",
                camera.calibration.len(),
                fit.residual_cm_rms,
                fit.residual_cm_max
            )),
            Err(error) => Err(error.to_string()),
        };
        note(findings, &format!("camera {}", camera.id), detail);
    }
    match &site.outlets.broker {
        Some(Broker::Embedded { port, .. }) => {
            check_broker_program(findings);
            let free = claim("broker.port", *port).map(|()| format!("{port} is free"));
            note(findings, "broker port", free.map_err(|error| error.to_string()));
        }
        Some(Broker::At(remote)) => {
            broker::check(site, remote)?.into_iter().for_each(|(what, outcome)| note(findings, what, outcome));
        }
        None => note(findings, "broker", Ok("none: nothing is published".to_owned())),
    }
    if let Some(door) = site.outlets.page.as_ref().filter(|door| door.is_network()) {
        let papers = check_papers(door).map(|()| format!("{}, to people who log in (kehai people)", door.url()));
        note(findings, "page at a network", papers.map_err(|error| error.to_string()));
    }
    if let Some(port) = site.outlets.page.as_ref().map(|page| page.socket().port()) {
        note(
            findings,
            "page port",
            claim("page.port", port).map(|()| format!("{port} is free")).map_err(|error| error.to_string()),
        );
    }
    store::check(findings, site);
    check_pipe(findings, settings);
    note(findings, "privacy", Ok(format!("profile threshold, k = {}", settings.gate.k)));
    Ok(())
}

/// What somebody who owned the process that sees pictures could leak through its pipe, line by line.
fn check_pipe(findings: &mut Vec<Finding>, settings: &Settings) {
    let budget = Budget::of(settings);
    let (hour, start) = (budget.bytes_per_hour(), budget.per_eye * RECORD_BYTES);
    let [windows, counters] = [budget.windows_per_hour, budget.counters_per_hour].map(|records| records * RECORD_BYTES);
    let every_s = COUNTERS_MS / 1000;
    let lines = [
        ("pipe: windows", windows, format!("{windows} bytes an hour, told once they are over")),
        (
            "pipe: counters",
            counters,
            format!("{counters} bytes an hour, {RECORD_BYTES} for each camera every {every_s} s"),
        ),
        (
            "pipe: start and end",
            start,
            format!(
                "{start} bytes a start: the first and the last word, and {LEAD} records a camera before they are due ({LEAD_MOST} once it has lived for some minutes); at most {STARTS_PER_HOUR} starts an hour, and {STARTS_AT_ONCE} after a time of peace"
            ),
        ),
        (
            "pipe budget",
            hour,
            format!(
                "{hour} bytes an hour and {start} a start are all the mouth takes from the process that sees pictures: what somebody who owned it could leak"
            ),
        ),
    ];
    findings.extend(lines.map(|(what, bytes, detail)| Finding {
        what: what.to_owned(),
        ok: true,
        detail,
        bytes: Some(bytes),
        names: Vec::new(),
    }));
    let bytes = UP_BYTES_PER_HOUR;
    let detail = format!(
        "{bytes} bytes an hour at most to each camera of the network: requests, which an eye that somebody owned could misuse"
    );
    findings.push(Finding {
        what: "towards cameras".to_owned(),
        ok: true,
        detail,
        bytes: Some(bytes),
        names: Vec::new(),
    });
}

/// Whether `kehai run` would take the cameras; recordings need no address.
fn check_sources(findings: &mut Vec<Finding>, site: &Site) {
    for (camera, source) in site.settings.cameras.iter().zip(&site.sources) {
        let what = format!("source of {}", camera.id);
        match source {
            None => note(findings, &what, Ok("none: recordings only (kehai replay)".to_owned())),
            Some(source) if source.is_loopback() => note(findings, &what, Ok(format!("{source:?}"))),
            Some(source) => {
                let reason = format!(
                    "{source:?}: `kehai run` will refuse it, this version cannot be armed and serves 127.0.0.1 only"
                );
                note(findings, &what, Err(reason));
            }
        }
    }
}

fn check_broker_program(findings: &mut Vec<Finding>) {
    let found = find_program().map(|path| path.display().to_string());
    note(findings, "embedded broker", found.ok_or_else(|| "mosquitto is not installed; run `make setup`".to_owned()));
}

fn note(findings: &mut Vec<Finding>, what: &str, outcome: Result<String, String>) {
    let ok = outcome.is_ok();
    let detail = outcome.unwrap_or_else(|reason| reason);
    findings.push(Finding { what: what.to_owned(), ok, detail, bytes: None, names: Vec::new() });
}

/// Checks whose failure is that of the model or its runtime, with their exit code.
const MODEL_CHECKS: [&str; 3] = ["runtime library", "person detector", "detector self-check"];
