//! `kehai detect`: what a model finds in a clip, as MOT rows, for scoring. Evaluation only: it opens files, writes
//! boxes of people, and can open neither a camera nor a broker.

use std::fmt::Write;
use std::path::PathBuf;

use super::model::resolve;
use super::output::{note, progress, say, write_whole};
use super::session::{missing, recording};
use super::{CAMERA, Failure, finding};
use crate::capture::{CaptureError, FramePool, Grab, replay, use_one_thread_per_picture};
use crate::config::{Accelerator, Settings, site};
use crate::detect::scene::Verdict;
use crate::detect::{Detections, Detector};
use crate::health::{CameraHealth, StageCpu};
use crate::pipeline::lookout::Lookout;
use crate::units::PictureSize;

/// Arguments of `kehai detect`.
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
    /// Look at every Nth frame only
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    every: u32,
    /// Leave frames unseen in which nothing moved, as a shop does; sensitivity 0.05 to 1
    #[arg(long, value_name = "SENSITIVITY", num_args = 0..=1, default_missing_value = "0.5", value_parser = sensitivity)]
    motion: Option<f64>,
    /// Leave out what has not moved since the start, as a shop does
    #[arg(long)]
    motionless: bool,
    /// Frames per second of the clip, for --motion and --motionless, where its header does not tell the truth
    #[arg(long)]
    fps: Option<f64>,
    /// What the network runs on: cpu, openvino or cuda
    #[arg(long, default_value_t)]
    accelerator: Accelerator,
    /// File for the rows: frame,-1,left,top,width,height,score,-1,-1,-1
    #[arg(long)]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    use_one_thread_per_picture();
    let model = resolve(&args.model)?;
    let refused = |error: CaptureError| {
        let remedy = "give a video file FFmpeg knows or a folder of PNG or JPEG pictures";
        Failure::new(CAMERA, format!("clip {}: {error}; {remedy}", args.clip.display()))
    };
    let mut source = replay::open(&recording(&args.clip)?, rate(args), None).map_err(refused)?;
    let runtime = finding::runtime()?;
    let detector = Detector::load_on(args.accelerator, &runtime, &model.file, &model.card, args.size);
    let mut detector = detector.map_err(|error| model.failure(error))?;
    if let Some(lacks) = detector.lacks() {
        note(&format!("kehai: {}", missing(args.accelerator, lacks)));
    }
    let placed = model.card.placement(source.size(), args.size);
    source.will_be_drawn(&placed);
    let pool = FramePool::new(placed);
    let (cpu, bar) = (StageCpu::default(), progress("detect"));
    let mut lookout = Lookout::new(settings(args)?.into(), 0, model.card.score);
    let health = CameraHealth::default();
    let (mut rows, mut number, mut looked_at) = (String::new(), 0u32, 0u32);
    let every = u64::from(args.every);
    loop {
        let arrival = match source.grab(&|arrival| arrival.number.is_multiple_of(every)).map_err(refused)? {
            Grab::Frame(arrival) => arrival,
            Grab::Passed(_) | Grab::Broken(_) => continue,
            Grab::End => break,
        };
        number = arrival.number as u32 + 1;
        bar.set_position(u64::from(number));
        if !arrival.number.is_multiple_of(every) {
            continue;
        }
        match source.retrieve(&pool) {
            Ok(frame) if lookout.judge(&frame) == Verdict::Still => continue,
            Ok(frame) => {
                let mut people = detector.detect(frame, SCORE_MIN, &cpu).map_err(|error| model.failure(error))?;
                lookout.sift(&mut people, &health);
                append(&mut rows, number, &people);
            }
            Err(CaptureError::Undecodable) => continue,
            Err(error) => return Err(refused(error)),
        }
        looked_at += 1;
    }
    bar.finish_and_clear();
    if number == 0 {
        return Err(refused(CaptureError::Empty));
    }
    write_whole("--out", &args.out, rows.as_bytes())?;
    let size = detector.input_size().map_or_else(String::new, |size| format!(" at {size}"));
    say(&format!(
        "{} boxes in {looked_at} of {number} frames by {}{size}: {}",
        rows.lines().count(),
        model.card.name,
        args.out.display()
    ));
    Ok(())
}

/// Rows are numbered, not dated: any rate will do unless something waits for time to pass.
fn rate(args: &Args) -> Option<f64> {
    if args.motion.is_some() || args.motionless { args.fps } else { Some(1.0) }
}

/// A camera that looks as the arguments say.
fn settings(args: &Args) -> Result<Settings, Failure> {
    let text = format!(
        "[store]\norg = \"detect\"\nstore = \"detect\"\nnode = \"detect\"\ntimezone = \"UTC\"\n\
         [[camera]]\nid = \"clip\"\nmotion = {:?}\nmotionless = {}\n",
        args.motion.unwrap_or(0.0),
        args.motionless
    );
    Ok(site::parse(&text, "detect")?.settings)
}

fn sensitivity(text: &str) -> Result<f64, String> {
    let refused = || format!("\"{text}\" is no sensitivity; write 0.05 to 1");
    text.parse().ok().filter(|value| (0.05..=1.0).contains(value)).ok_or_else(refused)
}

fn append(rows: &mut String, frame: u32, detections: &Detections) {
    for person in &detections.people {
        let place = &person.place;
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "{frame},-1,{:.2},{:.2},{:.2},{:.2},{:.4},-1,-1,-1",
            place.x1,
            place.y1,
            place.width(),
            place.height(),
            person.score
        );
    }
}

/// Weakest box that is written.
const SCORE_MIN: f32 = 0.05;
