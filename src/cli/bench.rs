//! `kehai bench`: what a clip costs on this box, per frame and stage, against decode and inference alone.
//!
//! Both are measured in one eye process, in turn, with the same hygiene, so that the ratio holds on a noisy machine.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::model::resolve;
use super::output::{progress, say, say_json};
use super::replay::peak_rss_of_children_kb;
use super::session::Prepared;
use super::{CAMERA, CHECK_FAILED, Failure, finding};
use crate::config::site::{self, Site};
use crate::health::STAGES;
use crate::pipeline::mouth::{EyeEnd, Mouth};
use crate::pipeline::{Errand, Feed, Origin};
use crate::units::PictureSize;
use crate::vault::Vault;
use crate::wire::benched::BenchRound;
use crate::wire::compose::{Composer, Voice};
use crate::wire::record::Report;

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
    /// Rounds; each is decode and inference alone, then the whole eye
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
    let path = args
        .clip
        .canonicalize()
        .map_err(|error| Failure::new(CAMERA, format!("clip {}: {error}", args.clip.display())))?;
    let fps = site.settings.cameras[0].fps.or_else(|| path.is_dir().then_some(FOLDER_FPS));
    let prepared = Prepared {
        site,
        path: args.site.clone().unwrap_or_default(),
        model: resolve(&args.model)?,
        runtime: finding::runtime()?,
    };
    let origin = Origin::Recorded { path, fps, every: 1, realtime: false };
    let job = prepared.job(vec![Feed { camera: 0, origin, picture: None }], Errand::Bench(args.rounds));
    let mut measured: Vec<BenchRound> = Vec::new();
    let settings = &prepared.site.settings;
    let voice =
        Voice { topic_root: "bench".to_owned(), boot: "bench".to_owned(), synchronised: false, retain_windows: false };
    let mut mouth = Mouth::new(
        settings,
        Composer::new(settings, voice),
        Vault::new(false, Duration::ZERO).into(),
        Duration::from_secs(3600),
    );
    let bar = progress("bench");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(CHECK_FAILED, error.to_string()))?;
    let end = runtime.block_on(mouth.run_eye(&job, &mut |report| {
        if let Report::Bench(round) = report {
            measured.push(*round);
            bar.inc(round.frames);
        }
    }));
    bar.finish_and_clear();
    if !matches!(end, EyeEnd::Finished) {
        return Err(prepared.explain(&end, Some(&args.clip)));
    }
    let result = Measured::of(args, &prepared, &measured)?;
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
            eye_rss_peak_mb: peak_rss_of_children_kb() as f64 / 1024.0,
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
