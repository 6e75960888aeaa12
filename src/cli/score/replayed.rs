//! `kehai replay --truth`: the whole pipe against the truth, before the gate. Evaluation only, in the program
//! `kehai-detect`: it opens the recording once more, through the same stages, and no camera and no broker.
//!
//! In: the arguments of a replay, with truth. Out: the score in words or JSON, DIR/score.json and, where there are lines or
//! zones, DIR/score.png. Invariant: frames are the clip's, from 1; only frames that were looked at are scored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::covers::Covers;
use super::evidence::{Evidence, Looks};
use super::geometry::{Event, Geometry, Line, side};
use super::lines::{Paths, Rules, score};
use super::report::{LinesReport, Report};
use super::{Truth, picture, read_geometry, read_truth};
use crate::capture::replay::open;
use crate::cli::mot::{Place, Row};
use crate::cli::output::{check_file, progress, say, say_json, write_whole};
use crate::cli::session::{Prepared, prepare};
use crate::cli::{CAMERA, CHECK_FAILED, Failure, USAGE, replay};
use crate::config::{Drawn, Settings};
use crate::floor::FloorMap;
use crate::pipeline::eyewitness::{Seen, Sight, watch};
use crate::pipeline::mouth::EyeEnd;
use crate::pipeline::{EyeJob, Origin};
use crate::units::{FloorPoint, PictureSize};

/// Truth of a recording: boxes, or lines and zones, or both.
pub struct Truths {
    boxes: Option<Truth>,
    geometry: Option<Geometry>,
}

/// Refuses truth that cannot be read, before the work and not after it.
///
/// # Errors
/// Exit 2 for files that are too many, exit 4 for one that cannot be read.
pub fn check(args: &replay::Args) -> Result<(), Failure> {
    if args.truth.is_empty() && args.comparison.is_given() {
        return Err(Failure::new(USAGE, "--benchmark, --tolerance and --unmasked need --truth FILE"));
    }
    // Whatever the rate turns out to be, the rest of the file is as good.
    Truths::read(args, args.fps.unwrap_or(1.0)).map(|_| ())
}

/// Runs the command.
pub fn run(args: &replay::Args) -> Result<(), Failure> {
    check_out(&args.out)?;
    let mut prepared = prepare(&args.site, args.model.as_deref())?;
    let mut job = replay::job(args, &mut prepared)?;
    if let Origin::Recorded { realtime, .. } = &mut job.feeds[0].origin {
        // Nothing is shown this time, and frames keep their stamps.
        *realtime = false;
    }
    let (fps, size) = opened(args, &job)?;
    let truths = Truths::read(args, fps)?;
    truths.check_size(args, size)?;
    let replayed = Replayed::watch(&job, fps).map_err(|end| prepared.explain(&end, Some(&args.recording)))?;
    let report = replayed.report(args, truths.boxes, truths.geometry.as_ref(), &prepared);
    let told = serde_json::to_value(&report).map_err(|error| unwritable(&error))?;
    let json = serde_json::to_vec_pretty(&told).map_err(|error| unwritable(&error))?;
    std::fs::create_dir_all(&args.out).map_err(|error| {
        Failure::new(USAGE, format!("--out {}: {error}; name a folder that can be written", args.out.display()))
    })?;
    if let Some(geometry) = &truths.geometry {
        write_whole("--out", &args.out.join("score.png"), &picture::png(geometry, &report))?;
    }
    write_whole("--out", &args.out.join("score.json"), &json)?;
    if args.json {
        say_json(&with_summary(&args.out.join("summary.json"), told));
    } else {
        say(&report.text());
        let picture = if truths.geometry.is_some() { ", score.png" } else { "" };
        say(&format!("score       {}/score.json{picture}", args.out.display()));
    }
    Ok(())
}

/// Refuses a folder in which the score could not be written, before the work and not after it.
fn check_out(out: &Path) -> Result<(), Failure> {
    replay::check_out(out)?;
    let mut there = ["score.json", "score.png"].map(|name| out.join(name)).into_iter().filter(|file| file.exists());
    there.try_for_each(|file| check_file("--out", &file))
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::new(CHECK_FAILED, format!("the score is no JSON: {error}; please report this with the truth"))
}

/// The score inside the summary that the replay has just written.
fn with_summary(file: &Path, told: Value) -> Value {
    let summary = std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let mut all: serde_json::Map<String, Value> = summary.unwrap_or_default();
    all.insert("score".to_owned(), told);
    Value::Object(all)
}

/// Frames per second of the recording as it is replayed, and the size of its pictures.
fn opened(args: &replay::Args, job: &EyeJob) -> Result<(f64, PictureSize), Failure> {
    let Origin::Recorded { path, fps, .. } = &job.feeds[0].origin else {
        return Err(Failure::new(USAGE, "--truth: only a recording can be scored"));
    };
    let refused = |error: String| {
        let remedy = "name a video file or a folder of pictures, and its rate with --fps where its header has none";
        Failure::new(CAMERA, format!("clip {}: {error}; {remedy}", args.recording.display()))
    };
    let source = open(path, *fps, None).map_err(|error| refused(error.to_string()))?;
    let fps = source.fps_claimed().ok_or_else(|| refused("has no rate".to_owned()))?;
    Ok((fps, source.size()))
}

impl Truths {
    /// Reads the files; `fps` counts where the truth does not tell.
    fn read(args: &replay::Args, fps: f64) -> Result<Self, Failure> {
        let (drawn, boxes): (Vec<&PathBuf>, Vec<&PathBuf>) = args.truth.iter().partition(|file| is_drawn(file));
        let only = |files: &[&PathBuf], what: &str| match files {
            [] | [_] => Ok(files.first().map(|file| (*file).clone())),
            [_, second, ..] => {
                Err(Failure::new(USAGE, format!("--truth {}: a second file of {what}; name one", second.display())))
            }
        };
        let (drawn, boxes) = (only(&drawn, "lines and zones (.json)")?, only(&boxes, "boxes")?);
        Ok(Self {
            boxes: boxes.map(|file| read_truth("--truth", &file, args.comparison.benchmark)).transpose()?,
            geometry: drawn.map(|file| read_geometry("--truth", &file, [None, Some(fps)])).transpose()?,
        })
    }

    fn check_size(&self, args: &replay::Args, size: PictureSize) -> Result<(), Failure> {
        let is_same = |picture: [f64; 2]| picture == [size.width, size.height].map(f64::from);
        let drawn = args.truth.iter().find(|file| is_drawn(file)).zip(self.geometry.as_ref());
        match drawn.map(|(file, geometry)| (file, geometry.picture)).filter(|(_, picture)| !is_same(*picture)) {
            Some((file, [width, height])) => Err(Failure::new(
                CAMERA,
                format!(
                    "--truth {}: made for a picture of {width}x{height}, and the clip's is {}x{}; name the truth of this clip",
                    file.display(),
                    size.width,
                    size.height
                ),
            )),
            None => Ok(()),
        }
    }
}

/// Whether a file of truth has lines and zones, and no boxes.
fn is_drawn(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

/// What the pipe made of a recording.
struct Replayed {
    tracks: Vec<Row>,
    stitched: Vec<Row>,
    frames: BTreeSet<u32>,
    /// Index of the line, frame, and whether it went inward.
    crossings: Vec<(usize, u32, bool)>,
}

impl Replayed {
    fn watch(job: &EyeJob, fps: f64) -> Result<Self, EyeEnd> {
        let mut replayed =
            Self { tracks: Vec::new(), stitched: Vec::new(), frames: BTreeSet::new(), crossings: Vec::new() };
        let bar = progress("score");
        let watched = watch(job, &mut |sight| {
            replayed.take(&sight, fps);
            bar.set_position(replayed.frames.len() as u64);
        });
        bar.finish_and_clear();
        watched.map(|()| replayed).map_err(EyeEnd::Refused)
    }

    fn take(&mut self, sight: &Sight, fps: f64) {
        let frame = (sight.captured_at.0 as f64 * fps / 1e9).round() as u32 + 1;
        self.frames.insert(frame);
        self.tracks.extend(sight.people.iter().map(|seen| row(frame, seen.track, seen)));
        self.stitched.extend(sight.people.iter().map(|seen| row(frame, seen.counts_as, seen)));
        self.crossings.extend(sight.crossings.iter().map(|crossing| (crossing.line, frame, crossing.is_inward)));
    }

    fn report(
        self,
        args: &replay::Args,
        boxes: Option<Truth>,
        geometry: Option<&Geometry>,
        prepared: &Prepared,
    ) -> Report {
        let every = spacing(&self.frames);
        let is_stitched = self.tracks.iter().zip(&self.stitched).any(|(track, stitched)| track.id != stitched.id);
        let evidence = Evidence {
            truth: boxes,
            geometry,
            tracks: self.tracks,
            stitched: is_stitched.then_some(self.stitched),
            looks: Looks { every, frames: Some(self.frames) },
            tolerance: args.comparison.tolerance,
            unmasked: args.comparison.unmasked,
        };
        let rules = geometry.map(|geometry| evidence.rules(geometry));
        let mut report = evidence.score();
        report.product_lines = geometry
            .zip(rules)
            .and_then(|(geometry, rules)| product_lines(geometry, &self.crossings, &prepared.site.settings, rules));
        report
    }
}

fn row(frame: u32, id: u64, seen: &Seen) -> Row {
    let [left, top] = [seen.place.x1, seen.place.y1].map(f64::from);
    let [width, height] = [seen.place.width(), seen.place.height()].map(f64::from);
    Row { line: 0, frame, id: id.cast_signed(), place: Place { left, top, width, height }, rest: Vec::new() }
}

/// Frames from one look to the next, on average.
fn spacing(frames: &BTreeSet<u32>) -> u32 {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return 1 };
    let gaps = (frames.len() - 1).max(1) as f64;
    (f64::from(last - first) / gaps).round().max(1.0) as u32
}

/// The crossings that the site's own lines counted, for each line of the truth that the site has too.
fn product_lines(
    geometry: &Geometry,
    crossings: &[(usize, u32, bool)],
    settings: &Settings,
    rules: Rules,
) -> Option<LinesReport> {
    let judged = |line: &Line| {
        let index = line_of_site(line, geometry, settings)?;
        let is_inward_positive = is_inward_positive(line, geometry, settings, index)?;
        let of_line = crossings.iter().filter(|(of, ..)| *of == index);
        let counted: Vec<Event> = of_line
            .map(|(_, frame, is_inward)| Event {
                frame: *frame,
                is_positive: *is_inward == is_inward_positive,
                id: None,
                at: None,
            })
            .collect();
        Some(score(line, &counted, rules, &Covers::default(), &Paths::new(&[])))
    };
    let lines: Vec<_> = geometry.lines.iter().filter_map(judged).collect();
    (!lines.is_empty()).then(|| LinesReport::new(lines, rules))
}

/// The line of the site with this name; the only one for truth that names none.
fn line_of_site(line: &Line, geometry: &Geometry, settings: &Settings) -> Option<usize> {
    let named = settings.lines.iter().position(|of_site| of_site.id == line.name || of_site.name == line.name);
    let is_only = geometry.lines.len() == 1 && settings.lines.len() == 1 && line.is_unnamed;
    named.or(is_only.then_some(0))
}

/// Whether what the site calls inward is the positive side of the truth's line, as both lie on the floor.
fn is_inward_positive(line: &Line, geometry: &Geometry, settings: &Settings, index: usize) -> Option<bool> {
    let [width, height] = geometry.picture;
    let picture = PictureSize { width: width as u32, height: height as u32 };
    let of_site = &settings.lines[index];
    let map = FloorMap::new(&settings.cameras[of_site.camera], picture).ok()?;
    let [a, b] = line.ends;
    let way = [b[0] - a[0], b[1] - a[1]];
    let middle = [0, 1].map(|axis| f64::midpoint(a[axis], b[axis]));
    // A quarter turn from the way of the line lies the positive side.
    let beside = [middle[0] - way[1] / 20.0, middle[1] + way[0] / 20.0];
    let on_floor = |points: Vec<[f64; 2]>| map.place(&Drawn::OnPicture(points));
    let [from, to, beside] = on_floor(vec![a, b, beside])[..] else { return None };
    let inside = *map.place(&of_site.ends_and_inside).get(2)?;
    let flat = |point: FloorPoint| [point.x_m, point.y_m];
    let of = |point| side(flat(from), flat(to), flat(point)) > 0.0;
    Some(of(beside) == of(inside))
}

#[cfg(test)]
mod tests {
    use super::super::geometry::parse;
    use super::*;
    use crate::config::site;

    fn settings(inside_px: &str) -> Settings {
        let text = format!(
            "[store]\norg = \"o\"\nstore = \"s\"\nnode = \"n\"\ntimezone = \"UTC\"\n[[camera]]\nid = \"c\"\n\
             [[line]]\nid = \"gate\"\nname = \"Gate\"\nends_px = [[50, 10], [50, 60]]\ninside_px = {inside_px}\n"
        );
        site::parse(&text, "test").expect("a site").settings
    }

    fn drawn(name: &str) -> Geometry {
        let text = r#"{"width": 100, "height": 72, "frames": 9, "fps": 7,
            "lines": [{"name": "NAME", "a": [50, 60], "b": [50, 10], "events": [{"frame": 5, "dir": "pos"}]}]}"#;
        parse(&text.replace("NAME", name), [None; 2]).expect("a truth")
    }

    #[test]
    fn the_sites_own_crossings_are_held_against_the_truths_directions() {
        let rules = Rules { margin_px: 1.0, tolerance: 2 };
        // From below upwards, the positive side lies to the right.
        for (inside_px, is_inward, tp) in
            [("[90, 30]", true, 1), ("[90, 30]", false, 0), ("[10, 30]", false, 1), ("[10, 30]", true, 0)]
        {
            let report = product_lines(&drawn("gate"), &[(0, 6, is_inward)], &settings(inside_px), rules);
            let pooled = report.expect("a line of that name").pooled;
            assert_eq!((pooled.tp, pooled.fp, pooled.missed), (tp, 1 - tp, 1 - tp), "{inside_px} {is_inward}");
        }
        assert!(product_lines(&drawn("Gate"), &[], &settings("[90, 30]"), rules).is_some(), "by its name for people");
        assert!(product_lines(&drawn("door"), &[], &settings("[90, 30]"), rules).is_none());
    }

    #[test]
    fn the_space_between_looks_follows_from_the_frames() {
        let every = |frames: &[u32]| spacing(&frames.iter().copied().collect());
        assert_eq!(
            [every(&[1, 2, 3]), every(&[1, 6, 11]), every(&[1, 3, 4, 6]), every(&[7]), every(&[])],
            [1, 5, 2, 1, 1]
        );
    }
}
