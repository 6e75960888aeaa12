//! `kehai replay`: a recording through the very same eye and mouth, in media time, nothing dropped.
//!
//! Writes DIR/windows.jsonl (one payload a line, as published), DIR/heat-ID.png, DIR/summary.json. The same recording
//! gives the same windows.jsonl, byte for byte, at any speed. With truth, `kehai-detect` then scores the same recording.

mod paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::output::{is_attended, is_writable_folder, note, progress, say, say_json};
use super::publishing::Publishing;
use super::score::{Comparison, replayed};
use super::session::{Prepared, prepare, recording};
use super::{BROKER, CHECK_FAILED, Failure, INTERRUPTED, USAGE};
use crate::clock::{Timeline, UtcMs};
use crate::config::broker::Broker;
use crate::config::card::ScoreLevels;
use crate::floor::visible_cells;
use crate::health::Ledger;
use crate::health::news::{CameraNews, LastHeard};
use crate::pipeline::mouth::{EyeEnd, Mouth};
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::publish::picture::heatmap_png;
use crate::vault::{Counts, Vault};
use crate::wire::compose::{Composer, REPLAY_BOOT, Voice};
use crate::wire::read::WindowView;
use crate::wire::record::ration::{Errand, Ration};
use crate::wire::record::{RECORD_BYTES, Report};
use paths::PathTotals;

/// Arguments of `kehai replay`.
#[derive(clap::Args)]
pub struct Args {
    /// A video clip, or a folder of PNG or JPEG pictures in the order of their names
    pub(super) recording: PathBuf,
    /// Site file
    #[arg(long)]
    pub(super) site: PathBuf,
    /// Person detector: a known name or an ONNX file [default: the site file's]
    #[arg(long)]
    pub(super) model: Option<String>,
    /// Camera of the site file the recording is of; needed where there are several
    #[arg(long)]
    camera: Option<String>,
    /// When the recording begins, UTC
    #[arg(long, default_value = "2026-01-05T10:00:00Z")]
    start: String,
    /// Frames per second of the recording, where neither site file nor header tell the truth
    #[arg(long)]
    pub(super) fps: Option<f64>,
    /// Look at every Nth frame only
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// Take as long as the recording took
    #[arg(long)]
    realtime: bool,
    /// Publish to the site file's broker, as the node it names, and serve its page; on a terminal the page stays until Ctrl-C
    #[arg(long)]
    publish: bool,
    /// Evaluation only: hold the tracks and counts of the whole pipe, ungated, against boxes (MOT rows) or lines and zones
    /// (.json); may be given twice. The recording is opened once more, by a program that opens files only, never a camera
    /// or a broker; writes DIR/score.json and DIR/score.png
    #[arg(long, value_name = "FILE")]
    pub(super) truth: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) comparison: Comparison,
    /// Folder for windows.jsonl, heat-*.png and summary.json
    #[arg(long)]
    pub(super) out: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    check_out(&args.out)?;
    replayed::check(args)?;
    let mut prepared = prepare(&args.site, args.model.as_deref())?;
    let job = job(args, &mut prepared)?;
    let broker = if args.publish { Publishing::broker(&prepared.site.outlets)? } else { None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    runtime.block_on(async {
        let interrupted = async {
            // Without a signal handler Ctrl-C ends the process, which is as good.
            let _ = tokio::signal::ctrl_c().await;
        };
        let (publishing, vault) = tokio::select! {
            outcome = replay(args, &prepared, &job, broker) => outcome?,
            () = interrupted => return Err(Failure::new(INTERRUPTED, "interrupted; nothing was written")),
        };
        finish(publishing, &vault).await
    })
}

/// Refuses a folder that could not be written, before the work and not after it.
pub(super) fn check_out(out: &Path) -> Result<(), Failure> {
    let nearest = out.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    let message =
        || format!("--out {}: {} is not a folder that can be written; name another", out.display(), nearest.display());
    if is_writable_folder(nearest) { Ok(()) } else { Err(Failure::new(USAGE, message())) }
}

/// The job of an eye for the recording.
pub(super) fn job(args: &Args, prepared: &mut Prepared) -> Result<EyeJob, Failure> {
    let camera = prepared.camera_named(args.camera.as_deref())?;
    let path = recording(&args.recording)?;
    let start: jiff::Timestamp = args.start.parse().map_err(|_| {
        Failure::new(USAGE, format!("--start {}: write a time in UTC, for example 2026-01-05T10:00:00Z", args.start))
    })?;
    if !(START_S_MIN..START_S_MAX).contains(&start.as_second()) {
        return Err(Failure::new(USAGE, format!("--start {}: write a time from 1970-01-02 to 2105-12-31", args.start)));
    }
    if args.fps.is_some_and(|fps| !(0.1..=240.0).contains(&fps)) {
        return Err(Failure::new(
            USAGE,
            format!("--fps {}: write 0.1 to 240 frames per second", args.fps.unwrap_or(0.0)),
        ));
    }
    // Only the camera of the recording exists in this replay: the others would be reported as blind.
    prepared.site.settings.keep_camera(camera);
    let fps = args.fps.or(prepared.site.settings.cameras[0].fps);
    let origin = Origin::Recorded { path, fps, every: args.every, realtime: args.realtime };
    let timeline = Timeline::starting_at(UtcMs(start.as_millisecond()));
    prepared.job(vec![Feed { camera: 0, origin, picture: None }], Errand::Replay(timeline))
}

async fn replay(
    args: &Args,
    prepared: &Prepared,
    job: &EyeJob,
    broker: Option<crate::publish::broker::EmbeddedBroker>,
) -> Result<(Option<Publishing>, Arc<Vault>), Failure> {
    let settings = &prepared.site.settings;
    let vault = Arc::new(Vault::throw_away()?);
    let voice = Voice {
        topic_root: prepared.site.outlets.topic_root.clone(),
        boot: REPLAY_BOOT.to_owned(),
        synchronised: false,
        // An old window must not take the place of a shop's newest on a broker others use.
        retain_windows: matches!(prepared.site.outlets.broker, Some(Broker::Embedded { .. })),
        sign: None,
    };
    let mut mouth = Mouth::new(settings, Composer::new(settings, voice), Arc::clone(&vault), HEALTH_EVERY);
    let publishing = match args.publish {
        true => Some(Publishing::start(&prepared.site, &prepared.model.card.name, &mouth, &vault, broker).await?),
        false => None,
    };
    if let Some(publishing) = &publishing {
        announce(publishing);
    }
    let start_cpu_us =
        watch(prepared, job, &mut mouth).await.map_err(|end| prepared.explain(&end, Some(&args.recording)))?;
    if mouth.unreleased() > 0 {
        let message = format!(
            "{} windows could not be kept in memory; replay the recording in parts, each with its own --start",
            mouth.unreleased()
        );
        return Err(Failure::new(CHECK_FAILED, message));
    }
    if let Some(publishing) = &publishing {
        publishing.drained(&vault, DRAIN_PATIENCE).await;
    }
    let mut summary = Summary::of(&mouth, &vault, prepared, args, publishing.as_ref());
    summary.eye_start_cpu_ms = start_cpu_us / 1000;
    if !summary.frames.is_balanced() {
        let message = format!("the frames do not add up: {:?}; please report this with the recording", summary.frames);
        return Err(Failure::new(CHECK_FAILED, message));
    }
    write_results(&args.out, &vault, prepared, &summary)?;
    match args.json {
        // The score comes with the summary inside, as one document.
        true if !args.truth.is_empty() => {}
        true => say_json(&summary),
        false => summary.print(),
    }
    Ok((publishing, vault))
}

/// Hears an eye to the end of the recording, and shows how far it is; gives the CPU it spent on its start, µs.
async fn watch(prepared: &Prepared, job: &EyeJob, mouth: &mut Mouth) -> Result<u32, EyeEnd> {
    let bar = progress("replay");
    let (mut start_cpu_us, mut last) = (0, LastHeard::new(job.settings.cameras.len()));
    let mut heard = |report: &Report| match report {
        Report::Camera(camera, _, report) => {
            bar.set_position(report.ledger.captured);
            if last.hear(usize::from(*camera), report).contains(&CameraNews::DecoderMissing) {
                note(&format!("kehai: {}", prepared.decoder_missing(usize::from(*camera))));
            }
        }
        Report::Ready(ready) => {
            start_cpu_us = ready.cpu_us;
            let lacks = ready.lacks.map(|lacks| prepared.accelerator_missing(lacks));
            lacks.iter().for_each(|words| note(&format!("kehai: {words}")));
        }
        _ => {}
    };
    let end = mouth.run_eye(job, &mut heard).await;
    bar.finish_and_clear();
    if matches!(end, EyeEnd::Finished) { Ok(start_cpu_us) } else { Err(end) }
}

fn announce(publishing: &Publishing) {
    if let Some(url) = &publishing.broker_url {
        note(&format!("publishing to {url}"));
    }
    if let Some(url) = &publishing.page_url {
        note(&format!("page at {url}"));
    }
}

/// Keeps the page up for a person, then says goodbye; undelivered windows are a failure.
async fn finish(publishing: Option<Publishing>, vault: &Vault) -> Result<(), Failure> {
    let Some(publishing) = publishing else { return Ok(()) };
    let counts = vault.counts();
    if is_attended() && publishing.page_url.is_some() {
        note("The page stays up; Ctrl-C ends it.");
        // Without a signal handler there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    }
    let has_broker = publishing.broker_url.is_some();
    let was_connected = publishing.is_connected();
    publishing.end().await;
    if has_broker && counts.released > counts.done {
        let state = if was_connected { "the broker did not acknowledge them" } else { "no broker answered" };
        let message = format!(
            "{} of {} windows were not delivered: {state}; see broker in the site file",
            counts.released - counts.done,
            counts.released
        );
        return Err(Failure::new(BROKER, message));
    }
    Ok(())
}

/// What a replay came to, from released figures and counters of frames alone.
#[derive(Serialize)]
struct Summary {
    clip: String,
    model: String,
    /// Scores that matter to the tracker: the model's own, or those of the site file.
    score: ScoreLevels,
    frames: Ledger,
    /// Boxes of people dropped because they stood where nobody counts.
    ignored: u64,
    /// Things taken for people that did not move since the start and count as nobody, at the end.
    motionless: u32,
    most_at_once: Option<MostAtOnce>,
    lines: Vec<LineTotal>,
    zones: Vec<ZoneTotal>,
    heatmaps: Vec<HeatTotal>,
    #[serde(flatten)]
    paths: PathTotals,
    windows_released: u64,
    windows_acknowledged: Option<u64>,
    /// What crossed the pipe out of the process that sees pictures.
    pipe: PipeTotal,
    eye_rss_peak_kb: i64,
    /// CPU the eye spent until its model was loaded, ms.
    eye_start_cpu_ms: u32,
    out: String,
    page: Option<String>,
}

/// What the mouth has read from the eye, and what the settings and the length of the recording foresee.
#[derive(Serialize)]
struct PipeTotal {
    records: usize,
    bytes: usize,
    budget_bytes: usize,
}

impl PipeTotal {
    fn of(ration: Option<&Ration>) -> Self {
        let records = ration.map_or(0, Ration::records);
        let foreseen = ration.and_then(Ration::foreseen).unwrap_or(0);
        Self { records, bytes: records * RECORD_BYTES, budget_bytes: foreseen * RECORD_BYTES }
    }
}

#[derive(Serialize)]
struct MostAtOnce {
    zone: String,
    people: u64,
}

#[derive(Serialize)]
struct LineTotal {
    id: String,
    inward: u64,
    outward: u64,
    uncertain: u64,
}

#[derive(Serialize)]
struct ZoneTotal {
    id: String,
    windows: usize,
    windows_released: usize,
    visits: u64,
}

#[derive(Serialize)]
struct HeatTotal {
    id: String,
    windows: usize,
    cells_released: usize,
}

impl Summary {
    fn of(mouth: &Mouth, vault: &Vault, prepared: &Prepared, args: &Args, publishing: Option<&Publishing>) -> Self {
        let windows: Vec<WindowView> =
            vault.held().iter().filter_map(|message| WindowView::read(&message.body)).collect();
        let Counts { released, done, .. } = vault.counts();
        let settings = &prepared.site.settings;
        let of = |kind: &'static str, id: String| {
            windows.iter().filter(move |window| window.kind == kind && window.id == id)
        };
        let total = |kind: &'static str, id: &String, figure: &str| {
            of(kind, id.clone()).filter_map(|window| window.figure(figure)).sum()
        };
        let lines = settings.lines.iter().map(|line| LineTotal {
            id: line.id.clone(),
            inward: total("line", &line.id, "in"),
            outward: total("line", &line.id, "out"),
            uncertain: total("line", &line.id, "uncertain"),
        });
        let zones = settings.zones.iter().map(|zone| ZoneTotal {
            id: zone.id.clone(),
            windows: of("zone", zone.id.clone()).count(),
            windows_released: of("zone", zone.id.clone()).filter(|window| window.figure("visits").is_some()).count(),
            visits: total("zone", &zone.id, "visits"),
        });
        let heat_ids =
            settings.floors.iter().flat_map(|floor| ["visits", "dwell"].map(|layer| format!("{}-{layer}", floor.id)));
        let heatmaps = heat_ids.map(|id| HeatTotal {
            windows: of("heat", id.clone()).count(),
            cells_released: of("heat", id.clone())
                .filter_map(|window| window.heat.as_ref())
                .map(|heat| heat.cells.iter().flatten().count())
                .sum(),
            id,
        });
        let busiest = windows
            .iter()
            .filter(|window| window.kind == "zone")
            .filter_map(|window| Some((window.figure("occ_max")?, window.id.clone())))
            .max();
        let camera = mouth.cameras().first().copied().flatten();
        Self {
            clip: args.recording.display().to_string(),
            model: prepared.model.card.name.clone(),
            score: prepared.model.card.score,
            frames: camera.map(|camera| camera.ledger).unwrap_or_default(),
            ignored: camera.map_or(0, |camera| camera.ignored),
            motionless: camera.map_or(0, |camera| camera.motionless),
            most_at_once: busiest.map(|(people, zone)| MostAtOnce { zone, people }),
            lines: lines.collect(),
            zones: zones.collect(),
            heatmaps: heatmaps.collect(),
            paths: PathTotals::of(settings, &windows),
            windows_released: released,
            windows_acknowledged: publishing.filter(|publishing| publishing.broker_url.is_some()).map(|_| done),
            pipe: PipeTotal::of(mouth.ration()),
            eye_rss_peak_kb: peak_rss_of_children_kb(),
            eye_start_cpu_ms: 0,
            out: args.out.display().to_string(),
            page: publishing.and_then(|publishing| publishing.page_url.clone()),
        }
    }

    fn print(&self) {
        let frames = &self.frames;
        say(&format!("{} through {} with score = {}", self.clip, self.model, self.score));
        say(&format!(
            "frames      {} captured = {} detected + {} still + {} skipped + {} overwritten + {} failed",
            frames.captured, frames.detected, frames.still, frames.skipped, frames.overwritten, frames.failed
        ));
        say(&format!(
            "nobody      {} boxes in ignored places, {} thing(s) that did not move since the start",
            self.ignored, self.motionless
        ));
        if let Some(most) = &self.most_at_once {
            say(&format!("most people {} at once in zone {}", most.people, most.zone));
        }
        for line in &self.lines {
            say(&format!(
                "line        {:<16} in {:>4}  out {:>4}  (uncertain {})",
                line.id, line.inward, line.outward, line.uncertain
            ));
        }
        for zone in &self.zones {
            say(&format!(
                "zone        {:<16} visits {:>4}  ({} of {} windows released)",
                zone.id, zone.visits, zone.windows_released, zone.windows
            ));
        }
        for heat in &self.heatmaps {
            say(&format!(
                "heatmap     {:<16} {} cells released in {} window(s)  {}/heat-{}.png",
                heat.id, heat.cells_released, heat.windows, self.out, heat.id
            ));
        }
        self.paths.print();
        match self.windows_acknowledged {
            Some(done) => say(&format!(
                "windows     {} released, {done} acknowledged by the broker  {}/windows.jsonl",
                self.windows_released, self.out
            )),
            None => say(&format!("windows     {} released  {}/windows.jsonl", self.windows_released, self.out)),
        }
        say(&format!(
            "pipe        {} bytes in {} records from the process that sees pictures; {} foreseen",
            self.pipe.bytes, self.pipe.records, self.pipe.budget_bytes
        ));
        if let Some(page) = &self.page {
            say(&format!("page        {page}"));
        }
    }
}

/// Writes the results: all of them or, on a full disk, none.
fn write_results(out: &Path, vault: &Vault, prepared: &Prepared, summary: &Summary) -> Result<(), Failure> {
    let held = vault.held();
    let settings = &prepared.site.settings;
    let mut files = std::collections::BTreeMap::new();
    for message in &held {
        let Some(window) = WindowView::read(&message.body) else { continue };
        let Some(heat) = &window.heat else { continue };
        let floor = settings.floors.iter().position(|floor| floor.id == heat.plan);
        let seen = floor.map(|floor| visible_cells(settings, floor)).unwrap_or_default();
        // The last window of a heatmap is the one that stays: day sums come with the exports.
        files.insert(format!("heat-{}.png", window.id), heatmap_png(heat, &seen));
    }
    let lines = held.iter().flat_map(|message| message.body.iter().copied().chain([b'\n']));
    files.insert("windows.jsonl".to_owned(), lines.collect());
    files.insert("summary.json".to_owned(), serde_json::to_vec_pretty(summary).unwrap_or_default());
    write_all(out, &files).map_err(|(what, error)| {
        Failure::new(USAGE, format!("--out {}: {error}; name a folder that can be written", what.display()))
    })
}

/// Writes files beside their places and moves them there once all are written; says which could not be.
fn write_all(out: &Path, files: &std::collections::BTreeMap<String, Vec<u8>>) -> Result<(), (PathBuf, std::io::Error)> {
    let beside = |name: &String| out.join(format!(".{name}.partial"));
    std::fs::create_dir_all(out).map_err(|error| (out.to_owned(), error))?;
    if let Some(folder) = files.keys().map(|name| out.join(name)).find(|place| place.is_dir()) {
        return Err((folder, std::io::ErrorKind::IsADirectory.into()));
    }
    let written = files
        .iter()
        .try_for_each(|(name, bytes)| std::fs::write(beside(name), bytes).map_err(|error| (out.join(name), error)));
    let moved = written.and_then(|()| {
        files
            .keys()
            .try_for_each(|name| std::fs::rename(beside(name), out.join(name)).map_err(|error| (out.join(name), error)))
    });
    if moved.is_err() {
        // What was never written cannot be removed.
        files.keys().for_each(|name| drop(std::fs::remove_file(beside(name))));
    }
    moved
}

/// Largest resident memory of any child that has ended, kB: the eye.
pub fn peak_rss_of_children_kb() -> i64 {
    // SAFETY: getrusage only writes to the local struct.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage.ru_maxrss
    }
}

/// 1970-01-02 and 2106-01-01: every window of a replay lies on the calendar of the pipe (`wire/record.rs`).
const START_S_MIN: i64 = 86_400;
const START_S_MAX: i64 = 4_291_747_200;
const HEALTH_EVERY: Duration = Duration::from_secs(1);
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);
