//! `kehai bench`: what a clip costs on this box, per frame and stage, against decode and inference alone; with `--cameras`,
//! how many cameras the box sustains; with `--protection`, what hygiene and walls cost.
//!
//! Decode and inference alone and the whole eye are measured in one process, in turn, with the same hygiene, so that the
//! ratio holds on a noisy machine.

mod bystanders;
mod cameras;
mod chart;
mod protection;
mod report;
mod steps;
mod sustained;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::model::resolve;
use super::output::{check_file, note, progress, say, say_json};
use super::session::{Prepared, recording};
use super::{CAMERA, CHECK_FAILED, Failure, USAGE, finding};
use crate::config::site::{self, Site};
use crate::config::{LOOKS_PER_S, WORKERS_MAX};
use crate::health::STAGES;
use crate::pipeline::mouth::{EyeEnd, Mouth};
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::units::PictureSize;
use crate::vault::Vault;
use crate::wire::benched::BenchRound;
use crate::wire::compose::{Composer, Voice};
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;

/// Arguments of `kehai bench`.
#[derive(clap::Args)]
pub struct Args {
    /// A video clip, or a folder of PNG or JPEG pictures
    clip: PathBuf,
    /// Person detector: a known name or an ONNX file
    #[arg(long)]
    model: String,
    /// Input size, HEIGHTxWIDTH [default: the picture's own shape]
    #[arg(long)]
    size: Option<PictureSize>,
    /// Site file whose floor, lines and zones are measured [default: none]
    #[arg(long)]
    site: Option<PathBuf>,
    /// Frames per second of the clip, where neither site file nor header tell the truth
    #[arg(long)]
    fps: Option<f64>,
    /// Detect workers [default: the site file's, else 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(WORKERS_MAX)))]
    workers: Option<u32>,
    /// Rounds; each is decode and inference alone, then the whole eye
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Measure instead what the hygiene of memory and the walls of the eye cost: with all of them and with none, in turns
    #[arg(long, conflicts_with = "cameras")]
    protection: bool,
    /// Play the clip as this many live cameras at once, in real time, and find out how many of them this box sustains:
    /// every camera is looked at at least 95 % as often as asked, and fewer than 1 % of the pictures that were due give
    /// way to newer ones. Tries one, all, and numbers in between; one that fails is tried again once
    #[arg(long, value_name = "N", conflicts_with = "rounds", value_parser = clap::value_parser!(u32).range(1..=CAMERAS_MAX))]
    cameras: Option<u32>,
    /// How often each camera is looked at, per second [default: the site file's, else 5]
    #[arg(long, requires = "cameras", value_parser = looks_per_s)]
    looks_per_s: Option<f64>,
    /// How long each number of cameras is measured, s
    #[arg(long, default_value_t = 20, requires = "cameras", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Draw CPU by number of cameras into this PNG file
    #[arg(long, requires = "cameras", value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Starts an eye and hears it to its end.
pub(super) fn listen(prepared: &Prepared, job: &EyeJob, heard: &mut dyn FnMut(&Report)) -> Result<EyeEnd, Failure> {
    let settings = &prepared.site.settings;
    let voice = Voice {
        topic_root: "bench".to_owned(),
        boot: "bench".to_owned(),
        synchronised: false,
        retain_windows: false,
        sign: None,
    };
    let vault = Vault::throw_away()?.into();
    let mut mouth = Mouth::new(settings, Composer::new(settings, voice), vault, Duration::from_secs(3600));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    Ok(runtime.block_on(mouth.run_eye(job, heard)))
}

/// What was asked for and is not in use, for a person: the figures are those of the processor.
fn lacks_in(prepared: &Prepared, report: &Report) -> Option<String> {
    match report {
        Report::Ready(ready) => ready.lacks.map(|lacks| prepared.accelerator_missing(lacks)),
        Report::Camera(camera, _, report) if report.lacks_decoder => {
            Some(prepared.decoder_missing(usize::from(*camera)))
        }
        _ => None,
    }
}

/// Reads a number of looks per second.
fn looks_per_s(text: &str) -> Result<f64, String> {
    let looks = text.parse().ok().filter(|looks| LOOKS_PER_S.contains(looks));
    looks.ok_or_else(|| format!("write {} to {} looks per second", LOOKS_PER_S.start(), LOOKS_PER_S.end()))
}

#[derive(Serialize)]
struct Measured {
    clip: String,
    model: String,
    rounds: usize,
    frames_per_round: u64,
    /// CPU of decode and inference alone, µs per frame, median of the rounds.
    bare_cpu_us: f64,
    /// CPU of the whole eye, µs per frame, median of the rounds.
    whole_cpu_us: f64,
    /// Whole over bare, median of the rounds' own ratios.
    ratio: f64,
    /// Lowest and highest ratio of any round.
    ratio_range: [f64; 2],
    /// Frames per second of the whole eye on this clip.
    fps: f64,
    /// CPU by stage, µs per frame.
    stages_cpu_us: std::collections::BTreeMap<&'static str, f64>,
    /// Time from the mailbox to the detections, median and 99th percentile, ms.
    age_ms_p50: f64,
    age_ms_p99: f64,
    /// Share of frames that gave way to newer ones; a clip waits, so none should.
    share_overwritten: f64,
    eye_rss_peak_mb: f64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut site = match &args.site {
        Some(path) => site::load(path)?,
        None => bare_site(),
    };
    site.settings.keep_camera(0);
    site.settings.detector.size = args.size.or(site.settings.detector.size);
    let path = recording(&args.clip)?;
    if args.fps.is_some_and(|fps| !(0.1..=240.0).contains(&fps)) {
        return Err(Failure::new(
            USAGE,
            format!("--fps {}: write 0.1 to 240 frames per second", args.fps.unwrap_or(0.0)),
        ));
    }
    if let Some(picture) = &args.picture {
        check_file("--picture", picture)?;
    }
    site.settings.detector.workers = args.workers.unwrap_or(site.settings.detector.workers);
    let mut prepared = Prepared {
        site,
        path: args.site.clone().unwrap_or_default(),
        model: resolve(&args.model)?,
        runtime: finding::runtime()?,
    };
    match args.cameras {
        Some(most) => cameras::run(args, &mut prepared, &path, most),
        None if args.protection => protection::run(args, &prepared, path),
        None => rounds(args, &prepared, path),
    }
}

/// The clip alone, as fast as it goes.
fn rounds(args: &Args, prepared: &Prepared, path: PathBuf) -> Result<(), Failure> {
    let fps = args.fps.or(prepared.site.settings.cameras[0].fps).or_else(|| path.is_dir().then_some(FOLDER_FPS));
    let origin = Origin::Recorded { path, fps, every: 1, realtime: false };
    let job = prepared.job(vec![Feed { camera: 0, origin, picture: None }], Errand::Bench(args.rounds))?;
    let mut measured: Vec<BenchRound> = Vec::new();
    let bar = progress("bench");
    let end = listen(prepared, &job, &mut |report| match report {
        Report::Bench(round) => {
            measured.push(*round);
            bar.inc(round.frames);
        }
        report => {
            let lacks = lacks_in(prepared, report);
            lacks.iter().for_each(|words| bar.suspend(|| note(&format!("kehai: {words}"))));
        }
    })?;
    bar.finish_and_clear();
    if !matches!(end, EyeEnd::Finished) {
        return Err(prepared.explain(&end, Some(&args.clip)));
    }
    let result = Measured::of(args, prepared, &measured)?;
    if args.json {
        say_json(&result);
    } else {
        result.print();
    }
    Ok(())
}

impl Measured {
    fn of(args: &Args, prepared: &Prepared, measured: &[BenchRound]) -> Result<Self, Failure> {
        let pairs: Vec<[BenchRound; 2]> = measured.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        let frames = pairs.first().map_or(0, |[_, whole]| whole.frames);
        if frames == 0 {
            return Err(Failure::new(CAMERA, format!("clip {}: holds no picture", args.clip.display())));
        }
        let per_frame = |round: &BenchRound, ns: i64| ns as f64 / 1000.0 / round.frames.max(1) as f64;
        let median_of = |value: &dyn Fn(&[BenchRound; 2]) -> f64| median(pairs.iter().map(value).collect());
        let ratio = |[bare, whole]: &[BenchRound; 2]| per_frame(whole, whole.cpu_ns) / per_frame(bare, bare.cpu_ns);
        let ratios: Vec<f64> = pairs.iter().map(ratio).collect();
        let stages = STAGES
            .iter()
            .enumerate()
            .map(|(stage, name)| (*name, median_of(&|[_, whole]| per_frame(whole, whole.stages_ns[stage]))));
        Ok(Self {
            clip: args.clip.display().to_string(),
            model: prepared.model.card.name.clone(),
            rounds: pairs.len(),
            frames_per_round: frames,
            bare_cpu_us: median_of(&|[bare, _]| per_frame(bare, bare.cpu_ns)),
            whole_cpu_us: median_of(&|[_, whole]| per_frame(whole, whole.cpu_ns)),
            ratio: median(ratios.clone()),
            ratio_range: [
                ratios.iter().copied().fold(f64::INFINITY, f64::min),
                ratios.iter().copied().fold(0.0, f64::max),
            ],
            fps: median_of(&|[_, whole]| whole.frames as f64 * 1e9 / whole.wall_ns.max(1) as f64),
            stages_cpu_us: stages.collect(),
            age_ms_p50: median_of(&|[_, whole]| f64::from(whole.age_us[0]) / 1000.0),
            age_ms_p99: median_of(&|[_, whole]| f64::from(whole.age_us[1]) / 1000.0),
            share_overwritten: median_of(&|[_, whole]| {
                whole.overwritten as f64 / (whole.frames + whole.overwritten).max(1) as f64
            }),
            eye_rss_peak_mb: measured
                .iter()
                .map(|round| round.rss_kb[0])
                .max()
                .map_or(0.0, |kb| f64::from(kb) / 1024.0),
        })
    }

    fn print(&self) {
        say(&format!(
            "{} through {}, {} frames, {} round(s)",
            self.clip, self.model, self.frames_per_round, self.rounds
        ));
        say(&format!("decode and inference alone  {:>9.0} µs CPU per frame", self.bare_cpu_us));
        say(&format!("the whole eye               {:>9.0} µs CPU per frame", self.whole_cpu_us));
        say(&format!(
            "ratio                       {:>9.3}  ({:.3} to {:.3})",
            self.ratio, self.ratio_range[0], self.ratio_range[1]
        ));
        for stage in STAGES {
            say(&format!("  {stage:<24}  {:>9.0} µs", self.stages_cpu_us.get(stage).copied().unwrap_or(0.0)));
        }
        say(&format!("throughput                  {:>9.1} frames/s", self.fps));
        say(&format!("mailbox to detections       {:>9.1} ms median, {:.1} ms p99", self.age_ms_p50, self.age_ms_p99));
        say(&format!("overwritten                 {:>9.1} %", self.share_overwritten * 100.0));
        say(&format!("peak memory of the eye      {:>9.1} MB", self.eye_rss_peak_mb));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// One camera, nothing drawn.
fn bare_site() -> Site {
    let text = "[store]\norg = \"bench\"\nstore = \"bench\"\nnode = \"bench\"\ntimezone = \"UTC\"\n[[camera]]\nid = \"clip\"\n";
    site::parse(text, "bench").expect("a plain site is a good site")
}

/// Pictures in a folder have no rate; any one costs the same.
const FOLDER_FPS: f64 = 10.0;
/// Most cameras that are tried.
const CAMERAS_MAX: i64 = 64;
