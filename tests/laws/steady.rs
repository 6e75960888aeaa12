//! A tracker that has seen its crowd asks the heap for nothing more: a day of frames costs the memory of a minute.
//!
//! In: a crowd that walks, hides, leaves and comes, the same again every [`PERIOD`] frames. The list of detections is made
//! outside, as the detector makes it.

use std::f32::consts::TAU;

use allocation_counter::{AllocationInfo, measure, opt_out};
use kehai::clock::CaptureTime;
use kehai::config::card::ScoreLevels;
use kehai::detect::{Detection, Detections};
use kehai::track::Tracker;
use kehai::units::homography::Homography;
use kehai::units::{BoxPx, PictureSize};

const PEOPLE: usize = 48;
/// Frames after which everybody does the same again.
const PERIOD: usize = 240;
const FRAME_NS: i64 = 100_000_000;
const PICTURE: PictureSize = PictureSize { height: 1080, width: 1920 };
/// A camera that looks along a hall: 14 m wide at the lower border, wider the farther.
const HALL: [[f64; 3]; 3] = [[0.011, 0.0, -10.6], [0.0, -0.0167, 24.0], [0.0, 0.0012, 0.2]];

/// The crowd in one frame: people on ellipses that cross, with boxes that tremble; now and then everybody is hardly seen for
/// half a second, or hidden for a quarter of the way.
fn crowd(frame: usize) -> Detections {
    let phase = frame % PERIOD;
    let person = |index: usize| {
        let way = (phase * (1 + index % 2)) as f32 / PERIOD as f32 * TAU + index as f32;
        let (column, row) = ((index % 8) as f32, (index / 8) as f32);
        let tremble = ((phase * 31 + index * 17) % 13) as f32 / 4.0;
        let foot = [220.0 + 200.0 * column + 140.0 * way.cos() + tremble, 420.0 + 110.0 * row + 60.0 * way.sin()];
        let height = foot[1] / 6.0 + tremble;
        let place = BoxPx { x1: foot[0] - height / 5.0, y1: foot[1] - height, x2: foot[0] + height / 5.0, y2: foot[1] };
        let moment = (phase + index * 7) % PERIOD;
        let is_hidden = index.is_multiple_of(3) && moment < PERIOD / 4;
        let score = if moment % 80 < 5 { 0.3 } else { 0.9 };
        (!is_hidden).then_some(Detection { place, score })
    };
    let people = (0..PEOPLE).filter_map(person).collect();
    Detections { captured_at: CaptureTime(frame as i64 * FRAME_NS), picture: PICTURE, people }
}

/// What a crowd of two periods asks of the heap after two of warming up, and the sightings of people meanwhile.
fn asked_for(mut tracker: Tracker) -> (AllocationInfo, usize) {
    let mut sightings = 0;
    let mut follow = |frames: std::ops::Range<usize>| {
        for frame in frames {
            let mut detections = None;
            opt_out(|| detections = Some(crowd(frame)));
            let tracks = tracker.advance(detections.expect("just made")).expect("time moves on");
            sightings += tracks.seen.len();
        }
    };
    follow(0..2 * PERIOD);
    let asked = measure(|| follow(2 * PERIOD..4 * PERIOD));
    (asked, sightings)
}

fn tracker() -> Tracker {
    Tracker::new(ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 }, 1)
}

#[test]
fn a_steady_tracker_asks_the_heap_for_nothing() {
    let (asked, sightings) = asked_for(tracker());
    assert_eq!((asked.count_total, asked.bytes_total), (0, 0));
    assert!(sightings > 4 * PERIOD * 40, "a crowd was followed, {sightings} sightings");
}

#[test]
fn a_steady_tracker_that_knows_the_floor_asks_the_heap_for_nothing() {
    let mut tracker = tracker();
    tracker.stand_on(Homography::new(HALL));
    let (asked, sightings) = asked_for(tracker);
    assert_eq!((asked.count_total, asked.bytes_total), (0, 0));
    assert!(sightings > 4 * PERIOD * 40, "a crowd was followed, {sightings} sightings");
}

#[test]
fn the_counter_of_the_heap_counts() {
    let asked = measure(|| drop(std::hint::black_box(crowd(0))));
    assert!(asked.count_total > 0 && asked.bytes_total > 0);
    let mut first = tracker();
    let detections = crowd(0);
    let asked = measure(|| {
        first.advance(detections);
    });
    assert!(asked.count_total > 0, "a new tracker learns how large its crowd is");
}
