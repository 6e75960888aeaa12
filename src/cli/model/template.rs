//! A card for a model nobody knows yet, filled in with what can be read from the file.
//!
//! What only its maker can say (licence, source, colour order, mean, std, fit) is a "?", which no card may keep: an
//! unfinished card is refused.

use super::cards::Inspected;
use crate::config::card::Head;
use crate::detect::probe::{Probe, Reading};

/// The card of a file; the likeliest reading of its outputs is filled in, the others are named.
#[must_use]
pub fn filled(file: &Inspected, probe: &Probe) -> String {
    let reading = &probe.readings[0];
    let size = format!("{{ height = {}, width = {} }}", probe.size.height, probe.size.width);
    let size =
        if probe.is_fixed { format!("fixed = {size}") } else { format!("multiple_of = 32\nsize_default = {size}") };
    let outputs: Vec<String> = probe.outputs.iter().map(ToString::to_string).collect();
    let usual = usual(reading.head);
    let classes = reading.classes.map_or("which number?".to_owned(), |count| format!("one of {count}"));
    let lines = [
        "# The card of a person detector. A person must replace every \"?\"; the rest was read from the file."
            .to_owned(),
        format!("# opset {}, input {}, outputs {}", file.graph.opset, probe.input, outputs.join(", ")),
        format!("name = {:?}", file.stem),
        format!("file = {:?}", file.name),
        format!("sha256 = \"{}\"", file.sha256),
        format!("bytes = {}", file.bytes),
        "licence = \"?\"      # SPDX expression of the weights' licence".to_owned(),
        "source = \"?\"       # where the weights come from".to_owned(),
        format!("head = \"{}\"      {}", reading.head, others(probe)),
        format!("input = {:?}", probe.input.name),
        size,
        format!("color = \"?\"        # bgr or rgb; {}", usual.colour),
        format!("mean = \"?\"         # three numbers subtracted, 0-255 scale; {}", usual.mean),
        format!("std = \"?\"          # three numbers divided by; {}", usual.std),
        format!("fit = \"?\"          # letterbox-corner, letterbox-centre or stretch; {}", usual.fit),
        "pad = 114          # grey of the border, 0-255".to_owned(),
    ];
    let mut text = lines.join("\n") + "\n" + &geometry(reading);
    text += &format!("person_class = 0   # {classes}\n");
    if reading.head.has_doubles() {
        text += &format!("nms_iou = {}\n", if reading.head.has_bins() { 0.6 } else { 0.45 });
    }
    text + "score = { low = 0.1, high = 0.4, birth = 0.5 }\n"
}

/// Strides, offset and bins, where the head has them.
fn geometry(reading: &Reading) -> String {
    if !reading.head.has_cells() {
        return String::new();
    }
    let offset = if reading.head == Head::NanodetPairs { "0.5" } else { "0.0" };
    let mut text = format!("strides = {:?}\n", reading.strides);
    if matches!(reading.head, Head::YoloxRaw | Head::RtmdetRaw | Head::NanodetPairs | Head::NanodetPlus) {
        text +=
            &format!("cell_offset = {offset}  # 0.0 or 0.5: compare boxes with the framework the model came from\n");
    }
    if reading.head.has_bins() {
        text += &format!("bins = {}\n", reading.bins);
    }
    text
}

/// Heads that the same outputs would fit.
fn others(probe: &Probe) -> String {
    let mut names: Vec<&str> = Vec::new();
    for reading in &probe.readings[1..] {
        let name = reading.head.name();
        if reading.head != probe.readings[0].head && !names.contains(&name) {
            names.push(name);
        }
    }
    match names[..] {
        [] => "# the only head with such outputs".to_owned(),
        _ => format!("# likeliest; these outputs would also fit {}", names.join(", ")),
    }
}

/// What networks with a head are usually fed: a hint, not an answer.
struct Usual {
    colour: &'static str,
    mean: &'static str,
    std: &'static str,
    fit: &'static str,
}

/// Source: DETECTORS §4, from the frameworks' own preprocessing.
fn usual(head: Head) -> Usual {
    let [colour, mean, std, fit] = match head {
        Head::YoloxRaw | Head::YoloxDecoded => {
            ["YOLOX: bgr", "YOLOX: [0.0, 0.0, 0.0]", "YOLOX: [1.0, 1.0, 1.0]", "YOLOX: letterbox-corner"]
        }
        Head::RtmdetRaw | Head::DetsLabels | Head::NanodetPairs | Head::NanodetPlus => [
            "RTMDet, NanoDet: bgr; PicoDet: rgb",
            "bgr: [103.53, 116.28, 123.675]",
            "bgr: [57.375, 57.12, 58.395]",
            "RTMDet: letterbox-corner; NanoDet: letterbox-centre with pad 0",
        ],
        Head::YoloV5 | Head::YoloV8 | Head::YoloV10 => {
            ["YOLO: rgb", "YOLO: [0.0, 0.0, 0.0]", "YOLO: [255.0, 255.0, 255.0]", "YOLO: letterbox-centre"]
        }
        Head::SsdDecoded | Head::SsdOutput => {
            ["Open Model Zoo: bgr", "there [0.0, 0.0, 0.0]", "there [1.0, 1.0, 1.0]", "there stretch"]
        }
        Head::DetrPost | Head::RtdetrRows | Head::RtdetrLogits => {
            ["DETR: rgb", "DETR: [0.0, 0.0, 0.0]", "DETR: [255.0, 255.0, 255.0]", "DETR: stretch"]
        }
        Head::RfDetr => [
            "RF-DETR: rgb",
            "RF-DETR: [123.675, 116.28, 103.53]",
            "RF-DETR: [58.395, 57.12, 57.375]",
            "RF-DETR: stretch; its person_class is 1",
        ],
    };
    Usual { colour, mean, std, fit }
}
