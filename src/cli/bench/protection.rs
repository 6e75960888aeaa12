//! `kehai bench --protection`: what the hygiene of memory and the walls cost, an eye with all of them against one with none.
//!
//! In: a clip. Out: CPU per frame of both, and the ratio of the medians. Invariants: the eyes take turns, so that the ratio
//! holds on a noisy machine; the one without any opens a recording, never a camera.

use std::path::PathBuf;

use serde::Serialize;

use super::{Args, FOLDER_FPS, listen, median};
use crate::cli::output::{progress, say, say_json};
use crate::cli::session::Prepared;
use crate::cli::{CAMERA, Failure};
use crate::health::walls::Walls;
use crate::pipeline::mouth::EyeEnd;
use crate::pipeline::{EyeJob, Feed, Origin};
use crate::wire::benched::BenchRound;
use crate::wire::record::Report;
use crate::wire::record::ration::Errand;

/// What was measured.
#[derive(Serialize)]
struct Cost {
    clip: String,
    model: String,
    rounds: u32,
    frames_per_round: u64,
    /// CPU of the whole eye with all of it, and with none, median, µs per frame.
    with_cpu_us: f64,
    without_cpu_us: f64,
    /// One over the other.
    ratio: f64,
    /// Lowest and highest of each round's.
    ratio_range: [f64; 2],
}

/// Lets both eyes look at the clip in turns.
pub(super) fn run(args: &Args, prepared: &Prepared, path: PathBuf) -> Result<(), Failure> {
    let fps = args.fps.or(prepared.site.settings.cameras[0].fps).or_else(|| path.is_dir().then_some(FOLDER_FPS));
    let origin = Origin::Recorded { path, fps, every: 1, realtime: false };
    let with = prepared.job(vec![Feed { camera: 0, origin, picture: None }], Errand::Bench(1))?;
    let without = EyeJob { walls: Walls::NONE.bits(), proved: Walls::NONE.bits(), leaves_traces: true, ..with.clone() };
    let bar = progress("bench");
    let (mut spent, mut frames) = ([Vec::new(), Vec::new()], 0);
    for number in 0..args.rounds {
        let turns = [(0, &with), (1, &without)];
        // Each begins as often as the other.
        let turns = if number % 2 == 0 { turns } else { [turns[1], turns[0]] };
        for (which, job) in turns {
            let round = whole(args, prepared, job)?;
            bar.inc(round.frames);
            frames = round.frames;
            spent[which].push(round.cpu_ns as f64 / 1000.0 / round.frames as f64);
        }
    }
    bar.finish_and_clear();
    let ratios: Vec<f64> = spent[0].iter().zip(&spent[1]).map(|(with, without)| with / without).collect();
    let [with_cpu_us, without_cpu_us] = spent.map(median);
    let cost = Cost {
        clip: args.clip.display().to_string(),
        model: prepared.model.card.name.clone(),
        rounds: args.rounds,
        frames_per_round: frames,
        with_cpu_us,
        without_cpu_us,
        ratio: with_cpu_us / without_cpu_us,
        ratio_range: [ratios.iter().copied().fold(f64::INFINITY, f64::min), ratios.iter().copied().fold(0.0, f64::max)],
    };
    if args.json {
        say_json(&cost);
    } else {
        cost.print();
    }
    Ok(())
}

/// What the whole eye of this job spends on the clip; what was read and run before it is not counted.
fn whole(args: &Args, prepared: &Prepared, job: &EyeJob) -> Result<BenchRound, Failure> {
    let mut last = None;
    let end = listen(prepared, job, &mut |report| {
        if let Report::Bench(round) = report {
            last = Some(*round);
        }
    })?;
    match (end, last) {
        (EyeEnd::Finished, Some(round)) if round.frames > 0 => Ok(round),
        (EyeEnd::Finished, _) => Err(Failure::new(CAMERA, format!("clip {}: holds no picture", args.clip.display()))),
        (end, _) => Err(prepared.explain(&end, Some(&args.clip))),
    }
}

impl Cost {
    fn print(&self) {
        say(&format!(
            "{} through {}, {} frames, {} round(s)",
            self.clip, self.model, self.frames_per_round, self.rounds
        ));
        say(&format!("hygiene and walls           {:>9.0} µs CPU per frame", self.with_cpu_us));
        say(&format!("neither                     {:>9.0} µs CPU per frame", self.without_cpu_us));
        say(&format!(
            "ratio                       {:>9.3}  ({:.3} to {:.3})",
            self.ratio, self.ratio_range[0], self.ratio_range[1]
        ));
    }
}
