//! Raw outputs to boxes of people: three families of heads, recognised by shape and confirmed by the card.
//!
//! In: outputs of the network for an input `H x W`. Out: [`Detection`]s in input px after suppression of doubles.
//! Invariant: a network whose shapes do not add up to the cells of its levels is refused at load, never guessed.
//! Sources: YOLOX (arXiv 2107.08430), RTMDet (arXiv 2212.07784), Generalized Focal Loss (arXiv 2006.04388).

use super::session::Output;
use super::{DetectError, Detection};
use crate::config::card::{DetectorCard, Head};
use crate::units::{BoxPx, PictureSize};

/// Reads the outputs of one network at one input size.
pub struct Decoder {
    head: Head,
    levels: Vec<Level>,
}

/// One level of the pyramid.
struct Level {
    stride: f32,
    columns: usize,
    cells: usize,
    /// Which outputs belong to it: scores (or everything), then distances.
    outputs: [usize; 2],
}

impl Decoder {
    /// Recognises the head by the shapes of `outputs` and confirms it with the card.
    ///
    /// # Errors
    /// [`DetectError::Head`] naming what was found and what the card says.
    pub fn recognise(card: &DetectorCard, input: PictureSize, outputs: &[Output<'_>]) -> Result<Self, DetectError> {
        let shapes: Vec<&[usize]> = outputs.iter().map(|output| output.shape()).collect();
        let refused = |reason: String| DetectError::Head { reason };
        let Some(found) = head_of(&shapes) else {
            return Err(refused(format!("no known head has outputs {shapes:?}; the card says {:?}", card.head)));
        };
        if found != card.head {
            return Err(refused(format!("outputs {shapes:?} are those of {found:?}, the card says {:?}", card.head)));
        }
        if outputs.iter().any(|output| output.iter().any(|value| !value.is_finite())) {
            return Err(refused("a grey picture gives values that are not finite".to_owned()));
        }
        let mut levels: Vec<Level> = card.strides.iter().map(|stride| Level::new(*stride, input)).collect();
        let fits = match found {
            Head::YoloxRaw => shapes[0][1] == levels.iter().map(|level| level.cells).sum::<usize>(),
            Head::RtmdetRaw => pair_up(&mut levels, &shapes, |shape| shape[1] * shape[2], |_| true),
            Head::NanodetPairs => {
                let sides = 4 * card.bins as usize;
                pair_up(&mut levels, &shapes, |shape| shape[1], |shape| shape[2] != sides)
            }
        };
        let classes = classes_of(found, &shapes);
        if !fits || card.person_class >= classes {
            let reason = format!(
                "outputs {shapes:?} do not fit {} cells at strides {:?} with person = class {}",
                levels.iter().map(|level| level.cells).sum::<usize>(),
                card.strides,
                card.person_class
            );
            return Err(refused(reason));
        }
        Ok(Self { head: found, levels })
    }

    /// The people with a score of at least `score_min`, strongest first, doubles suppressed.
    ///
    /// # Errors
    /// [`DetectError::Head`] when an output is not laid out plainly in memory.
    pub fn people(
        &self,
        card: &DetectorCard,
        outputs: &[Output<'_>],
        score_min: f32,
    ) -> Result<Vec<Detection>, DetectError> {
        let plain: Option<Vec<&[f32]>> = outputs.iter().map(|output| output.to_slice()).collect();
        let plain = plain.ok_or_else(|| DetectError::Head { reason: "an output is not contiguous".to_owned() })?;
        let mut found = Vec::new();
        let mut cell_first = 0;
        for level in &self.levels {
            match self.head {
                Head::YoloxRaw => {
                    let width = plain[0].len() / self.levels.iter().map(|level| level.cells).sum::<usize>();
                    let values = &plain[0][cell_first * width..][..level.cells * width];
                    level.yolox(card, values, width, &mut |detection| found.push(detection), score_min);
                }
                Head::RtmdetRaw => level.rtmdet(card, plain[level.outputs[0]], score_min, &mut found),
                Head::NanodetPairs => {
                    level.nanodet(card, [plain[level.outputs[0]], plain[level.outputs[1]]], score_min, &mut found);
                }
            }
            cell_first += level.cells;
        }
        Ok(suppress_doubles(found, card.nms_iou))
    }
}

/// The head with outputs of these shapes.
fn head_of(shapes: &[&[usize]]) -> Option<Head> {
    let batch_of_one = shapes.iter().all(|shape| shape.first() == Some(&1));
    match shapes {
        [only] if batch_of_one && only.len() == 3 && only[2] > 5 => Some(Head::YoloxRaw),
        _ if !batch_of_one || shapes.is_empty() => None,
        _ if shapes.iter().all(|shape| shape.len() == 4 && shape[3] == 5) => Some(Head::RtmdetRaw),
        _ if shapes.len().is_multiple_of(2) && shapes.iter().all(|shape| shape.len() == 3) => Some(Head::NanodetPairs),
        _ => None,
    }
}

fn classes_of(head: Head, shapes: &[&[usize]]) -> usize {
    match head {
        Head::YoloxRaw => shapes[0][2] - 5,
        Head::RtmdetRaw => 1,
        Head::NanodetPairs => shapes.iter().map(|shape| shape[2]).max().unwrap_or(0),
    }
}

/// Gives each level its outputs by number of cells: the order of outputs is no contract (the network fetched
/// by the set-up answers in the order 32, 32, 16, 8, 16, 8).
fn pair_up(
    levels: &mut [Level],
    shapes: &[&[usize]],
    cells: fn(&[usize]) -> usize,
    is_scores: impl Fn(&[usize]) -> bool,
) -> bool {
    for level in levels.iter_mut() {
        let of_level =
            |scores: bool| shapes.iter().position(|shape| cells(shape) == level.cells && is_scores(shape) == scores);
        let Some(scores) = of_level(true) else { return false };
        level.outputs = [scores, of_level(false).unwrap_or(scores)];
    }
    let mut used: Vec<usize> = levels.iter().flat_map(|level| level.outputs).collect();
    used.sort_unstable();
    used.dedup();
    used.len() == shapes.len()
}

impl Level {
    fn new(stride: u32, input: PictureSize) -> Self {
        let columns = input.width.div_ceil(stride) as usize;
        let rows = input.height.div_ceil(stride) as usize;
        Self { stride: stride as f32, columns, cells: columns * rows, outputs: [0, 0] }
    }

    /// The point of a cell, px.
    fn point(&self, cell: usize, offset: f32) -> [f32; 2] {
        let (column, row) = (cell % self.columns, cell / self.columns);
        [(column as f32 + offset) * self.stride, (row as f32 + offset) * self.stride]
    }

    fn yolox(
        &self,
        card: &DetectorCard,
        values: &[f32],
        width: usize,
        found: &mut dyn FnMut(Detection),
        score_min: f32,
    ) {
        for (cell, value) in values.chunks_exact(width).enumerate() {
            let score = value[4] * value[5 + card.person_class];
            if score < score_min {
                continue;
            }
            let [x, y] = self.point(cell, card.cell_offset);
            let (centre_x, centre_y) = (x + value[0] * self.stride, y + value[1] * self.stride);
            let (half_w, half_h) = (value[2].exp() * self.stride / 2.0, value[3].exp() * self.stride / 2.0);
            let place =
                BoxPx { x1: centre_x - half_w, y1: centre_y - half_h, x2: centre_x + half_w, y2: centre_y + half_h };
            found(Detection { place, score });
        }
    }

    fn rtmdet(&self, card: &DetectorCard, values: &[f32], score_min: f32, found: &mut Vec<Detection>) {
        for (cell, value) in values.chunks_exact(5).enumerate() {
            let score = 1.0 / (1.0 + (-value[0]).exp());
            if score >= score_min {
                let sides = [value[1], value[2], value[3], value[4]];
                found.push(Detection { place: around(self.point(cell, card.cell_offset), sides), score });
            }
        }
    }

    fn nanodet(
        &self,
        card: &DetectorCard,
        [scores, distances]: [&[f32]; 2],
        score_min: f32,
        found: &mut Vec<Detection>,
    ) {
        let bins = card.bins as usize;
        let classes = scores.len() / self.cells;
        let of_person = scores.iter().skip(card.person_class).step_by(classes);
        for (cell, score) in of_person.enumerate().filter(|(_, score)| **score >= score_min) {
            let values = &distances[cell * 4 * bins..][..4 * bins];
            let sides = std::array::from_fn(|side| expected_bin(&values[side * bins..][..bins]) * self.stride);
            found.push(Detection { place: around(self.point(cell, card.cell_offset), sides), score: *score });
        }
    }
}

/// The box whose left, top, right and bottom lie this far from a point.
fn around([x, y]: [f32; 2], [left, top, right, bottom]: [f32; 4]) -> BoxPx {
    BoxPx { x1: x - left, y1: y - top, x2: x + right, y2: y + bottom }
}

/// Expectation of a distribution given by logits over bins 0, 1, 2, … (Generalized Focal Loss, eq. 3).
fn expected_bin(logits: &[f32]) -> f32 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - highest).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}

/// Keeps the strongest of boxes that overlap by more than `iou_max`.
fn suppress_doubles(mut found: Vec<Detection>, iou_max: f32) -> Vec<Detection> {
    // A stable order: strongest first, then by place, so that runs repeat bit for bit.
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.place.x1.total_cmp(&b.place.x1)).then(a.place.y1.total_cmp(&b.place.y1))
    });
    found.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in found {
        if kept.iter().all(|strong| strong.place.iou(&candidate.place) <= iou_max) {
            kept.push(candidate);
        }
    }
    kept
}

/// Most candidates compared with each other: far beyond what stands in one picture.
const CANDIDATES_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sharp_distribution_is_its_bin_and_a_flat_one_its_middle() {
        assert!((expected_bin(&[0.0, 0.0, 60.0, 0.0]) - 2.0).abs() < 1e-4);
        assert!((expected_bin(&[1.0; 11]) - 5.0).abs() < 1e-4);
    }

    #[test]
    fn heads_are_told_apart_by_their_shapes() {
        assert_eq!(head_of(&[&[1, 2730, 85]]), Some(Head::YoloxRaw));
        assert_eq!(head_of(&[&[1, 40, 52, 5], &[1, 20, 26, 5], &[1, 10, 13, 5]]), Some(Head::RtmdetRaw));
        assert_eq!(head_of(&[&[1, 130, 80], &[1, 130, 44]]), Some(Head::NanodetPairs));
        assert_eq!(head_of(&[&[1, 100, 5], &[1, 100]]), None);
        assert_eq!(head_of(&[]), None);
    }

    #[test]
    fn of_two_boxes_on_one_person_the_stronger_stays() {
        let place = |x1: f32| BoxPx { x1, y1: 0.0, x2: x1 + 10.0, y2: 30.0 };
        let found = vec![
            Detection { place: place(0.0), score: 0.5 },
            Detection { place: place(1.0), score: 0.9 },
            Detection { place: place(40.0), score: 0.4 },
        ];
        let kept = suppress_doubles(found, 0.5);
        assert_eq!(kept.iter().map(|person| person.score).collect::<Vec<_>>(), [0.9, 0.4]);
    }
}
