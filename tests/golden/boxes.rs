//! One picture through every head there is, against boxes and scores made with the networks' own tools.
//!
//! Truth: `models/golden/golden.json` and its picture (not shipped): boxes in picture px with a score above 0.3.

use serde_json::Value;

use crate::support::folder::{Folder, network, read};
use crate::support::program::kehai;

/// Least overlap of a box with its golden one.
const IOU_MIN: f64 = 0.95;
/// Largest distance of its score.
const SCORE_OFF_MAX: f64 = 0.02;
/// Weakest box that counts.
const SCORE_MIN: f64 = 0.3;

/// A box, left top right bottom, and its score.
#[derive(Debug, Clone, Copy)]
struct Person {
    place: [f64; 4],
    score: f64,
}

impl Person {
    fn iou(&self, other: &Self) -> f64 {
        let area = |place: &[f64; 4]| (place[2] - place[0]).max(0.0) * (place[3] - place[1]).max(0.0);
        let [a, b] = [&self.place, &other.place];
        let shared = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
        shared / (area(a) + area(b) - shared)
    }
}

/// The people the product finds.
fn found(model: &str, size: &str, picture: &str) -> Vec<Person> {
    let folder = Folder::new();
    let (out, pictures) = (folder.path("det.txt"), Folder::new());
    pictures.write("scene.png", read(picture));
    kehai(&["detect", &pictures.path(""), "--model", model, "--size", size, "--out", &out]).must_be_well();
    let rows = String::from_utf8(read(&out)).expect("rows are text");
    let person = |row: &str| {
        let values: Vec<f64> = row.split(',').map(|value| value.parse().expect("a number")).collect();
        let [left, top, width, height] = [values[2], values[3], values[4], values[5]];
        Person { place: [left, top, left + width, top + height], score: values[6] }
    };
    rows.lines().map(person).filter(|person| person.score > SCORE_MIN).collect()
}

/// The people the network's own tools found.
fn golden(name: &str) -> Option<Vec<Person>> {
    let golden: Value = serde_json::from_slice(&read(&network("golden/golden.json")?)).expect("golden values are JSON");
    let of = &golden["models"][name];
    let numbers = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).expect("a list of numbers") };
    let boxes = of["boxes_xyxy"].as_array().unwrap_or_else(|| panic!("no golden values of {name}"));
    let scores = numbers(&of["scores"]);
    let person =
        |(place, score): (&Value, f64)| Person { place: numbers(place).try_into().expect("four borders"), score };
    Some(boxes.iter().zip(scores).map(person).collect())
}

#[expect(clippy::print_stdout, reason = "the figures are for people who compare machines")]
fn must_agree(file: &str, size: &str) {
    let (Some(model), Some(picture)) = (network(file), network("golden/store_aisle_058.png")) else { return };
    let Some(golden) = golden(&format!("{file}@{size}")) else { return };
    let found = found(&model, size, &picture);
    assert_eq!(found.len(), golden.len(), "{found:#?}\n{golden:#?}");
    let (mut iou_min, mut off_max) = (1.0_f64, 0.0_f64);
    for person in &golden {
        let nearest = found.iter().max_by(|one, other| one.iou(person).total_cmp(&other.iou(person))).expect("as many");
        iou_min = iou_min.min(nearest.iou(person));
        off_max = off_max.max((nearest.score - person.score).abs());
    }
    println!("{file}@{size}: overlap at least {iou_min:.4}, score off by at most {off_max:.4}");
    assert!(iou_min >= IOU_MIN && off_max <= SCORE_OFF_MAX, "{found:#?}\n{golden:#?}");
}

#[test]
fn rtmdet_finds_what_its_own_tools_find() {
    must_agree("rtmdet-nano-person/rtmdet_nano_person_dyn.onnx", "288x512");
    must_agree("rtmdet-nano-person/rtmdet_nano_person_dyn.onnx", "320x416");
}

#[test]
fn yolox_finds_what_its_own_tools_find() {
    must_agree("yolox-nano/yolox_nano.onnx", "416x416");
    must_agree("yolox-nano/yolox_nano_dyn.onnx", "256x416");
}

#[test]
fn picodet_finds_what_its_own_tools_find() {
    must_agree("picodet-s/picodet_s_dyn.onnx", "416x416");
}

#[test]
fn nanodet_in_eight_bits_finds_what_its_own_tools_find() {
    must_agree("nanodet-g-from-npm/nanodet_g_416_int8.onnx", "416x416");
}

#[test]
fn rtmdet_end_to_end_finds_what_its_own_tools_find() {
    must_agree("rtmdet-nano-person/rtmdet_nano_person_mmdeploy.onnx", "320x320");
}

#[test]
fn nanodet_plus_finds_what_its_own_tools_find() {
    must_agree("nanodet-plus-m/nanodet_plus_m_dyn.onnx", "416x416");
}

#[test]
fn deim_finds_what_its_own_tools_find() {
    must_agree("deimv2/deimv2_hgnetv2_femto_coco.onnx", "416x416");
    must_agree("deimv2/deimv2_hgnetv2_atto_coco.onnx", "320x320");
}

#[test]
fn ssd_finds_what_its_own_tools_find() {
    must_agree("omz-person-detection-0201/person_detection_0201_int8.onnx", "384x384");
    must_agree("omz-person-detection-retail-0013/person_detection_retail_0013.onnx", "320x544");
}
