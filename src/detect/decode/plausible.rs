//! Whether what a network says of a grey picture can be boxes and scores of its head.
//!
//! In: every answer to a grey picture, unthresholded. Out: what is wrong, in words. Shapes alone do not tell raw from
//! decoded boxes, px from 0–1, or logits from scores; values do. It runs once, before any picture is seen.

use super::Detection;
use crate::config::card::Head;
use crate::units::PictureSize;

/// What speaks against this reading; `None` when nothing does.
pub fn doubt(head: Head, input: PictureSize, answers: &[Detection]) -> Option<String> {
    let most = HUGE * input.width.max(input.height) as f32;
    let is_huge = |answer: &Detection| answer.place.width().max(answer.place.height()) > most;
    if head == Head::YoloxRaw && answers.iter().any(|answer| is_huge(answer) || !is_finite(answer)) {
        return Some(format!(
            "boxes are over {HUGE} times as large as the input; if they come in px already, the head is yolox-decoded or yolo-v5"
        ));
    }
    if !answers.iter().all(is_finite) {
        return Some("boxes or scores are not finite".to_owned());
    }
    let scores = answers.iter().map(|answer| answer.score);
    let (lowest, highest) = scores.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), s| (low.min(s), high.max(s)));
    if !answers.is_empty() && (lowest < -SCORE_SLACK || highest > 1.0 + SCORE_SLACK) {
        return Some(format!(
            "scores run from {lowest:.2} to {highest:.2} where 0 to 1 is expected; is a sigmoid missing, or is this another head?"
        ));
    }
    let (width, height) = (input.width as f32, input.height as f32);
    let reach = answers.iter().map(|answer| (answer.place.x1 + answer.place.x2) / 2.0).fold(0.0, f32::max);
    match head {
        Head::YoloxDecoded | Head::YoloV5 | Head::YoloV8 if reach < width / 2.0 => Some(format!(
            "no box lies right of {reach:.1} px on an input {width} px wide; boxes relative to cells are yolox-raw, boxes from 0 to 1 are not read"
        )),
        Head::DetsLabels | Head::DetrPost | Head::YoloV10 => {
            let is_tiny = |answer: &Detection| answer.place.x2.max(answer.place.y2) <= UNIT_MAX;
            let are_tiny = answers.iter().all(is_tiny) && answers.iter().any(|answer| answer.place.x2 > 0.0);
            are_tiny.then(|| "all boxes lie within 2 px; this head gives px, not 0 to 1".to_owned())
        }
        Head::SsdDecoded | Head::SsdOutput | Head::RtdetrRows | Head::RtdetrLogits | Head::RfDetr => {
            let is_far = |answer: &&Detection| {
                let place = &answer.place;
                place.x1.abs().max(place.x2.abs()) > UNIT_MAX * width
                    || place.y1.abs().max(place.y2.abs()) > UNIT_MAX * height
            };
            // A single wild box of a network that is not sure is no proof; most of them are.
            let far = answers.iter().filter(is_far).count();
            (far * 2 > answers.len()).then(|| "boxes come in px where this head gives 0 to 1".to_owned())
        }
        _ => None,
    }
}

/// Whether box and score are numbers one can calculate with.
pub fn is_finite(answer: &Detection) -> bool {
    let place = &answer.place;
    [place.x1, place.y1, place.x2, place.y2, answer.score].iter().all(|value| value.is_finite())
}

/// A box this many times the input's size is none: the exponential of a size that was in px already.
const HUGE: f32 = 100.0;

/// How far a score may lie outside 0–1 by rounding.
const SCORE_SLACK: f32 = 0.01;

/// Farthest a normalised corner lies outside 0–1.
const UNIT_MAX: f32 = 2.0;
