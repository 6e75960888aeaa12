//! Heads that answer in finished boxes, one a row: YOLO exports, SSD, DETR and its kin.
//!
//! In: whole outputs. Out: [`Detection`]s in input px; those of end-to-end heads without doubles.
//! Sources: the exports of Ultralytics, MMDeploy, Transformers, OpenVINO (DetectionOutput-1) and RF-DETR.

use super::grid::{centred, sigmoid};
use super::{Detection, Finds};
use crate::config::card::DetectorCard;
use crate::units::{BoxPx, PictureSize};

/// Rows of `width` values: centre and size in px, objectness, classes.
pub fn yolo_v5(card: &DetectorCard, rows: &[f32], width: usize, finds: &mut Finds) {
    for row in rows.chunks_exact(width) {
        let score = row[4] * row[5 + card.person_class];
        if finds.wants(score) {
            finds.take(Detection { place: centred([row[0], row[1]], [row[2], row[3]]), score });
        }
    }
}

/// Columns of `count` values each: centre and size in px, classes.
pub fn yolo_v8(card: &DetectorCard, columns: &[f32], count: usize, finds: &mut Finds) {
    let column = |index: usize| &columns[index * count..][..count];
    let [x, y, width, height] = std::array::from_fn(column);
    for (at, score) in column(4 + card.person_class).iter().enumerate() {
        if finds.wants(*score) {
            finds.take(Detection { place: centred([x[at], y[at]], [width[at], height[at]]), score: *score });
        }
    }
}

/// Rows of six values: corners in px, score, class.
pub fn yolo_v10(card: &DetectorCard, rows: &[f32], finds: &mut Finds) {
    for [x1, y1, x2, y2, score, class] in rows.as_chunks::<6>().0 {
        if is_person(card, *class) && finds.wants(*score) {
            finds.take(Detection { place: BoxPx { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, score: *score });
        }
    }
}

/// Rows of seven values, corners 0–1: picture, label, score, corners; those behind picture −1 mean nothing.
pub fn ssd_output(card: &DetectorCard, rows: &[f32], input: PictureSize, finds: &mut Finds) {
    let meant = rows.as_chunks::<7>().0.iter().take_while(|row| row[0] >= 0.0);
    for [_, label, score, x1, y1, x2, y2] in meant {
        if is_person(card, *label) && finds.wants(*score) {
            finds.take(Detection { place: scaled([*x1, *y1, *x2, *y2], input), score: *score });
        }
    }
}

/// Corners 0–1 and their scores, apart.
pub fn ssd_decoded([boxes, scores]: [&[f32]; 2], input: PictureSize, finds: &mut Finds) {
    for (corners, score) in boxes.as_chunks().0.iter().zip(scores) {
        if finds.wants(*score) {
            finds.take(Detection { place: scaled(*corners, input), score: *score });
        }
    }
}

/// Rows of five values, corners in px and score, and a label for each.
pub fn dets_labels(card: &DetectorCard, [rows, labels]: [&[f32]; 2], finds: &mut Finds) {
    for ([x1, y1, x2, y2, score], label) in rows.as_chunks().0.iter().zip(labels) {
        if is_person(card, *label) && finds.wants(*score) {
            finds.take(Detection { place: BoxPx { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, score: *score });
        }
    }
}

/// Corners in px, scores and labels, apart.
pub fn detr_post(card: &DetectorCard, [boxes, scores, labels]: [&[f32]; 3], finds: &mut Finds) {
    for (([x1, y1, x2, y2], score), label) in boxes.as_chunks().0.iter().zip(scores).zip(labels) {
        if is_person(card, *label) && finds.wants(*score) {
            finds.take(Detection { place: BoxPx { x1: *x1, y1: *y1, x2: *x2, y2: *y2 }, score: *score });
        }
    }
}

/// Rows of centre and size 0–1, then classes.
pub fn rtdetr_rows(card: &DetectorCard, (rows, width): (&[f32], usize), input: PictureSize, finds: &mut Finds) {
    for row in rows.chunks_exact(width) {
        let score = row[4 + card.person_class];
        if finds.wants(score) {
            finds.take(Detection { place: centred_scaled([row[0], row[1], row[2], row[3]], input), score });
        }
    }
}

/// Centre and size 0–1, and logits of all classes, apart.
pub fn detr_logits(card: &DetectorCard, [boxes, logits]: [&[f32]; 2], input: PictureSize, finds: &mut Finds) {
    let boxes = boxes.as_chunks().0;
    let classes = logits.len().checked_div(boxes.len()).unwrap_or(0);
    for (place, logits) in boxes.iter().zip(logits.chunks_exact(classes.max(1))) {
        let score = sigmoid(logits[card.person_class]);
        if finds.wants(score) {
            finds.take(Detection { place: centred_scaled(*place, input), score });
        }
    }
}

/// Labels are whole numbers, whatever type they come in.
fn is_person(card: &DetectorCard, label: f32) -> bool {
    (label - card.person_class as f32).abs() < 0.5
}

fn scaled([x1, y1, x2, y2]: [f32; 4], input: PictureSize) -> BoxPx {
    let (width, height) = (input.width as f32, input.height as f32);
    BoxPx { x1: x1 * width, y1: y1 * height, x2: x2 * width, y2: y2 * height }
}

fn centred_scaled([x, y, w, h]: [f32; 4], input: PictureSize) -> BoxPx {
    let (width, height) = (input.width as f32, input.height as f32);
    centred([x * width, y * height], [w * width, h * height])
}
