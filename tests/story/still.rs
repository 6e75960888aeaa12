//! Frames that go unseen, and who counts as nobody: the sample with its people, and the same street without them.

use std::process::Command;
use std::sync::OnceLock;

use kehai::capture::{Grab, replay, use_one_thread_per_picture};
use kehai::clock::thread_cpu_ns;
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, MatTraitManual, Size, Vector};
use opencv::videoio::{CAP_FFMPEG, CAP_OPENCV_MJPEG, VideoCapture, VideoCaptureTrait, VideoWriter, VideoWriterTrait};
use serde_json::Value;

use super::sample::must_balance;
use crate::support::folder::{Folder, network, read, truth};
use crate::support::program::kehai;
use crate::support::recording::{Played, SAMPLE_FRAMES, first_frames, played, sample};
use crate::support::site::{BARE, demo_path, demo_with};

/// Frames of the street without people: 20 s at 7 a second.
const EMPTY_FRAMES: u64 = 140;
/// Frames of the sample from which the street is put together.
const PIECES: usize = 25;

/// The demo's site file with more written about its camera.
fn demo_camera(folder: &Folder, more: &str) -> String {
    folder.write("site.toml", demo_with(&[("id = \"view-1\"", &format!("id = \"view-1\"\n{more}"))]))
}

/// The sample's street with nobody in it, filmed by a noisy camera: the median of frames spread over the sample.
fn empty_street() -> String {
    static STREET: OnceLock<Folder> = OnceLock::new();
    let folder = STREET.get_or_init(|| {
        let folder = Folder::kept("empty-street");
        film(&folder.path("empty.avi"), &median(&pieces()));
        folder
    });
    folder.path("empty.avi")
}

fn pieces() -> Vec<Mat> {
    let clip = VideoCapture::from_file_with_params(sample(), CAP_FFMPEG, &Vector::new());
    let mut clip = clip.expect("the sample opens");
    let every = SAMPLE_FRAMES as usize / PIECES;
    let mut pieces = Vec::new();
    for number in 0..every * PIECES {
        let mut frame = Mat::default();
        assert!(clip.read(&mut frame).expect("the sample can be read"));
        if number % every == 0 {
            pieces.push(frame);
        }
    }
    pieces
}

fn median(pieces: &[Mat]) -> Mat {
    let mut street = pieces[0].clone();
    let bytes: Vec<&[u8]> = pieces.iter().map(|piece| piece.data_bytes().expect("whole rows")).collect();
    for (index, byte) in street.data_bytes_mut().expect("whole rows").iter_mut().enumerate() {
        let mut values: Vec<u8> = bytes.iter().map(|bytes| bytes[index]).collect();
        *byte = *values.select_nth_unstable(PIECES / 2).1;
    }
    street
}

fn film(path: &str, street: &Mat) {
    let size = Size::new(street.cols(), street.rows());
    let code = VideoWriter::fourcc('M', 'J', 'P', 'G').expect("a code of four letters");
    let writer = VideoWriter::new_with_backend(path, CAP_OPENCV_MJPEG, code, 7.0, size, true);
    let (mut writer, mut random) = (writer.expect("a clip can be written"), 1u32);
    for _ in 0..EMPTY_FRAMES {
        let mut frame = street.clone();
        for byte in frame.data_bytes_mut().expect("whole rows") {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (random >> 24) % 7 + (random >> 16) % 7;
            *byte = byte.saturating_add(noise as u8).saturating_sub(6);
        }
        writer.write(&frame).expect("a frame can be written");
    }
}

fn frames(played: &Played, fate: &str) -> u64 {
    played.summary()["frames"][fate].as_u64().expect("a counter is a number")
}

#[test]
fn an_empty_street_is_hardly_looked_at_and_counts_as_seen() {
    let played = Played::replay(&empty_street(), &demo_path(), &[]);
    played.ended.must_be_well();
    assert_eq!(must_balance(&played), EMPTY_FRAMES);
    // Every six seconds, and now and then while the noise is not known yet.
    assert!((4..=10).contains(&frames(&played, "detected")), "{}", played.summary()["frames"]);
    for window in played.windows() {
        let cov_ms = window["cov_ms"].as_u64().expect("coverage is a number");
        assert!((19_700..=20_000).contains(&cov_ms), "{window}");
    }
    assert_eq!(["east-gate", "mid-path", "west-gate"].map(|line| played.crossings(line)), [[0, 0]; 3]);
}

#[test]
fn a_camera_without_a_motion_gate_is_looked_at_whole() {
    let folder = Folder::new();
    let played = Played::replay(&empty_street(), &demo_camera(&folder, "motion = 0"), &[]);
    played.ended.must_be_well();
    assert_eq!((frames(&played, "detected"), frames(&played, "still")), (EMPTY_FRAMES, 0));
}

#[test]
fn the_lines_count_the_same_whoever_may_be_passed_over() {
    let folder = Folder::new();
    let all = Played::replay(&sample(), &demo_camera(&folder, "motion = 0\nmotionless = false"), &[]);
    all.ended.must_be_well();
    for line in ["east-gate", "mid-path", "west-gate"] {
        assert_eq!(all.crossings(line), played().crossings(line), "{line}");
    }
    assert_eq!((&all.summary()["motionless"], &all.summary()["ignored"]), (&Value::from(0), &Value::from(0)));
}

#[test]
fn nobody_counts_where_nobody_is_to_count_and_it_is_said() {
    let folder = Folder::new();
    let everywhere = "polygon_px = [[0, 0], [768, 0], [768, 576], [0, 576]]\n";
    let text = demo_with(&[]) + "\n[[ignore]]\nid = \"all\"\n" + everywhere;
    let played = Played::replay(&first_frames(), &folder.write("site.toml", text), &[]);
    played.ended.must_be_well();
    assert!(played.summary()["ignored"].as_u64() > Some(40), "{}", played.summary()["ignored"]);
    assert_eq!(played.summary()["most_at_once"], Value::Null);
    assert!(played.ended.out.contains("boxes in ignored places"), "{}", played.ended.out);
}

#[test]
fn a_place_ignored_in_metres_holds_for_the_camera_of_its_floor() {
    let folder = Folder::new();
    let floor = "floor = \"crossing\"\npolygon_m = [[-21, -17], [12, -17], [12, 17], [-21, 17]]\n";
    let text = demo_with(&[]) + "\n[[ignore]]\nid = \"all\"\n" + floor;
    let played = Played::replay(&first_frames(), &folder.write("site.toml", text), &[]);
    played.ended.must_be_well();
    assert!(played.summary()["ignored"].as_u64() > Some(40), "{}", played.summary()["ignored"]);
}

/// Rows of `kehai detect`: frame, left, top, width, height, score.
fn rows(clip: &str, model: &str, more: &[&str]) -> Vec<[f64; 6]> {
    let folder = Folder::new();
    let out = folder.path("det.txt");
    let arguments = ["detect", clip, "--model", model, "--out", &out];
    kehai(&[&arguments[..], more].concat()).must_be_well();
    let text = String::from_utf8(read(&out)).expect("rows are text");
    let row = |line: &str| {
        let values: Vec<f64> = line.split(',').map(|value| value.parse().expect("a number")).collect();
        [values[0], values[2], values[3], values[4], values[5], values[6]]
    };
    text.lines().map(row).collect()
}

#[test]
#[ignore = "a network and truth that are not shipped"]
fn a_sign_taken_for_a_person_is_gone_after_a_minute_and_listed() {
    let Some(yolox) = network("yolox-nano/yolox_nano_dyn.onnx") else { return };
    // Left of the crossing, beyond the marks of its floor.
    let on_sign = |row: &&[f64; 6]| (row[1] - 30.0).abs() < 6.0 && (row[2] - 110.0).abs() < 6.0 && row[4] < 45.0;
    let more = ["--every", "5", "--fps", "7"];
    let all = rows(&sample(), &yolox, &more);
    let kept = rows(&sample(), &yolox, &[&more[..], &["--motionless"]].concat());
    let late = |row: &&[f64; 6]| row[0] > 61.0 * 7.0;
    assert!(all.iter().filter(on_sign).count() > 140, "the network takes the sign for a person");
    assert_eq!(kept.iter().filter(on_sign).filter(late).count(), 0);
    let folder = Folder::new();
    let uncalibrated = BARE.replace("fps = 20.0", "fps = 7.0");
    let site = folder.write("site.toml", uncalibrated);
    let played = Played::replay(&sample(), &site, &["--model", &yolox, "--every", "5"]);
    played.ended.must_be_well();
    assert_eq!(played.summary()["motionless"], 1);
}

#[test]
#[ignore = "truth that is not shipped"]
fn six_people_who_stand_one_after_another_are_all_kept() {
    let Some(clip) = truth("videos/intel_one_by_one/one-by-one-person-detection.mp4") else { return };
    let clear = |row: &[f64; 6]| row[5] >= 0.4;
    let all: Vec<[f64; 6]> = rows(&clip, "nanodet-g", &[]).into_iter().filter(clear).collect();
    let kept: Vec<[f64; 6]> =
        rows(&clip, "nanodet-g", &["--motion", "--motionless"]).into_iter().filter(clear).collect();
    assert!(all.len() > 900, "{} boxes", all.len());
    assert_eq!(kept, all);
}

/// CPU of the whole eye beyond decoding, µs per frame.
fn beyond_decode_us(clip: &str) -> f64 {
    let ended = kehai(&["bench", clip, "--model", "nanodet-g", "--rounds", "1", "--json"]);
    ended.must_be_well();
    let measured: Value = serde_json::from_str(&ended.out).expect("the result is JSON");
    measured["whole_cpu_us"].as_f64().expect("a number") - decode_us(clip)
}

/// The empty street as long as the sample and packed as it is, so that unpacking and drawing cost alike; `None`, and said
/// so, without `ffmpeg`.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn film_like_the_sample(folder: &Folder) -> Option<String> {
    let (picture, clip) = (folder.path("street.png"), folder.path("street.avi"));
    opencv::imgcodecs::imwrite(&picture, &median(&pieces()), &Vector::new()).expect("a picture can be written");
    let (frames, looks) = (SAMPLE_FRAMES.to_string(), "noise=alls=8:allf=t");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-loop", "1", "-framerate", "7", "-i", &picture, "-vf", looks]);
    command.args(["-frames:v", &frames, "-c:v", "msmpeg4v3", "-b:v", "817k", "-pix_fmt", "yuv420p", &clip]);
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "ffmpeg ended with {status}");
            Some(clip)
        }
        Err(error) => {
            println!("skipped: ffmpeg: {error}");
            None
        }
    }
}

fn decode_us(clip: &str) -> f64 {
    use_one_thread_per_picture();
    let mut source = replay::open(clip.as_ref(), Some(7.0), None).expect("the clip opens");
    let (begun_ns, mut count) = (thread_cpu_ns(), 0);
    while !matches!(source.grab(&|_| true).expect("the clip can be read"), Grab::End) {
        count += 1;
    }
    (thread_cpu_ns() - begun_ns) as f64 / 1000.0 / f64::from(count)
}

#[test]
#[ignore = "CPU times are those of a release build"]
fn an_empty_street_costs_a_twentieth_of_one_with_people() {
    let folder = Folder::new();
    let Some(street) = film_like_the_sample(&folder) else { return };
    let (empty, busy) = (beyond_decode_us(&street), beyond_decode_us(&sample()));
    assert!(empty <= 0.05 * busy, "{empty:.0} µs a frame of nobody, {busy:.0} µs of the sample");
}
