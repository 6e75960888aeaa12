//! The evaluation commands end to end: boxes, then tracks, of every fifth frame of the sample.
//!
//! Truth where there is some: `mot/PETS09-S2L1/gt.txt` (MOT15), rows of confidence 0 ignored.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::support::folder::{Folder, read, truth};
use crate::support::program::kehai;
use crate::support::recording::{SAMPLE_FRAMES, sample};

/// One row of a MOT file.
struct Row {
    frame: u64,
    id: i64,
    /// Left, top, width, height, px.
    place: [f64; 4],
    score: f64,
}

/// What `kehai detect --every 5` finds in the sample.
pub fn sample_rows() -> &'static str {
    static ROWS: OnceLock<String> = OnceLock::new();
    ROWS.get_or_init(|| {
        let folder = Folder::new();
        let out = folder.path("det.txt");
        let ended = kehai(&["detect", &sample(), "--model", "nanodet-g", "--every", "5", "--out", &out]);
        ended.must_be_well();
        assert!(ended.out.contains("in 159 of 795 frames by nanodet-g at 320x416"), "{}", ended.out);
        String::from_utf8(read(&out)).expect("rows are text")
    })
}

/// What `kehai track` makes of them.
fn sample_tracks() -> Vec<Row> {
    let folder = Folder::new();
    let (detections, out) = (folder.write("det.txt", sample_rows()), folder.path("tracks.txt"));
    let ended = kehai(&["track", "--detections", &detections, "--fps", "7", "--every", "5", "--out", &out]);
    ended.must_be_well();
    assert!(ended.out.contains(" µs per frame (median of 159)"), "{}", ended.out);
    rows(&String::from_utf8(read(&out)).expect("rows are text"))
}

#[test]
fn the_same_boxes_give_the_same_files() {
    let folder = Folder::new();
    let detections = folder.write("det.txt", sample_rows());
    let written = ["once", "again"].map(|name| {
        let [out, stitched] = ["tracks", "stitched"].map(|what| folder.path(&format!("{what}-{name}.txt")));
        let options =
            ["--fps", "7", "--every", "5", "--picture-size", "576x768", "--out", &out, "--stitched", &stitched];
        kehai(&[&["track", "--detections", &detections], &options[..]].concat()).must_be_well();
        [read(&out), read(&stitched)]
    });
    assert!(!written[0][0].is_empty() && written[0][0] != written[0][1], "somebody was hidden for a moment");
    assert!(written[0] == written[1]);
}

fn rows(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let values: Vec<f64> = line.split(',').map(|value| value.trim().parse().expect("a number")).collect();
        let place = [values[2], values[3], values[4], values[5]];
        Row { frame: values[0] as u64, id: values[1] as i64, place, score: values[6] }
    };
    text.lines().map(row).collect()
}

fn iou(one: &[f64; 4], other: &[f64; 4]) -> f64 {
    let shared = |axis: usize| {
        let end = (one[axis] + one[axis + 2]).min(other[axis] + other[axis + 2]);
        (end - one[axis].max(other[axis])).max(0.0)
    };
    let both = shared(0) * shared(1);
    both / (one[2] * one[3] + other[2] * other[3] - both)
}

#[test]
fn every_box_lies_on_the_picture_in_a_frame_that_was_looked_at() {
    for row in rows(sample_rows()) {
        let [left, top, width, height] = row.place;
        assert!(row.frame <= SAMPLE_FRAMES && row.frame % 5 == 1 && row.id == -1, "frame {}", row.frame);
        assert!((0.05..=1.0).contains(&row.score), "score {}", row.score);
        assert!(left >= 0.0 && top >= 0.0 && width > 0.0 && height > 0.0, "{:?}", row.place);
        assert!(left + width <= 768.02 && top + height <= 576.02, "{:?}", row.place);
    }
}

#[test]
fn most_people_of_the_truth_are_found_and_few_others() {
    let Some(file) = truth("mot/PETS09-S2L1/gt.txt") else { return };
    let people = rows(&String::from_utf8(read(&file)).expect("truth is text"));
    let people: Vec<Row> = people.into_iter().filter(|row| row.frame % 5 == 1 && row.score > 0.0).collect();
    let found: Vec<Row> = rows(sample_rows()).into_iter().filter(|row| row.score >= 0.5).collect();
    let is_met =
        |row: &&Row, by: &[Row]| by.iter().any(|one| one.frame == row.frame && iou(&one.place, &row.place) >= 0.5);
    let recall = people.iter().filter(|person| is_met(person, &found)).count() as f64 / people.len() as f64;
    let precision = found.iter().filter(|one| is_met(one, &people)).count() as f64 / found.len() as f64;
    // models/README.md: 88.8 % and 94.6 % at 0.52.
    assert!(recall > 0.85 && precision > 0.9, "recall {recall:.3}, precision {precision:.3}");
}

#[test]
fn tracks_are_few_long_and_never_twice_in_a_frame() {
    let tracks = sample_tracks();
    let seen: BTreeSet<(u64, i64)> = tracks.iter().map(|row| (row.frame, row.id)).collect();
    assert_eq!(seen.len(), tracks.len(), "one box for a track in a frame");
    let ids: BTreeSet<i64> = tracks.iter().map(|row| row.id).collect();
    // 19 people, some of whom leave and come back; 895 boxes of truth in these frames.
    assert!((19..=60).contains(&ids.len()), "{} tracks", ids.len());
    assert!((700..=950).contains(&tracks.len()), "{} rows", tracks.len());
    assert!(tracks.iter().all(|row| row.frame % 5 == 1), "frame numbers stay the clip's");
}

#[test]
fn tracking_the_same_boxes_again_gives_the_same_rows() {
    let key = |row: &Row| (row.frame, row.id, row.place.map(f64::to_bits));
    let (one, other) = (sample_tracks(), sample_tracks());
    assert_eq!(one.iter().map(key).collect::<Vec<_>>(), other.iter().map(key).collect::<Vec<_>>());
}

#[test]
fn pictures_left_undecoded_or_rough_cost_nobody_who_is_looked_at() {
    // A clip with pictures no other one refers to (B-frames), which `--every` leaves out before they are decoded; the
    // others it does not look at are not deblocked.
    let Some(clip) = truth("videos/store_aisle/store_aisle.mp4") else { return };
    let people = |every: &str, score_min: f64| {
        let folder = Folder::new();
        let out = folder.path("det.txt");
        kehai(&["detect", &clip, "--model", "nanodet-g", "--every", every, "--out", &out]).must_be_well();
        let found = rows(&String::from_utf8(read(&out)).expect("rows are text"));
        found.into_iter().filter(|row| row.frame % 5 == 1 && row.score >= score_min).collect::<Vec<Row>>()
    };
    let is_among = |person: &Row, others: &[Row]| {
        others.iter().any(|other| other.frame == person.frame && iou(&other.place, &person.place) > 0.8)
    };
    for (one, other) in [("1", "5"), ("5", "1")] {
        let (certain, possible) = (people(one, 0.5), people(other, 0.4));
        let missed = certain.iter().filter(|person| !is_among(person, &possible)).count();
        assert!(certain.len() > 20, "{} boxes", certain.len());
        assert!(
            missed * 100 <= certain.len(),
            "{missed} of {} found at --every {one} are not at {other}",
            certain.len()
        );
    }
}
