//! Recordings: the sample clip, its first frames as a folder of pictures, a drawn room, and what replays of them gave.
//!
//! Replays of the whole sample take seconds, so each is done once and shared by all tests that look at it.

use std::sync::OnceLock;

use image::{Rgb, RgbImage};
use opencv::core::{Mat, Vector};
use opencv::videoio::{CAP_FFMPEG, VideoCapture, VideoCaptureTrait};
use serde_json::Value;

use super::folder::{Folder, in_repository, read};
use super::program::{Ended, kehai};
use super::site::demo_path;

/// Frames of the sample clip.
pub const SAMPLE_FRAMES: u64 = 795;
/// Pictures in [`first_frames`].
pub const FIRST_FRAMES: u64 = 41;

/// What a replay left behind.
pub struct Played {
    folder: Folder,
    /// How it ended and what it said.
    pub ended: Ended,
}

impl Played {
    /// Replays `recording` under the site file `site`, with `more` arguments.
    pub fn replay(recording: &str, site: &str, more: &[&str]) -> Self {
        Self::replay_into(Folder::new(), recording, site, more)
    }

    /// As [`Played::replay`], into a folder of one's own choice.
    pub fn replay_into(folder: Folder, recording: &str, site: &str, more: &[&str]) -> Self {
        let out = folder.path("out");
        let mut arguments = vec!["replay", recording, "--site", site, "--out", out.as_str()];
        arguments.extend(more);
        let ended = kehai(&arguments);
        Self { folder, ended }
    }

    /// The folder of the results.
    pub fn out(&self) -> String {
        self.folder.path("out")
    }

    /// A file of the result.
    pub fn file(&self, name: &str) -> Vec<u8> {
        read(&self.folder.path(&format!("out/{name}")))
    }

    /// The published payloads, one a line.
    pub fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.file("windows.jsonl")).expect("payloads are UTF-8");
        text.lines().map(str::to_owned).collect()
    }

    /// The published payloads, read.
    pub fn windows(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).expect("a payload is JSON")).collect()
    }

    /// The summary.
    pub fn summary(&self) -> Value {
        serde_json::from_slice(&self.file("summary.json")).expect("the summary is JSON")
    }

    /// Crossings of a line over all its windows, inward and outward.
    pub fn crossings(&self, line: &str) -> [u64; 2] {
        let windows = self.windows();
        let of_line = windows.iter().filter(|window| window["k"] == "line" && window["id"] == line);
        of_line.fold([0, 0], |[inward, outward], window| {
            let figure = |name: &str| window["d"][name].as_u64().expect("a line is exact");
            [inward + figure("in"), outward + figure("out")]
        })
    }
}

/// Path of the sample clip.
pub fn sample() -> String {
    in_repository("fetched/clips/vtest.avi")
}

/// The sample replayed under the demo's site file.
pub fn played() -> &'static Played {
    static PLAYED: OnceLock<Played> = OnceLock::new();
    PLAYED.get_or_init(|| Played::replay_into(Folder::kept("played"), &sample(), &demo_path(), &[]))
}

/// The first frames of the sample as pictures, `000.png` and so on.
pub fn first_frames() -> String {
    static FRAMES: OnceLock<Folder> = OnceLock::new();
    let folder = FRAMES.get_or_init(|| {
        let folder = Folder::kept("first-frames");
        let clip = VideoCapture::from_file_with_params(sample(), CAP_FFMPEG, &Vector::new());
        let (mut clip, mut frame) = (clip.expect("the sample opens"), Mat::default());
        for number in 0..FIRST_FRAMES {
            assert!(clip.read(&mut frame).expect("the sample can be read"));
            let path = folder.path(&format!("{number:03}.png"));
            opencv::imgcodecs::imwrite(&path, &frame, &Vector::new()).expect("a picture can be written");
        }
        folder
    });
    folder.path("")
}

/// A drawn, empty room of 128 x 96 pixels, as `count` pictures.
pub fn draw_room(folder: &Folder, count: u64) -> String {
    let room = RgbImage::from_fn(128, 96, |x, y| Rgb([90, 90 + (x / 16) as u8, 90 + (y / 16) as u8]));
    let mut png = std::io::Cursor::new(Vec::new());
    room.write_to(&mut png, image::ImageFormat::Png).expect("writing to memory");
    std::fs::create_dir_all(folder.path("room")).expect("the target folder can be written");
    for number in 0..count {
        folder.write(&format!("room/{number:05}.png"), png.get_ref());
    }
    folder.path("room")
}
