//! Heads for which no network lies at hand: drawn ones that answer with known boxes, through the real runtime.
//!
//! Each says the same two people, one of them twice where the head leaves doubles to us, and somebody of another class.
//! A card of a neighbouring head must not get a box out of them.

use crate::support::folder::{Folder, read};
use crate::support::onnx::{HEIGHT, Network, Values, WIDTH};
use crate::support::program::{Ended, kehai};
use crate::support::recording::draw_room;

/// Left, top, right, bottom, px, and score.
type Person = [f32; 5];

const LEFT: Person = [20.0, 10.0, 40.0, 70.0, 0.9];
const RIGHT: Person = [80.0, 20.0, 104.0, 92.0, 0.6];
/// The left one again, a little aside.
const DOUBLE: Person = [21.0, 10.0, 41.0, 70.0, 0.5];
/// Somebody of class 1.
const OTHER: Person = [50.0, 10.0, 70.0, 70.0, 0.8];
/// Cells at strides 8, 16 and 32.
const CELLS: usize = 252;
const STRIDES: &str = "strides = [8, 16, 32]\nnms_iou = 0.45\nperson_class = 0";

/// Centre and size, px.
fn centred([x1, y1, x2, y2, _]: Person) -> [f32; 4] {
    [(x1 + x2) / 2.0, (y1 + y2) / 2.0, x2 - x1, y2 - y1]
}

fn unit([a, b, c, d]: [f32; 4]) -> [f32; 4] {
    let (width, height) = (WIDTH as f32, HEIGHT as f32);
    [a / width, b / height, c / width, d / height]
}

fn corners([x1, y1, x2, y2, _]: Person) -> [f32; 4] {
    [x1, y1, x2, y2]
}

fn logit(score: f32) -> f32 {
    (score / (1.0 - score)).ln()
}

/// Rows of floats, filled up with zeros to `count` rows.
fn table(rows: &[Vec<f32>], count: usize) -> Values {
    let mut values = rows.concat();
    values.resize(count * rows[0].len(), 0.0);
    Values::Floats(values)
}

fn only(extents: [usize; 3], values: Values) -> Network {
    Network::answering(vec![("output", extents.map(|extent| extent as u64).to_vec(), values)])
}

/// Rows with objectness and two classes, of px.
fn with_objectness() -> Vec<Vec<f32>> {
    let row = |person: Person, scores: [f32; 3]| [&centred(person)[..], &scores].concat();
    vec![
        row(LEFT, [1.0, 0.9, 0.0]),
        row(RIGHT, [0.75, 0.8, 0.1]),
        row(DOUBLE, [0.5, 1.0, 0.0]),
        row(OTHER, [1.0, 0.0, 0.8]),
    ]
}

fn yolox_decoded() -> Network {
    only([1, CELLS, 7], table(&with_objectness(), CELLS))
}

fn yolox_raw() -> Network {
    // The person of cell 0 of stride 8: centre 0.5 and 0.75 cells from its point, size 2 and 3 cells.
    let person = vec![0.5, 0.75, 2.0_f32.ln(), 3.0_f32.ln(), 1.0, 0.9, 0.0];
    only([1, CELLS, 7], table(&[person], CELLS))
}

fn yolo_v5() -> Network {
    only([1, 3 * CELLS, 7], table(&with_objectness(), 3 * CELLS))
}

fn yolo_v8() -> Network {
    let mut rows: Vec<Vec<f32>> = [(LEFT, 0), (RIGHT, 0), (DOUBLE, 0), (OTHER, 1)]
        .map(|(person, class)| {
            let scores = if class == 0 { [person[4], 0.0] } else { [0.0, person[4]] };
            [&centred(person)[..], &scores].concat()
        })
        .to_vec();
    rows.resize(CELLS, vec![0.0; 6]);
    let columns = (0..6).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
    only([1, 6, CELLS], Values::Floats(columns))
}

fn yolo_v10() -> Network {
    let row = |person: Person, class: f32| [&person[..], &[class]].concat();
    only([1, 5, 6], table(&[row(LEFT, 0.0), row(OTHER, 1.0), row(RIGHT, 0.0)], 5))
}

fn rtdetr_rows() -> Network {
    let row = |person: Person, scores: [f32; 2]| [&unit(centred(person))[..], &scores].concat();
    only([1, 5, 6], table(&[row(LEFT, [0.9, 0.0]), row(OTHER, [0.0, 0.8]), row(RIGHT, [0.6, 0.1])], 5))
}

fn ssd_output() -> Network {
    let row =
        |picture: f32, person: Person, label: f32| [&[picture, label, person[4]][..], &unit(corners(person))].concat();
    let rows =
        [row(0.0, LEFT, 0.0), row(0.0, OTHER, 1.0), row(0.0, RIGHT, 0.0), row(-1.0, OTHER, 0.0), row(0.0, OTHER, 0.0)];
    Network::answering(vec![("detection_out", vec![1, 1, 5, 7], table(&rows, 5))])
}

fn ssd_decoded() -> Network {
    let people = [LEFT, RIGHT, DOUBLE];
    let boxes = people.map(|person| unit(corners(person)).to_vec());
    Network::answering(vec![
        ("scores", vec![1, 3], Values::Floats(people.map(|person| person[4]).to_vec())),
        ("boxes", vec![1, 3, 4], table(&boxes, 3)),
    ])
}

fn dets_labels() -> Network {
    let dets = [LEFT, OTHER, RIGHT].map(|person| person.to_vec());
    Network::answering(vec![
        ("dets", vec![1, 3, 5], table(&dets, 3)),
        ("labels", vec![1, 3], Values::Whole(vec![0, 1, 0])),
    ])
}

fn detr_post() -> Network {
    let boxes = [LEFT, OTHER, RIGHT].map(|person| corners(person).to_vec());
    let outputs = vec![
        ("labels", vec![1, 3], Values::Whole(vec![0, 1, 0])),
        ("boxes", vec![1, 3, 4], table(&boxes, 3)),
        ("scores", vec![1, 3], Values::Floats(vec![0.9, 0.8, 0.6])),
    ];
    Network { takes_size: true, ..Network::answering(outputs) }
}

/// Boxes and logits of `classes` classes, person first.
fn detr_logits(boxes: &'static str, logits: &'static str, classes: usize) -> Network {
    let people = [LEFT, OTHER, RIGHT];
    let row = |(index, person): (usize, &Person)| {
        let mut row = vec![-9.0; classes];
        row[usize::from(index == 1)] = logit(person[4]);
        row
    };
    let rows: Vec<Vec<f32>> = people.iter().enumerate().map(row).collect();
    Network::answering(vec![
        (logits, vec![1, 3, classes as u64], table(&rows, 3)),
        (boxes, vec![1, 3, 4], table(&people.map(|person| unit(centred(person)).to_vec()), 3)),
    ])
}

fn detect(network: &Network, card: &str) -> (Folder, Ended) {
    let folder = Folder::new();
    let file = network.write(&folder, "drawn.onnx", card);
    let ended = kehai(&["detect", &draw_room(&folder, 1), "--model", &file, "--out", &folder.path("det.txt")]);
    (folder, ended)
}

fn people(network: &Network, card: &str) -> Vec<Person> {
    let (folder, ended) = detect(network, card);
    ended.must_be_well();
    let rows = String::from_utf8(read(&folder.path("det.txt"))).expect("rows are text");
    let person = |row: &str| {
        let values: Vec<f32> = row.split(',').map(|value| value.parse().expect("a number")).collect();
        [values[2], values[3], values[2] + values[4], values[3] + values[5], values[6]]
    };
    rows.lines().map(person).collect()
}

fn must_find_both(network: &Network, head: &str, more: &str) {
    let found = people(network, &format!("head = \"{head}\"\n{more}"));
    assert_eq!(found.len(), 2, "{head}: {found:?}");
    for (found, expected) in found.iter().zip([LEFT, RIGHT]) {
        let off = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
        assert!(off < 0.02, "{head}: {found:?} is not {expected:?}");
    }
}

#[test]
fn yolo_exports_of_every_generation_say_the_same_people() {
    must_find_both(&yolox_decoded(), "yolox-decoded", STRIDES);
    must_find_both(&yolo_v5(), "yolo-v5", STRIDES);
    must_find_both(&yolo_v8(), "yolo-v8", STRIDES);
    must_find_both(&yolo_v10(), "yolo-v10", "person_class = 0");
}

#[test]
fn boxes_apart_from_their_scores_say_the_same_people() {
    must_find_both(&ssd_decoded(), "ssd-decoded", "nms_iou = 0.45\nperson_class = 0");
    must_find_both(&ssd_output(), "ssd-output", "person_class = 0");
    must_find_both(&dets_labels(), "dets-labels", "person_class = 0");
}

#[test]
fn transformers_of_every_export_say_the_same_people() {
    must_find_both(&detr_post(), "detr-post", "person_class = 0");
    must_find_both(&rtdetr_rows(), "rtdetr-rows", "person_class = 0");
    must_find_both(&detr_logits("pred_boxes", "logits", 2), "rtdetr-logits", "person_class = 0");
    must_find_both(&detr_logits("dets", "labels", 3), "rf-detr", "person_class = 0");
}

#[test]
fn a_network_that_sees_nobody_says_nothing() {
    let nobody = Network::answering(vec![
        ("dets", vec![1, 0, 5], Values::Floats(Vec::new())),
        ("labels", vec![1, 0], Values::Whole(Vec::new())),
    ]);
    assert_eq!(people(&nobody, "head = \"dets-labels\"\nperson_class = 0"), Vec::<Person>::new());
}

/// A network, the head its card claims with what that needs, and words of the refusal.
type Confusion = (Network, &'static str, &'static str, &'static [&'static str]);

fn must_be_refused(confusions: Vec<Confusion>) {
    for (network, head, more, naming) in confusions {
        let (folder, ended) = detect(&network, &format!("head = \"{head}\"\n{more}"));
        ended.must_be_refused(6, &[&["drawn.onnx (opset 13)", "model head", head], naming].concat());
        assert!(!folder.names().iter().any(|name| name.starts_with("det.txt")), "a failed run leaves nothing");
    }
}

#[test]
fn a_neighbouring_head_is_refused_by_the_shapes() {
    let one = "person_class = 0";
    must_be_refused(vec![
        (yolo_v8(), "yolox-raw", STRIDES, &["output [1, 6, 252] do not fit 252 cells", "would fit yolo-v8"]),
        (yolox_decoded(), "yolo-v8", STRIDES, &["do not fit 252 cells", "would fit yolox-raw or yolox-decoded"]),
        (yolo_v5(), "yolox-decoded", STRIDES, &["[1, 756, 7] do not fit 252 cells", "would fit yolo-v5"]),
        (
            dets_labels(),
            "ssd-decoded",
            "nms_iou = 0.45\nperson_class = 0",
            &["are those of dets-labels, the card says"],
        ),
        (ssd_decoded(), "rtdetr-logits", one, &["are those of ssd-decoded, the card says"]),
        (detr_logits("pred_boxes", "logits", 2), "dets-labels", one, &["are those of", "rtdetr-logits"]),
        (ssd_output(), "yolo-v10", one, &["are those of ssd-output, the card says"]),
        (detr_post(), "dets-labels", one, &["orig_target_sizes", "only head detr-post fills"]),
        (detr_logits("dets", "labels", 3), "rf-detr", "person_class = 2", &["2 classes", "person_class = 2"]),
    ]);
}

#[test]
fn a_neighbouring_head_with_the_same_shapes_is_refused_by_what_it_says_of_a_grey_picture() {
    let one = "person_class = 0";
    let Network { mut outputs, .. } = yolo_v8();
    outputs[0].2 = Values::Floats(vec![-5.0; 6 * CELLS]);
    let logits = Network::answering(outputs);
    must_be_refused(vec![
        (yolox_decoded(), "yolox-raw", STRIDES, &["in px already", "yolox-decoded"]),
        (yolox_raw(), "yolox-decoded", STRIDES, &["no box lies right of", "yolox-raw"]),
        (yolo_v10(), "rtdetr-rows", one, &["boxes come in px where this head gives 0 to 1"]),
        (rtdetr_rows(), "yolo-v10", one, &["all boxes lie within 2 px"]),
        (logits, "yolo-v8", STRIDES, &["scores run from -5.00 to -5.00", "sigmoid"]),
    ]);
}

#[test]
fn what_a_file_turns_out_to_be_is_written_on_the_card_to_complete() {
    let heads: [(Network, &str); 11] = [
        (yolox_raw(), "yolox-raw"),
        (yolox_decoded(), "yolox-decoded"),
        (yolo_v5(), "yolo-v5"),
        (yolo_v8(), "yolo-v8"),
        (yolo_v10(), "yolo-v10"),
        (rtdetr_rows(), "rtdetr-rows"),
        (ssd_output(), "ssd-output"),
        (ssd_decoded(), "ssd-decoded"),
        (dets_labels(), "dets-labels"),
        (detr_post(), "detr-post"),
        (detr_logits("dets", "labels", 3), "rf-detr"),
    ];
    for (network, head) in heads {
        let folder = Folder::new();
        let file = folder.write("mine.onnx", network.bytes());
        let ended = kehai(&["model", "add", &file]);
        ended.must_be_well();
        for line in
            [&format!("head = \"{head}\""), "licence = \"?\"", "color = \"?\"", "fixed = { height = 96, width = 128 }"]
        {
            assert!(ended.out.contains(line), "{line} is missing in:\n{}", ended.out);
        }
    }
}
