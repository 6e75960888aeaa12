//! `kehai run`: the shop. Cameras to gate to broker, for as long as nobody ends it.
//!
//! In: a site that is armed. Out: what is published, and words for people. Invariant: before the switch was asked no camera is
//! opened, and no eye started.

use std::collections::BTreeMap;
mod restarts;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions};
use tokio::sync::watch;

use restarts::Restarts;

use super::arming::{armable, must_be_armed, remember_refused};
use super::output::note;
use super::publishing::Publishing;
use super::session::{Prepared, feeds, prepare, usb_trouble, why_silent};
use super::state::state_folder;
use super::{CHECK_FAILED, CONFIGURATION, Failure, INTERRUPTED};
use crate::clock::{is_synchronised, monotonic_ns, utc_now};
use crate::config::hours::Hours;
use crate::config::site::Site;
use crate::config::{CameraSource, Settings, WINDOW_GRACE_S};
use crate::health::load::Load;
use crate::health::news::{CameraNews, LastHeard};
use crate::health::{CameraReport, CameraState, EyeEvent, EyeEventCode};
use crate::pipeline::EyeJob;
use crate::pipeline::mouth::{EyeEnd, Guard, Mouth, Standing, Terms};
use crate::publish::broker::EmbeddedBroker;
use crate::publish::period::{Calendar, PeriodError};
use crate::sandbox::relay::RELAY;
use crate::sandbox::restrict_mouth;
use crate::switch::Mode;
use crate::units::PictureSize;
use crate::vault::{Vault, make_folder};
use crate::wire::compose::{Composer, Voice};
use crate::wire::ready::Ready;
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;

/// Arguments of `kehai run`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file
    #[arg(long)]
    site: PathBuf,
}

/// Runs the command until a signal ends it.
pub fn run(args: &Args) -> Result<(), Failure> {
    let refused = |failure: &Failure| remember_refused(&args.site, "watch", failure);
    let prepared = prepare(&args.site, None).inspect_err(refused)?;
    let feeds = feeds(&prepared.site, &prepared.path).inspect_err(refused)?;
    let hours = opening_hours(&prepared.site)?;
    let state = state_folder(&prepared.site.outlets)?;
    // What is not there cannot be left open to it.
    make_folder(&state)?;
    let vault = Arc::new(Vault::open(&state, prepared.site.outlets.keeping, hold(&prepared.site.settings))?);
    must_be_armed(&prepared.site, &vault)?;
    let job = prepared.job(feeds, Errand::Watch)?;
    let broker = Publishing::broker(&prepared.site.outlets)?;
    // Before there is a second thread. What the eye may do it is told apart, and less.
    let cage = job.cage();
    restrict_mouth(std::slice::from_ref(&state), &cage.readable, &cage.devices);
    let terms = Terms { declaration: armable(&prepared.site).declaration, hours };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    runtime.block_on(watch(&prepared, &job, (vault, terms), broker))
}

/// When the cameras of a site may be watched.
fn opening_hours(site: &Site) -> Result<Option<(Calendar, Hours)>, Failure> {
    let Some(text) = &site.settings.store.hours else { return Ok(None) };
    let refused = |error: PeriodError| Failure::new(CONFIGURATION, format!("switch.hours: {error}"));
    let calendar = Calendar::of(&site.settings.store.timezone).map_err(refused)?;
    let hours = Hours::read(text).map_err(|error| refused(error.into()))?;
    Ok(Some((calendar, hours)))
}

async fn watch(
    prepared: &Prepared,
    job: &EyeJob,
    (vault, terms): (Arc<Vault>, Terms),
    broker: Option<EmbeddedBroker>,
) -> Result<(), Failure> {
    let settings = &prepared.site.settings;
    let voice = Voice {
        topic_root: prepared.site.outlets.topic_root.clone(),
        boot: format!("{:08x}", (utc_now().0 ^ monotonic_ns() ^ i64::from(std::process::id()) << 20) as u32),
        synchronised: is_synchronised(),
        retain_windows: true,
        sign: vault.switch()?.arming().map(|arming| arming.sign.clone()),
    };
    let mut mouth = Mouth::new(settings, Composer::new(settings, voice), Arc::clone(&vault), HEALTH_EVERY);
    if let Some(guard) = Guard::over(&vault, terms) {
        mouth = mouth.guarded(guard);
    }
    let publishing = Publishing::start(&prepared.site, &prepared.model.card.name, &mouth, &vault, broker).await?;
    if publishing.broker_url.is_none() && publishing.page_url.is_none() {
        note("kehai: the site has neither [broker] nor [page]: nothing will be seen of what is measured");
    }
    for url in [&publishing.broker_url, &publishing.page_url].into_iter().flatten() {
        note(&format!("kehai: {url}"));
    }
    mouth.announce_configuration();
    let (loads, due) = (mouth.loads(), (0..settings.cameras.len()).map(|camera| mouth.looks_per_s(camera)).collect());
    let ended = tokio::select! {
        ended = keep_watching(prepared, job, &mut mouth) => Err(ended),
        signal = signalled() => Ok(signal),
        never = tell_loads(settings, loads, due) => match never {},
    };
    publishing.end().await;
    match ended {
        Err(failure) => Err(failure),
        Ok(Signal::Terminate) => Ok(()),
        Ok(Signal::Interrupt) => Err(Failure::new(INTERRUPTED, "interrupted; the open window was discarded")),
    }
}

/// Replaces every eye that ends, until one says why none can work.
async fn keep_watching(prepared: &Prepared, job: &EyeJob, mouth: &mut Mouth) -> Failure {
    let (mut restarts, mut has_lived, mut job) = (Restarts::new(monotonic_ns()), false, job.clone());
    loop {
        if mouth.standing() != Standing::On {
            mouth.rest(&mut |standing| note(&format!("kehai: {}", resting(standing)))).await;
            note("kehai: cameras are watched");
        }
        let begun_ns = monotonic_ns();
        let (mut sizes, mut last) = (BTreeMap::new(), LastHeard::new(job.settings.cameras.len()));
        let mut is_ready = false;
        let mut heard = |report: &Report| {
            is_ready |= matches!(report, Report::Ready(_));
            tell(prepared, report, &mut last);
            sizes.extend(size_in(report));
        };
        let end = mouth.run_eye(&job, &mut heard).await;
        bury_orphans();
        if mouth.standing() != Standing::On {
            note("kehai: the eye is ended, its open window discarded");
            continue;
        }
        // The next eye holds the cameras to the pictures their places were drawn on.
        for feed in &mut job.feeds {
            feed.picture = feed.picture.or(sizes.get(&feed.camera).copied());
        }
        match &end {
            // Drawn places are held against the first pictures; an eye that was owned would say it later, to end the shop.
            EyeEnd::Refused(EyeEvent { code: EyeEventCode::PlacesRefused, .. }) if !has_lived => {
                return prepared.explain(&end, None);
            }
            EyeEnd::Refused(_) if !is_ready => return prepared.explain(&end, None),
            EyeEnd::Unstarted(_) if !has_lived => return Failure::new(CHECK_FAILED, end.to_string()),
            _ => {}
        }
        has_lived |= !matches!(end, EyeEnd::Unstarted(_));
        let now_ns = monotonic_ns();
        let pause = restarts.pause(now_ns - begun_ns, now_ns);
        note(&format!("kehai: {end}; replaced in {} ms, the open window of this eye is lost", pause.as_millis()));
        tokio::time::sleep(pause).await;
    }
}

/// Why nothing is watched, in words.
fn resting(standing: Standing) -> String {
    match standing {
        Standing::On => "cameras are watched".to_owned(),
        Standing::Closed => "the shop is closed (switch.hours): no camera is watched".to_owned(),
        Standing::Changed => {
            "another configuration was armed than this process runs: no camera is watched; restart `kehai run`"
                .to_owned()
        }
        Standing::Off(mode) => {
            let undo = match mode {
                Mode::PausedHere | Mode::PausedRemotely => "; `kehai resume` goes on",
                Mode::Locked => "; `kehai unlock`, then `kehai resume` go on",
                _ => "; `kehai arm` first",
            };
            format!("{mode}: no camera is watched{undo}")
        }
    }
}

/// In a container without an init the relays of eyes that are gone are left to this process. Its own children it leaves to
/// those who started them.
fn bury_orphans() {
    if std::process::id() != 1 {
        return;
    }
    let children = std::fs::read_to_string("/proc/1/task/1/children").unwrap_or_default();
    let is_relay =
        |child: &i32| std::fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim_end() == RELAY);
    let relays = children.split_whitespace().filter_map(|child| child.parse().ok()).filter(is_relay);
    for relay in relays.filter_map(Pid::from_raw) {
        // One that still ends is buried after the next eye.
        let _ = rustix::process::waitpid(Some(relay), WaitOptions::NOHANG);
    }
}

/// The size of a camera's pictures, once it is seen.
fn size_in(report: &Report) -> Option<(usize, PictureSize)> {
    match report {
        Report::Camera(camera, _, CameraReport { state: CameraState::Seeing, width, height, .. }) => {
            Some((usize::from(*camera), PictureSize { height: *height, width: *width }))
        }
        _ => None,
    }
}

/// Tells a person what an eye has said and what that changes; `last` is what was heard of it before.
fn tell(prepared: &Prepared, report: &Report, last: &mut LastHeard) {
    match report {
        Report::Ready(Ready { lacks, is_locked, .. }) => {
            if let Some(lacks) = lacks {
                note(&format!("kehai: {}", prepared.accelerator_missing(*lacks)));
            }
            if !is_locked {
                note(UNLOCKED);
            }
        }
        Report::Camera(camera, _, report) => {
            let camera = usize::from(*camera);
            last.hear(camera, report).into_iter().for_each(|news| tell_news(prepared, camera, news));
        }
        _ => {}
    }
}

fn tell_news(prepared: &Prepared, camera: usize, news: CameraNews) {
    let name = prepared.site.settings.cameras.get(camera).map_or("?", |camera| camera.id.as_str());
    let words = match news {
        CameraNews::Seen([width, height]) => format!("camera {name} seen, {width}x{height}"),
        CameraNews::DecoderMissing => prepared.decoder_missing(camera),
        CameraNews::Motionless(things) => format!(
            "camera {name}: {things} thing(s) taken for people have not moved since the start and count as nobody (motionless = false counts them)"
        ),
        CameraNews::MotionlessGone(left) => {
            format!("camera {name}: something that counted as nobody has moved or gone; {left} left")
        }
        CameraNews::Lost => format!("camera {name} lost, trying again"),
        CameraNews::Silent(silence) => {
            let source = prepared.site.sources.get(camera).and_then(Option::as_ref);
            let why = match source.and_then(CameraSource::usb_device) {
                Some(device) => usb_trouble(&device),
                None => why_silent(silence).to_owned(),
            };
            format!("camera {name}: {why} (trying again)")
        }
        CameraNews::Changed([width, height]) => format!(
            "camera {name} now sends {width}x{height}; its places were drawn on another picture, so it is not watched: set it back, or draw again and restart"
        ),
    };
    note(&format!("kehai: {words}"));
}

/// Says when a camera gets fewer looks than it is due, and when it gets them again.
async fn tell_loads(settings: &Settings, mut loads: watch::Receiver<Vec<Load>>, due: Vec<Option<f64>>) -> Infallible {
    let mut told = vec![false; settings.cameras.len()];
    while loads.changed().await.is_ok() {
        for (camera, load) in loads.borrow_and_update().iter().enumerate() {
            if std::mem::replace(&mut told[camera], load.is_overloaded) == load.is_overloaded {
                continue;
            }
            let (id, looks) = (&settings.cameras[camera].id, load.looks_milli as f64 / 1000.0);
            let due = due[camera].unwrap_or(looks);
            note(&if load.is_overloaded {
                format!(
                    "kehai: overloaded: camera {id} is looked at {looks:.1} of {due:.1} times a second; all cameras give way alike: lower looks_per_s or detector.size, choose a smaller model, or watch fewer cameras"
                )
            } else {
                format!("kehai: no longer overloaded: camera {id} is looked at {looks:.1} of {due:.1} times a second")
            });
        }
    }
    // The mouth lives as long as this is asked; nothing is left to tell.
    std::future::pending().await
}

/// How long a window of this node waits before it is sent: the grace after its end, and a share of a minute that is
/// the node's own, so that a thousand shops do not speak at the same second.
fn hold(settings: &Settings) -> Duration {
    let share_s = settings.fingerprint() % JITTER_S;
    Duration::from_secs(u64::from(WINDOW_GRACE_S) + share_s)
}

/// How a person or the system ends a command.
enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A service is stopped.
    Terminate,
}

/// Waits until this process is to end.
async fn signalled() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
    }
}

/// Longest share of the jitter, s.
const JITTER_S: u64 = 60;
const HEALTH_EVERY: Duration = Duration::from_secs(60);
/// Said where a picture in memory could reach a disk.
const UNLOCKED: &str = "kehai: this machine swaps and the eye may not lock its memory: a picture could be written to its disk; allow it (LimitMEMLOCK=infinity), or forbid the swap (MemorySwapMax=0)";
