//! `kehai score`: tracks against the truth, and the reason behind every crossing that was counted wrongly. Evaluation
//! only: it reads boxes of people from files, and writes figures and geometry.
//!
//! In: files. Out: text or JSON, and one picture of lines, zones and errors. Invariant: the definitions are those of
//! TrackEval 1.3.0 and of the line truth; no picture of anybody is read or drawn.

mod bounds;
mod clear;
mod covers;
mod evidence;
mod geometry;
mod hota;
mod identity;
mod lines;
mod picture;
pub mod replayed;
mod report;
mod sequence;
mod zones;

use std::path::{Path, PathBuf};

use super::output::{check_file, say, say_json, write_whole};
use super::{CAMERA, Failure, USAGE, mot};
use evidence::{Evidence, Looks, check_once_a_frame};
use geometry::Geometry;
use mot::Row;
use sequence::Benchmark;

/// Arguments of `kehai score`.
#[derive(clap::Args)]
pub struct Args {
    /// Boxes of the truth, MOT rows: frame,id,left,top,width,height,mark,…
    #[arg(long, required_unless_present = "lines")]
    truth: Option<PathBuf>,
    /// Tracks, MOT rows: frame,id,left,top,width,height,…
    #[arg(long)]
    tracks: PathBuf,
    /// The same tracks with ids after stitching: lines, zones and ids are scored on these
    #[arg(long)]
    stitched: Option<PathBuf>,
    /// Lines and zones with what truly happened there (JSON)
    #[arg(long)]
    lines: Option<PathBuf>,
    /// Frames per second of the clip [default: what the file of lines says]
    #[arg(long)]
    fps: Option<f64>,
    /// Score every Nth frame only (1, 1 + N, …), in truth and tracks
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    #[command(flatten)]
    comparison: Comparison,
    /// File for a picture of lines, zones and errors (PNG)
    #[arg(long, value_name = "FILE.png", requires = "lines")]
    picture: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// How tracks are held against the truth.
#[derive(clap::Args)]
pub struct Comparison {
    /// Whose rules the truth follows [default: told by its columns]
    #[arg(long)]
    benchmark: Option<Benchmark>,
    /// Frames a counted crossing may be off [default: 14 up to 10 frames per second, else 30]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    tolerance: Option<u32>,
    /// Score tracks also where the truth leaves people out
    #[arg(long)]
    unmasked: bool,
}

impl Comparison {
    /// Whether anything of it was asked for.
    fn is_given(&self) -> bool {
        self.benchmark.is_some() || self.tolerance.is_some() || self.unmasked
    }
}

/// Boxes of the truth and whose rules they follow.
type Truth = (Vec<Row>, Benchmark);

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    if let Some(picture) = &args.picture {
        check_file("--picture", picture)?;
    }
    let truth = args.truth.as_deref().map(|file| read_truth("--truth", file, args.comparison.benchmark)).transpose()?;
    let geometry = args.lines.as_deref().map(|file| read_geometry("--lines", file, [args.fps, None])).transpose()?;
    let evidence = Evidence {
        truth,
        geometry: geometry.as_ref(),
        tracks: read_tracks("--tracks", &args.tracks)?,
        stitched: args.stitched.as_deref().map(|file| read_tracks("--stitched", file)).transpose()?,
        looks: Looks { every: args.every, frames: None },
        tolerance: args.comparison.tolerance,
        unmasked: args.comparison.unmasked,
    };
    let report = evidence.score();
    if let Some((file, geometry)) = args.picture.as_deref().zip(geometry.as_ref()) {
        write_whole("--picture", file, &picture::png(geometry, &report))?;
    }
    if args.json {
        say_json(&report);
    } else {
        say(&report.text());
    }
    Ok(())
}

/// Reads the boxes of the truth.
fn read_truth(flag: &str, file: &Path, benchmark: Option<Benchmark>) -> Result<Truth, Failure> {
    let refused = |what: &str| refused(flag, file, what);
    let rows = mot::rows(&read(flag, file)?, "frame,id,left,top,width,height,mark").map_err(|what| refused(&what))?;
    check_once_a_frame(&rows).map_err(|what| refused(&what))?;
    if rows.is_empty() {
        return Err(refused("is empty; name the rows of the truth"));
    }
    let told = Benchmark::told_by(&rows);
    let benchmark = benchmark.unwrap_or(told);
    let name = benchmark.name();
    if benchmark != Benchmark::Mot15 && told == Benchmark::Mot15 {
        return Err(refused(&format!("has no column of classes from 1 to 13 for --benchmark {name}; write mot15")));
    }
    if !rows.iter().any(|row| benchmark.scores(row)) {
        let rows = rows.len();
        return Err(refused(&format!("{rows} rows and nobody to be found by the rules of {name}; see --benchmark")));
    }
    Ok((rows, benchmark))
}

/// Reads tracks; nobody at all is a result.
fn read_tracks(flag: &str, file: &Path) -> Result<Vec<Row>, Failure> {
    let refused = |what: String| refused(flag, file, &what);
    let rows = mot::rows(&read(flag, file)?, "frame,id,left,top,width,height").map_err(refused)?;
    if let Some(row) = rows.iter().find(|row| row.id < 0) {
        let (line, id) = (row.line, row.id);
        return Err(refused(format!("line {line}: id {id}: these are detections; `kehai track` makes tracks of them")));
    }
    check_once_a_frame(&rows).map_err(refused)?;
    Ok(rows)
}

/// Reads lines and zones; the first rate overrides what the file says, the second counts where it does not tell.
fn read_geometry(flag: &str, file: &Path, [fps, otherwise]: [Option<f64>; 2]) -> Result<Geometry, Failure> {
    if fps.is_some_and(|fps| !(0.1..=1000.0).contains(&fps)) {
        return Err(Failure::new(USAGE, format!("--fps {}: write 0.1 to 1000", fps.unwrap_or(0.0))));
    }
    geometry::parse(&read(flag, file)?, [fps, otherwise]).map_err(|what| refused(flag, file, &what))
}

fn read(flag: &str, file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(|error| refused(flag, file, &format!("{error}; name a file")))?;
    String::from_utf8(bytes).map_err(|_| refused(flag, file, "is no text; name a file of rows or JSON"))
}

fn refused(flag: &str, file: &Path, what: &str) -> Failure {
    Failure::new(CAMERA, format!("{flag} {}: {what}", file.display()))
}
