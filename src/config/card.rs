//! The card of a model: what a person detector wants to be fed and how its outputs read.
//!
//! In: `models/*.card.toml`, compiled in for the models we know, or `FILE.card.toml` beside a customer's file.
//! Out: [`DetectorCard`]. Nothing here opens a model; `cli/model.rs` ties cards to files by sha256.

use serde::{Deserialize, Serialize};

use super::placement::Placement;
use crate::units::PictureSize;

/// What a model wants and how it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorCard {
    /// Short name, as in `--model NAME`.
    pub name: String,
    /// File name of the model.
    pub file: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    /// SPDX expression of the weights' licence.
    pub licence: String,
    /// Where the weights come from.
    pub source: String,
    /// How the outputs read.
    pub head: Head,
    /// Name of the input tensor.
    pub input: String,
    /// Height and width must be multiples of this, px.
    #[serde(default = "multiple_of_default")]
    pub multiple_of: u32,
    /// The only input size, where the graph is fixed.
    #[serde(default)]
    pub fixed: Option<PictureSize>,
    /// Input size for a 4:3 picture, where the graph is free.
    #[serde(default)]
    pub size_default: Option<PictureSize>,
    /// Order of the colour planes.
    pub color: ColorOrder,
    /// Subtracted from each plane (0–255 scale), in the order of `color`.
    pub mean: [f32; 3],
    /// Divides each plane afterwards.
    pub std: [f32; 3],
    /// How a picture is made to fit.
    pub fit: Fit,
    /// Grey level of the border, 0–255.
    pub pad: u8,
    /// Pixels per cell, one per level; empty where the head has no cells.
    #[serde(default)]
    pub strides: Vec<u32>,
    /// Where in its cell a point lies, in cells (0 or 0.5).
    #[serde(default)]
    pub cell_offset: f32,
    /// Bins per side of the distance distribution; 0 where there is none.
    #[serde(default)]
    pub bins: u32,
    /// Index of the class "person".
    pub person_class: usize,
    /// Overlap above which the weaker of two boxes is dropped; 1 where the network does so itself.
    #[serde(default = "nms_iou_none")]
    pub nms_iou: f32,
    /// Scores that matter to the tracker.
    pub score: ScoreLevels,
}

/// How a network's outputs read; recognised by their shapes, confirmed by the card. `C` classes, `n` boxes, px of the
/// input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// `[1, N, 5 + C]`: centre, size, objectness, classes per cell.
    YoloxRaw,
    /// As `YoloxRaw`, with centre and size already in px.
    YoloxDecoded,
    /// One `[1, h, w, 1 + 4]` per level: logit, distances in px.
    RtmdetRaw,
    /// `[1, n, C]` and `[1, n, 4 · bins]` per level: scores, distance distributions.
    NanodetPairs,
    /// `[1, N, C + 4 · bins]`, all levels in one: scores, distance distributions.
    NanodetPlus,
    /// `[1, N, 5 + C]` or three anchors per cell: centre and size in px, objectness, classes (YOLOv5, YOLOv7).
    YoloV5,
    /// `[1, 4 + C, N]`, channels first: centre and size in px, classes (YOLOv8, YOLO11).
    YoloV8,
    /// `[1, n, 6]`: corners in px, score, class; doubles suppressed inside (YOLOv10 and other end-to-end exports).
    YoloV10,
    /// `boxes [1, N, 4]` corners 0–1, `scores [1, N]`.
    SsdDecoded,
    /// `[1, 1, n, 7]`: picture, label, score, corners 0–1; ends at picture −1 (OpenVINO, Caffe DetectionOutput).
    SsdOutput,
    /// `dets [1, n, 5]` corners in px and score, `labels [1, n]` whole numbers (MMDeploy).
    DetsLabels,
    /// `labels`, `boxes [1, Q, 4]` corners, `scores`, and a second input `orig_target_sizes` (D-FINE, DEIM, RT-DETR).
    DetrPost,
    /// `[1, Q, 4 + C]`: centre and size 0–1, classes (RT-DETR as Ultralytics exports it).
    RtdetrRows,
    /// `logits [1, Q, C]`, `pred_boxes [1, Q, 4]` centre and size 0–1 (RT-DETR as Transformers exports it).
    RtdetrLogits,
    /// `dets [1, Q, 4]` centre and size 0–1, `labels [1, Q, C + 1]` logits whose last column is nobody (RF-DETR).
    RfDetr,
}

impl Head {
    /// All heads.
    pub const ALL: [Self; 15] = [
        Self::YoloxRaw,
        Self::YoloxDecoded,
        Self::RtmdetRaw,
        Self::NanodetPairs,
        Self::NanodetPlus,
        Self::YoloV5,
        Self::YoloV8,
        Self::YoloV10,
        Self::SsdDecoded,
        Self::SsdOutput,
        Self::DetsLabels,
        Self::DetrPost,
        Self::RtdetrRows,
        Self::RtdetrLogits,
        Self::RfDetr,
    ];

    /// Its name as cards write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::YoloxRaw => "yolox-raw",
            Self::YoloxDecoded => "yolox-decoded",
            Self::RtmdetRaw => "rtmdet-raw",
            Self::NanodetPairs => "nanodet-pairs",
            Self::NanodetPlus => "nanodet-plus",
            Self::YoloV5 => "yolo-v5",
            Self::YoloV8 => "yolo-v8",
            Self::YoloV10 => "yolo-v10",
            Self::SsdDecoded => "ssd-decoded",
            Self::SsdOutput => "ssd-output",
            Self::DetsLabels => "dets-labels",
            Self::DetrPost => "detr-post",
            Self::RtdetrRows => "rtdetr-rows",
            Self::RtdetrLogits => "rtdetr-logits",
            Self::RfDetr => "rf-detr",
        }
    }

    /// Whether it answers once per cell of a grid, so that its number of answers follows from the input's size.
    #[must_use]
    pub fn has_cells(self) -> bool {
        use Head as H;
        matches!(
            self,
            H::YoloxRaw | H::YoloxDecoded | H::RtmdetRaw | H::NanodetPairs | H::NanodetPlus | H::YoloV5 | H::YoloV8
        )
    }

    /// Whether several boxes stand on one person until the weaker ones are dropped here.
    #[must_use]
    pub fn has_doubles(self) -> bool {
        self.has_cells() || self == Self::SsdDecoded
    }

    /// Whether distances come as distributions over bins.
    #[must_use]
    pub fn has_bins(self) -> bool {
        matches!(self, Self::NanodetPairs | Self::NanodetPlus)
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Order of the colour planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue.
    Rgb,
}

/// How a picture is made to fit the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Aspect kept, picture in the middle.
    LetterboxCentre,
    /// Aspect kept, picture in the upper left corner.
    LetterboxCorner,
    /// Aspect given up.
    Stretch,
}

/// Scores that matter to the tracker, 0–1: what a detector's figures mean, so that one setting of the tracker fits all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreLevels {
    /// Weaker ones are not even looked at.
    pub low: f32,
    /// From here on a detection is more likely a person than not.
    pub high: f32,
    /// From here on it is a person.
    pub birth: f32,
}

impl ScoreLevels {
    /// Whether they are three different scores in their order.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        0.0 < self.low && self.low < self.high && self.high < self.birth && self.birth < 1.0
    }
}

impl std::fmt::Display for ScoreLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{ low = {}, high = {}, birth = {} }}", self.low, self.high, self.birth)
    }
}

impl DetectorCard {
    /// The first field whose value no network can have, with what it may be.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let side = 1..=SIDE_PX_MAX;
        let is_size = |size: &PictureSize| side.contains(&size.height) && side.contains(&size.width);
        let unit = |value: f32| (0.0..=1.0).contains(&value);
        let score = &self.score;
        let checks = [
            (side.contains(&self.multiple_of), "multiple_of", "1 to 8192 px"),
            (self.fixed.as_ref().is_none_or(is_size), "fixed", "sides of 1 to 8192 px"),
            (self.size_default.as_ref().is_none_or(is_size), "size_default", "sides of 1 to 8192 px"),
            (self.mean.iter().all(|value| value.is_finite()), "mean", "three finite numbers"),
            (self.std.iter().all(|value| value.is_normal()), "std", "three finite numbers other than 0"),
            (self.strides.iter().all(|px| side.contains(px)), "strides", "one or more of 1 to 8192 px"),
            (
                self.head.has_cells() != self.strides.is_empty(),
                "strides",
                "one or more of 1 to 8192 px where the head answers per cell, and leave it out where it does not",
            ),
            (
                if self.head.has_bins() { (2..=BINS_MAX).contains(&self.bins) } else { self.bins == 0 },
                "bins",
                "reg_max + 1 (2 to 64) for nanodet-pairs and nanodet-plus, and leave it out elsewhere",
            ),
            (unit(self.cell_offset), "cell_offset", "0 to 1"),
            (unit(self.nms_iou), "nms_iou", "0 to 1"),
            (
                !self.head.has_doubles() || self.nms_iou < 1.0,
                "nms_iou",
                "less than 1, for example 0.45: this head gives several boxes per person",
            ),
            (!self.licence.contains('?'), "licence", "the SPDX expression of the weights' licence"),
            (!self.source.contains('?'), "source", "where the weights come from"),
            ([score.low, score.high, score.birth].into_iter().all(unit), "score", "three numbers from 0 to 1"),
        ];
        let wrong = checks.into_iter().find(|(is_good, ..)| !is_good);
        wrong.map(|(_, field, range)| format!("{field}: write {range}"))
    }

    /// How pictures of `picture` are placed in the input; `size` overrides the input size chosen from their shape.
    #[must_use]
    pub fn placement(&self, picture: PictureSize, size: Option<PictureSize>) -> Placement {
        Placement::new(self.fit, picture, size.unwrap_or_else(|| self.input_size(picture)))
    }

    /// The input size for pictures of `picture`: the fixed one, or the camera's own shape with about as
    /// many pixels as the default, in whole multiples.
    #[must_use]
    pub fn input_size(&self, picture: PictureSize) -> PictureSize {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let area = self.size_default.map_or(AREA_DEFAULT, |size| f64::from(size.height) * f64::from(size.width));
        let (picture_w, picture_h) = (f64::from(picture.width), f64::from(picture.height));
        let step = f64::from(self.multiple_of);
        let ideal_width = (area * picture_w / picture_h).sqrt();
        let mut best = (f64::INFINITY, [step, step]);
        for offset in [-1.0, 0.0, 1.0] {
            let width = ((ideal_width / step).round() + offset).max(1.0) * step;
            let height = (width * picture_h / picture_w / step).round().max(1.0) * step;
            let scale = (width / picture_w).min(height / picture_h);
            let border_share = 1.0 - scale * scale * picture_w * picture_h / (width * height);
            let badness = border_share + AREA_WEIGHT * (width * height / area - 1.0).abs();
            if badness < best.0 {
                best = (badness, [height, width]);
            }
        }
        PictureSize { height: best.1[0] as u32, width: best.1[1] as u32 }
    }
}

/// Largest side of a model input, px.
const SIDE_PX_MAX: u32 = 8192;

/// Pixels of an input when the card names no default: 320 × 416.
const AREA_DEFAULT: f64 = 320.0 * 416.0;

/// How much a wrong area weighs against grey border: at 0.3 the shapes measured best come out
/// (320x416 for 4:3, 288x512 for 16:9).
const AREA_WEIGHT: f64 = 0.3;

/// Most bins a distance distribution may have; networks have 8, 11 or 17.
const BINS_MAX: u32 = 64;

fn multiple_of_default() -> u32 {
    32
}

/// No two boxes overlap by more than wholly.
fn nms_iou_none() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_card() -> DetectorCard {
        DetectorCard {
            name: "free".into(),
            file: "free.onnx".into(),
            sha256: String::new(),
            bytes: 0,
            licence: "Apache-2.0".into(),
            source: "made for this test".into(),
            head: Head::RtmdetRaw,
            input: "images".into(),
            multiple_of: 32,
            fixed: None,
            size_default: Some(PictureSize { height: 320, width: 416 }),
            color: ColorOrder::Bgr,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit: Fit::LetterboxCorner,
            pad: 114,
            strides: vec![8, 16, 32],
            cell_offset: 0.0,
            bins: 0,
            person_class: 0,
            nms_iou: 0.6,
            score: ScoreLevels { low: 0.1, high: 0.4, birth: 0.5 },
        }
    }

    #[test]
    fn a_head_is_called_what_cards_call_it() {
        for head in Head::ALL {
            let written = serde_json::to_string(&head).expect("a name");
            assert_eq!(written, format!("\"{head}\""));
        }
    }

    #[test]
    fn a_card_states_what_its_head_needs_and_nothing_it_does_not() {
        assert_eq!(free_card().fault(), None);
        let fault = |change: fn(&mut DetectorCard)| {
            let mut card = free_card();
            change(&mut card);
            card.fault().unwrap_or_default()
        };
        assert!(fault(|card| card.nms_iou = 1.0).starts_with("nms_iou"));
        assert!(fault(|card| card.head = Head::DetsLabels).starts_with("strides"));
        assert!(fault(|card| card.head = Head::NanodetPlus).starts_with("bins"));
        assert!(fault(|card| card.licence = "?".into()).starts_with("licence"));
        assert_eq!(
            fault(|card| (card.head, card.strides, card.nms_iou) = (Head::DetsLabels, Vec::new(), 1.0)),
            String::new()
        );
    }

    #[test]
    fn the_input_takes_the_shape_of_the_camera() {
        let size = |width, height| free_card().input_size(PictureSize { height, width });
        assert_eq!(size(768, 576), PictureSize { height: 320, width: 416 });
        assert_eq!(size(1920, 1080), PictureSize { height: 288, width: 512 });
        assert_eq!(size(1080, 1920), PictureSize { height: 512, width: 288 });
    }
}
