//! `kehai track`: detections from a file to tracks in a file, as MOT rows. Evaluation only: the ids it writes exist in
//! this file and nowhere else.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use super::output::{say, write_whole};
use super::{CAMERA, Failure, USAGE, mot};
use crate::clock::CaptureTime;
use crate::config::card::ScoreLevels;
use crate::detect::{Detection, Detections};
use crate::track::Tracker;
use crate::units::{BoxPx, PictureSize};

/// Arguments of `kehai track`.
#[derive(clap::Args)]
pub struct Args {
    /// MOT rows: frame,-1,left,top,width,height,score…
    #[arg(long)]
    detections: PathBuf,
    /// Frames per second of the clip
    #[arg(long)]
    fps: f64,
    /// Use every Nth frame only (1, 1 + N, …); frame numbers stay the clip's
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// File for the tracks: frame,id,left,top,width,height,1,-1,-1,-1
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if !(0.1..=1000.0).contains(&args.fps) {
        return Err(Failure::new(USAGE, format!("--fps {}: write 0.1 to 1000", args.fps)));
    }
    let refused = |reason: String| Failure::new(CAMERA, format!("detections {}: {reason}", args.detections.display()));
    let text = std::fs::read_to_string(&args.detections).map_err(|error| refused(error.to_string()))?;
    let mut frames = parse(&text).map_err(refused)?;
    let last = frames.keys().next_back().copied().unwrap_or(0);
    let mut tracker = Tracker::new(LEVELS, 1);
    let (mut rows, mut ids) = (String::new(), std::collections::BTreeSet::new());
    for frame in (1..=last).step_by(args.every as usize) {
        let captured_at = CaptureTime((f64::from(frame - 1) * 1e9 / args.fps).round() as i64);
        let people = frames.remove(&frame).unwrap_or_default();
        let Some(tracks) = tracker.advance(Detections { captured_at, picture: ANY_SIZE, people }) else { continue };
        for track in tracks.seen {
            ids.insert(track.id.0);
            let place = track.place;
            // Writing to a String cannot fail.
            let _ = writeln!(
                rows,
                "{frame},{},{:.2},{:.2},{:.2},{:.2},1,-1,-1,-1",
                track.id.0,
                place.x1,
                place.y1,
                place.width(),
                place.height()
            );
        }
    }
    write_whole("--out", &args.out, rows.as_bytes())?;
    say(&format!("{} rows, {} tracks: {}", rows.lines().count(), ids.len(), args.out.display()));
    Ok(())
}

/// Detections by frame number.
fn parse(text: &str) -> Result<BTreeMap<u32, Vec<Detection>>, String> {
    let mut frames: BTreeMap<u32, Vec<Detection>> = BTreeMap::new();
    for row in mot::rows(text, "frame,-1,left,top,width,height,score")? {
        let [left, top, width, height] =
            [row.place.left, row.place.top, row.place.width, row.place.height].map(|value| value as f32);
        let place = BoxPx { x1: left, y1: top, x2: left + width, y2: top + height };
        frames.entry(row.frame).or_default().push(Detection { place, score: row.rest[0] as f32 });
    }
    Ok(frames)
}

/// Scores as they stand: the rows of a file have no card.
const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 };
/// The tracker does not look at it.
const ANY_SIZE: PictureSize = PictureSize { height: 1, width: 1 };
