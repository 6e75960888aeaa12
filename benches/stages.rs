//! What the stages beside decoding and inference cost: `cargo bench`.

use divan::Bencher;
use kehai::capture::FramePool;
use kehai::clock::{CaptureTime, Timeline, UtcMs};
use kehai::config::card::{ColorOrder, DetectorCard, Fit, Head, ScoreLevels};
use kehai::config::placement::Placement;
use kehai::config::site;
use kehai::detect::letterbox::Letterbox;
use kehai::detect::{Detection, Detections};
use kehai::floor::FloorMap;
use kehai::measure::Measures;
use kehai::track::Tracker;
use kehai::units::homography::Homography;
use kehai::units::{BoxPx, PictureSize};
use kehai::wire::vz1;

fn main() {
    divan::main();
}

const HD: PictureSize = PictureSize { height: 1080, width: 1920 };
const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 };

/// A frame as the network sees a 1080p camera: taken, dropped and wiped.
#[divan::bench]
fn wipe_a_1080p_frame(bencher: Bencher<'_, '_>) {
    let pool = FramePool::new(placed());
    bencher.bench_local(|| drop(pool.take(CaptureTime(0))));
}

/// A frame of a 1080p camera to a 288x512 tensor, both wiped afterwards.
#[divan::bench]
fn letterbox_a_1080p_frame(bencher: Bencher<'_, '_>) {
    let pool = FramePool::new(placed());
    let mut letterbox = Letterbox::new(&card(), placed());
    bencher.bench_local(|| {
        letterbox.fill(pool.take(CaptureTime(0))).expect("a frame of this size");
        letterbox.wipe();
    });
}

/// One frame of a crowd through track, floor and measure.
#[divan::bench(args = [5, 48])]
fn follow_and_measure(bencher: Bencher<'_, '_>, people: usize) {
    let site = site::parse(include_str!("../deploy/demo.toml"), "deploy/demo.toml").expect("the demo's site");
    let picture = PictureSize { height: 576, width: 768 };
    let map = FloorMap::new(&site.settings.cameras[0], picture).expect("calibrated");
    let mut measures = Measures::new(&site.settings, Timeline::starting_at(UtcMs(0)));
    measures.place(&site.settings, 0, &map);
    let (mut tracker, mut frame) = (Tracker::new(LEVELS, 1), 0i64);
    bencher.bench_local(|| {
        frame += 1;
        let tracks = tracker.advance(crowd(frame, people, picture)).expect("time moves on");
        measures.step(0, &map.steps(tracks))
    });
}

/// One frame of a crowd through the tracker alone; the list of detections is made outside.
#[divan::bench(args = [5, 48])]
fn advance(bencher: Bencher<'_, '_>, people: usize) {
    follow(bencher, people, Tracker::new(LEVELS, 1));
}

/// The same where the camera knows its floor.
#[divan::bench(args = [5, 48])]
fn advance_on_the_floor(bencher: Bencher<'_, '_>, people: usize) {
    let mut tracker = Tracker::new(LEVELS, 1);
    tracker.stand_on(Homography::new([[0.0165, 0.0, -10.6], [0.0, -0.025, 24.0], [0.0, 0.0018, 0.2]]));
    follow(bencher, people, tracker);
}

fn follow(bencher: Bencher<'_, '_>, people: usize, mut tracker: Tracker) {
    let mut frame = 0;
    let next = || {
        frame += 1;
        (frame, crowd(frame, people, PictureSize { height: 576, width: 768 }))
    };
    bencher.with_inputs(next).bench_local_values(|(frame, detections)| {
        let tracks = tracker.advance(detections).expect("time moves on");
        assert!(frame < 10 || tracks.seen.len() == people, "everybody is followed");
    });
}

/// A full heatmap as it is published.
#[divan::bench]
fn encode_a_heatmap(bencher: Bencher<'_, '_>) {
    let cells: Vec<Option<[u64; 1]>> = (0..4096).map(|cell| (cell % 3 != 0).then_some([cell * 7])).collect();
    bencher.bench_local(|| vz1::encode(cells.iter().copied()));
}

/// People in a grid, all walking slowly to and fro.
fn crowd(frame: i64, people: usize, picture: PictureSize) -> Detections {
    let sway = (frame as f32 / 20.0).sin() * 10.0;
    let person = |index: usize| {
        let (x, y) = ((index % 8) as f32 * 90.0 + 20.0 + sway, (index / 8) as f32 * 60.0 + 160.0);
        Detection { place: BoxPx { x1: x, y1: y, x2: x + 30.0, y2: y + 70.0 }, score: 0.9 }
    };
    Detections { captured_at: CaptureTime(frame * 142_857_143), picture, people: (0..people).map(person).collect() }
}

fn placed() -> Placement {
    card().placement(HD, Some(PictureSize { height: 288, width: 512 }))
}

fn card() -> DetectorCard {
    DetectorCard {
        name: "bench".into(),
        file: "bench.onnx".into(),
        sha256: String::new(),
        bytes: 0,
        licence: "MIT".into(),
        source: "made for this benchmark".into(),
        head: Head::RtmdetRaw,
        input: "images".into(),
        multiple_of: 32,
        fixed: None,
        size_default: None,
        color: ColorOrder::Bgr,
        mean: [103.53, 116.28, 123.675],
        std: [57.375, 57.12, 58.395],
        fit: Fit::LetterboxCorner,
        pad: 114,
        strides: vec![8, 16, 32],
        cell_offset: 0.0,
        bins: 0,
        person_class: 0,
        nms_iou: 0.6,
        score: LEVELS,
    }
}
