//! `kehai bench --cameras N`: how many cameras this box sustains, and what each of them costs.
//!
//! The clip plays as so many cameras at once, in real time, each out of step with the others; every number of cameras
//! has an eye of its own, so that its memory is that number's. What a camera on the network costs beside that (its
//! packets) is not in the figures.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::bystanders::Busy;
use super::chart::{Chart, Column};
use super::steps::{Step, parts};
use super::sustained::{MEANING, Search};
use super::{Args, lacks_in, listen};
use crate::cli::output::{note, progress, say_json, write_whole};
use crate::cli::session::Prepared;
use crate::cli::{CAMERA, Failure};
use crate::config::{Camera, LOOKS_PER_S_DEFAULT, Line, Settings, Zone};
use crate::health::Ledger;
use crate::pipeline::mouth::EyeEnd;
use crate::pipeline::{Feed, Origin};
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;

/// What the box can do, as printed and as JSON.
#[derive(Serialize)]
pub struct Outcome {
    pub clip: String,
    pub model: String,
    /// Looks asked for, per second and camera.
    pub looks_per_s: f64,
    /// How long each number of cameras was measured, s.
    pub seconds: u32,
    /// Detect workers.
    pub workers: u32,
    /// Cores of this box that the eye may use.
    pub cores: usize,
    pub cameras_asked: u32,
    /// Most cameras that were sustained; 0 when one is too much.
    pub cameras_sustained: u32,
    pub sustained_means: &'static str,
    /// Peak memory of an eye with one camera, MB.
    pub rss_first_camera_mb: f64,
    /// What each further camera adds to its memory at the end, MB, from one camera to the most that were tried; null where
    /// that is one. The peak of few cameras is that of loading the network and would hide it.
    pub rss_further_camera_mb: Option<f64>,
    /// Every number of cameras that was tried, in rising order.
    pub steps: Vec<Step>,
}

/// Runs the command for `most` cameras.
pub fn run(args: &Args, prepared: &mut Prepared, path: &Path, most: u32) -> Result<(), Failure> {
    let fps = args.fps.or(prepared.site.settings.cameras[0].fps);
    let mut one = prepared.site.settings.clone();
    let looks_per_s = args.looks_per_s.or(one.cameras[0].looks_per_s).unwrap_or(LOOKS_PER_S_DEFAULT);
    one.cameras[0].looks_per_s = Some(looks_per_s);
    let (mut search, mut steps, mut told) = (Search::up_to(most), Vec::new(), Vec::new());
    while let Some(cameras) = search.next() {
        prepared.site.settings = crowd(&one, cameras);
        let feeds = recording(path, fps, cameras);
        let mut step = measure(args, prepared, &feeds, &mut told)?;
        if !step.is_sustained {
            // Another program that got in the way once must not decide.
            step = measure(args, prepared, &feeds, &mut told)?;
        }
        search.tried(cameras, step.is_sustained);
        steps.push(step);
    }
    steps.sort_by_key(|step| step.cameras);
    let outcome = Outcome::of(args, prepared, &search, steps);
    if let Some(picture) = &args.picture {
        write_whole("--picture", picture, &outcome.chart().png())?;
    }
    if args.json {
        say_json(&outcome);
    } else {
        outcome.print();
    }
    Ok(())
}

/// The site's first camera so many times, each with its lines and zones.
fn crowd(one: &Settings, cameras: u32) -> Settings {
    let mut settings = one.clone();
    for camera in 1..cameras as usize {
        let again = |id: &str| format!("{id}-{}", camera + 1);
        let first = &settings.cameras[0];
        settings.cameras.push(Camera { id: again(&first.id), ..first.clone() });
        let lines = one.lines.iter().map(|line| Line { id: again(&line.id), camera, ..line.clone() });
        settings.lines.extend(lines);
        let zones = one.zones.iter().map(|zone| Zone { id: again(&zone.id), camera, ..zone.clone() });
        settings.zones.extend(zones);
    }
    settings
}

/// The recording as so many cameras, their looks spread evenly over the time between two looks.
fn recording(path: &Path, fps: Option<f64>, cameras: u32) -> Vec<Feed> {
    let origin =
        |camera| Origin::Looped { path: PathBuf::from(path), fps, phase: f64::from(camera) / f64::from(cameras) };
    (0..cameras).map(|camera| Feed { camera: camera as usize, origin: origin(camera), picture: None }).collect()
}

/// Measures one number of cameras. What the eye lacks is told once.
fn measure(args: &Args, prepared: &Prepared, feeds: &[Feed], told: &mut Vec<String>) -> Result<Step, Failure> {
    let asked = prepared.site.settings.cameras[0].looks_per_s.unwrap_or(LOOKS_PER_S_DEFAULT);
    let job = prepared.job(feeds.to_vec(), Errand::BenchLive(args.seconds))?;
    let mut ledgers: Vec<Option<[Ledger; 2]>> = vec![None; feeds.len()];
    let (mut round, bar) = (None, progress(&format!("bench, {} camera(s)", feeds.len())));
    let (mut begun, mut others) = (None, None);
    let end = listen(prepared, &job, &mut |report| {
        if let Some(lacks) = lacks_in(prepared, report).filter(|lacks| !told.contains(lacks)) {
            bar.suspend(|| note(&format!("kehai: {lacks}")));
            told.push(lacks);
        }
        match report {
            Report::Camera(camera, _, report) => {
                begun = begun.or_else(Busy::now);
                let ledger = &mut ledgers[usize::from(*camera)];
                *ledger = Some([ledger.map_or(report.ledger, |[first, _]| first), report.ledger]);
                bar.set_position(ledgers.iter().flatten().map(|[_, last]| last.captured).sum());
            }
            Report::Bench(said) => {
                let own_cpu_s = said.cpu_ns as f64 / 1e9;
                others = Busy::now().zip(begun).map(|(ended, begun)| ended.others_since(begun, own_cpu_s));
                round = Some(*said);
            }
            _ => {}
        }
    })?;
    bar.finish_and_clear();
    match (end, round) {
        (EyeEnd::Finished, Some(round)) => {
            let ledgers: Vec<[Ledger; 2]> = ledgers.into_iter().flatten().collect();
            Ok(Step { others_cpu_cores: others, ..Step::of(&round, &ledgers, asked) })
        }
        (EyeEnd::Finished, None) => {
            Err(Failure::new(CAMERA, format!("clip {}: nothing was measured", args.clip.display())))
        }
        (end, _) => Err(prepared.explain(&end, Some(&args.clip))),
    }
}

impl Outcome {
    fn of(args: &Args, prepared: &Prepared, search: &Search, steps: Vec<Step>) -> Self {
        let [first, last] = [steps.first(), steps.last()];
        let further = first.zip(last).filter(|(first, last)| last.cameras > first.cameras);
        Self {
            clip: args.clip.display().to_string(),
            model: prepared.model.card.name.clone(),
            looks_per_s: prepared.site.settings.cameras[0].looks_per_s.unwrap_or(LOOKS_PER_S_DEFAULT),
            seconds: args.seconds,
            workers: prepared.site.settings.detector.workers,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cameras_asked: search.most(),
            cameras_sustained: search.sustained(),
            sustained_means: MEANING,
            rss_first_camera_mb: first.map_or(0.0, |step| step.rss_peak_mb),
            rss_further_camera_mb: further
                .map(|(first, last)| (last.rss_end_mb - first.rss_end_mb) / f64::from(last.cameras - first.cameras)),
            steps,
        }
    }

    /// How busy the box was with other programs at worst, as the end of a sentence.
    pub fn others(&self) -> String {
        let worst = self.steps.iter().filter_map(|step| step.others_cpu_cores).reduce(f64::max);
        worst.map_or_else(String::new, |cores| format!("; other programs used up to {cores:.2} cores meanwhile"))
    }

    fn chart(&self) -> Chart {
        let column = |step: &Step| Column {
            cameras: step.cameras,
            cores: step.cores_in_use(),
            is_sustained: step.is_sustained,
            looks_per_s_min: step.looks_per_s_min,
            rss_peak_mb: step.rss_peak_mb,
        };
        let clip = Path::new(&self.clip).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let workers =
            if self.workers == 1 { "1 detect worker".to_owned() } else { format!("{} detect workers", self.workers) };
        let kehai = concat!("kehai ", env!("CARGO_PKG_VERSION"));
        Chart {
            title: format!(
                "{} of {} cameras sustained at {} looks/s each",
                self.cameras_sustained, self.cameras_asked, self.looks_per_s
            ),
            subtitle: [
                format!("{clip} through {}, {workers}", self.model),
                format!("{kehai}, {} s for each number of cameras{}", self.seconds, self.others()),
            ],
            parts: parts().collect(),
            cores: self.cores,
            columns: self.steps.iter().map(column).collect(),
        }
    }
}
