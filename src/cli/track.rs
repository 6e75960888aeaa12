//! `kehai track`: detections from a file to tracks in a file, as MOT rows. Evaluation only: the ids it writes exist in
//! this file and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::output::{say, write_whole};
use super::{CAMERA, Failure, USAGE, mot};
use crate::clock::{CaptureTime, monotonic_ns};
use crate::config::card::ScoreLevels;
use crate::detect::{Detection, Detections};
use crate::track::Tracker;
use crate::units::homography::Homography;
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
    /// Map from picture (px) to floor (m): a JSON file {"H": [[…], […], […]]}, row by row
    #[arg(long)]
    homography: Option<PathBuf>,
    /// Size of the pictures, HxW: who is cut off by a border came or went there
    #[arg(long)]
    picture_size: Option<PictureSize>,
    /// File for the tracks: frame,id,left,top,width,height,1,-1,-1,-1
    #[arg(long)]
    out: PathBuf,
    /// File for the same rows under the ids that count: somebody hidden for a moment keeps theirs
    #[arg(long)]
    stitched: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if !(0.1..=1000.0).contains(&args.fps) {
        return Err(Failure::new(USAGE, format!("--fps {}: write 0.1 to 1000", args.fps)));
    }
    let refused = |reason: String| Failure::new(CAMERA, format!("detections {}: {reason}", args.detections.display()));
    let text = std::fs::read_to_string(&args.detections).map_err(|error| refused(error.to_string()))?;
    let frames = parse(&text).map_err(refused)?;
    let mut tracker = Tracker::new(LEVELS, 1);
    if let Some(file) = &args.homography {
        tracker.stand_on(read_homography(file)?);
    }
    let Rows { raw, stitched, ids, counted, mut took_ns } = follow(args, &mut tracker, frames);
    write_whole("--out", &args.out, raw.as_bytes())?;
    say(&format!("{} rows, {} tracks: {}", raw.lines().count(), ids.len(), args.out.display()));
    if let Some(file) = &args.stitched {
        write_whole("--stitched", file, stitched.as_bytes())?;
        say(&format!("counted as {}: {}", counted.len(), file.display()));
    }
    took_ns.sort_unstable();
    if let Some(median_ns) = took_ns.get(took_ns.len() / 2) {
        let (frames, median_us) = (took_ns.len(), *median_ns as f64 / 1000.0);
        say(&format!("the tracker took {median_us:.1} µs per frame (median of {frames})"));
    }
    Ok(())
}

/// What is written: rows under the ids of tracks, and under the ids that count.
#[derive(Default)]
struct Rows {
    raw: String,
    stitched: String,
    ids: BTreeSet<u64>,
    counted: BTreeSet<u64>,
    /// What the tracker took, frame by frame, ns.
    took_ns: Vec<i64>,
}

fn follow(args: &Args, tracker: &mut Tracker, mut frames: BTreeMap<u32, Vec<Detection>>) -> Rows {
    let mut rows = Rows::default();
    let last = frames.keys().next_back().copied().unwrap_or(0);
    let picture = args.picture_size.unwrap_or(NO_SIZE);
    for frame in (1..=last).step_by(args.every as usize) {
        let captured_at = CaptureTime((f64::from(frame - 1) * 1e9 / args.fps).round() as i64);
        let people = frames.remove(&frame).unwrap_or_default();
        let begun_ns = monotonic_ns();
        let Some(tracks) = tracker.advance(Detections { captured_at, picture, people }) else { continue };
        rows.took_ns.push(monotonic_ns() - begun_ns);
        for track in &tracks.seen {
            rows.ids.insert(track.id.0);
            rows.counted.insert(track.counts_as.0);
            let BoxPx { x1, y1, .. } = track.place;
            let place = format!("{x1:.2},{y1:.2},{:.2},{:.2}", track.place.width(), track.place.height());
            // Writing to a String cannot fail.
            let _ = writeln!(rows.raw, "{frame},{},{place},1,-1,-1,-1", track.id.0);
            let _ = writeln!(rows.stitched, "{frame},{},{place},1,-1,-1,-1", track.counts_as.0);
        }
    }
    rows
}

/// The map from picture to floor in a file: `{"H": [[…], […], […]]}`, row by row, px to m.
fn read_homography(file: &Path) -> Result<Homography, Failure> {
    #[derive(serde::Deserialize)]
    struct Plane {
        #[serde(rename = "H")]
        rows: [[f64; 3]; 3],
    }
    let refused = |reason: String| {
        let shape = r#"write {"H": [[a, b, c], [d, e, f], [g, h, i]]}, row by row, picture px to floor m"#;
        Failure::new(USAGE, format!("--homography {}: {reason}; {shape}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let plane: Plane = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let map = Homography::new(plane.rows);
    map.inverse().map(|_| map).ok_or_else(|| refused("the map cannot be undone".to_owned()))
}

/// Detections by frame number.
fn parse(text: &str) -> Result<BTreeMap<u32, Vec<Detection>>, String> {
    let mut frames: BTreeMap<u32, Vec<Detection>> = BTreeMap::new();
    for row in mot::rows(text, "frame,-1,left,top,width,height,score")? {
        let [left, top, width, height] =
            [row.place.left, row.place.top, row.place.width, row.place.height].map(|value| value as f32);
        let place = BoxPx { x1: left, y1: top, x2: left + width, y2: top + height };
        let score = row.rest[0];
        if !(0.0..=1.0).contains(&score) {
            return Err(format!("line {}: score {score}: write a score from 0 to 1", row.line));
        }
        frames.entry(row.frame).or_default().push(Detection { place, score: score as f32 });
    }
    Ok(frames)
}

/// Scores as they stand: the rows of a file have no card.
const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 };
/// Of a file of boxes nobody knows where the picture ends.
const NO_SIZE: PictureSize = PictureSize { height: 0, width: 0 };
